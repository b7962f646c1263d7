"""Calls `start_response` again with `exc_info`; the query says when.

`before`: nothing was sent yet. `after`: a block was, chunked. `after-length`: a block was, of a declared length; both wait until
somebody asks for `go`. `status`: the first status had no content. `twice`: without `exc_info`, which is a mistake.
"""

import sys
import threading

PLAIN = ('Content-Type', 'text/plain')
go = threading.Semaphore(0)


def application(environ, start_response):
    when = environ['QUERY_STRING']
    if when == 'status':
        start_response('204 No Content', [])
    else:
        length = [('Content-Length', '100')] if when == 'after-length' else []
        start_response('200 OK', [PLAIN, ('X-First', 'yes'), *length])
    if when == 'twice':
        start_response('200 OK', [PLAIN])
    return blocks(when, start_response)


def blocks(when, start_response):
    if when == 'go':
        go.release()
        yield b'gone on'
        return
    if when.startswith('after'):
        yield b'begun'
        go.acquire()
    try:
        raise LookupError('in the middle')
    except LookupError:
        start_response('500 Sorry', [PLAIN], sys.exc_info())
    yield b'the error page'
