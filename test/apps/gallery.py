"""All applications of this directory in one: `/NAME/…` is the application of NAME.py inside `wsgiref.validate.validator`.

`/bare/NAME/…` is the same without the validator, for actions that the validator does not know, and for invalid ones. A complaint of the
validator is a 500 and a traceback in the log.
"""

import importlib
import pathlib
import warnings
from wsgiref.validate import WSGIWarning, validator

warnings.simplefilter('error', WSGIWarning)

HERE = pathlib.Path(__file__)
modules = [importlib.import_module(path.stem) for path in HERE.parent.glob('*.py') if path.name != HERE.name]
bare = {module.__name__: module.application for module in modules if hasattr(module, 'application')}
validated = {name: validator(application) for name, application in bare.items()}


def application(environ, start_response):
    segments = environ['PATH_INFO'].split('/')
    if segments[1] == 'bare':
        return bare[segments[2]](environ, start_response)
    return validated[segments[1]](environ, start_response)
