"""Waits so long at `/wait` that nothing is answered while it is measured, and answers everything else at once."""

import time

BODY = b"Hello, world!\n"
HEADERS = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(BODY)))]
WAIT_SECONDS = 60


def application(environ, start_response):
    if environ["PATH_INFO"] == "/wait":
        time.sleep(WAIT_SECONDS)
    start_response("200 OK", HEADERS)
    return [BODY]
