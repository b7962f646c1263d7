"""Finds the WSGI callable that the front's discovery named, and puts the configured middleware around it."""

import importlib
import os
import sys
import traceback

HERE = os.path.dirname(os.path.abspath(__file__)) + os.sep
USUAL = (('application', False), ('app', False), ('create_app', True), ('make_app', True))


def prepare(options):
    """Make the process look like one started in the project: its directory is the working directory and `sys.path[0]`."""
    os.chdir(options['directory'])
    if sys.path[:1] != [options['directory']]:
        sys.path.insert(0, options['directory'])
    sys.argv = [options['module']]


class NotThere(Exception):
    """The module or the callable that was named does not exist: a sentence, where a traceback would tell nothing."""


class MiddlewareBroken(Exception):
    """Putting the middleware `path` around the application failed: `how` in words; the error itself is the cause."""

    def __init__(self, path, how):
        super().__init__(path, how)
        self.path = path
        self.how = how


def load(options):
    """The application with its middleware around it, of which the first is the outermost (PEP 3333, "Middleware")."""
    application = find(options)
    for entry in reversed(options.get('middleware', ())):
        application = wrap(application, entry['path'], entry['options'])
    return application


def wrap(application, path, options):
    """Call the middleware at `path`, `module:attribute`, with the application and `options` as keyword arguments."""
    module, _, attribute = path.partition(':')
    try:
        middleware = named(imported(module, f' for {sys.executable}'), attribute)
        if not callable(middleware):
            raise NotThere(f'it is a {type(middleware).__name__}, which cannot be called')
    except BaseException as error:
        raise MiddlewareBroken(path, 'cannot be imported') from error
    try:
        wrapped = middleware(application, **options)
        if not callable(wrapped):
            raise NotThere(f'what it returns is a {type(wrapped).__name__}, which cannot be called')
    except BaseException as error:
        raise MiddlewareBroken(path, 'cannot be put around the application') from error
    return wrapped


def find(options):
    """Import `module` and return the application: `callable` in it, or what it returns when it is a factory.

    An empty `callable` stands for the usual names, of which the first one that the module has is taken.
    """
    target = imported(options['module'], f' in {options["directory"]}')
    if options['callable'] == '':
        target, is_factory = usual(target)
    else:
        target, is_factory = named(target, options['callable']), options['factory']
    if is_factory:
        target = target()
    if not callable(target):
        raise NotThere(f'it is a {type(target).__name__}, which cannot be called')
    return target


def imported(name, where):
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(error.name + '.')):
            raise NotThere(f'there is no module {error.name}{where}') from error
        raise


def named(module, path):
    target = module
    for attribute in path.split('.'):
        try:
            target = getattr(target, attribute)
        except AttributeError as error:
            raise NotThere(f'module {module.__name__} has no {attribute}') from error
    return target


def usual(module):
    for name, is_factory in USUAL:
        if hasattr(module, name):
            return getattr(module, name), is_factory
    raise NotThere(f'module {module.__name__} has neither application nor app nor create_app; name it: MODULE:CALLABLE')


def report(error):
    """What the front is told of a failed import: (traceback, reason); the traceback is '' when the reason says everything."""
    if isinstance(error, MiddlewareBroken):
        cause = error.__cause__
        shown, reason = report(cause)
        says_all = own_frames(cause) is None and not isinstance(cause, SyntaxError)  # such as arguments that do not fit
        return '' if says_all else shown, f'its middleware {error.path} {error.how}: {reason}'
    if isinstance(error, NotThere):
        return '', str(error)
    return traceback_of(error), traceback.format_exception_only(error)[-1].strip()


def traceback_of(error):
    """The traceback without the way to the application: it begins with the application's own frames."""
    start = own_frames(error)
    return ''.join(traceback.format_exception(type(error), error, start or error.__traceback__))


def own_frames(error):
    """The part of its traceback that is not ours; None when there is none."""
    frames = error.__traceback__
    while frames is not None and is_on_the_way(frames.tb_frame.f_code.co_filename):
        frames = frames.tb_next
    return frames


def is_on_the_way(filename):
    return filename.startswith((HERE, '<frozen importlib')) or filename == importlib.__file__
