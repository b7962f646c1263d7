"""Marks each start and each end of a request in a file, so that a test can check which requests ran, how often, and which were lost.

The variable MARKS names the file. A mark is one line, written at once: `start ID PID` or `end ID PID`. Paths: `/run/ID/MS` sleeps,
`/busy/ID/MS` computes, `/hold/ID` waits until the file MARKS.release exists, `/die/ID/N` kills its process at its first N starts,
`/stream/ID/N` sends a block first and then does the same,
`/late/ID/HOW` ends at no deadline by itself: it computes, sleeps in C code, or yields nothing. The answer is `ID PID LENGTH-OF-CONTENT`, and the cookie of the request if it
has one.
"""

import os
import signal
import time

path = os.environ.get('MARKS', os.devnull)
marks = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


def application(environ, start_response):
    _, action, request_id, *number = environ['PATH_INFO'].split('/')
    kind = number[0] if number else ''
    number = float(kind) if kind and action != 'late' else 0
    mark('start', request_id)
    length = len(environ['wsgi.input'].read())
    if action == 'late':
        if kind == 'yields':
            start_response('200 OK', [])
            return nothing()
        while kind == 'computes':
            pass
        time.sleep(60)
    if action == 'stream':
        start_response('200 OK', [('Content-Type', 'text/plain')])
        return streamed(request_id, number)
    if action == 'run' and number:
        time.sleep(number / 1000)
    elif action == 'busy':
        end = time.perf_counter() + number / 1000
        while time.perf_counter() < end:
            pass
    elif action == 'hold':
        while not os.path.exists(path + '.release'):
            time.sleep(0.005)
    elif action == 'die':
        die(request_id, number)
    mark('end', request_id)
    body = ' '.join([request_id, str(os.getpid()), str(length), *filter(None, [environ.get('HTTP_COOKIE')])]).encode()
    start_response('200 OK', [('Content-Type', 'text/plain'), ('Content-Length', str(len(body)))])
    return [body]


def nothing():
    while True:
        yield b''


def streamed(request_id, number):
    yield b'started'
    die(request_id, number)
    yield b' and ended'


def die(request_id, times):
    with open(path) as file:
        starts = sum(line.split()[:2] == ['start', request_id] for line in file)
    if starts <= times:
        os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(60)


def mark(kind, request_id):
    os.write(marks, f'{kind} {request_id} {os.getpid()}\n'.encode())
