"""Says which protected view would answer a request, as real Django and real Flask read it, from the names in `PROTECTED`."""

import json
import re
from collections.abc import Callable

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.http import Http404
from django.urls import path, re_path, resolve
from flask import Flask
from werkzeug.routing import BaseConverter

settings.configure(ALLOWED_HOSTS=['*'], ROOT_URLCONF=__name__, SECRET_KEY='test', USE_X_FORWARDED_HOST=False)
django.setup()

# Each view with its URL in both frameworks. `rest` is any path, `re:` starts an expression for one converter.
VIEWS = {
    'root': ('', None),
    'shop': ('shop/', None),
    'admin': ('admin/', 'rest'),
    'login': ('login', None),
    'prive': ('privé/', 'rest'),
    'über': ('über/ß/', 'rest'),
    'closed': ('closed/', 'rest'),
    'limited': ('limited/', 'rest'),
    'busy': ('busy/', 'rest'),
    'mnt': ('mnt/', 'rest'),
    'public': ('area/public/', 'rest'),
    'area': ('area/', 'rest'),
    'literal': ('100%25/', 'rest'),
    'open': ('open/', 'rest'),
    'orders': ('orders/', 'rest'),
    'tools': ('tools/', 'rest'),
    'secret': ('secret/', 're:[^/]+'),
    'user': ('user/', r're:\d+'),
    'word': ('word/', r're:\w+'),
    'letters': ('letters/', r're:[^\W\d_]+'),
    'text': ('text/', r're:\S+'),
    'one': ('one/', 're:.'),
    'any': ('any/', 're:.+'),
    'not': ('not/', r're:[^a-z/]\D'),
}


class Expression(BaseConverter):
    def __init__(self, url_map: object, expression: str) -> None:
        super().__init__(url_map)  # type: ignore[arg-type]
        self.regex = expression
        self.part_isolating = False


def view(name: str) -> Callable[..., None]:
    def answer(*_args: object, **_more: object) -> None: ...

    answer.__name__ = name
    return answer


flask_app = Flask(__name__)
flask_app.url_map.converters['re'] = Expression
urlpatterns = []
for name, (prefix, kind) in VIEWS.items():
    if kind is None:
        urlpatterns.append(path(prefix, view(name)))
        flask_app.add_url_rule(f'/{prefix}', name, view(name), methods=['GET', 'POST'])
    elif kind == 'rest':
        urlpatterns += [path(prefix, view(name)), path(f'{prefix}<path:rest>', view(name))]
        flask_app.add_url_rule(f'/{prefix}', name, view(name), methods=['GET', 'POST'])
        flask_app.add_url_rule(f'/{prefix}<path:rest>', name, methods=['GET', 'POST'])
    else:
        expression = kind.removeprefix('re:')
        urlpatterns.append(re_path(f'^{re.escape(prefix)}({expression})$', view(name)))
        flask_app.add_url_rule(f'/{prefix}<re("{expression}"):rest>', name, view(name))
urlpatterns.append(re_path('', view('other')))

OPEN = {'open', 'public', 'other'}


def protections(name: str, host: str, method: str, has_field: bool, debug: list[str]) -> set[str]:
    """Why the application would ask for a permission before the view `name` answers; '' if no view would answer."""
    if name == '':
        return set()
    needed: set[str] = set() if name in OPEN or name in ('orders', 'tools') else {name}
    if name == 'orders' and method == 'POST':
        needed.add('orders')
    if name == 'tools' and has_field:
        needed.add('field')
    if name == 'tools' and '1' in debug:
        needed.add('query')
    domain = re.sub(r':\d*$', '', host).lower().removesuffix('.')
    if domain in ('127.0.0.1', 'localhost'):
        needed.add('address')
    if domain == 'admin.example.org':
        needed.add('host')
    if domain == 'strict.example.org' and name != 'open':
        needed.add('strict')
    return needed


def mounted(script_name: str, name: str) -> str:
    """The view `name` of an application below `script_name`. Its root below `/shop` is the view of `/shop/`."""
    if script_name == '/shop':
        return 'shop' if name == 'root' else 'other'
    return name


def read_by_django(environ: dict) -> set[str]:
    request = WSGIRequest(environ)
    try:
        name = resolve(request.path_info).func.__name__
    except Http404:
        name = ''
    field = 'X-Secret' in request.headers
    name = mounted(environ['SCRIPT_NAME'], name)
    return protections(name, request.get_host(), request.method or '', field, request.GET.getlist('debug'))


def read_by_flask(environ: dict) -> set[str]:
    with flask_app.request_context(environ) as context:
        request = context.request
        name = mounted(environ['SCRIPT_NAME'], request.endpoint or '')
        field = 'X-Secret' in request.headers
        return protections(name, request.host, request.method, field, request.args.getlist('debug'))


def application(environ, start_response):
    needed = read_by_django(dict(environ)) | read_by_flask(dict(environ))
    body = json.dumps({'needed': sorted(needed), 'path': environ['SCRIPT_NAME'] + environ['PATH_INFO']}).encode()
    start_response('200 OK', [('Content-Type', 'application/json'), ('Content-Length', str(len(body)))])
    return [body]
