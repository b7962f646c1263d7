"""The application under attack. It marks each start in the file MARKS, so that a soak can count how often a request started.

`/token/ID/MS` sleeps MS milliseconds. The answer is `ID LENGTH`, with the length of the content that it read. `/large/N` streams N MiB.
Fuzzers change the numbers, so a request sleeps for a second at most, and gets 64 MiB at most. `/late/ID/HOW` does not
answer before its deadline: it computes, or waits in C code.
"""

import os
import time

marks = os.open(os.environ.get('MARKS', os.devnull), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
BLOCK = b'x' * 65536
LATE_SECONDS = 20


def application(environ, start_response):
    action, *arguments = environ['PATH_INFO'].split('/')[1:] or ['']
    if action == 'large' and arguments:
        start_response('200 OK', [('Content-Type', 'application/octet-stream')])
        return (BLOCK for _ in range(16 * min(64, int(arguments[0]))))
    if action == 'late' and len(arguments) == 2:
        token, how = arguments
        os.write(marks, f'{token}\n'.encode('latin-1'))
        end = time.monotonic() + LATE_SECONDS
        while time.monotonic() < end:
            if how == 'waits':
                time.sleep(LATE_SECONDS)
    body = b'fine\n'
    if action == 'token' and len(arguments) == 2:
        token, ms = arguments
        os.write(marks, f'{token}\n'.encode('latin-1'))
        length = len(environ['wsgi.input'].read())
        time.sleep(min(1000, int(ms)) / 1000)
        body = f'{token} {length}'.encode('latin-1')
    start_response('200 OK', [('Content-Type', 'text/plain'), ('Content-Length', str(len(body)))])
    return [body]
