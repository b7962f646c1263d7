"""Puts the live server beneath the test clients of Werkzeug, Flask and WebTest."""

from types import SimpleNamespace

from .server import POOL


class Asked:
    """An application as it is called for a test client: with the keys that the client has for its own framework."""

    def __init__(self, application, environ):
        self.application = application
        self.extra = {key: value for key, value in environ.items() if '.' in key and not key.startswith('wsgi.')}
        self.error = None

    def __call__(self, environ, start_response):
        try:
            result = self.application(environ | self.extra, start_response)
            if type(result) in (list, tuple) or isinstance(result, environ['wsgi.file_wrapper']):
                return result
            return Watched(result, self)
        except BaseException as error:
            self.error = error
            raise


class Watched:
    """An application's iterable; tells `asked` what it raises."""

    def __init__(self, result, asked):
        self.iterator = iter(result)
        self.asked = asked
        if hasattr(result, 'close'):
            self.close = result.close

    def __iter__(self):
        return self

    def __next__(self):
        try:
            return next(self.iterator)
        except StopIteration:
            raise
        except BaseException as error:
            self.asked.error = error
            raise


class Received(list):
    """What came, as an iterable of an application."""

    def close(self):
        pass


def over_the_wire(application, environ):
    """What a client got for `environ`. An exception of the application is raised here too, after it was answered."""
    asked = Asked(application, environ)
    try:
        response = POOL.ask(asked, environ)
    finally:
        if asked.error is not None:
            raise asked.error
    return response


def install_werkzeug():
    from werkzeug import test
    from werkzeug.datastructures import Headers

    in_place = test.run_wsgi_app

    def run_wsgi_app(app, environ, buffered=False):
        if POOL.busy:  # a response that an application makes of another application
            return in_place(app, environ, buffered)
        response = over_the_wire(app, test._get_environ(environ))
        return Received([response.body]), response.status, Headers(without_date(response.headers))

    test.run_wsgi_app = run_wsgi_app


def install_webob():
    from webob.request import BaseRequest

    in_place = BaseRequest.call_application

    def call_application(self, application, catch_exc_info=False):
        if POOL.busy:
            return in_place(self, application, catch_exc_info)
        if self.is_body_seekable:
            self.body_file_raw.seek(0)
        response = over_the_wire(application, self.environ)
        parts = response.status, without_date(response.headers), [response.body]
        return (*parts, None) if catch_exc_info else parts

    BaseRequest.call_application = call_application


def install_webtest():
    """`StopableWSGIServer.create`, which starts waitress in a thread, starts our server."""
    from webtest import http

    class LiveServer:
        wrapper = http.StopableWSGIServer.wrapper
        wait = http.StopableWSGIServer.wait

        def __init__(self, application):
            self.test_app = application
            self.server = POOL.take(self.wrapper)
            self.adj = SimpleNamespace(host='127.0.0.1', port=self.server.port)
            self.application_url = f'http://127.0.0.1:{self.server.port}/'

        def shutdown(self):
            POOL.give_back(self.server)
            return True

    http.StopableWSGIServer.create = classmethod(lambda cls, application, **_: LiveServer(application))


def without_date(headers):
    """A server says when and who; the suites count what their application said."""
    return [(name, value) for name, value in headers if name.lower() not in ('date', 'server')]
