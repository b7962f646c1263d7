"""What a traced request records of Django: middleware, URL, view, templates, queries, caches, signals, exceptions."""

import asyncio
import os
import tempfile
import unittest
import unittest.mock
import warnings

try:
    import django
except ImportError as error:
    raise unittest.SkipTest('Django is not installed') from error

from django import conf
from django.core.cache import cache
from django.core.handlers.base import BaseHandler
from django.core.signals import request_started
from django.core.wsgi import get_wsgi_application
from django.db import connection, transaction
from django.dispatch import Signal
from django.http import HttpRequest, HttpResponse
from django.template import Context
from django.template.response import TemplateResponse
from django.urls import path, re_path
from django.utils.decorators import sync_and_async_middleware
from django.utils.deprecation import MiddlewareMixin
from django.views import View

from fake_server import COMPLETE, FakeServer
from traces import check, hops, path_to, span, spans

TEMPLATES = {
    'page.html': '{% extends "base.html" %}{% block a %}{% include "part.html" %}{% endblock %}',
    'base.html': '<b>{% block a %}{% endblock %}</b>',
    'part.html': 'part {{ value }}',
    'rows.html': '<ul>\n{% for number in numbers %}\n<li>{{ thing }}</li>\n{% endfor %}',
    'layout.html': '{% block text %}plain{% endblock %}|{% block own %}own {{ value }}{% endblock %}|'
    '{% block both %}of base {{ value }}{% endblock %}',
    'child.html': '{% extends "layout.html" %}\n{% block both %}{{ block.super }}, of child{{ thing }}{% endblock %}',
    'broken.html': '{% include "none.html" %}',
}
SERVER = {'SERVER_NAME': 'localhost', 'SERVER_PORT': '80', 'wsgi.url_scheme': 'http'}
ordered = Signal()


class Adding(MiddlewareMixin):
    """Has all phases of a middleware."""

    def process_request(self, request):
        request.is_added = True

    def process_view(self, request, view, args, kwargs):
        pass

    def process_template_response(self, request, response):
        return response

    def process_exception(self, request, error):
        pass

    def process_response(self, request, response):
        response['X-Added'] = 'a'
        return response


class Plain:
    """Has no base class, and answers itself below `/short`."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.path == '/short':
            return HttpResponse('short')
        return self.get_response(request)


def changing(get_response):
    """A function that returns one."""

    def middleware(request):
        response = get_response(request)
        response['X-Changed'] = response.get('X-Changed', '') + 'b'
        return response

    return middleware


@sync_and_async_middleware
def either(get_response):
    if asyncio.iscoroutinefunction(get_response):

        async def middleware(request):
            return await get_response(request)
    else:

        def middleware(request):
            return get_response(request)

    return middleware


class Asynchronous:
    """A middleware that works asynchronously only."""

    sync_capable = False
    async_capable = True

    def __init__(self, get_response):
        self.get_response = get_response

    async def __call__(self, request):
        response = await self.get_response(request)
        response['X-Asynchronous'] = 'c'
        return response


def hello(request, number=0):
    return HttpResponse('Hello')


class Page(View):
    def get(self, request):
        return TemplateResponse(request, 'page.html', {'value': 'x'})


def queries(request):
    with connection.cursor() as cursor:
        for number in (1, 2, 1):
            cursor.execute('SELECT %s', [number])
        cursor.executemany('INSERT INTO things VALUES (%s)', [(1,), (2,)])
    return HttpResponse('x')


def named(request):
    with connection.cursor() as cursor:
        cursor.execute('SELECT %s', params=['a'])
        (found,) = cursor.fetchone()
        cursor.execute(sql='SELECT %s', params=[found])
        cursor.executemany('INSERT INTO things VALUES (%s)', param_list=[(1,)])
    return HttpResponse(found)


class Equal:
    """A view without a hash, which says that it is equal to everything."""

    __hash__ = None

    def __init__(self, answer):
        self.answer = answer

    def __eq__(self, other):
        return True

    def __call__(self, request):
        return HttpResponse(self.answer)


def changes(request):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute('INSERT INTO things VALUES (1)')
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute('INSERT INTO nowhere VALUES (1)')
    except Exception as error:
        return HttpResponse(type(error).__name__)


def cached(request):
    cache.clear()
    cache.get('a')
    cache.set('a', 'b')
    cache.get('a', 'c')
    cache.get_or_set('d', 'e')
    cache.get_many(['a', 'none'])
    return HttpResponse(cache.get('a'))


def signalling(request):
    answers = ordered.send(None)
    assert [receiver for receiver, _ in answers] == [note, note_later]
    ordered.send_robust(None)
    return HttpResponse(','.join(answer for _, answer in answers))


def note(**_):
    return 'noted'


async def note_later(**_):
    await asyncio.sleep(0)
    return 'later'


async def awaiting(request):
    await asyncio.sleep(0)
    await cache.aset('a', 'b')
    return HttpResponse('awaited')


def failing(request):
    local = 'x'
    raise ValueError(f'no {local}')


def asking():
    """An object of a library, which asks the database when a template shows it, as a QuerySet does."""
    source = """
class Asking:
    def __str__(self):
        with connection.cursor() as cursor:
            cursor.execute('SELECT %s', ['x'])
            return cursor.fetchone()[0]
"""
    names = {'connection': connection}
    exec(compile(source, f'{os.path.dirname(django.__file__)}/asking.py', 'exec'), names)
    return names['Asking']()


def rows(request):
    return TemplateResponse(request, 'rows.html', {'numbers': [1, 2], 'thing': asking()})


def blocks(request):
    return TemplateResponse(request, 'child.html', {'value': 'x', 'thing': asking()})


class Related:
    """Shows what the database has, as models and pages of lists may."""

    def __repr__(self):
        with connection.cursor() as cursor:
            cursor.execute('SELECT %s', ['x'])
            return cursor.fetchone()[0]


def unfinished(request):
    related = Related()
    context = Context({'related': related, 'number': 1})
    raise ValueError(context is None)


def baking(request):
    response = HttpResponse('baked')
    response.set_cookie('a', 'b')
    return response


def asking_itself(request):
    asked = HttpRequest()
    asked.method, asked.path_info, asked.META['SERVER_NAME'], asked.META['SERVER_PORT'] = 'GET', '/', 'localhost', '80'
    return BaseHandlerOfSite.instance.get_response(asked)


class BaseHandlerOfSite(BaseHandler):
    instance = None


def broken(request):
    return TemplateResponse(request, 'broken.html')


urlpatterns = [
    path('', hello),
    path('items/<int:number>/', hello, name='item'),
    re_path(r'^old/(?P<number>\d+)$', hello),
    path('page', Page.as_view()),
    path('queries', queries),
    path('named', named),
    path('equal', Equal('equal')),
    path('changes', changes),
    path('cached', cached),
    path('signals', signalling),
    path('awaiting', awaiting),
    path('failing', failing),
    path('rows', rows),
    path('blocks', blocks),
    path('broken', broken),
    path('unfinished', unfinished),
    path('baking', baking),
    path('asking-itself', asking_itself),
]

CONNECTING = ('PRAGMA', 'select sqlite_compileoption_used')
"""What Django sends to a new connection."""
DIRECTORY = tempfile.TemporaryDirectory()
MIDDLEWARE = ['Plain', 'Adding', 'changing', 'either', 'Asynchronous', 'Adding']


def application():
    """The site, with its middleware. Its settings last as long as this process."""
    if not conf.settings.configured:
        conf.settings.configure(
            ALLOWED_HOSTS=['*'],
            CACHES={'default': {'BACKEND': 'django.core.cache.backends.locmem.LocMemCache'}},
            DATABASES={'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': f'{DIRECTORY.name}/database'}},
            LOGGING_CONFIG=None,
            MIDDLEWARE=[f'{__name__}.{name}' for name in MIDDLEWARE],
            ROOT_URLCONF=__name__,
            SECRET_KEY='of a test',
            TEMPLATES=[
                {
                    'BACKEND': 'django.template.backends.django.DjangoTemplates',
                    'OPTIONS': {'loaders': [('django.template.loaders.locmem.Loader', TEMPLATES)]},
                }
            ],
        )
        django.setup(set_prefix=False)
        with connection.cursor() as cursor:
            cursor.execute('CREATE TABLE things (number int)')
        ordered.connect(note)
        ordered.connect(note_later)
    return get_wsgi_application()


def queries_of(recording):
    return [each for each in recording['spans'] if each[0] == 'query' and not each[1].startswith(CONNECTING)]


class Django(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        warnings.simplefilter('ignore', DeprecationWarning)
        cls.application = staticmethod(application())

    @classmethod
    def tearDownClass(cls):
        connection.close()

    def trace(self, path, options='full'):
        """Trace a request, and check that it is answered as without a trace."""
        environ = {'PATH_INFO': path, **SERVER}
        with FakeServer(self.application) as server:
            untraced = server.ask(environ)
            frames, recording = server.trace(environ, options=options)
        check(self, recording)
        self.assertEqual(
            [(frame.kind, frame.status, frame.lines, frame.body) for frame in frames],
            [(frame.kind, frame.status, frame.lines, frame.body) for frame in untraced],
        )
        return frames, recording

    def test_has_each_middleware_within_the_one_before(self):
        _, recording = self.trace('/')
        self.assertEqual(spans(recording, 'middleware'), MIDDLEWARE)
        view = span(recording, 'view')
        self.assertEqual((view['name'], view['file']), (f'{__name__}.hello', __file__))
        self.assertEqual(view['line'], hello.__code__.co_firstlineno)
        self.assertEqual(path_to(recording, view)[-len(MIDDLEWARE) :], MIDDLEWARE)
        place = span(recording, 'middleware', 'changing')
        self.assertEqual((place['file'], place['line'] > 0), (__file__, True))

    def test_has_a_request_that_a_view_sends_through_django_in_a_span_of_its_own(self):
        BaseHandlerOfSite.instance = BaseHandlerOfSite()
        BaseHandlerOfSite.instance.load_middleware()
        _, recording = self.trace('/asking-itself')
        outer, inner = (name for name in spans(recording, 'view'))
        self.assertEqual((outer, inner), (f'{__name__}.asking_itself', f'{__name__}.hello'))
        way = path_to(recording, span(recording, 'view', inner))
        self.assertEqual(way[-len(MIDDLEWARE) - 2 :], [outer, f'{__name__}.BaseHandlerOfSite', *MIDDLEWARE])

    def test_has_request_and_response_phase_apart(self):
        _, recording = self.trace('/')
        phases = [
            (path_to(recording, found)[-1], found['name'], found['attributes']['phase'])
            for each in recording['spans']
            if each[0] == 'phase'
            for found in [{'name': each[1], 'parent': each[4], 'attributes': each[5]}]
        ]
        self.assertEqual(
            [phase for phase in phases if phase[2] == 'request'],
            [
                ('Plain', 'request phase', 'request'),
                ('Adding', 'process_request', 'request'),
                ('changing', 'request phase', 'request'),
                ('either', 'request phase', 'request'),
                ('Asynchronous', 'request phase', 'request'),
                ('Adding', 'process_request', 'request'),
            ],
        )
        self.assertEqual(
            [(name, phase) for name, phase, kind in phases if kind == 'response'],
            [
                ('Adding', 'process_response'),
                ('Asynchronous', 'response phase'),
                ('either', 'response phase'),
                ('changing', 'response phase'),
                ('Adding', 'process_response'),
                ('Plain', 'response phase'),
            ],
        )
        self.assertEqual([name for _, name, kind in phases if kind == 'view'], ['Adding.process_view'] * 2)

    def test_shows_which_middleware_changed_the_response(self):
        _, recording = self.trace('/')
        found = {name: [field for field, _ in fields] for name, fields in hops(recording, 'response')}
        self.assertEqual(
            found,
            {
                f'view {__name__}.hello': ['Content-Type'],
                'middleware Adding': ['Content-Type', 'X-Added'],
                'middleware Asynchronous': ['Content-Type', 'X-Added', 'X-Asynchronous'],
                'middleware changing': ['Content-Type', 'X-Added', 'X-Asynchronous', 'X-Changed'],
            },
        )
        self.assertEqual([call[0] for call in recording['start_response']], ['WSGIHandler'])

    def test_has_cookies_as_they_are_sent(self):
        _, recording = self.trace('/baking')
        found = {name: dict(fields).get('Set-Cookie') for name, fields in hops(recording, 'response')}
        self.assertEqual(set(found.values()), {'a=b; Path=/'})
        self.assertNotIn('WSGIHandler', found, 'it changes nothing')

    def test_sends_no_query_for_the_texts_of_variables(self):
        _, recording = self.trace('/unfinished', 'full locals')
        self.assertEqual(queries_of(recording), [])
        variables = dict(recording['exception']['frames'][-1][5])
        self.assertEqual(variables['related'], '<Related whose repr needs a query>')
        self.assertIn("{'related': <Related whose repr needs a query>, 'number': 1}", variables['context'])

    def test_shows_a_middleware_that_answers_itself(self):
        _, recording = self.trace('/short')
        self.assertEqual(spans(recording, 'middleware'), ['Plain'])
        self.assertEqual(spans(recording, 'view'), [])
        self.assertEqual([name for name, _ in hops(recording, 'response')], ['middleware Plain'])

    def test_has_the_pattern_that_matched(self):
        self.assertEqual(spans(self.trace('/')[1], 'url'), ['the empty pattern'])
        for address, pattern, name in (
            ('/items/3/', 'items/<int:number>/', 'item'),
            ('/old/3', r'^old/(?P<number>\d+)$', f'{__name__}.hello'),
        ):
            _, recording = self.trace(address)
            found = span(recording, 'url')
            self.assertEqual((found['name'], found['attributes']), (pattern, {'pattern': pattern, 'name': name}))

    def test_has_no_exception_when_no_pattern_matches(self):
        frames, recording = self.trace('/none')
        self.assertEqual(frames[0].status, 404)
        self.assertIn('Resolver404', span(recording, 'url')['attributes']['error'])
        self.assertIsNone(recording['exception'])

    def test_has_each_template(self):
        frames, recording = self.trace('/page')
        self.assertEqual(frames[0].body, b'<b>part x</b>')
        block = 'block a of page.html'
        self.assertEqual(spans(recording, 'template'), ['page.html', 'base.html', block, 'part.html'])
        inner = path_to(recording, span(recording, 'template', 'part.html'))
        self.assertEqual(inner[-3:], ['page.html', 'base.html', block])
        view = span(recording, 'view')
        self.assertEqual((view['name'], view['file']), (f'{__name__}.Page', __file__))
        self.assertIn('Adding.process_template_response', spans(recording, 'phase'))

    def test_has_blocks_under_the_template_that_has_written_them(self):
        frames, recording = self.trace('/blocks')
        self.assertEqual(frames[0].body, b'plain|own x|of base x, of childx')
        blocks = [each for each in spans(recording, 'template') if each.startswith('block')]
        child, parent = 'block both of child.html', 'block both of layout.html'
        self.assertEqual(blocks, ['block own of layout.html', child, parent])
        self.assertEqual(path_to(recording, span(recording, 'template', parent))[-1], child)
        (query,) = queries_of(recording)
        self.assertEqual(recording['spans'][query[4]][1], child)
        self.assertEqual(recording['spans'][query[4]][6:8], ['child.html', 2])

    def test_has_queries_with_the_line_that_sent_them(self):
        _, recording = self.trace('/queries')
        found = queries_of(recording)
        self.assertEqual([each[5]['sql'] for each in found[:4]], ['SELECT %s'] * 3 + ['INSERT INTO things VALUES (%s)'])
        hashes = [each[5].get('parameters_hash') for each in found]
        self.assertEqual((hashes[0] == hashes[2], hashes[0] == hashes[1], hashes[3]), (True, False, None))
        self.assertEqual({each[6] for each in found}, {__file__})
        first = queries.__code__.co_firstlineno
        self.assertEqual([each[7] - first for each in found[:4]], [3, 3, 3, 4])
        self.assertEqual([each[5]['alias'] for each in found], ['default'] * len(found))
        self.assertEqual({each[5]['vendor'] for each in found}, {'sqlite'})
        self.assertEqual(found[3][5]['rows'], 2)
        self.assertNotIn('parameters', found[0][5])

    def test_changes_nothing_of_calls_with_named_arguments(self):
        frames, recording = self.trace('/named')
        self.assertEqual(frames[0].body, b'a')
        found = queries_of(recording)
        self.assertEqual([each[5]['sql'] for each in found[:2]], ['SELECT %s'] * 2)
        self.assertIn('parameters_hash', found[0][5])

    def test_has_a_view_without_a_hash(self):
        frames, recording = self.trace('/equal')
        self.assertEqual(frames[0].body, b'equal')
        self.assertEqual(spans(recording, 'view'), [f'{__name__}.Equal'])

    def test_has_queries_of_a_template_with_its_line(self):
        frames, recording = self.trace('/rows')
        self.assertIn(b'<li>x</li>', frames[0].body)
        self.assertEqual([each[6:8] for each in queries_of(recording)], [['rows.html', 3]] * 2)

    def test_has_no_queries_by_which_django_finds_the_text_of_others(self):
        connection.force_debug_cursor = True
        try:
            _, recording = self.trace('/queries')
        finally:
            connection.force_debug_cursor = False
        self.assertEqual([each[1] for each in queries_of(recording) if 'QUOTE' in each[1]], [])

    def test_has_parameters_of_queries_if_the_option_asks_for_them(self):
        _, recording = self.trace('/queries', 'full sql_parameters')
        self.assertEqual(queries_of(recording)[0][5]['parameters'], '[1]')

    def test_has_transactions(self):
        frames, recording = self.trace('/changes')
        self.assertEqual(frames[0].body, b'OperationalError')
        self.assertEqual(
            [each[1] for each in queries_of(recording)],
            [
                *('BEGIN', 'INSERT INTO things VALUES (1)', 'COMMIT'),
                *('BEGIN', 'INSERT INTO nowhere VALUES (1)', 'ROLLBACK'),
            ],
        )
        self.assertIn(
            'no such table', span(recording, 'query', 'INSERT INTO nowhere VALUES (1)')['attributes']['error']
        )
        self.assertEqual(
            span(recording, 'query', 'COMMIT')['attributes'],
            {'transaction': 'commit', 'vendor': 'sqlite', 'alias': 'default'},
        )

    def test_has_calls_of_the_cache(self):
        _, recording = self.trace('/cached')
        calls = [(each[1], each[5].get('key'), each[5].get('hit')) for each in recording['spans'] if each[0] == 'cache']
        self.assertEqual(
            calls,
            [
                ('clear', None, None),
                ('get', 'a', False),
                ('set', 'a', None),
                ('get', 'a', True),
                ('get_or_set', 'd', None),
                ('get_many', None, None),
                ('get', 'a', True),
            ],
        )
        self.assertEqual(span(recording, 'cache', 'get_many')['attributes']['hits'], 1)

    def test_has_receivers_of_signals(self):
        frames, recording = self.trace('/signals')
        self.assertEqual(frames[0].body, b'noted,later')
        self.assertEqual(spans(recording, 'signal'), [f'{__name__}.note', f'{__name__}.note_later'] * 2)
        found = span(recording, 'signal')
        self.assertEqual((found['attributes'], found['file']), ({'signal': f'{__name__}.ordered'}, __file__))

    def test_names_the_signals_of_django(self):
        request_started.connect(note)
        try:
            _, recording = self.trace('/')
        finally:
            request_started.disconnect(note)
        self.assertEqual(span(recording, 'signal')['attributes'], {'signal': 'django.core.signals.request_started'})

    def test_follows_an_asynchronous_view_into_its_threads(self):
        frames, recording = self.trace('/awaiting')
        self.assertEqual(frames[0].body, b'awaited')
        self.assertEqual(spans(recording, 'view'), [f'{__name__}.awaiting'])
        self.assertEqual(path_to(recording, span(recording, 'cache', 'set'))[-1], f'{__name__}.awaiting')

    def test_has_the_exception_that_django_answers_with_500(self):
        with self.assertLogs('django.request', 'ERROR') as logged:
            frames, recording = self.trace('/failing')
        self.assertEqual([text for text in logged.output if 'viaduct_worker/tracing' in text], [])
        self.assertEqual((frames[0].kind, frames[0].status), (COMPLETE, 500))
        error = recording['exception']
        self.assertEqual((error['type'], error['message']), ('ValueError', 'no x'))
        file, line, function, source, first, _, is_project, _ = error['frames'][-1]
        self.assertEqual((file, function.rpartition('.')[2], is_project), (__file__, 'failing', True))
        self.assertIn("raise ValueError(f'no {local}')", source[line - first])
        self.assertEqual(span(recording, 'view')['attributes'], {'error': 'ValueError: no x'})
        self.assertIn('Adding.process_exception', spans(recording, 'phase'))
        self.assertEqual(spans(recording, 'phase').count('response_for_exception'), 1)
        libraries = {frame[6] for frame in error['frames'] if 'django' in frame[0].split(os.sep)}
        self.assertEqual(libraries, {False})

    def test_has_the_exception_of_a_template(self):
        with unittest.mock.patch('logging.Logger.error'):
            _, recording = self.trace('/broken')
        self.assertEqual(recording['exception']['type'], 'django.template.exceptions.TemplateDoesNotExist')

    def test_hides_its_frames_on_the_page_for_developers(self):
        logged = unittest.mock.patch('logging.Logger.error')
        debug = unittest.mock.patch.object(conf.settings, 'DEBUG', True)
        with logged, debug, FakeServer(self.application) as server:
            frames, _ = server.trace({'PATH_INFO': '/failing', **SERVER})
        page = b''.join(frame.body for frame in frames).decode()
        self.assertIn('no x', page)
        listed = page.partition('id="traceback"')[2].partition('id="pastebinTraceback"')[0]
        self.assertNotIn('viaduct_worker', listed)


if __name__ == '__main__':
    unittest.main()
