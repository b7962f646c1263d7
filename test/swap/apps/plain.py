"""The endpoints as a WSGI application without a framework."""

import json
from urllib.parse import parse_qs

import common

TEXT = ('Content-Type', 'text/plain')


def application(environ, start_response):
    path = environ.get('PATH_INFO', '')
    query = {name: values[0] for name, values in parse_qs(environ.get('QUERY_STRING', '')).items()}
    endpoint = ENDPOINTS.get(path.split('/')[1] if '/' in path else '', missing)
    return endpoint(environ, start_response, query)


def answer(start_response, status, headers, content):
    start_response(status, [TEXT, ('Content-Length', str(len(content))), *headers])
    return [content]


def echo(environ, start_response, _query):
    content = environ['wsgi.input'].read(int(environ.get('CONTENT_LENGTH') or 0))
    seen = common.describe_request(
        environ,
        content,
        path=environ.get('PATH_INFO', '').encode('latin-1').decode('utf-8', 'replace'),
        scheme=environ['wsgi.url_scheme'],
        address=environ.get('REMOTE_ADDR', ''),
    )
    return answer(start_response, '200 OK', [], json.dumps(seen).encode())


def large(_environ, start_response, _query):
    return answer(start_response, '200 OK', [], common.LARGE)


def blocks(_environ, start_response, _query):
    start_response('200 OK', [TEXT])
    return common.blocks()


def stream(_environ, start_response, query):
    start_response('200 OK', [TEXT])
    return common.stream(query['key'])


def release(_environ, start_response, query):
    common.event(query['key']).set()
    return answer(start_response, '200 OK', [], b'released')


def broken(_environ, start_response, query):
    start_response('200 OK', [TEXT, *([('Content-Length', '100000')] if 'length' in query else [])])
    return common.broken()


def cookies(_environ, start_response, _query):
    return answer(start_response, '200 OK', [('Set-Cookie', value) for value in common.COOKIES], b'cookies')


def fields(_environ, start_response, _query):
    return answer(start_response, '200 OK', common.FIELDS, b'fields')


def redirect(_environ, start_response, query):
    return answer(start_response, '302 Found', [('Location', query['to'])], b'elsewhere')


def file(environ, start_response, _query):
    selected = common.byte_range(environ.get('HTTP_RANGE'))
    if selected is None:
        return answer(start_response, '200 OK', [('Accept-Ranges', 'bytes')], common.FILE)
    first, last = selected
    headers = [('Content-Range', f'bytes {first}-{last}/{len(common.FILE)}')]
    return answer(start_response, '206 Partial Content', headers, common.FILE[first : last + 1])


def tagged(environ, start_response, _query):
    if environ.get('HTTP_IF_NONE_MATCH') == common.TAG:
        start_response('304 Not Modified', [('ETag', common.TAG)])
        return []
    return answer(start_response, '200 OK', [('ETag', common.TAG)], b'tagged')


def empty(_environ, start_response, _query):
    start_response('204 No Content', [])
    return []


def status(_environ, start_response, query):
    return answer(start_response, f'{query["code"]} Custom', [], f'status {query["code"]}'.encode())


def fail(_environ, _start_response, _query):
    raise RuntimeError('failed on purpose')


def missing(_environ, start_response, _query):
    return answer(start_response, '404 Not Found', [], b'there is no such page')


ENDPOINTS = {
    'echo': echo,
    'large': large,
    'blocks': blocks,
    'stream': stream,
    'release': release,
    'broken': broken,
    'cookies': cookies,
    'fields': fields,
    'redirect': redirect,
    'file': file,
    'tagged': tagged,
    'empty': empty,
    'status': status,
    'fail': fail,
}
