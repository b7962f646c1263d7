"""Finds the WSGI callable that the front's discovery named."""

import importlib
import os
import sys
import traceback


def prepare(options):
    """Make the process look like one started in the project: its directory is the working directory and `sys.path[0]`."""
    os.chdir(options['directory'])
    if sys.path[:1] != [options['directory']]:
        sys.path.insert(0, options['directory'])
    sys.argv = [options['module']]


class NotThere(Exception):
    """The module or the callable that was named does not exist: a sentence, where a traceback would tell nothing."""


def load(options):
    """Import `module` and return the application: `callable` in it, or what it returns when it is a factory."""
    name = options['module']
    try:
        target = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(error.name + '.')):
            raise NotThere(f'there is no module {error.name} in {options["directory"]}') from error
        raise
    for attribute in options['callable'].split('.'):
        try:
            target = getattr(target, attribute)
        except AttributeError as error:
            raise NotThere(f'module {name} has no {attribute}') from error
    if options['factory']:
        target = target()
    if not callable(target):
        raise NotThere(f'it is a {type(target).__name__}, which cannot be called')
    return target


def report(error):
    """What the front is told of a failed import: (traceback, reason); the traceback is '' when the reason says everything."""
    if isinstance(error, NotThere):
        return '', str(error)
    return traceback.format_exc(), traceback.format_exception_only(error)[-1].strip()
