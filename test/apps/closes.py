"""Returns an iterable that records its `close()`. The first word of the query is the name of the request, the second an action.

`done` ends normally, `raise` raises in the middle, `raise-first` before the first block, `endless` ends only when it is closed,
`no-start` never calls `start_response`, `close-raises` fails in `close()`, `held` waits for `release`, `writes` calls `write()`
for ever.
`/closes?log` answers with the names that were closed, in order. `/closes?release` ends the waiting.
"""

import threading
import time

closed = []
release = threading.Event()


class Blocks:
    def __init__(self, name, action):
        self.name = name
        self.action = action
        self.blocks = self.make()

    def __iter__(self):
        return self

    def __next__(self):
        return next(self.blocks)

    def make(self):
        if self.action == 'raise-first':
            raise RuntimeError('before the first block')
        yield b'a block '
        if self.action == 'raise':
            raise RuntimeError('between two blocks')
        while self.action == 'endless':
            yield b'x' * 65536
        if self.action == 'held':
            release.wait()
        yield b'another'

    def close(self):
        closed.append(self.name)
        if self.action == 'close-raises':
            raise RuntimeError('in close()')


def application(environ, start_response):
    name, _, action = environ['QUERY_STRING'].partition('+')
    if action != 'no-start':
        write = start_response('200 OK', [('Content-Type', 'text/plain')])
    if name == 'log':
        return [' '.join(closed).encode()]
    if name == 'release':
        release.set()
        return [b'released']
    if action == 'writes':
        try:
            while True:
                write(b'a block ')
                time.sleep(0.01)
        finally:
            closed.append(name)
    return Blocks(name, action)
