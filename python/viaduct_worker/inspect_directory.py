"""Finds the application in a directory.

Django's settings are imported. Everything else is read from the source, so that nothing of the project runs twice at a
start.
"""

import os

from viaduct_worker.inspect_source import DiscoveryError, Module, is_django_manage, module_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from viaduct_worker.messages import Kind, Project, Target

MODULES = ('wsgi', 'app', 'application', 'main', 'run')
# A module with one of these names is the application, even if only its import shows which callable it is.
UNMISTAKABLE = ('wsgi', 'app', 'application')
NOT_PROJECTS = ('node_modules', 'site-packages', 'tests', 'test', 'docs')
NOT_APPLICATIONS = ('conftest.py', 'setup.py', 'manage.py')


def inspect(target: 'Target') -> 'Project':
    """Return what the server needs to know about the application that `target` asks for.

    Raises DiscoveryError if there is no application, or if the choice is not clear.
    """
    directory, module, name, dev = target['directory'], target['module'], target['callable'], target['dev']
    manage = os.path.join(directory, 'manage.py')
    if module:
        is_django = is_django_manage(manage) and (name in (None, 'application') or module.split('.')[-1] == 'wsgi')
        return django_project(manage, module, name, dev) if is_django else named_application(directory, module, name)
    if is_django_manage(manage):
        return django_project(manage, None, None, dev)
    flask_app = os.environ.get('FLASK_APP') or flask_app_in(directory)
    if flask_app:
        return named_application(directory, *read_flask_app(flask_app))
    return find_application(directory, dev)


def django_project(manage: str, module: str | None, name: str | None, dev: bool) -> 'Project':
    from viaduct_worker import inspect_django  # only here, because most of its code is for projects of Django

    return inspect_django.django_project(manage, module, name, dev)


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
            return plain_result(root, name, *found, module.kind)
    manage = find_manage(directory)
    if manage:
        return django_project(manage, None, None, dev)
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
            return plain_result(root, name, '', False, 'wsgi')
    raise DiscoveryError(
        f'Cannot find an application in "{directory}": there is no manage.py, wsgi.py or app.py',
        'Name the application: viaduct MODULE:CALLABLE, or name the directory of the project.',
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


def read_flask_app(text: str) -> tuple[str, str | None]:
    """Return (module, callable or None). FLASK_APP is a file or a module, with a name or a call after a colon."""
    module, _, name = text.partition(':')
    if module.endswith('.py') or '/' in module:
        module = os.path.normpath(module.removesuffix('.py')).replace(os.sep, '.').strip('.')
    if '(' in name and not name.endswith('()'):
        raise DiscoveryError(
            f'Cannot serve FLASK_APP "{text}": a call with arguments is not supported',
            f'Write a wsgi.py that makes the application: application = {name}.',
        )
    return module, name or None


def named_application(directory: str, module: str, name: str | None) -> 'Project':
    """The application that the user named, in part or in full."""
    for root in (directory, os.path.join(directory, 'src')):
        path = module_path(root, module)
        if path:
            source = Module(path)
            found = (name.removesuffix('()'), name.endswith('()')) if name else source.find_callable()
            return plain_result(root, module, *(found or ('', False)), source.kind)
    name = name or ''
    return plain_result(directory, module, name.removesuffix('()'), name.endswith('()'), 'wsgi')


def plain_result(directory: str, module: str, name: str, factory: bool, kind: 'Kind') -> 'Project':
    return {
        'kind': kind,
        'directory': directory,
        'environment': {},
        'mounts': [],
        'findings': [],
        'application': {'module': module, 'callable': name, 'factory': factory},
        'described': 'Flask' if kind == 'flask' else '',
    }
