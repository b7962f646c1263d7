#!/usr/bin/env bash
# granian 2.8.7 (Python, interface wsgi): iterating over `wsgi.input` gives the first line, without its end, and then stops.
#
# Guess: `for line in environ['wsgi.input']` gives all lines with their ends, as for a file (PEP 3333 requires `__iter__` of the stream).
# Behaviour: for a content of three lines the loop runs once, and its line has no "\n". `readlines()` gives all lines, also without their
# ends. `read()` is right. Version 2.8.9 has the usual behaviour.
# Why it surprises: nothing fails. An import of CSV or JSON lines takes one row of an upload and reports success.
# What to do: 2.8.9 or later, or `io.BytesIO(environ['wsgi.input'].read())`. Test uploads on the server that serves them.
#
# Prints the version and what each way reads; fails if the behaviour changes.
set -euo pipefail

directory=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$directory"' EXIT
cd "$directory"

python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check granian==2.8.7
cat > app.py <<'PY'
def application(environ, start_response):
    stream = environ['wsgi.input']
    way = environ['PATH_INFO']
    lines = list(stream) if way == '/iterate' else stream.readlines() if way == '/readlines' else [stream.read()]
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [repr(lines).encode()]
PY
port=$(venv/bin/python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
venv/bin/granian --interface wsgi --host 127.0.0.1 --port "$port" --no-log app:application > log 2>&1 &
server=$!
venv/bin/python - "$port" <<'PY'
import http.client
import sys
import time
from importlib.metadata import version


def ask(way):
    for _ in range(100):
        try:
            connection = http.client.HTTPConnection('127.0.0.1', int(sys.argv[1]), timeout=10)
            connection.request('POST', way, body=b'one\ntwo\nthree')
            return connection.getresponse().read().decode()
        except ConnectionRefusedError:
            time.sleep(0.1)
    raise SystemExit('granian does not listen')


iterated, listed, whole = ask('/iterate'), ask('/readlines'), ask('/read')
print(f'granian {version("granian")}: iterating: {iterated}; readlines: {listed}; read: {whole}')
raise SystemExit(0 if iterated == "[b'one']" and listed == "[b'one', b'two', b'three']" and whole == "[b'one\\ntwo\\nthree']" else 1)
PY
