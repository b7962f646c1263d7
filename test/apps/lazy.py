"""Calls `start_response` from within the iteration. The query says what happens behind the empty first block.

`replace`: the head is replaced, which is allowed as long as nothing was sent. `held`: a block goes out, and the next one only
when somebody asks for `/lazy?release`. `none`: no block at all.
"""

import sys
import threading

PLAIN = ('Content-Type', 'text/plain')
release = threading.Event()


def application(environ, start_response):
    what = environ['QUERY_STRING']
    start_response_now = what == 'none-now'
    if start_response_now:
        start_response('200 OK', [PLAIN])
    return blocks(what, start_response)


def blocks(what, start_response):
    if what == 'none-now':
        return
    start_response('200 OK', [PLAIN])
    yield b''
    if what == 'replace':
        try:
            raise LookupError('behind the empty block')
        except LookupError:
            start_response('404 Nothing Here', [PLAIN], sys.exc_info())
        yield b'replaced'
    elif what == 'release':
        release.set()
        yield b'released'
    elif what == 'held':
        yield b'first'
        release.wait()
        yield b',second'
