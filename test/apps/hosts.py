"""Answers with the name of the host, and logs every request that it starts."""

import os
import time

HOST = os.environ.get("HOST_NAME", "")
LOG = os.open(os.environ.get("HOST_LOG", os.devnull), os.O_WRONLY | os.O_CREAT | os.O_APPEND)


def application(environ, start_response):
    if environ["PATH_INFO"] != "/health":
        os.write(LOG, f"{environ['QUERY_STRING']}\n".encode())
        time.sleep(0.01)
    body = HOST.encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
