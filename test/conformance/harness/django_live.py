"""Puts the live server into Django's tests: into `LiveServerTestCase`, and beneath the test client."""

import threading
from http.cookies import SimpleCookie

from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.core.servers import basehttp
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connections
from django.http import HttpResponse
from django.http.response import ResponseHeaders
from django.test import client, testcases

from .server import POOL

BY_THE_SERVER = ('date', 'server')


class LiveServer:
    """What `LiveServerThread` expects of its `server_class`."""

    def __init__(self, server_address, _handler=None, *, connections_override=None, **_options):
        host, port = server_address
        self.connections_override = connections_override
        self.over = threading.Event()
        self.server = POOL.start(f'{host}:{port}') if port else POOL.take(None, f'{host}:0')
        self.server_address = (host, self.server.port)

    def set_app(self, application):
        def with_connections(environ, start_response):
            for alias, connection in (self.connections_override or {}).items():
                connections[alias] = connection
            return application(environ, start_response)

        self.server.application = with_connections

    def serve_forever(self):
        self.over.wait()

    def shutdown(self):
        self.over.set()

    def server_close(self):
        POOL.give_back(self.server)

    def _close_connections(self):
        connections.close_all()


class Recorded(WSGIHandler):
    """Django's WSGI handler around the middleware of a test client's handler; keeps the request and the response."""

    def __init__(self, handler, environ):
        self.handler = handler
        self.asked = environ
        self.request = self.response = self.error = None

    def __call__(self, environ, start_response):
        # Keys such as `my.key`, which a test gives its view, are nothing that a client could send.
        extra = {key: value for key, value in self.asked.items() if '.' in key and not key.startswith('wsgi.')}
        try:
            return super().__call__(environ | extra, start_response)
        except Exception as error:
            self.error = error
            raise

    def get_response(self, request):
        request._dont_enforce_csrf_checks = not self.handler.enforce_csrf_checks
        self.request = request
        self.response = response = self.handler.get_response(request)
        if response.streaming and not response.is_async:
            response._iterator = self.watched(response._iterator)
        return response

    def watched(self, blocks):
        try:
            yield from blocks
        except Exception as error:
            self.error = error
            raise


def over_the_wire(self, environ):
    """`ClientHandler.__call__`: the response is what arrived at a client."""
    if self._middleware_chain is None:
        self.load_middleware()
    recorded = Recorded(self, environ)
    request_started.disconnect(close_old_connections)
    request_finished.disconnect(close_old_connections)
    try:
        wire = POOL.ask(recorded, environ)
    finally:
        request_started.connect(close_old_connections)
        request_finished.connect(close_old_connections)
    if recorded.error is not None:
        raise recorded.error
    return received(wire, recorded, environ)


def received(wire, recorded, environ):
    """The view's response with everything in it replaced by what came over the wire."""
    response = HttpResponse() if recorded.response is None else recorded.response
    code, _, reason = wire.status.partition(' ')
    response.status_code, response.reason_phrase = int(code), reason
    own = {name.lower() for name in response.headers} if recorded.response is not None else set()
    sent_cookies = [value for name, value in wire.headers if name.lower() == 'set-cookie']
    if sorted(sent_cookies) != sorted(morsel.OutputString() for morsel in response.cookies.values()):
        response.cookies = SimpleCookie()
        for cookie in sent_cookies:
            response.cookies.load(cookie)
    response.headers = ResponseHeaders({})
    for name, value in wire.headers:
        if name.lower() != 'set-cookie' and (name.lower() not in BY_THE_SERVER or name.lower() in own):
            response.headers[name] = value
    if response.streaming:
        response.streaming_content = [wire.body]
    else:
        response.content = wire.body
    response.wsgi_request = recorded.request or WSGIRequest(environ)
    return response


def install():
    basehttp.ThreadedWSGIServer = testcases.ThreadedWSGIServer = LiveServer
    testcases.LiveServerThread.server_class = LiveServer
    client.ClientHandler.__call__ = over_the_wire
