"""Finds the WSGI callable that the front's discovery named."""

import importlib
import os
import sys


def prepare(options):
    """Make the process look like one started in the project: its directory is the working directory and `sys.path[0]`."""
    os.chdir(options['directory'])
    if sys.path[:1] != [options['directory']]:
        sys.path.insert(0, options['directory'])
    sys.argv = [options['module']]


def load(options):
    """Import `module` and return the application: `callable` in it, or what it returns when it is a factory."""
    target = importlib.import_module(options['module'])
    for name in options['callable'].split('.'):
        target = getattr(target, name)
    if options['factory']:
        target = target()
    if not callable(target):
        raise TypeError(f"{options['module']}:{options['callable']} is a {type(target).__name__}, not a WSGI callable")
    return target
