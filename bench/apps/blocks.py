"""Answers `/COUNT/BYTES`: so many blocks of so many bytes from a generator, with their length."""


def application(environ, start_response):
    _, count, size = environ["PATH_INFO"].split("/")
    block = b"x" * int(size)
    headers = [("Content-Type", "application/octet-stream"), ("Content-Length", str(int(count) * int(size)))]
    start_response("200 OK", headers)
    return (block for _ in range(int(count)))
