"""Finds the application in a file of PasteDeploy, such as `production.ini`. The file says what to import."""

import importlib.util
import os
import re
import sys

from viaduct_worker.inspect_result import plain_result
from viaduct_worker.inspect_source import DiscoveryError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from viaduct_worker.messages import Finding, Project

SECTION = re.compile(r'^\[\s*([^\]]+?)\s*\]', re.MULTILINE)
KINDS = ('app', 'application', 'composite', 'composit', 'pipeline', 'filter-app')
"""The first words of the sections of applications."""

SETTINGS = {'host': 'listen', 'port': 'listen', 'listen': 'listen', 'bind': 'listen', 'threads': 'threads'}
"""What is said about keys of a section [server:main]."""


def paste_file(directory: str, dev: bool) -> str | None:
    """The file in `directory` with a main application: the usual one, or the only one; None if there is none.

    Raises DiscoveryError if there are several.
    """
    names = sorted(name for name in os.listdir(directory) if name.endswith('.ini'))
    files = [name for name in names if 'main' in applications(read(os.path.join(directory, name)))]
    usual = 'development.ini' if dev else 'production.ini'
    if usual in files or len(files) == 1:
        return usual if usual in files else files[0]
    if files:
        raise DiscoveryError(
            f'Cannot choose an application in "{directory}": there are several .ini files: {", ".join(files)}',
            f'Name one of them: viaduct {files[0]}.',
        )
    return None


def paste_application(directory: str, text: str) -> 'Project':
    """Describe the application of FILE or FILE#NAME. Raises DiscoveryError if it cannot be served."""
    file, _, name = text.partition('#')
    path = os.path.join(directory, file)
    content = read(path)
    found = applications(content)
    if '[uwsgi]' in content:
        raise DiscoveryError(
            f'Cannot serve "{text}": it is a configuration of uWSGI',
            f'Translate it: viaduct import {file}.',
        )
    if (name or 'main') not in found:
        others = ', '.join(f'{file}#{other}' for other in found)
        raise DiscoveryError(
            f'Cannot serve "{text}": it has no section [app:{name or "main"}] and no [pipeline:{name or "main"}]',
            f'Name one of its applications: {others}.' if found else 'Name a file of PasteDeploy, or MODULE:CALLABLE.',
        )
    if not is_there('paste') or not is_there('paste.deploy'):
        raise DiscoveryError(
            f'Cannot serve "{text}": PasteDeploy is not installed for "{sys.executable}"',
            'Install it there: pip install PasteDeploy. Or choose the environment of the project with --python.',
        )
    arguments = f'{path!r}, {name or "main"!r}'
    project = plain_result(directory, 'viaduct_worker.paste_application', 'load', True, 'wsgi', arguments)
    project['application']['name'] = text
    project['described'] = f'PasteDeploy, [{found[name or "main"]}]'
    project['findings'] = list(server_findings(content))
    return project


def is_there(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def read(path: str) -> str:
    try:
        with open(path, encoding='utf-8', errors='replace') as file:
            return file.read()
    except OSError:
        return ''


def applications(content: str) -> dict[str, str]:
    """The sections of applications by the name of the application."""
    found = {}
    for section in SECTION.findall(content):
        kind, colon, name = section.partition(':')
        if colon and kind.strip() in KINDS:
            found[name.strip()] = section
    return found


def server_findings(content: str) -> 'list[Finding]':
    """What the section [server:main] sets, which is for another server."""
    _, _, rest = content.partition('[server:main]')
    section = rest.partition('\n[')[0]
    keys = [line.partition('=')[0].strip() for line in section.splitlines() if '=' in line]
    named = [key for key in keys if key in SETTINGS]
    if not named:
        return []
    flags = ' and '.join(dict.fromkeys(f'--{SETTINGS[key]}' for key in named))
    text = f'{", ".join(named)} in [server:main] have no effect, because they are for another server: use {flags}'
    return [('found', 'server', text)]
