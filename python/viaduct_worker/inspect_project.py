"""Finds out what a directory holds: run by discovery with the project's own interpreter, JSON in, one line of JSON out.

Django's settings are imported, because only they know; everything else is read from the syntax tree, so that nothing of the
project runs twice at a start.
"""

import ast
import json
import os
import sys
import traceback

MODULES = ('wsgi', 'app', 'application', 'main', 'run')
# A module of such a name is the application even if only its import can tell which callable it is.
UNMISTAKABLE = ('wsgi', 'app', 'application')
CALLABLES = ('application', 'app')
FACTORIES = ('create_app', 'make_app')
ASGI = ('fastapi', 'starlette', 'litestar', 'quart')


class Failure(Exception):
    """What discovery is to tell the user: a sentence, and what to do."""


def main():
    output = os.dup(1)
    os.dup2(2, 1)  # what the project prints while it is imported must not get between
    request = json.load(sys.stdin)
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
    directory, module, name = request['directory'], request['module'], request['callable']
    if module is None:
        manage = find_manage(directory)
        if manage:
            return django_project(manage, None, None, request['dev'])
    elif os.path.exists(os.path.join(directory, 'manage.py')) and (name or 'application') == 'application':
        return django_project(os.path.join(directory, 'manage.py'), module, name, request['dev'])
    return plain_project(directory, module, name)


def find_manage(directory):
    """manage.py here, or in exactly one directory below."""
    here = os.path.join(directory, 'manage.py')
    if os.path.exists(here):
        return here
    below = sorted(
        os.path.join(entry.path, 'manage.py')
        for entry in os.scandir(directory)
        if entry.is_dir() and not entry.name.startswith('.') and os.path.exists(os.path.join(entry.path, 'manage.py'))
    )
    if len(below) > 1:
        names = ', '.join(os.path.dirname(os.path.relpath(path, directory)) for path in below)
        raise Failure(f'Cannot choose an application in "{directory}": there are several Django projects: {names}',
                      'Name the directory of one of them.')
    return below[0] if below else None


def django_project(manage, module, name, dev):
    directory = os.path.dirname(manage)
    settings_module = os.environ.get('DJANGO_SETTINGS_MODULE') or settings_named_in(manage)
    if not settings_module:
        raise Failure(f'Cannot find the settings of the Django project "{directory}": manage.py names none',
                      'Set DJANGO_SETTINGS_MODULE, or name the application as MODULE:CALLABLE.')
    os.chdir(directory)
    sys.path.insert(0, directory)
    os.environ['DJANGO_SETTINGS_MODULE'] = settings_module
    result = {
        'kind': 'django',
        'directory': directory,
        'environment': {'DJANGO_SETTINGS_MODULE': settings_module},
        'mounts': [],
        'findings': [],
    }
    package = settings_module.split('.')[0]
    dotted = f'{package}.wsgi.application'
    described = f'settings {settings_module}'
    try:
        described = f'Django {read_django(result, dev)}, {described}'
        from django.conf import settings

        dotted = getattr(settings, 'WSGI_APPLICATION', None) or dotted
    except ImportError as error:
        if error.name == 'django':
            raise Failure(f'Cannot import Django with "{sys.executable}": it is not installed there',
                          'Install the project there, or choose its environment with --python.') from None
        result['findings'].append(['hint', 'settings', f'{settings_module} cannot be imported: {last_line()}'])
    except Exception:
        result['findings'].append(['hint', 'settings', f'{settings_module} cannot be imported: {last_line()}'])
    found_module, _, found_name = dotted.rpartition('.')
    result['application'] = {'module': module or found_module, 'callable': name or found_name, 'factory': False}
    result['described'] = described
    return result


def settings_named_in(manage):
    """The default that manage.py gives DJANGO_SETTINGS_MODULE."""
    with open(manage, encoding='utf-8') as file:
        tree = ast.parse(file.read(), manage)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            texts = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
            key, value = node.targets[0].slice, node.value
            texts = [part.value for part in (key, value) if isinstance(part, ast.Constant)]
        else:
            continue
        if len(texts) == 2 and texts[0] == 'DJANGO_SETTINGS_MODULE':
            return texts[1]
    return None


def read_django(result, dev):
    """Add mounts and findings; return Django's version."""
    import django
    from django.conf import settings

    found, mounts = result['findings'], result['mounts']
    static_url = url_prefix(settings.STATIC_URL)
    if settings.STATIC_URL and static_url is None:
        found.append(['found', 'static', f'STATIC_URL is {settings.STATIC_URL}: served from there, not here'])
    elif static_url and 'django.contrib.staticfiles' in settings.INSTALLED_APPS:
        static_mounts(result, settings, static_url, dev)
    elif static_url and settings.STATIC_ROOT:
        mounts.append([static_url, [os.path.abspath(settings.STATIC_ROOT)]])
    media_url = url_prefix(settings.MEDIA_URL)
    if dev and media_url and media_url != '/' and settings.MEDIA_ROOT:
        mounts.append([media_url, [os.path.abspath(settings.MEDIA_ROOT)]])
    return django.get_version()


def static_mounts(result, settings, static_url, dev):
    mounts = result['mounts']
    root = settings.STATIC_ROOT and os.path.abspath(settings.STATIC_ROOT)
    if dev:
        import django

        django.setup()
        from django.contrib.staticfiles.finders import get_finders

        by_prefix = {}
        for finder in get_finders():
            storages = getattr(finder, 'storages', {})
            for storage in storages.values():
                if getattr(storage, 'base_location', None):
                    prefix = getattr(storage, 'prefix', None) or ''
                    by_prefix.setdefault(prefix, []).append(os.path.abspath(storage.location))
        for prefix, directories in sorted(by_prefix.items(), key=lambda item: -len(item[0])):
            mounts.append([static_url + (prefix + '/' if prefix else ''), directories])
    elif not root:
        result['findings'].append(['hint', 'static', 'STATIC_ROOT is not set: set it and run "python manage.py collectstatic", or use --dev'])
    elif not os.path.isdir(root) or not os.listdir(root):
        result['findings'].append(['hint', 'static', f'{root} is empty: run "python manage.py collectstatic", or use --dev'])
    if root and not dev:
        mounts.append([static_url, [root]])


def url_prefix(url):
    """A path that begins and ends with a slash, or None for another origin."""
    if not url or '//' in url:
        return None
    return '/' + url.strip('/') + '/' if url.strip('/') else '/'


def plain_project(directory, module, name):
    roots = [directory, os.path.join(directory, 'src')]
    if module is None and os.environ.get('FLASK_APP'):
        module, _, name = os.environ['FLASK_APP'].removesuffix('.py').replace('/', '.').partition(':')
        name = name or None
    present = []
    for root in roots:
        for candidate in [module] if module else MODULES:
            path = module_path(root, candidate)
            if not path:
                continue
            present.append((root, candidate))
            found = callable_in(path, name)
            if found:
                return plain_result(root, candidate, *found)
    if module:
        name = name or ''
        return plain_result(directory, module, name.removesuffix('()'), name.endswith('()'), 'wsgi')
    for root, candidate in present:
        if candidate in UNMISTAKABLE:
            return plain_result(root, candidate, '', False, 'wsgi')
    raise Failure(f'Cannot find an application in "{directory}": there is no manage.py, wsgi.py or app.py',
                  'Name it: viaduct MODULE:CALLABLE, or give the directory of the project.')


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


def module_path(root, module):
    base = os.path.join(root, *module.split('.'))
    for path in (base + '.py', os.path.join(base, '__init__.py')):
        if os.path.isfile(path):
            return path
    return None


def callable_in(path, name):
    """(name, factory, kind) of the application that a module defines, or None. `name` is what the user asked for."""
    try:
        with open(path, encoding='utf-8') as file:
            tree = ast.parse(file.read(), path)
    except (SyntaxError, ValueError):
        name = name or ''
        return name.removesuffix('()'), name.endswith('()'), 'wsgi'  # the worker shows what is wrong with it
    names, imports, asgi = top_level(tree)
    kind = 'flask' if 'flask' in imports else 'wsgi'
    if name:
        return name.removesuffix('()'), name.endswith('()'), kind
    for wanted in CALLABLES:
        if wanted in asgi:
            raise Failure(f'Cannot serve "{path}": {wanted} is an ASGI application, and only WSGI is supported',
                          'Use an ASGI server for it, such as uvicorn or granian.')
        if wanted in names:
            return wanted, False, kind
    for wanted in FACTORIES:
        if wanted in names:
            return wanted, True, kind
    return None


def top_level(tree):
    """Names that a module defines, packages that it imports, and names bound to a call of an ASGI framework."""
    names, imports, asgi, origins = set(), set(), set(), {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imports.update(alias.name.split('.')[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            package = node.module.split('.')[0]
            imports.add(package)
            origins.update({alias.asname or alias.name: package for alias in node.names})
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.AsyncFunctionDef):
            names.add(node.name)
            asgi.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names.update(alias.asname or alias.name for alias in node.names)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            bound = {target.id for target in targets if isinstance(target, ast.Name)}
            names |= bound
            if isinstance(node.value, ast.Call) and made_by(node.value.func, origins) in ASGI:
                asgi |= bound
    return names, imports, asgi


def made_by(function, origins):
    while isinstance(function, ast.Attribute):
        function = function.value
    name = function.id if isinstance(function, ast.Name) else ''
    return origins.get(name, name)


def last_line():
    return traceback.format_exc().strip().splitlines()[-1]


main()
