"""Forks like `multiprocessing`. Answers with the pids of its process and of the child.

`sleeping`: the child stays alive for a minute. `returning`: the child returns from the application as if it were the worker.
"""

import os
import time


def application(environ, start_response):
    action = environ['QUERY_STRING']
    child = os.fork() if action else 0
    if action == 'sleeping' and child == 0:
        time.sleep(60)
        os._exit(0)
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [f'{os.getpid()} {child}'.encode()]
