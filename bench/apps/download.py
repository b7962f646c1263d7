"""Answers 1 MB: `/block` in one piece with its length, `/blocks` in 1,000 pieces without, as a streamed export does."""

BLOCK = b"x" * 1000
BLOCKS = 1000
WHOLE = BLOCK * BLOCKS


def application(environ, start_response):
    headers = [("Content-Type", "application/octet-stream")]
    if environ["PATH_INFO"] == "/blocks":
        start_response("200 OK", headers)
        return (BLOCK for _ in range(BLOCKS))
    start_response("200 OK", [*headers, ("Content-Length", str(len(WHOLE)))])
    return [WHOLE]
