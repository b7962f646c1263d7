"""Lists the applications that are installed in the environment.

Only metadata and source are read; nothing is imported.
"""

import re
import sys

from viaduct_worker.inspect_source import DiscoveryError, Module, module_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.metadata import Distribution

WSGI_FILE = re.compile(r'^((?:\w+/){1,3})wsgi(?:\.py|/__init__\.py)(?:,|$)', re.MULTILINE)
"""A module `wsgi` in the list of the files of a distribution."""

NOT_APPLICATIONS = re.compile(r'\b(?:tests?|testing|examples?|contrib|project_template)\b')
SHOWN_MAX = 8

KNOWN = {
    'isso': 'isso.run:application',
    'pypiserver': 'pypiserver:app()',
    'radicale': 'radicale:application',
    'trac': 'trac.web.main:dispatch_request',
}
"""Applications that have no module `wsgi` with the application, by the name of the distribution."""


def describe_installed() -> str:
    """What the environment could serve, each with the command; '' if there is nothing."""
    found = sorted(set(installed()))
    if not found:
        return ''
    width = max(len(target) for target, _ in found[:SHOWN_MAX])
    lines = [f'  viaduct {target.ljust(width)}  ({name})' for target, name in found[:SHOWN_MAX]]
    more = [f'  and {len(found) - SHOWN_MAX} more'] if len(found) > SHOWN_MAX else []
    heading = 'Name the application, MODULE:CALLABLE. Its environment has:'
    return '\n'.join([heading, *lines, *more])


def installed() -> 'Iterator[tuple[str, str]]':
    """(what to type after `viaduct`, name and version) of each application that is installed."""
    from importlib.metadata import distributions  # its import takes longer than the rest of discovery

    for distribution in distributions():
        name = distribution.metadata['Name'] or ''
        shown = f'{name} {distribution.version}'
        known = KNOWN.get(name.lower())
        if known:
            yield shell_word(known), shown
        else:
            for module in wsgi_modules(distribution):
                yield module, shown
            if makes_paste_application(distribution):
                yield 'FILE.ini', f'{shown}, with use = egg:{name} in its [app:main]'


def shell_word(target: str) -> str:
    return f'"{target}"' if '(' in target else target


def wsgi_modules(distribution: 'Distribution') -> 'Iterator[str]':
    """The modules named wsgi in which an application can be seen."""
    files = distribution.read_text('RECORD') or distribution.read_text('installed-files.txt') or ''
    packages = [path.strip('/').replace('/', '.') for path in WSGI_FILE.findall(files)]
    packages += [] if files else (distribution.read_text('top_level.txt') or '').split()
    for package in packages:
        module = f'{package}.wsgi'
        path = next((path for root in sys.path if (path := module_path(root, module))), None)
        if path and not NOT_APPLICATIONS.search(package) and has_application(path):
            yield module


def has_application(path: str) -> bool:
    try:
        return Module(path).find_callable() is not None
    except DiscoveryError:
        return False


def makes_paste_application(distribution: 'Distribution') -> bool:
    """Whether a section `use = egg:NAME` of PasteDeploy makes an application."""
    return any(entry.group == 'paste.app_factory' and entry.name == 'main' for entry in distribution.entry_points)
