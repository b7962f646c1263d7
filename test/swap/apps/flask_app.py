"""The endpoints as a Flask application."""

import io

from flask import Flask, Response, request, send_file

import common

application = Flask(__name__)
application.url_map.merge_slashes = False
METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']


@application.route('/echo', methods=METHODS)
@application.route('/echo/<path:_rest>', methods=METHODS)
def echo(_rest=''):
    seen = common.describe_request(
        request.environ,
        request.get_data(),
        path=request.path,
        scheme=request.scheme,
        address=request.remote_addr or '',
    )
    return application.json.response(seen)


@application.route('/large')
def large():
    return Response(common.LARGE)


@application.route('/blocks')
def blocks():
    return Response(common.blocks())


@application.route('/stream')
def stream():
    return Response(common.stream(request.args['key']))


@application.route('/release')
def release():
    common.event(request.args['key']).set()
    return 'released'


@application.route('/broken')
def broken():
    response = Response(common.broken())
    if 'length' in request.args:
        response.content_length = 100_000
    return response


@application.route('/cookies')
def cookies():
    return Response('cookies', headers=[('Set-Cookie', value) for value in common.COOKIES])


@application.route('/fields')
def fields():
    return Response('fields', headers=common.FIELDS)


@application.route('/redirect')
def redirect():
    return Response('elsewhere', 302, {'Location': request.args['to']})


@application.route('/file')
def file():
    return send_file(io.BytesIO(common.FILE), 'text/plain', conditional=True)


@application.route('/tagged')
def tagged():
    response = Response('tagged')
    response.set_etag('v1')
    return response.make_conditional(request)


@application.route('/empty')
def empty():
    return '', 204


@application.route('/status')
def status():
    code = request.args['code']
    return f'status {code}', int(code)


@application.route('/fail')
def fail():
    raise RuntimeError('failed on purpose')
