"""Calls `start_response` during the iteration. The query is the action after the empty first block.

`replace`: the head is replaced, which is allowed as long as nothing was sent. `held`: a block is sent, and the next one after a request
for `/lazy?release`. `none-now`: no block at all, and `start_response` was called before.
"""

import sys
import threading

PLAIN = ('Content-Type', 'text/plain')
release = threading.Event()


def application(environ, start_response):
    action = environ['QUERY_STRING']
    start_response_now = action == 'none-now'
    if start_response_now:
        start_response('200 OK', [PLAIN])
    return blocks(action, start_response)


def blocks(action, start_response):
    if action == 'none-now':
        return
    start_response('200 OK', [PLAIN])
    yield b''
    if action == 'replace':
        try:
            raise LookupError('after the empty block')
        except LookupError:
            start_response('404 Nothing Here', [PLAIN], sys.exc_info())
        yield b'replaced'
    elif action == 'release':
        release.set()
        yield b'released'
    elif action == 'held':
        yield b'first'
        release.wait()
        yield b',second'
