"""Finds out what a directory holds: run by discovery with the project's own interpreter, JSON in, one line of JSON out.

Django's settings are imported; everything else is read from the source, so that nothing of the project runs twice at a start.
"""

import json
import os
import sys

if sys.version_info >= (3, 10):
    from inspect_django import django_project
    from inspect_source import Failure, Module, is_django_manage, module_path

MODULES = ('wsgi', 'app', 'application', 'main', 'run')
# A module of such a name is the application even if only its import can tell which callable it is.
UNMISTAKABLE = ('wsgi', 'app', 'application')
NOT_PROJECTS = ('node_modules', 'site-packages', 'tests', 'test', 'docs')
NOT_APPLICATIONS = ('conftest.py', 'setup.py', 'manage.py')


def main():
    # What the project prints while it is imported must not get between.
    output = os.dup(1)
    os.dup2(2, 1)
    # Our own modules are not the project's.
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [path for path in sys.path if os.path.abspath(path) != here]
    request = json.loads(sys.stdin.buffer.read())
    answer = {'version': '%d.%d.%d' % sys.version_info[:3], 'prefix': sys.prefix}
    if sys.version_info >= (3, 10):
        try:
            answer.update(inspect(request))
        except Failure as failure:
            answer.update(error=failure.args[0], advice=failure.args[1])
    os.write(output, (json.dumps(answer) + '\n').encode())
    os._exit(0)


def inspect(request):
    """`request`: directory, module and callable (null when not named), dev. Returns what Project needs."""
    directory, module, name, dev = (request[key] for key in ('directory', 'module', 'callable', 'dev'))
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


def find_application(directory, dev):
    """An application that shows in its source; a Django project further down; a module whose import alone can tell."""
    roots = [directory, os.path.join(directory, 'src')]
    usual = [(root, name) for root in roots for name in MODULES if module_path(root, name)]
    refused = None
    for root, name in usual:
        module = Module(module_path(root, name))
        try:
            found = module.find_callable()
        except Failure as failure:
            refused = refused or failure
            continue
        if found:
            return plain_result(root, name, *found, module.kind)
    manage = find_manage(directory)
    if manage:
        return django_project(manage, None, None, dev)
    found = [pair for root in roots for pair in flask_modules(root)]
    if len(found) > 1 and not usual:
        names = ', '.join(module for _, module, _ in found)
        raise Failure(f'Cannot choose an application in "{directory}": there are several: {names}',
                      'Name one of them: viaduct MODULE:CALLABLE.')
    if len(found) == 1:
        root, name, module = found[0]
        return plain_result(root, name, *module.find_callable(), module.kind)
    if refused:
        raise refused
    for root, name in usual:
        if name in UNMISTAKABLE or not Module(module_path(root, name)).is_readable:
            return plain_result(root, name, '', False, 'wsgi')
    raise Failure(f'Cannot find an application in "{directory}": there is no manage.py, wsgi.py or app.py',
                  'Name it: viaduct MODULE:CALLABLE, or give the directory of the project.')


def find_manage(directory):
    """manage.py in exactly one directory, one or two levels below; None when there is none."""
    level = [directory]
    for _ in range(2):
        level = [path for parent in level for path in directories_in(parent)]
        found = [path for path in level if is_django_manage(os.path.join(path, 'manage.py'))]
        if len(found) > 1:
            names = ', '.join(os.path.relpath(path, directory) for path in found)
            raise Failure(f'Cannot choose an application in "{directory}": there are several Django projects: {names}',
                          'Name the directory of one of them.')
        if found:
            return os.path.join(found[0], 'manage.py')
    return None


def flask_modules(root):
    """(root, name, Module) of the modules and packages directly in `root` that use Flask and define an application."""
    if not os.path.isdir(root):
        return []
    packages = [path for path in directories_in(root) if os.path.isfile(os.path.join(path, '__init__.py'))]
    files = [entry.name for entry in os.scandir(root) if entry.name.endswith('.py') and entry.name not in NOT_APPLICATIONS]
    names = [os.path.basename(path) for path in packages] + sorted(name.removesuffix('.py') for name in files)
    found = []
    for name in names:
        module = Module(module_path(root, name)) if not name.startswith('test_') else None
        if module and 'flask' in module.imports and shows_application(module):
            found.append((root, name, module))
    return found


def shows_application(module):
    try:
        return module.find_callable() is not None
    except Failure:
        return False


def directories_in(directory):
    try:
        entries = [entry for entry in os.scandir(directory) if entry.is_dir()]
    except OSError:
        return []
    return sorted(entry.path for entry in entries
                  if not entry.name.startswith('.') and entry.name not in NOT_PROJECTS
                  and not os.path.exists(os.path.join(entry.path, 'pyvenv.cfg')))


def flask_app_in(directory):
    """FLASK_APP as the files say that Flask reads."""
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


def read_flask_app(text):
    """(module, callable or None): FLASK_APP is a file or a module, with a name or a call behind a colon."""
    module, _, name = text.partition(':')
    if module.endswith('.py') or '/' in module:
        module = os.path.normpath(module.removesuffix('.py')).replace(os.sep, '.').strip('.')
    if '(' in name and not name.endswith('()'):
        raise Failure(f'Cannot serve FLASK_APP "{text}": a call with arguments is not supported',
                      f'Write a wsgi.py that makes it: application = {name}.')
    return module, name or None


def named_application(directory, module, name):
    """The application that the user named, in part or in full."""
    for root in (directory, os.path.join(directory, 'src')):
        path = module_path(root, module)
        if path:
            source = Module(path)
            found = (name.removesuffix('()'), name.endswith('()')) if name else source.find_callable()
            return plain_result(root, module, *(found or ('', False)), source.kind)
    name = name or ''
    return plain_result(directory, module, name.removesuffix('()'), name.endswith('()'), 'wsgi')


def plain_result(directory, module, name, factory, kind):
    return {
        'kind': kind,
        'directory': directory,
        'environment': {},
        'mounts': [],
        'findings': [],
        'application': {'module': module, 'callable': name, 'factory': factory},
        'described': {'flask': 'Flask'}.get(kind, ''),
    }


main()
