"""Finds out what a Django project holds. Its settings are imported, because only they know."""

import os
import sys
import traceback
import urllib.parse

from inspect_source import Failure, module_path, settings_named_in


def django_project(manage, module, name, dev):
    """What Project needs of the project with this manage.py; `module` and `name` are what the user named, or None."""
    directory = os.path.dirname(manage)
    result = {'kind': 'django', 'directory': directory, 'mounts': [], 'findings': []}
    settings_module = choose_settings(result, manage, module, dev)
    os.chdir(directory)
    sys.path.insert(0, directory)
    os.environ['DJANGO_SETTINGS_MODULE'] = settings_module
    result['environment'] = {'DJANGO_SETTINGS_MODULE': settings_module}
    described = f'settings {settings_module}'
    dotted = None
    try:
        import django
        from django.conf import settings

        dotted = settings.WSGI_APPLICATION
        described = f'Django {django.get_version()}, {described}'
        add_files(result, settings, dev)
    except ModuleNotFoundError as error:
        if error.name == 'django':
            raise Failure(f'Cannot import Django with "{sys.executable}": it is not installed there',
                          'Install the project there, or choose its environment with --python.') from None
        hint(result, 'settings', f'{settings_module} cannot be imported: {last_line()}')
    except Exception:
        hint(result, 'settings', f'{settings_module} cannot be imported: {last_line()}')
    result['application'] = application(directory, settings_module, dotted, module, name)
    result['described'] = described
    return result


def choose_settings(result, manage, module, dev):
    """
    The name of the settings: from the environment; or what the WSGI module says, as with every other server; or in development what
    manage.py says, as with runserver.
    """
    given = os.environ.get('DJANGO_SETTINGS_MODULE')
    if given:
        return given
    directory = os.path.dirname(manage)
    from_manage = settings_named_in(manage)
    named = module and module_path(directory, module)
    from_wsgi = settings_named_in(named or wsgi_path(directory, from_manage))
    chosen = from_manage or from_wsgi if dev else from_wsgi or from_manage
    if not chosen:
        raise Failure(f'Cannot find the settings of the Django project "{directory}": manage.py names none',
                      'Set DJANGO_SETTINGS_MODULE, for example to mysite.settings.')
    if from_manage and from_wsgi and from_manage != from_wsgi:
        other = 'as its WSGI module says; with --dev' if chosen == from_wsgi else 'as manage.py says; without --dev'
        added = from_manage if chosen == from_wsgi else from_wsgi
        result['findings'].append(['found', 'settings', f'{chosen}, {other} {added}; DJANGO_SETTINGS_MODULE chooses another'])
    return chosen


def wsgi_path(directory, settings_module):
    module = wsgi_module(directory, settings_module)
    return module and module_path(directory, module)


def wsgi_module(directory, settings_module):
    """The module named wsgi that is nearest to the settings, or the only one."""
    packages = (settings_module or '').split('.')
    for length in range(len(packages) - 1, -1, -1):
        module = '.'.join([*packages[:length], 'wsgi'])
        if module_path(directory, module):
            return module
    below = [name for name in sorted(os.listdir(directory)) if os.path.isfile(os.path.join(directory, name, 'wsgi.py'))]
    return f'{below[0]}.wsgi' if len(below) == 1 else None


def application(directory, settings_module, dotted, module, name):
    """As Project has it. A project without a wsgi.py is served by the one that Django would write."""
    if module:
        name = name or 'application'
        return {'module': module, 'callable': name.removesuffix('()'), 'factory': name.endswith('()')}
    found_module, _, found_name = (dotted or '').rpartition('.')
    if not found_module:
        found_module, found_name = wsgi_module(directory, settings_module), 'application'
    if not found_module:
        return {'module': 'django.core.wsgi', 'callable': 'get_wsgi_application', 'factory': True}
    return {'module': found_module, 'callable': found_name, 'factory': False}


def add_files(result, settings, dev):
    """Mounts for static files and, in development, media."""
    static_url = url_prefix(settings.STATIC_URL)
    if settings.STATIC_URL and static_url is None:
        result['findings'].append(['found', 'static', f'STATIC_URL is {settings.STATIC_URL}: served from there, not here'])
    elif static_url and dev and any(app.startswith('django.contrib.staticfiles') for app in settings.INSTALLED_APPS):
        add_finders(result, static_url)
    elif static_url:
        add_static_root(result, settings, static_url)
    media_url = url_prefix(settings.MEDIA_URL)
    if not settings.MEDIA_ROOT or media_url in (None, '/'):
        return
    root = os.path.abspath(settings.MEDIA_ROOT)
    if dev:
        result['mounts'].append([media_url, [root]])
    else:
        hint(result, 'media', f'{media_url} is served with --dev only; if everybody may see these files: --static {media_url}={root}')


def add_static_root(result, settings, static_url):
    if not settings.STATIC_ROOT:
        if any(app.startswith('django.contrib.staticfiles') for app in settings.INSTALLED_APPS):
            hint(result, 'static', 'STATIC_ROOT is not set: set it and run "python manage.py collectstatic", or use --dev')
        return
    root = os.path.abspath(settings.STATIC_ROOT)
    if not os.path.isdir(root) or not os.listdir(root):
        state = 'is empty' if os.path.isdir(root) else 'does not exist'
        hint(result, 'static', f'{root} {state}: run "python manage.py collectstatic", or use --dev')
    result['mounts'].append([static_url, [root]])


def add_finders(result, static_url):
    """The directories of the staticfiles finders, in their order."""
    import django

    try:
        django.setup()
        from django.contrib.staticfiles.finders import get_finders

        for finder in get_finders():
            for storage in storages(finder):
                prefix = getattr(storage, 'prefix', None) or ''
                add_directory(result['mounts'], static_url + (prefix.strip('/') + '/' if prefix else ''), storage.location)
    except Exception:
        hint(result, 'static', f'the static files cannot be found: {last_line()}')


def storages(finder):
    found = getattr(finder, 'storages', None) or {}
    several = found.values() if isinstance(found, dict) else found
    return [storage for storage in several or [getattr(finder, 'storage', None)] if getattr(storage, 'location', None)]


def add_directory(mounts, url, directory):
    directory = os.path.abspath(directory)
    if mounts and mounts[-1][0] == url:
        mounts[-1][1].append(directory)
    else:
        mounts.append([url, [directory]])


def url_prefix(url):
    """A path that begins and ends with a slash, or None for another origin."""
    url = str(url or '')
    if not url or '//' in url:
        return None
    path = urllib.parse.unquote(url).strip('/')
    return f'/{path}/' if path else '/'


def hint(result, subject, text):
    result['findings'].append(['hint', subject, text])


def last_line():
    return traceback.format_exc().strip().splitlines()[-1]
