import common
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.utils.http import parse_etags


def echo(request):
    return JsonResponse(
        common.describe_request(
            request.META,
            request.body,
            path_info=request.META['PATH_INFO'].encode().decode('latin-1'),
            path=request.path,
            scheme=request.scheme,
            address=request.META.get('REMOTE_ADDR', ''),
        )
    )


def large(_request):
    return HttpResponse(common.LARGE)


def blocks(_request):
    return StreamingHttpResponse(common.blocks())


def stream(request):
    return StreamingHttpResponse(common.stream(request.GET['key']))


def release(request):
    common.event(request.GET['key']).set()
    return HttpResponse('released')


def broken(request):
    headers = {'Content-Length': '100000'} if 'length' in request.GET else {}
    return StreamingHttpResponse(common.broken(), headers=headers)


def cookies(_request):
    response = HttpResponse('cookies')
    response.set_cookie('a', '1')
    response.set_cookie('b', '2', httponly=True)
    response.set_cookie('c', '3', expires='Wed, 21 Oct 2037 07:28:00 GMT')
    return response


def fields(_request):
    """A response of Django has each field name once."""
    return HttpResponse('fields', headers={'X-Latin': 'caf\xe9', 'X-Empty': '', 'X-Twice': 'one, two'})


def redirect(request):
    return HttpResponse('elsewhere', status=302, headers={'Location': request.GET['to']})


def file(request):
    selected = common.byte_range(request.headers.get('Range'))
    if selected is None:
        return HttpResponse(common.FILE, headers={'Accept-Ranges': 'bytes'})
    first, last = selected
    content_range = f'bytes {first}-{last}/{len(common.FILE)}'
    return HttpResponse(common.FILE[first : last + 1], status=206, headers={'Content-Range': content_range})


def tagged(request):
    if common.TAG in parse_etags(request.headers.get('If-None-Match', '')):
        return HttpResponse(status=304, headers={'ETag': common.TAG})
    return HttpResponse('tagged', headers={'ETag': common.TAG})


def empty(_request):
    return HttpResponse(status=204)


def status(request):
    code = request.GET['code']
    return HttpResponse(f'status {code}', status=int(code))


def fail(_request):
    raise RuntimeError('failed on purpose')
