"""An HTTP/1.1 client that sends an environ as a request and reads the response to it as the server sent it."""

import socket
from urllib.parse import quote, unquote_to_bytes

PATIENCE_SECONDS = 30
PATH_SAFE = "/:@!$&'()*+,;=~"
QUERY_SAFE = PATH_SAFE + '?%"<>[]^`{|}\\'


class Response:
    """`status` with its reason, `headers` as (name, value) pairs in their order, `body` decoded from its framing."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body


class Client:
    """One connection at a time to `address`, kept alive as long as the server keeps it."""

    def __init__(self, address):
        self.address = address
        self.socket = None
        self.file = None

    def ask(self, environ):
        data = request_bytes(environ)
        reused = self.socket is not None
        try:
            return self._ask(data, environ['REQUEST_METHOD'])
        except (ConnectionError, EOFError):
            self.close()
            if not reused:
                raise
            return self._ask(data, environ['REQUEST_METHOD'])
        except Exception:
            self.close()
            raise

    def _ask(self, data, method):
        if self.socket is None:
            self.socket = socket.create_connection(self.address, PATIENCE_SECONDS)
            self.file = self.socket.makefile('rb')
        self.socket.sendall(data)
        response, stays = read_response(self.file, method)
        if not stays:
            self.close()
        return response

    def close(self):
        if self.socket is not None:
            self.file.close()
            self.socket.close()
            self.socket = None


def request_bytes(environ):
    """The request that a client would send for `environ`: what a proxy would tell goes into X-Forwarded fields."""
    fields = {}
    for key, value in environ.items():
        if key.startswith('HTTP_'):
            fields[key[5:].replace('_', '-').title()] = str(value)
    host, port = environ.get('SERVER_NAME', 'localhost'), str(environ.get('SERVER_PORT', '80'))
    scheme = environ.get('wsgi.url_scheme', 'http')
    fields.setdefault('Host', host if port == {'http': '80', 'https': '443'}[scheme] else f'{host}:{port}')
    if scheme == 'https':
        fields.setdefault('X-Forwarded-Proto', 'https')
    if environ.get('REMOTE_ADDR', '127.0.0.1') not in ('', '127.0.0.1'):
        fields.setdefault('X-Forwarded-For', environ['REMOTE_ADDR'])
    if environ.get('CONTENT_TYPE'):
        fields['Content-Type'] = environ['CONTENT_TYPE']
    body = content_of(environ, fields)
    head = f'{environ["REQUEST_METHOD"]} {target_of(environ)} HTTP/1.1\r\n'
    head += ''.join(f'{name}: {value}\r\n' for name, value in fields.items())
    return f'{head}\r\n'.encode('latin-1') + body


def target_of(environ):
    """The request target; one that a test gives undecoded as well is sent as it gave it."""
    path = (environ.get('SCRIPT_NAME', '').rstrip('/') + environ.get('PATH_INFO', '')).encode('latin-1')
    query = environ.get('QUERY_STRING', '')
    raw = environ.get('REQUEST_URI', '')
    raw_path, _, raw_query = raw.partition('?')
    if raw[:1] == '/' and unquote_to_bytes(raw_path) == path and raw_query == query:
        return raw
    encoded = quote(path, safe=PATH_SAFE)
    query = quote(query.encode('latin-1'), safe=QUERY_SAFE)
    return '/' * (encoded[:1] != '/') + encoded + '?' * (query != '') + query


def content_of(environ, fields):
    source = environ.get('wsgi.input')
    if environ.get('CONTENT_LENGTH'):
        fields['Content-Length'] = str(environ['CONTENT_LENGTH'])
        return unread(source, int(environ['CONTENT_LENGTH'])) if source else b''
    if fields.get('Transfer-Encoding') != 'chunked':
        return b''
    data = unread(source, -1)
    return (b'%x\r\n%s\r\n' % (len(data), data) if data else b'') + b'0\r\n\r\n'


def unread(source, size):
    """Read from `source` and leave it as it was, if possible: a client that follows a redirect sends it again."""
    start = source.tell() if getattr(source, 'seekable', bool)() else None
    data = source.read(size)
    if start is not None:
        source.seek(start)
    return data


def read_response(file, method):
    """Return the final response and whether the connection stays."""
    status, headers = read_head(file)
    while status[:1] == '1':
        status, headers = read_head(file)
    field = {name.lower(): value for name, value in headers}
    stays = field.get('connection', '').lower() != 'close'
    if method == 'HEAD' or status[:3] in ('204', '304'):
        return Response(status, headers, b''), stays
    if field.get('transfer-encoding') == 'chunked':
        body = b''.join(iter(lambda: read_chunk(file), b''))
    elif 'content-length' in field:
        body = read_exactly(file, int(field['content-length']))
    else:
        body, stays = file.read(), False
    framing = ('transfer-encoding', 'connection', 'keep-alive')
    return Response(status, [pair for pair in headers if pair[0].lower() not in framing], body), stays


def read_head(file):
    lines = []
    while line := file.readline():
        if line == b'\r\n':
            break
        lines.append(line.rstrip(b'\r\n').decode('latin-1'))
    if not lines or not line:
        raise EOFError('the server closed the connection')
    pairs = (line.partition(':') for line in lines[1:])
    return lines[0].partition(' ')[2], [(name, value.strip(' \t')) for name, _, value in pairs]


def read_chunk(file):
    data = read_exactly(file, int(file.readline().partition(b';')[0], 16))
    file.readline()
    return data


def read_exactly(file, size):
    data = file.read(size)
    if len(data) < size:
        raise ConnectionAbortedError(f'the response broke off after {len(data)} of {size} bytes')
    return data
