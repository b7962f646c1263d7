"""Calls the methods of `wsgi.input` that the query lists (`read(3),readline(9),lines,iter`). Answers with the results as JSON."""

import json
import re


def application(environ, start_response):
    stream = environ['wsgi.input']
    results = []
    for name, number in re.findall(r'(\w+)(?:\((\d*)\))?', environ['QUERY_STRING']):
        if name == 'iter':
            results.append([line.decode('latin-1') for line in stream])
            continue
        result = getattr(stream, name)(*([int(number)] if number else []))
        results.append([line.decode('latin-1') for line in result] if name == 'readlines' else result.decode('latin-1'))
    body = json.dumps(results).encode()
    start_response('200 OK', [('Content-Type', 'application/json'), ('Content-Length', str(len(body)))])
    return [body]
