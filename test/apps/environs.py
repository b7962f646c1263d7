"""Answers with its environ as JSON: strings unchanged, all other values as the name of their type and their `repr`."""

import json
import os


def application(environ, start_response):
    seen = {key: value if type(value) is str else [type(value).__name__, repr(value)] for key, value in environ.items()}
    seen['type of environ'] = type(environ).__name__
    seen['process of the application'] = str(os.getpid())
    environ['left behind'] = 'by an earlier request'
    environ['wsgi.url_scheme'] = 'changed'
    body = json.dumps(seen).encode()
    start_response('200 OK', [('Content-Type', 'application/json'), ('Content-Length', str(len(body)))])
    return [body]
