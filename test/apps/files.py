"""Returns `wsgi.file_wrapper` around the file that the query names.

`/files?closed` answers with the closed files, and the position of each when it was closed. A file that the server sends by itself is
never read.

`file`, `offset+N`, `length+N` (a Content-Length of N), `memory` (a BytesIO), `temporary` (an unnamed file), `named` (tempfile's
wrapper), `decoding` (a file object that changes the bytes), `attribute` (an object that does not read from its `.file`),
`pipe`, `large` (64 MB, sparse), `text` (an error), `iterated` (the wrapper within a generator), `missing` (no wrapper used).
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
    """Reads like the file, and records that it was closed. It is not a real file, like the files of Django."""

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
    kind, _, number = environ['QUERY_STRING'].partition('+')
    headers = [('Content-Type', 'application/octet-stream')]
    if kind == 'closed':
        start_response('200 OK', headers)
        return [' '.join(closed).encode()]
    if kind == 'length':
        headers.append(('Content-Length', number))
    start_response('200 OK', headers)
    file = opened(kind, number)
    wrapped = environ['wsgi.file_wrapper'](file if kind == 'attribute' else Noting(kind, file), 4096)
    return iterated(wrapped) if kind == 'iterated' else wrapped


def iterated(wrapped):
    try:
        yield from wrapped
    finally:
        wrapped.close()


def opened(kind, number):
    if kind == 'memory':
        return io.BytesIO(CONTENT)
    if kind == 'decoding':
        return Decoding(path)
    if kind == 'attribute':
        return Attribute()
    if kind == 'text':
        return open(path)
    if kind == 'pipe':
        reader, writer = os.pipe()
        os.write(writer, b'through a pipe')
        os.close(writer)
        return open(reader, 'rb')
    if kind in ('temporary', 'named', 'large'):
        file = tempfile.NamedTemporaryFile() if kind == 'named' else tempfile.TemporaryFile()
        if kind == 'large':
            file.truncate(64 * 1024 * 1024)
        else:
            file.write(CONTENT)
            file.seek(0)
        return file
    file = open(path, 'rb')
    if kind == 'offset':
        file.seek(int(number))
    return file
