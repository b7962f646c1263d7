"""What the three applications in Python have in common: contents, and what they tell of a request."""

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
    """The second block comes when another request says that the first one has arrived."""
    yield b'first\n'
    event(key).wait(10)
    yield b'last\n'


def broken():
    yield LARGE[:70_000]
    raise RuntimeError('broken off on purpose')


def byte_range(value):
    """First and last position of `bytes=A-B`; None for anything else."""
    unit, _, rest = (value or '').partition('=')
    first, _, last = rest.partition('-')
    if unit != 'bytes' or not first.isdigit() or not last.isdigit():
        return None
    return int(first), min(int(last), len(FILE) - 1)


def told(environ, content, *, path_info=None, path, scheme, address):
    """A request as the application sees it; the last three as the framework says them. `path_info`: for a framework that changes it."""
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
