"""Finds out what a Django project holds. This process imports the settings, because only the settings know."""

import os
import sys

from viaduct_worker.callables import read_callable
from viaduct_worker.inspect_result import application
from viaduct_worker.inspect_source import DiscoveryError, find_module, module_path, settings_named_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from viaduct_worker.messages import Application, Finding, Mount, Project

    class DjangoSettings(Protocol):
        INSTALLED_APPS: list[str]
        MEDIA_ROOT: str | os.PathLike[str]
        MEDIA_URL: str
        STATIC_ROOT: str | os.PathLike[str] | None
        STATIC_URL: str | None
        WSGI_APPLICATION: str | None


class Report:
    """What the answer has besides the application."""

    def __init__(self) -> None:
        self.mounts: list[tuple[str, list[str]]] = []
        """URL prefix and directories."""
        self.findings: list[Finding] = []

    def found(self, subject: str, text: str) -> None:
        self.findings.append(('found', subject, text))

    def hint(self, subject: str, text: str) -> None:
        self.findings.append(('hint', subject, text))


def django_project(directory: str, module: str | None, text: str | None, dev: bool) -> 'Project':
    """Describe the project in `directory`, whose code may also be installed.

    `module` and `text`, a callable or a call of one, are what the user named, or None.
    """
    report = Report()
    settings_module = choose_settings(report, directory, module, dev)
    os.chdir(directory)
    sys.path.insert(0, directory)
    os.environ['DJANGO_SETTINGS_MODULE'] = settings_module
    described = f'settings {settings_module}'
    dotted = None
    try:
        import django
        from django.conf import settings

        dotted = settings.WSGI_APPLICATION
        described = f'Django {django.get_version()}, {described}'
        add_files(report, settings, dev)
    except ModuleNotFoundError as error:
        if error.name == 'django':
            raise DiscoveryError(
                f'Cannot import Django with "{sys.executable}": it is not installed there',
                'Install the project there, or choose its environment with --python.',
            ) from None
        report.hint('settings', f'{settings_module} cannot be imported: {last_line()}')
    except BaseException:  # settings may end the program when a variable is missing
        report.hint('settings', f'{settings_module} cannot be imported: {last_line()}')
    return {
        'kind': 'django',
        'directory': directory,
        'environment': {'DJANGO_SETTINGS_MODULE': settings_module},
        'mounts': mounts(report, settings_module),
        'findings': report.findings,
        'application': wsgi_application(directory, settings_module, dotted, module, text),
        'described': described,
    }


def mounts(report: Report, settings_module: str) -> list['Mount']:
    module = sys.modules.get(settings_module)
    # What django.conf.settings shows is absolute.
    urls = [getattr(module, name, None) for name in ('STATIC_URL', 'MEDIA_URL')]
    relative = [prefix for url in urls if url and not str(url).startswith('/') and (prefix := url_prefix(url))]
    return [(url, directories, url.startswith(tuple(relative))) for url, directories in report.mounts]


def choose_settings(report: Report, directory: str, module: str | None, dev: bool) -> str:
    """Return the name of the settings.

    The environment decides first. Otherwise the WSGI module does, as with every other server. In development manage.py
    decides before the WSGI module, as with runserver.
    """
    given = os.environ.get('DJANGO_SETTINGS_MODULE')
    if given:
        return given
    from_manage = settings_named_in(os.path.join(directory, 'manage.py'))
    named = find_module(directory, module) if module else None
    from_wsgi = settings_named_in(named[1] if named else wsgi_path(directory, from_manage))
    chosen = from_manage or from_wsgi if dev else from_wsgi or from_manage
    if not chosen:
        raise DiscoveryError(
            f'Cannot find the settings of the Django project "{directory}": manage.py does not name them',
            'Set DJANGO_SETTINGS_MODULE, for example to mysite.settings.',
        )
    if from_manage and from_wsgi and from_manage != from_wsgi:
        other = 'as its WSGI module says; with --dev' if chosen == from_wsgi else 'as manage.py says; without --dev'
        added = from_manage if chosen == from_wsgi else from_wsgi
        report.found('settings', f'{chosen}, {other} {added}; DJANGO_SETTINGS_MODULE chooses another')
    return chosen


def wsgi_path(directory: str, settings_module: str | None) -> str | None:
    module = wsgi_module(directory, settings_module)
    found = find_module(directory, module) if module else None
    return found[1] if found else None


def wsgi_module(directory: str, settings_module: str | None) -> str | None:
    """The module named wsgi that is nearest to the settings, or the only one."""
    packages = (settings_module or '').split('.')
    for length in range(len(packages) - 1, -1, -1):
        module = '.'.join([*packages[:length], 'wsgi'])
        # A module without a package may be anybody's, unless it is in the project.
        if find_module(directory, module) if length else module_path(directory, module):
            return module
    below = [name for name in sorted(os.listdir(directory)) if os.path.isfile(os.path.join(directory, name, 'wsgi.py'))]
    return f'{below[0]}.wsgi' if len(below) == 1 else None


def wsgi_application(
    directory: str, settings_module: str, dotted: str | None, module: str | None, text: str | None
) -> 'Application':
    """The application of the project. If the project has no wsgi.py, use the application that Django would write."""
    if module:
        name, arguments = read_callable(text or 'application')
        return application(module, name, arguments is not None, arguments or '')
    dotted_module, _, dotted_name = (dotted or '').rpartition('.')
    if dotted_module:
        return application(dotted_module, dotted_name)
    found = wsgi_module(directory, settings_module)
    if found:
        return application(found, 'application')
    return application('django.core.wsgi', 'get_wsgi_application', True)


def add_files(report: Report, settings: 'DjangoSettings', dev: bool) -> None:
    """Add mounts for static files and, in development, media."""
    static_url = url_prefix(settings.STATIC_URL)
    uses_staticfiles = any(app.startswith('django.contrib.staticfiles') for app in settings.INSTALLED_APPS)
    if settings.STATIC_URL and static_url is None:
        report.found('static', f'STATIC_URL is {settings.STATIC_URL}: served from there, not here')
    elif static_url and dev and uses_staticfiles:
        add_finders(report, static_url)
    elif static_url:
        add_static_root(report, settings, static_url, uses_staticfiles)
    media_url = url_prefix(settings.MEDIA_URL)
    if not settings.MEDIA_ROOT or media_url is None or media_url == '/':
        return
    root = os.path.abspath(settings.MEDIA_ROOT)
    if dev:
        report.mounts.append((media_url, [root]))
    else:
        advice = f'if everybody may see these files: --static {media_url}={root}'
        report.hint('media', f'{media_url} is served with --dev only; {advice}')


def add_static_root(report: Report, settings: 'DjangoSettings', static_url: str, uses_staticfiles: bool) -> None:
    advice = 'run "python manage.py collectstatic", or use --dev'
    if not settings.STATIC_ROOT:
        if uses_staticfiles:
            report.hint('static', f'STATIC_ROOT is not set: set it and {advice}')
        return
    root = os.path.abspath(settings.STATIC_ROOT)
    if not os.path.isdir(root) or not os.listdir(root):
        state = 'is empty' if os.path.isdir(root) else 'does not exist'
        report.hint('static', f'{root} {state}: {advice}')
    report.mounts.append((static_url, [root]))


def add_finders(report: Report, static_url: str) -> None:
    """Add the directories of the staticfiles finders, in their order."""
    import django

    try:
        django.setup()
        from django.contrib.staticfiles.finders import get_finders

        for finder in get_finders():
            for prefix, location in locations(finder):
                add_directory(report.mounts, static_url + (prefix.strip('/') + '/' if prefix else ''), location)
    except (Exception, SystemExit):
        report.hint('static', f'the static files cannot be found: {last_line()}')


def locations(finder: object) -> list[tuple[str, str]]:
    """(prefix, directory) of each storage of a finder that has a directory."""
    found = getattr(finder, 'storages', None) or {}
    several = found.values() if isinstance(found, dict) else found
    storages = several or [getattr(finder, 'storage', None)]
    return [
        (getattr(storage, 'prefix', None) or '', storage.location)
        for storage in storages
        if getattr(storage, 'location', None)
    ]


def add_directory(mounts: list[tuple[str, list[str]]], url: str, directory: str) -> None:
    directory = os.path.abspath(directory)
    if mounts and mounts[-1][0] == url:
        mounts[-1][1].append(directory)
    else:
        mounts.append((url, [directory]))


def url_prefix(url: str | None) -> str | None:
    """A path that starts and ends with a slash, or None for another origin."""
    url = str(url or '')
    if not url or '//' in url:
        return None
    from urllib.parse import unquote  # few projects that are found get here

    path = unquote(url).strip('/')
    return f'/{path}/' if path else '/'


def last_line() -> str:
    import traceback

    return traceback.format_exc().strip().splitlines()[-1]
