"""The common parts of the three Python applications: their contents, and the description of a request."""

import hashlib
import threading

LARGE = (b'abcdefghijklmnopqrstuvwxyz' * 200_000)[:5_000_000]
FILE = LARGE[:1000]
BLOCK = 50_000
TAG = '"v1"'
COOKIES = ['a=1; Path=/', 'b=2; Path=/; HttpOnly', 'c=3; Path=/; Expires=Wed, 21 Oct 2037 07:28:00 GMT']
FIELDS = [('X-Latin', 'caf\xe9'), ('X-Empty', ''), ('X-Twice', 'one'), ('X-Twice', 'two')]

events = {}
lock = threading.Lock()


def event(key):
    with lock:
        return events.setdefault(key, threading.Event())


def blocks():
    for start in range(0, len(LARGE), BLOCK):
        yield LARGE[start : start + BLOCK]


def stream(key):
    """Yields the second block when another request reports that the first one has arrived."""
    yield b'first\n'
    event(key).wait(10)
    yield b'last\n'


def broken():
    yield LARGE[:70_000]
    raise RuntimeError('broken off on purpose')


def byte_range(value):
    """Return the first and last position of `bytes=A-B`, None for anything else."""
    unit, _, positions = (value or '').partition('=')
    first, _, last = positions.partition('-')
    if unit != 'bytes' or not first.isdigit() or not last.isdigit():
        return None
    return int(first), min(int(last), len(FILE) - 1)


def describe_request(environ, content, *, path_info=None, path, scheme, address):
    """Return the request as the application sees it. The framework supplies the last three arguments, and `path_info` if it changes it."""
    return {
        'method': environ['REQUEST_METHOD'],
        'script': environ.get('SCRIPT_NAME', ''),
        'pathInfo': environ.get('PATH_INFO', '') if path_info is None else path_info,
        'path': path,
        'query': environ.get('QUERY_STRING', ''),
        'scheme': scheme,
        'address': address,
        'length': environ.get('CONTENT_LENGTH', ''),
        'type': environ.get('CONTENT_TYPE', ''),
        'size': len(content),
        'digest': hashlib.sha256(content).hexdigest(),
        'fields': {name: value for name, value in environ.items() if name.startswith('HTTP_')},
    }
