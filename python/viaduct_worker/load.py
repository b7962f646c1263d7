"""Finds the WSGI callable that the front's discovery named."""

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


def load(options):
    """Import `module` and return the application: `callable` in it, or what it returns when it is a factory.

    An empty `callable` stands for the usual names, of which the first one that the module has is taken.
    """
    name = options['module']
    try:
        target = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(error.name + '.')):
            raise NotThere(f'there is no module {error.name} in {options["directory"]}') from error
        raise
    target, is_factory = usual(target) if options['callable'] == '' else (named(target, options), options['factory'])
    if is_factory:
        target = target()
    if not callable(target):
        raise NotThere(f'it is a {type(target).__name__}, which cannot be called')
    return target


def named(module, options):
    target = module
    for attribute in options['callable'].split('.'):
        try:
            target = getattr(target, attribute)
        except AttributeError as error:
            raise NotThere(f'module {options["module"]} has no {attribute}') from error
    return target


def usual(module):
    for name, is_factory in USUAL:
        if hasattr(module, name):
            return getattr(module, name), is_factory
    raise NotThere(f'module {module.__name__} has neither application nor app nor create_app; name it: MODULE:CALLABLE')


def report(error):
    """What the front is told of a failed import: (traceback, reason); the traceback is '' when the reason says everything."""
    if isinstance(error, NotThere):
        return '', str(error)
    return traceback_of(error), traceback.format_exception_only(error)[-1].strip()


def traceback_of(error):
    """The traceback without the way to the application: it begins with the application's own frames."""
    start = error.__traceback__
    while start is not None and is_on_the_way(start.tb_frame.f_code.co_filename):
        start = start.tb_next
    return ''.join(traceback.format_exception(type(error), error, start or error.__traceback__))


def is_on_the_way(filename):
    return filename.startswith((HERE, '<frozen importlib')) or filename == importlib.__file__
