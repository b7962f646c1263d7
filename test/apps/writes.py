"""Uses the `write` callable. The query says how: `also` returns a block as well, `only` returns nothing more, `fail` raises."""


def application(environ, start_response):
    write = start_response('200 OK', [('Content-Type', 'text/plain')])
    write(b'first,')
    write(b'')
    write(b'second')
    if environ['QUERY_STRING'] == 'fail':
        raise RuntimeError('failed behind write()')
    if environ['QUERY_STRING'] == 'text':
        write('not bytes')
    return [b',third'] if environ['QUERY_STRING'] == 'also' else []
