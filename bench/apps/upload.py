"""Reads the request's content in the pieces that Django reads and answers how many bytes there were."""

PIECE_BYTES = 64 * 1024


def application(environ, start_response):
    content = environ["wsgi.input"]
    left = int(environ.get("CONTENT_LENGTH") or 0)
    received = 0
    while left > 0:
        piece = content.read(min(left, PIECE_BYTES))
        if not piece:
            break
        received += len(piece)
        left -= len(piece)
    body = str(received).encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
