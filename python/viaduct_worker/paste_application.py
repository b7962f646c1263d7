"""Makes the application that a file of PasteDeploy describes, as pserve and `gunicorn --paste` do."""

import importlib
import logging.config
import os
from urllib.parse import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


def load(path: str, name: str) -> 'WSGIApplication':
    """Return the application `name` of the file at `path`, which is absolute. Its [loggers] are set up first."""
    with open(path, encoding='utf-8') as file:
        has_loggers = any(line.startswith('[loggers]') for line in file)
    if has_loggers:
        defaults = {'here': os.path.dirname(path), '__file__': path}
        logging.config.fileConfig(path, defaults, disable_existing_loggers=False, encoding='utf-8')
    deploy = importlib.import_module('paste.deploy')  # it has no types
    application: WSGIApplication = deploy.loadapp(f'config:{quote(path)}', name=name)
    return application
