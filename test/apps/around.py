"""Middleware that marks the answer: `X-Passed` has the name of each middleware, the innermost first."""

import json

closed = []


class Named:
    """Passes on the iterable of the application unchanged."""

    def __init__(self, application, name='named', **options):
        self.application = application
        self.name = name
        self.options = options

    def __call__(self, environ, start_response):
        environ['around.passed'] = [*environ.get('around.passed', []), self.name]

        def start(status, headers, exc_info=None):
            headers = [*headers, ('X-Passed', self.name), ('X-Options', json.dumps(self.options))]
            return start_response(status, headers, exc_info)

        return self.application(environ, start)


class Wrapping:
    """Returns an iterable of its own. Its `close()` calls that of the application's iterable."""

    def __init__(self, application):
        self.application = application

    def __call__(self, environ, start_response):
        if environ['PATH_INFO'] == '/closed-wrappers':
            start_response('200 OK', [('Content-Type', 'text/plain')])
            return [' '.join(closed).encode()]
        return Wrapped(environ['QUERY_STRING'].partition('+')[0], self.application(environ, start_response))


class Wrapped:
    def __init__(self, name, blocks):
        self.name = name
        self.blocks = blocks

    def __iter__(self):
        return iter(self.blocks)

    def close(self):
        closed.append(self.name)
        if hasattr(self.blocks, 'close'):
            self.blocks.close()


def function(application, name='function'):
    return Named(application, name)


class Holder:
    inner = Named


def forgets(application):
    Named(application)


def raises(application):
    raise RuntimeError('in the middleware')


number = 5
