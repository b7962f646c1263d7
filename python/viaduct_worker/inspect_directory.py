"""Finds the application that `viaduct` serves: the one that the user named, or the one that the project shows.

Django's settings are imported. Everything else is read from the source, so that nothing of the project runs twice at a
start.
"""

import os

from viaduct_worker.inspect_named import django_project, named_application, read_flask_app
from viaduct_worker.inspect_result import plain_result
from viaduct_worker.inspect_source import DiscoveryError, Module, find_module, is_django_manage, module_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from viaduct_worker.inspect_procfile import Procfile
    from viaduct_worker.messages import Project, Target

MODULES = ('wsgi', 'passenger_wsgi', 'app', 'application', 'main', 'run')
# A module with one of these names is the application, even if only its import shows which callable it is.
UNMISTAKABLE = ('wsgi', 'passenger_wsgi', 'app', 'application')
NOT_PROJECTS = ('node_modules', 'site-packages', 'tests', 'test', 'docs')
NOT_APPLICATIONS = ('conftest.py', 'setup.py', 'manage.py')


def inspect(target: 'Target') -> 'Project':
    """Return what the server needs to know about the application that `target` asks for.

    Raises DiscoveryError if there is no application, or if the choice is not clear.
    """
    directory, dev = target['directory'], target['dev']
    if target['paste']:
        project = paste_application(directory, target['paste'])
    elif target['module']:
        project = named_application(directory, target['module'], target['callable'], dev)
    else:
        project = unnamed_application(directory, dev)
    if dev and project['kind'] != 'django':
        # Otherwise Flask answers exceptions itself, and nobody sees the traceback.
        project['environment'].setdefault('FLASK_DEBUG', os.environ.get('FLASK_DEBUG', '1'))
    return project


def unnamed_application(directory: str, dev: bool) -> 'Project':
    """What the project shows: manage.py, the variables of frameworks, the Procfile, then the names of files."""
    procfile = procfile_in(directory)
    if is_django_manage(os.path.join(directory, 'manage.py')):
        project = django_project(directory, None, None, dev)
    else:
        named = application_of_variables(directory, dev) or application_of(procfile, dev)
        project = named or find_application(directory, dev)
    if procfile and not dev:
        project['findings'].extend(procfile.findings(project['application']))
    return project


def application_of_variables(directory: str, dev: bool) -> 'Project | None':
    """The application that FLASK_APP or DJANGO_SETTINGS_MODULE means. Raises DiscoveryError if both mean one."""
    flask_app, settings = os.environ.get('FLASK_APP'), os.environ.get('DJANGO_SETTINGS_MODULE')
    root = root_of_settings(directory, settings) if settings else None
    if flask_app and root:
        raise DiscoveryError(
            f'Cannot choose an application in "{directory}": FLASK_APP and DJANGO_SETTINGS_MODULE are both set',
            'Unset one of them, or name the application: viaduct MODULE:CALLABLE.',
        )
    if root:
        return django_project(root, None, None, dev)
    flask_app = flask_app or flask_app_in(directory)
    return named_application(directory, *read_flask_app(directory, flask_app), dev) if flask_app else None


def root_of_settings(directory: str, settings: str) -> str | None:
    """The directory of the Django project with these settings, which may be installed; None if they are not found."""
    for root in (directory, os.path.join(directory, 'src')):
        if module_path(root, settings):
            return root
    manage = find_manage(directory)
    if manage and module_path(os.path.dirname(manage), settings):
        return os.path.dirname(manage)
    return directory if find_module(directory, settings) else None


def procfile_in(directory: str) -> 'Procfile | None':
    if not os.path.isfile(os.path.join(directory, 'Procfile')):
        return None
    from viaduct_worker.inspect_procfile import read_procfile  # few projects have one

    return read_procfile(directory)


def paste_application(directory: str, text: str) -> 'Project':
    from viaduct_worker import inspect_paste  # few projects have such a file

    return inspect_paste.paste_application(directory, text)


def paste_file(directory: str, dev: bool) -> str | None:
    if not any(name.endswith('.ini') for name in os.listdir(directory)):
        return None
    from viaduct_worker import inspect_paste

    return inspect_paste.paste_file(directory, dev)


def application_of(procfile: 'Procfile | None', dev: bool) -> 'Project | None':
    """The application that the Procfile names, if its module is there."""
    if not procfile or not procfile.target:
        return None
    directory, (module, name) = procfile.directory, procfile.target
    if module.endswith('.ini'):
        return paste_application(directory, module)
    roots = (directory, os.path.join(directory, 'src'))
    return named_application(directory, module, name, dev) if any(module_path(root, module) for root in roots) else None


def find_application(directory: str, dev: bool) -> 'Project':
    """Look for a callable in the source, then for a Django project further down, then for a module to import."""
    roots = [directory, os.path.join(directory, 'src')]
    usual = [(root, name, path) for root in roots for name in MODULES if (path := module_path(root, name))]
    refused = None
    for root, name, path in usual:
        module = Module(path)
        try:
            found = module.find_callable()
        except DiscoveryError as error:
            refused = refused or error
            continue
        if found:
            project = named_application(root, name, None, dev)
            if module.replaces_process:
                text = f'{name} starts another Python, which would end the worker: choose that one with --python'
                project['findings'].append(('hint', 'python', text))
            return project
    file = paste_file(directory, dev)
    if file:
        return paste_application(directory, file)
    manage = find_manage(directory)
    if manage:
        return django_project(os.path.dirname(manage), None, None, dev)
    candidates = [candidate for root in roots for candidate in flask_modules(root)]
    if len(candidates) > 1 and not usual:
        names = ', '.join(result['application']['module'] for result in candidates)
        raise DiscoveryError(
            f'Cannot choose an application in "{directory}": there are several: {names}',
            'Name one of them: viaduct MODULE:CALLABLE.',
        )
    if len(candidates) == 1:
        return candidates[0]
    if refused:
        raise refused
    for root, name, path in usual:
        if name in UNMISTAKABLE or not Module(path).is_readable:
            return plain_result(root, name)
    raise nothing_found(directory)


def nothing_found(directory: str) -> DiscoveryError:
    from viaduct_worker.inspect_installed import describe_installed  # it reads the metadata of all distributions

    settings = os.environ.get('DJANGO_SETTINGS_MODULE')
    return DiscoveryError(
        f'Cannot find an application in "{directory}": there is no manage.py, wsgi.py or app.py'
        + (f', and no module {settings}, which DJANGO_SETTINGS_MODULE names' if settings else ''),
        describe_installed() or 'Name the application: viaduct MODULE:CALLABLE, or name the directory of the project.',
    )


def find_manage(directory: str) -> str | None:
    """Return the manage.py one or two levels below `directory`, or None. Raises DiscoveryError if there are several."""
    level = [directory]
    for _ in range(2):
        level = [path for parent in level for path in directories_in(parent)]
        found = [path for path in level if is_django_manage(os.path.join(path, 'manage.py'))]
        if len(found) > 1:
            names = ', '.join(os.path.relpath(path, directory) for path in found)
            raise DiscoveryError(
                f'Cannot choose an application in "{directory}": there are several Django projects: {names}',
                'Name the directory of one of them.',
            )
        if found:
            return os.path.join(found[0], 'manage.py')
    return None


def flask_modules(root: str) -> list['Project']:
    """The modules and packages directly in `root` that use Flask and define an application."""
    if not os.path.isdir(root):
        return []
    packages = [path for path in directories_in(root) if os.path.isfile(os.path.join(path, '__init__.py'))]
    files = [entry.name for entry in os.scandir(root) if entry.name.endswith('.py')]
    names = [name.removesuffix('.py') for name in files if name not in NOT_APPLICATIONS]
    results = []
    for name in [os.path.basename(path) for path in packages] + sorted(names):
        path = module_path(root, name) if not name.startswith('test_') else None
        module = Module(path) if path else None
        if module and 'flask' in module.imports:
            found = callable_or_none(module)
            if found:
                results.append(plain_result(root, name, *found, module.kind))
    return results


def callable_or_none(module: Module) -> tuple[str, bool] | None:
    try:
        return module.find_callable()
    except DiscoveryError:
        return None


def directories_in(directory: str) -> list[str]:
    try:
        entries = [entry for entry in os.scandir(directory) if entry.is_dir()]
    except OSError:
        return []
    return sorted(
        entry.path
        for entry in entries
        if not entry.name.startswith('.')
        and entry.name not in NOT_PROJECTS
        and not os.path.exists(os.path.join(entry.path, 'pyvenv.cfg'))
    )


def flask_app_in(directory: str) -> str | None:
    """FLASK_APP as set in the files that Flask reads."""
    for name in ('.env', '.flaskenv'):
        try:
            with open(os.path.join(directory, name), encoding='utf-8', errors='replace') as file:
                for line in file:
                    key, _, value = line.removeprefix('export ').partition('=')
                    if key.strip() == 'FLASK_APP':
                        return value.strip().strip('"\'')
        except OSError:
            continue
    return None
