"""Uses the `write` callable. The query says how: `also` returns a block too, `only` returns nothing, `fail` raises, `text` writes a string."""


def application(environ, start_response):
    write = start_response('200 OK', [('Content-Type', 'text/plain')])
    write(b'first,')
    write(b'')
    write(b'second')
    if environ['QUERY_STRING'] == 'fail':
        raise RuntimeError('failed after write()')
    if environ['QUERY_STRING'] == 'text':
        write('not bytes')
    return [b',third'] if environ['QUERY_STRING'] == 'also' else []
