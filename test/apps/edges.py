"""Does at the edge of PEP 3333 what the query names; `/edges?log` answers with what was noted, in order."""

noted = []
PLAIN = ('Content-Type', 'text/plain')
LENGTH = ('Content-Length', '5')


class Blocks:
    """An iterable, and no iterator, of two blocks."""

    def __iter__(self):
        return iter((b'two ', b'blocks'))


class Sized(Blocks):
    def __init__(self, length):
        self.length = length

    def __len__(self):
        noted.append('len')
        return self.length


class Indexed:
    """An iterable as they were before iterators: `iter()` asks for one index after the other."""

    def __getitem__(self, index):
        return (b'two ', b'blocks')[index]


def generator(start_response, what):
    try:
        if what == 'early-block':
            yield b'too early'
        if what == 'late':
            yield b''
            yield b''
        start_response('200 OK', [PLAIN])
        if what == 'nothing':
            return
        yield b'begun'
        if what == 'start-again':
            start_response('404 Not Found', [PLAIN])
        if what == 'odd':
            yield 5
        if what == 'view':
            yield memoryview(b'not bytes')
        while what == 'endless':
            yield b'x' * 65536
    finally:
        noted.append(f'{what} ended')


def writing(start_response, what):
    headers = [PLAIN, LENGTH] if what in ('write-more', 'write-less') else [PLAIN]
    write = start_response('204 No Content' if what == 'write-204' else '200 OK', headers)
    write(b'one')
    if what == 'write-yields':
        return yielding(write)
    if what == 'write-more':
        write(b'two')
        write(b'three')
    return []


def yielding(write):
    yield b',two'
    write(b',three')
    yield b',four'


def application(environ, start_response):
    what = environ['QUERY_STRING']
    if what == 'log':
        start_response('200 OK', [PLAIN])
        return [','.join(noted).encode()]
    if what in ('early-block', 'late', 'nothing', 'start-again', 'odd', 'view', 'endless'):
        return generator(start_response, what)
    if what.startswith('write'):
        return writing(start_response, what)
    if what == 'never':
        return []
    if what == 'under':
        environ['wsgi.input'].read(3)
    if what == 'closed-input':
        environ['wsgi.input'].close()
    start_response('200 OK', [PLAIN])
    if what == 'unsized':
        return Blocks()
    if what.startswith('sized'):
        return Sized(int(what[5:]))
    if what == 'indexed':
        return Indexed()
    if what == 'bytes':
        return b'bytes, of which iteration makes numbers'
    if what == 'closing':
        return Restarting(start_response)
    return [b'answered']


class Restarting(Blocks):
    """Calls `start_response` when its response is complete."""

    def __init__(self, start_response):
        self.start_response = start_response

    def close(self):
        self.start_response('404 Not Found', [PLAIN])
