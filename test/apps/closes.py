"""Returns an iterable that notes its `close()`. The first word of the query is the request's name, the second what happens.

`done` ends normally, `raise` raises in the middle, `raise-first` before the first block, `endless` goes on until it is closed,
`no-start` never calls `start_response`, `close-raises` fails in `close()`, `held` waits for `release`.
`/closes?log` answers with what was closed, in order; `/closes?release` ends the waiting.
"""

import threading

closed = []
release = threading.Event()


class Blocks:
    def __init__(self, name, what):
        self.name = name
        self.what = what
        self.blocks = self.make()

    def __iter__(self):
        return self

    def __next__(self):
        return next(self.blocks)

    def make(self):
        if self.what == 'raise-first':
            raise RuntimeError('before the first block')
        yield b'a block '
        if self.what == 'raise':
            raise RuntimeError('between two blocks')
        while self.what == 'endless':
            yield b'x' * 65536
        if self.what == 'held':
            release.wait()
        yield b'another'

    def close(self):
        closed.append(self.name)
        if self.what == 'close-raises':
            raise RuntimeError('in close()')


def application(environ, start_response):
    name, _, what = environ['QUERY_STRING'].partition('+')
    if what != 'no-start':
        start_response('200 OK', [('Content-Type', 'text/plain')])
    if name == 'log':
        return [' '.join(closed).encode()]
    if name == 'release':
        release.set()
        return [b'released']
    return Blocks(name, what)
