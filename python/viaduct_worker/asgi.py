"""Recognizes ASGI applications, and says what a framework has for WSGI."""

from functools import partial
from types import CodeType, FunctionType, MethodType

COROUTINE = 0x80
"""The flag of code that an `async def` makes (`inspect.CO_COROUTINE`). The module `inspect` itself imports much."""

FRAMEWORKS = ('fastapi', 'starlette', 'litestar', 'quart', 'sanic', 'blacksheep')
"""Packages whose applications are all ASGI."""

WSGI = {
    'channels': "Django has a WSGI application, too: serve the project's wsgi.py.",
    'django': "Django has a WSGI application, too: serve the project's wsgi.py.",
    'quart': 'Flask is the same framework for WSGI.',
    'falcon': 'Falcon has a WSGI application, too: falcon.App instead of falcon.asgi.App.',
    'connexion': 'Connexion 2 is for WSGI.',
    'socketio': 'python-socketio has a WSGI application, too: socketio.WSGIApp.',
    'engineio': 'python-engineio has a WSGI application, too: engineio.WSGIApp.',
    'strawberry': 'Strawberry has WSGI views, too: strawberry.flask.views and strawberry.django.views.',
    'ariadne': 'Ariadne has a WSGI application, too: ariadne.wsgi.GraphQL.',
    'asgiref': 'If it is made of a WSGI application, serve that one.',
}
"""The sentence about WSGI for each package that has something for it."""

OTHERWISE = 'Use an ASGI server for it, such as uvicorn or granian.'


def advice(package: str) -> str:
    """What to do with an ASGI application that comes from `package`."""
    return f'{WSGI[package]} Or use an ASGI server, such as uvicorn or granian.' if package in WSGI else OTHERWISE


def is_asgi(target: object) -> bool:
    """Whether a call of `target` makes a coroutine, as calls of ASGI applications do."""
    if is_coroutine_function(target):
        return True
    if isinstance(target, FunctionType | MethodType):
        return False
    # A class is called to make an instance. In ASGI 2, only the instance is then awaited.
    called = target if isinstance(target, type) else type(target)
    return is_coroutine_function(called.__call__)


def is_coroutine_function(function: object) -> bool:
    while isinstance(function, partial | MethodType):
        function = function.func if isinstance(function, partial) else function.__func__
    code = getattr(function, '__code__', None)
    return isinstance(code, CodeType) and bool(code.co_flags & COROUTINE)


def package_of(target: object) -> str:
    """The package that `target`, or its class, comes from."""
    module = getattr(target, '__module__', None) or type(target).__module__
    return str(module).partition('.')[0]
