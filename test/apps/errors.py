"""Calls `start_response` again with `exc_info`. The query says when.

`before`: nothing was sent yet. `after`: a block was sent, in chunks. `after-length`: a block was sent, with a declared length. Both wait
for a request with the query `go`. `status`: the first status had no content. `twice`: without `exc_info`, which is an error.
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
        yield b'continued'
        return
    if when.startswith('after'):
        yield b'started'
        go.acquire()
    try:
        raise LookupError('in the middle')
    except LookupError:
        start_response('500 Sorry', [PLAIN], sys.exc_info())
    yield b'the error page'
