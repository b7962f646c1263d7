"""Does the action that the query names, at an edge of PEP 3333. `/edges?log` answers with the notes so far, in order."""

noted = []
PLAIN = ('Content-Type', 'text/plain')
LENGTH = ('Content-Length', '5')


class Blocks:
    """An iterable of two blocks that is not an iterator."""

    def __iter__(self):
        return iter((b'two ', b'blocks'))


class Sized(Blocks):
    def __init__(self, length):
        self.length = length

    def __len__(self):
        noted.append('len')
        return self.length


class Indexed:
    """An iterable without `__iter__`: `iter()` calls it with one index after the other."""

    def __getitem__(self, index):
        return (b'two ', b'blocks')[index]


def generator(start_response, action):
    try:
        if action == 'early-block':
            yield b'too early'
        if action == 'late':
            yield b''
            yield b''
        start_response('200 OK', [PLAIN])
        if action == 'nothing':
            return
        yield b'started'
        if action == 'start-again':
            start_response('404 Not Found', [PLAIN])
        if action == 'odd':
            yield 5
        if action == 'view':
            yield memoryview(b' with a view')
        while action == 'endless':
            yield b'x' * 65536
    finally:
        noted.append(f'{action} ended')


def writing(start_response, action):
    headers = [PLAIN, LENGTH] if action in ('write-more', 'write-less') else [PLAIN]
    write = start_response('204 No Content' if action == 'write-204' else '200 OK', headers)
    write(b'one')
    if action == 'write-yields':
        return yielding(write)
    if action == 'write-more':
        write(b'two')
        write(b'three')
    return []


def yielding(write):
    yield b',two'
    write(b',three')
    yield b',four'


def application(environ, start_response):
    action = environ['QUERY_STRING']
    if action == 'log':
        start_response('200 OK', [PLAIN])
        return [','.join(noted).encode()]
    if action in ('early-block', 'late', 'nothing', 'start-again', 'odd', 'view', 'endless'):
        return generator(start_response, action)
    if action.startswith('write'):
        return writing(start_response, action)
    if action == 'never':
        return []
    if action == 'under':
        environ['wsgi.input'].read(3)
    if action == 'closed-input':
        environ['wsgi.input'].close()
    start_response('200 OK', [PLAIN], True if action == 'exc-info' else None)
    if action == 'unsized':
        return Blocks()
    if action.startswith('sized'):
        return Sized(int(action[5:]))
    if action == 'indexed':
        return Indexed()
    if action == 'bytes':
        return b'bytes, whose iteration yields numbers'
    if action == 'array':
        return bytearray(b'an array')
    if action == 'closing':
        return Restarting(start_response)
    return [b'answered']


class Restarting(Blocks):
    """Calls `start_response` when the response is complete."""

    def __init__(self, start_response):
        self.start_response = start_response

    def close(self):
        self.start_response('404 Not Found', [PLAIN])
