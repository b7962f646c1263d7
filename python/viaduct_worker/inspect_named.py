"""Finds the application that the user named, in part or in full. Its module may be installed."""

import os

from viaduct_worker.callables import read_callable
from viaduct_worker.inspect_result import plain_result
from viaduct_worker.inspect_source import DiscoveryError, Module, find_module, is_django_manage, settings_named_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from viaduct_worker.messages import Project


def named_application(directory: str, module: str, text: str | None, dev: bool) -> 'Project':
    """Describe `module`, and in it what `text` names: a callable, or a call of one; None for the usual names."""
    name, arguments = read_named(module, text) if text else (None, None)
    is_wsgi = name in (None, 'application') or module.split('.')[-1] == 'wsgi'
    if is_wsgi and is_django_manage(os.path.join(directory, 'manage.py')):
        return django_project(directory, module, text, dev)
    found = find_module(directory, module)
    if not found:
        return plain_result(directory, module, name or '', arguments is not None, arguments=arguments or '')
    root, path = found
    source = Module(path)
    is_installed = root not in (directory, os.path.join(directory, 'src'))
    home = directory if is_installed else root
    if source.is_django and (os.environ.get('DJANGO_SETTINGS_MODULE') or settings_named_in(path)):
        return django_project(home, module, text or callable_text(source), dev)
    if name is None:
        name, is_factory = source.find_callable() or ('', False)
    else:
        is_factory = arguments is not None
    project = plain_result(home, module, name, is_factory, source.kind, arguments or '')
    if source.is_django and is_installed:
        text = 'not served, because the settings are not known: set DJANGO_SETTINGS_MODULE'
        project['findings'].append(('hint', 'static', text))
    return project


def read_named(module: str, text: str) -> tuple[str, str | None]:
    """Read `text` as `read_callable` does. Raises DiscoveryError."""
    try:
        return read_callable(text)
    except ValueError as error:
        raise DiscoveryError(
            f'Cannot serve "{module}:{text}": {error}',
            'A factory may be called with literals, such as texts and numbers. For everything else, write a wsgi.py '
            f'that makes the application: application = {text}.',
        ) from None


def callable_text(source: Module) -> str | None:
    """The callable of a module, as the user would write it."""
    found = source.find_callable()
    return f'{found[0]}()' if found and found[1] else found and found[0]


def django_project(directory: str, module: str | None, text: str | None, dev: bool) -> 'Project':
    from viaduct_worker import inspect_django  # only here, because most of its code is for projects of Django

    return inspect_django.django_project(directory, module, text, dev)


def read_flask_app(directory: str, text: str) -> tuple[str, str | None]:
    """Return (module, callable or None). FLASK_APP is a file or a module, with a name or a call after a colon.

    Flask also calls a function that is only named.
    """
    module, _, name = text.partition(':')
    if module.endswith('.py') or '/' in module:
        module = os.path.normpath(module.removesuffix('.py')).replace(os.sep, '.').strip('.')
    found = find_module(directory, module) if name else None
    is_function = found is not None and name in Module(found[1]).functions
    return module, f'{name}()' if is_function else name or None
