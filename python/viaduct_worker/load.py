"""Finds the WSGI callable that discovery named, and puts the configured middleware around it."""

import importlib
import os
import sys
import traceback
from types import ModuleType

from viaduct_worker import asgi, scripts
from viaduct_worker.channel import shortened

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import TypeGuard

    from _typeshed.wsgi import WSGIApplication

    from viaduct_worker.messages import Options

HERE = os.path.dirname(os.path.abspath(__file__)) + os.sep
USUAL = (('application', False), ('app', False), ('create_app', True), ('make_app', True))


def prepare(options: 'Options') -> None:
    """Make this process look as if it started in the project: set the working directory and `sys.path[0]`."""
    os.chdir(options['directory'])
    if sys.path[:1] != [options['directory']]:
        sys.path.insert(0, options['directory'])
    sys.argv = [options['module']]
    scripts.offer(options['directory'], options['module'])


class LoadError(Exception):
    """The named module or callable cannot be used. The message says why, so a traceback would add nothing."""


class PartError(Exception):
    """Something that belongs to the application failed. `what` says in words which part, and how."""

    def __init__(self, what: str, cause: BaseException) -> None:
        super().__init__(what)
        self.what = what
        self.cause = cause


def load(options: 'Options') -> 'WSGIApplication':
    """Return the application inside its middleware. The first middleware is the outermost (PEP 3333, "Middleware")."""
    application = find(options)
    for entry in reversed(options['middleware']):
        application = wrap(application, entry['path'], entry['options'])
    return application


def wrap(application: 'WSGIApplication', path: str, options: dict[str, object]) -> 'WSGIApplication':
    """Call the middleware at `path`, `module:attribute`, with the application and `options` as keyword arguments."""
    module, _, attribute = path.partition(':')
    try:
        middleware = named(imported(module, f' for {sys.executable}'), attribute)
        if not callable(middleware):
            raise LoadError(f'it is a {type(middleware).__name__}, which cannot be called')
    except BaseException as error:
        raise PartError(f'its middleware {path} cannot be imported', error) from error
    try:
        wrapped: object = middleware(application, **options)
        if not is_application(wrapped):
            raise LoadError(f'what it returns is a {type(wrapped).__name__}, which cannot be called')
    except BaseException as error:
        raise PartError(f'its middleware {path} cannot be put around the application', error) from error
    return wrapped


def find(options: 'Options') -> 'WSGIApplication':
    """Import `module` and return the application: `callable` in it, or what `callable` returns if it is a factory.

    An empty `callable` means the usual names. The first one that the module has is used.
    """
    module = imported(options['module'], f' in {options["directory"]}')
    if options['callable'] == '':
        target, is_factory = usual(module)
    else:
        target, is_factory = named(module, options['callable']), options['factory']
    if isinstance(target, ModuleType):  # a package has a module of the name that was meant
        target, is_factory = usual(target)
    if is_factory and callable(target):
        refuse_asgi(target, 'its factory is a coroutine function')
        target = called(target, options['arguments'])
    if not is_application(target):
        raise LoadError(f'it is a {type(target).__name__}, which cannot be called')
    refuse_asgi(target, 'it is an ASGI application')
    return target


def called(factory: 'Callable[..., object]', arguments: str) -> object:
    """What `factory` returns for these arguments, which are Python source."""
    if not arguments:
        return factory()
    from viaduct_worker.callables import read_arguments  # it reads source, which few applications need

    positional, named = read_arguments(arguments)
    return factory(*positional, **named)


def refuse_asgi(target: object, state: str) -> None:
    if asgi.is_asgi(target):
        raise LoadError(f'{state}, and only WSGI is supported. {asgi.advice(asgi.package_of(target))}')


def imported(name: str, where: str) -> 'ModuleType':
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(error.name + '.')):
            raise LoadError(f'there is no module {error.name}{where}') from error
        raise


def named(module: 'ModuleType', path: str) -> object:
    target: object = module
    for attribute in path.split('.'):
        try:
            target = getattr(target, attribute)
        except AttributeError as error:
            raise LoadError(f'module {module.__name__} has no {attribute}{submodule_hint(module, path)}') from error
    return target


def submodule_hint(module: 'ModuleType', path: str) -> str:
    """What to write if `path` names a module of the package `module`."""
    from viaduct_worker.inspect_source import module_path  # it reads source, which only this message needs

    places: list[str] = getattr(module, '__path__', None) or []
    if not any(module_path(place, path) for place in places):
        return ''
    return f'; there is a module {module.__name__}.{path}: write {module.__name__}.{path}:NAME'


def name_of(function: object) -> str:
    """Return `MODULE:NAME` of a function; '' if it does not know its name."""
    module, name = getattr(function, '__module__', None), getattr(function, '__qualname__', None)
    return f'{module}:{name}' if module and name else ''


def usual(module: 'ModuleType') -> tuple[object, bool]:
    """What has the first of the usual names, and whether it is a factory. Submodules come after everything else."""
    found = [(getattr(module, name), is_factory) for name, is_factory in USUAL if hasattr(module, name)]
    found.sort(key=lambda item: isinstance(item[0], ModuleType))
    for target, is_factory in found:
        return usual(target) if isinstance(target, ModuleType) else (target, is_factory)
    raise LoadError(
        f'module {module.__name__} has no application, app, create_app or make_app; name it: MODULE:CALLABLE'
        f'{submodule_hint(module, "wsgi")}'
    )


def is_application(target: object) -> 'TypeGuard[WSGIApplication]':
    """Whether `target` can be called. Only a request shows whether it takes environ and start_response."""
    return callable(target)


def report(error: BaseException) -> tuple[str, str]:
    """Return (traceback, reason) of a failed import. The traceback is '' if the reason says everything."""
    if isinstance(error, PartError):
        shown, reason = report(error.cause)
        # Without a frame of the application the reason is enough, for example if the arguments do not fit.
        says_all = own_frames(error.cause) is None and not isinstance(error.cause, SyntaxError)
        return '' if says_all else shown, f'{error.what}: {reason}'
    if isinstance(error, LoadError):
        return '', str(error)
    return traceback_of(error), traceback.format_exception_only(error)[-1].strip()


def traceback_of(error: BaseException) -> str:
    """The traceback from the application's first frame on, without the frames that lead there."""
    return ''.join(traceback.format_exception(type(error), error, application_frames(error)))


def application_frames(error: BaseException) -> 'TracebackType | None':
    start = own_frames(error)
    # A syntax error in the module has no frame of the application, and names the line itself.
    return error.__traceback__ if start is None and not isinstance(error, SyntaxError) else start


def failure(error: BaseException, describes: bool) -> dict[str, str]:
    """The message to the server about a failed import.

    `exception` is '' unless it is asked for and says more than the reason. It is what the record of a traced request
    has of an exception, with variables, marshalled and in base64.
    """
    shown, reason = report(error)
    exception = ''
    if describes and shown:
        from viaduct_worker.tracing.exceptions import marshalled  # it takes memory

        inner = error.cause if isinstance(error, PartError) else error
        exception = marshalled(inner.with_traceback(application_frames(inner)))
    return {'traceback': shortened(shown), 'reason': shortened(reason), 'exception': exception}


def own_frames(error: BaseException) -> 'TracebackType | None':
    """The part of the traceback that is the application's; None if the application has no frame in it."""
    frames = error.__traceback__
    while frames is not None and is_on_the_way(frames.tb_frame.f_code.co_filename):
        frames = frames.tb_next
    return frames


def is_on_the_way(filename: str) -> bool:
    return filename.startswith((HERE, '<frozen importlib')) or filename == importlib.__file__
