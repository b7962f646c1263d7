"""
The upper limit: a WSGI application called in a loop, without any server.

    python bare_loop.py MODULE:CALLABLE ["Name: value" ...]

For each line with a number on standard input it calls the application for so many seconds with a ready environ and prints how
often it did.
"""

import importlib
import io
import json
import sys
import time


def main():
    module, _, name = sys.argv[1].partition(":")
    application = getattr(importlib.import_module(module), name)
    environ = ready_environ(sys.argv[2:])
    call(application, environ)
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        print(json.dumps(loop(application, environ, float(line))), flush=True)


def loop(application, environ, seconds):
    requests = 0
    started = time.perf_counter()
    elapsed = 0.0
    while elapsed < seconds:
        for _ in range(100):
            call(application, environ)
        requests += 100
        elapsed = time.perf_counter() - started
    return {"requests": requests, "seconds": elapsed}


def call(application, environ):
    status = []
    result = application({**environ, "wsgi.input": io.BytesIO()}, lambda line, headers, exc_info=None: status.append(line))
    try:
        b"".join(result)
    finally:
        if hasattr(result, "close"):
            result.close()
    if status != ["200 OK"]:
        raise SystemExit(f"Cannot measure the bare loop: the application answered {status}")


def ready_environ(fields):
    environ = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/",
        "QUERY_STRING": "",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "127.0.0.1:8000",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for field in fields:
        name, _, value = field.partition(":")
        environ["HTTP_" + name.upper().replace("-", "_")] = value.strip()
    return environ


main()
