"""Views for tests of front-end proxies and backends: the environ, an echo, a stream, several statuses, a broken response."""

import time


def application(environ, start_response):
    name = environ["PATH_INFO"].rsplit("/", 1)[-1]
    return VIEWS.get(name, hello)(environ, start_response)


def hello(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
    return [b"hello"]


def environ_view(environ, start_response):
    lines = [f"{key}={value}" for key, value in sorted(environ.items()) if isinstance(value, str)]
    body = "\n".join(lines).encode("latin-1")
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


def echo(environ, start_response):
    left = int(environ.get("CONTENT_LENGTH") or 0)
    start_response("200 OK", [("Content-Type", "application/octet-stream"), ("Content-Length", str(left))])
    blocks = []
    while left > 0:
        block = environ["wsgi.input"].read(min(left, 65536))
        if not block:
            break
        left -= len(block)
        blocks.append(block)
    return blocks


def stream(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    for number in range(5):
        yield f"block {number}\n".encode() * 100
        time.sleep(0.01)


def missing(environ, start_response):
    start_response("404 Not Here", [("Content-Type", "text/plain"), ("Content-Length", "3")])
    return [b"no\n"]


def unchanged(environ, start_response):
    start_response("304 Not Modified", [("ETag", '"x"')])
    return []


def cookies(environ, start_response):
    start_response("302 Found", [("Location", "/there"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("Content-Length", "0")])
    return []


def broken(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "1000")])
    yield b"part"
    raise RuntimeError("no more")


VIEWS = {
    "environ": environ_view,
    "echo": echo,
    "stream": stream,
    "missing": missing,
    "unchanged": unchanged,
    "cookies": cookies,
    "broken": broken,
}
