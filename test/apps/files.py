"""Returns `wsgi.file_wrapper` around what the query names.

`/files?closed` answers with what was closed so far, and how far it had been read by then: a file that the server sends by
itself was not read at all.

`file`, `offset+N`, `length+N` (a Content-Length of N), `memory` (a BytesIO), `temporary` (an unnamed file), `named` (tempfile's
wrapper), `decoding` (a file object that makes other bytes of it), `attribute` (an object whose `.file` is not what it reads),
`pipe`, `large` (64 MB, sparse), `text` (a mistake), `iterated` (the wrapper within a generator), `missing` (no wrapper used).
"""

import io
import os
import tempfile

CONTENT = b''.join(b'line %d\n' % number for number in range(20000))
directory = tempfile.mkdtemp()
path = os.path.join(directory, 'content')
with open(path, 'wb') as file:
    file.write(CONTENT)
closed = []


class Decoding(io.FileIO):
    def read(self, size=-1):
        return super().read(size).swapcase()


class Attribute:
    def __init__(self):
        self.file = open(path, 'rb')

    def read(self, size=-1):
        return self.file.read(size).upper()


class Noting:
    """Reads as the file does and notes that it was closed, as Django's files do."""

    def __init__(self, name, file):
        self.name = name
        self.file = file
        self.read = file.read

    def close(self):
        closed.append(f'{self.name}@{position(self.file)}')
        self.file.close()


def position(file):
    try:
        return file.tell()
    except (AttributeError, OSError):
        return 'none'


def application(environ, start_response):
    what, _, number = environ['QUERY_STRING'].partition('+')
    headers = [('Content-Type', 'application/octet-stream')]
    if what == 'closed':
        start_response('200 OK', headers)
        return [' '.join(closed).encode()]
    if what == 'length':
        headers.append(('Content-Length', number))
    start_response('200 OK', headers)
    file = opened(what, number)
    wrapped = environ['wsgi.file_wrapper'](file if what == 'attribute' else Noting(what, file), 4096)
    return iterated(wrapped) if what == 'iterated' else wrapped


def iterated(wrapped):
    try:
        yield from wrapped
    finally:
        wrapped.close()


def opened(what, number):
    if what == 'memory':
        return io.BytesIO(CONTENT)
    if what == 'decoding':
        return Decoding(path)
    if what == 'attribute':
        return Attribute()
    if what == 'text':
        return open(path)
    if what == 'pipe':
        reader, writer = os.pipe()
        os.write(writer, b'through a pipe')
        os.close(writer)
        return open(reader, 'rb')
    if what in ('temporary', 'named', 'large'):
        file = tempfile.NamedTemporaryFile() if what == 'named' else tempfile.TemporaryFile()
        if what == 'large':
            file.truncate(64 * 1024 * 1024)
        else:
            file.write(CONTENT)
            file.seek(0)
        return file
    file = open(path, 'rb')
    if what == 'offset':
        file.seek(int(number))
    return file
