"""Writes the query to `wsgi.errors` in every possible way."""


def application(environ, start_response):
    errors = environ['wsgi.errors']
    name = environ['QUERY_STRING']
    errors.write(f'{name}: written ')
    errors.write('in parts\n')
    errors.writelines([f'{name}: first line\n', f'{name}: second line\n'])
    errors.write(f'{name}: caf\u00e9 \u2713, without an end of line')
    errors.flush()
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [b'written']
