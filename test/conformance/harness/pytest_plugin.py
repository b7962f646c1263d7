"""Loaded into pytest with `-p`: the suite's clients ask the server, `CONFORMANCE_RESULT` gets what became of tests."""

import os
import sys

import pytest

from . import werkzeug_live, wsgi_live
from .record import Record

RECORD = Record()
RANK = ('passed', 'skipped', 'failed')


def pytest_configure(config):
    wsgi_live.install_werkzeug()
    if os.environ.get('CONFORMANCE_SUITE') == 'webtest':
        wsgi_live.install_webob()
        wsgi_live.install_webtest()


def pytest_collection_modifyitems():
    if hasattr(sys.modules.get('conftest'), 'DevServerClient'):
        werkzeug_live.install(sys.modules['conftest'])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    item.became = ('passed', '')
    RECORD.begin()
    yield
    RECORD.end(item.nodeid, *item.became)
    return True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    outcome = report.outcome
    if RANK.index(outcome) > RANK.index(item.became[0]):
        crash = getattr(report.longrepr, 'reprcrash', None)
        item.became = (outcome, (crash.message if crash else str(report.longrepr)).partition('\n')[0])
    return report


def pytest_sessionfinish():
    RECORD.write(os.environ['CONFORMANCE_RESULT'])
