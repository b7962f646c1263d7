"""Answers with CONTENT_LENGTH, the length of the content that it could read, and its SHA-256.

The query is the name of the request. `/digests?seen` answers with all names so far.
"""

import hashlib

seen = []


def application(environ, start_response):
    name = environ['QUERY_STRING']
    if name != 'seen':
        seen.append(name)
    sha, length, stream = hashlib.sha256(), 0, environ['wsgi.input']
    while block := stream.read(65536):
        length += len(block)
        sha.update(block)
    declared = environ.get('CONTENT_LENGTH', 'none')
    text = ' '.join(seen) if name == 'seen' else f'{declared} {length} {sha.hexdigest()}'
    start_response('200 OK', [('Content-Type', 'text/plain'), ('Content-Length', str(len(text)))])
    return [text.encode()]
