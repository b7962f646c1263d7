"""Views of 1 ms and of 500 ms: `/fast` and `/slow` wait, as for a database; `/short` and `/busy` compute."""

import time

BODY = b"done\n"
HEADERS = [("Content-Type", "text/plain"), ("Content-Length", str(len(BODY)))]


def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path in ("/short", "/busy"):
        compute(0.5 if path == "/busy" else 0.001)
    else:
        time.sleep(0.5 if path == "/slow" else 0.001)
    start_response("200 OK", HEADERS)
    return [BODY]


def compute(seconds):
    """Keeps the interpreter busy for `seconds` of this thread's own processor time, so that it costs every server the same."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        sum(range(1000))
