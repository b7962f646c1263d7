"""What a traced request of a plain WSGI application records, and that nothing of its answer changes."""

import builtins
import copy
import functools
import io
import os
import pickle
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from contextvars import ContextVar
from unittest import mock
from wsgiref.validate import validator

from fake_server import (
    ABORT,
    BLOCK,
    COMPLETE,
    EARLY_HINTS,
    END,
    FAILED,
    FILE_BODY,
    HEAD,
    INTERRUPTED,
    TRACE,
    FakeServer,
    answering,
)
from traces import check, hops, path_to, recording_of, span, spans
from viaduct_worker.interrupt import RequestTimeout
from viaduct_worker.tracing import recorder, texts, wsgi

VALID = {
    'QUERY_STRING': '',
    'SERVER_NAME': 'localhost',
    'SERVER_PORT': '80',
    'REMOTE_ADDR': '127.0.0.1',
    'SERVER_PROTOCOL': 'HTTP/1.1',
    'PATH_INFO': '/',
    'wsgi.version': (1, 0),
    'wsgi.errors': io.StringIO(),
    'wsgi.multithread': True,
    'wsgi.multiprocess': True,
    'wsgi.run_once': False,
    'wsgi.url_scheme': 'http',
}


def kinds(frames):
    return [frame.kind for frame in frames]


def content(frames):
    return b''.join(frame.body for frame in frames)


class Traced(unittest.TestCase):
    def trace(self, application, environ=None, body=None, options='full', hands_over=False, shared=()):
        """Trace a request, and check that its frames are those of the same request without a trace."""
        with FakeServer(application, hands_over) as server:
            server.lane.environs[0].update(shared)
            frames, recording = server.trace(environ, body, options)
            self.log = list(server.log)
            server.lane.close_handed(1)
            untraced = server.ask(environ, body)
        check(self, recording)
        self.assertEqual(
            [(frame.kind, frame.status, frame.lines, frame.length) for frame in frames],
            [(frame.kind, frame.status, frame.lines, frame.length) for frame in untraced],
        )
        self.assertNotIn(b'viaduct_worker/tracing', untraced[-1].body)
        return frames, recording


class Recording(Traced):
    def test_is_made_of_traced_requests_only(self):
        with FakeServer(answering(b'x')) as server:
            self.assertEqual(kinds(server.ask()), [COMPLETE])
            frames, _ = server.trace()
            self.assertEqual(kinds(frames), [COMPLETE])
            self.assertEqual(kinds(server.ask()), [COMPLETE])

    def test_loads_nothing_before_the_first_traced_request(self):
        program = (
            'import sys; from fake_server import FakeServer, answering; server = FakeServer(answering(b"x"));'
            'loaded = lambda: any("tracing" in name for name in sys.modules);'
            'server.ask(); before = loaded(); server.trace(); print(before, loaded())'
        )
        result = subprocess.run([sys.executable, '-c', program], capture_output=True, text=True, timeout=60, check=True)
        self.assertEqual(result.stdout, 'False True\n')

    def test_follows_each_request_of_a_batch(self):
        with FakeServer(answering(b'x')) as server:
            server.send((1, {}, None), (2, {}, None), trace='full')
            frames = [server.frame() for _ in range(4)]
        self.assertEqual(
            [(frame.request, frame.kind) for frame in frames], [(1, COMPLETE), (1, TRACE), (2, COMPLETE), (2, TRACE)]
        )

    def test_has_the_environ_as_the_application_gets_it(self):
        def application(environ, start_response):
            environ['PATH_INFO'] = '/changed'
            start_response('200 OK', [])
            return []

        _, recording = self.trace(application, {'PATH_INFO': '/a', 'HTTP_X_A': 'b'})
        shared = {name: (value, is_text) for name, value, is_text in recorder.marshal.loads(recording['shared'])}
        self.assertEqual(shared['SCRIPT_NAME'], ('', True))
        self.assertEqual(shared['wsgi.input'], ('<_io.BytesIO>', False))
        self.assertEqual(recording['environ']['PATH_INFO'], '/a')
        self.assertEqual(recording['environ']['HTTP_X_A'], 'b')

    def test_has_the_time_of_the_call_the_body_and_the_close(self):
        class Body:
            def __iter__(self):
                time.sleep(0.01)
                yield b'a'

            def close(self):
                time.sleep(0.01)

        def application(environ, start_response):
            start_response('200 OK', [])
            return Body()

        _, recording = self.trace(application)
        self.assertEqual(
            spans(recording),
            [('application', f'{__name__}.{application.__qualname__}'), ('body', 'Body'), ('close', 'close')],
        )
        found = span(recording, 'application')
        self.assertEqual((found['file'], found['line']), (__file__, application.__code__.co_firstlineno))
        for kind in ('body', 'close'):
            found = span(recording, kind)
            self.assertGreaterEqual(found['end'] - found['start'], 10_000_000)

    def test_has_the_name_of_the_thread(self):
        with FakeServer(answering(b'x')) as server:
            _, recording = server.trace()
        self.assertEqual(recording['thread'], server.thread.name)

    def test_has_no_more_spans_than_the_limit(self):
        def application(environ, start_response):
            for _ in range(recorder.ROOM):
                if recording := recorder.running():
                    recording.end(recording.begin('hook', 'x'))
            start_response('200 OK', [])
            return [b'x']

        _, recording = self.trace(application)
        self.assertEqual(len(recording['spans']), recorder.ROOM // recorder.EVENT // 2 + 2)
        self.assertEqual(len(recording['spans']) + recording['dropped'], recorder.ROOM + 2)

    def test_is_cut_to_the_most_bytes_that_it_may_have(self):
        def application(environ, start_response):
            recording = recorder.running()
            for number in range(300):
                recording.end(recording.begin('query', 'x', {'sql': f'{number}' + 'x' * 9000}))
            start_response('200 OK', [])
            return [b'x']

        with FakeServer(application) as server:
            server.send((1, {}, None), trace='full')
            self.assertEqual(server.frame().kind, COMPLETE)
            frame = server.frame()
        self.assertLess(len(frame.body), recorder.PAYLOAD_BYTES_MAX)
        recording = recording_of(frame.body)
        check(self, recording)
        self.assertEqual(len(recording['spans']) + recording['dropped'], 302)

    def test_has_no_more_calls_of_start_response_than_the_limit(self):
        def application(environ, start_response):
            try:
                raise ValueError
            except ValueError:
                for _ in range(recorder.ROOM):
                    start_response('200 OK', [], sys.exc_info())
            return [b'x']

        _, recording = self.trace(application)
        self.assertLess(len(recording['start_response']), recorder.ROOM // recorder.EVENT)

    def test_has_text_of_subclasses_of_str_as_text(self):
        class Text(str):
            pass

        def application(environ, start_response):
            start_response('200 OK', [('X-A', Text('b'))])
            recorder.running().begin('view', Text('v'), {'a': Text('c'), 'b': object})
            return [b'x']

        with FakeServer(application) as server:
            _, recording = server.trace()
        self.assertEqual(recording['start_response'][0][2], [['X-A', 'b']])
        self.assertEqual(span(recording, 'view', 'v')['attributes'], {'a': 'c', 'b': "<class 'object'>"})

    def test_notes_what_fails_in_it_and_lets_the_request_pass(self):
        with FakeServer(answering(b'x')) as server, mock.patch.object(wsgi, 'passed', side_effect=KeyError('y')):
            frames, recording = server.trace()
            self.assertEqual((kinds(frames), content(frames), recording['notes']), ([COMPLETE], b'x', []))
        with FakeServer(Middleware(answering(b'x'))) as server, mock.patch.object(wsgi, 'passed', side_effect=KeyError):
            frames, recording = server.trace()
        self.assertEqual((kinds(frames), content(frames)), ([COMPLETE], b'x'))
        self.assertIn('a change of environ could not be recorded', recording['notes'][0])

    def test_is_over_when_a_thread_of_the_request_goes_on(self):
        go, done = threading.Event(), threading.Event()
        late = []

        def application(environ, start_response):
            recording = recorder.running()

            def run():
                go.wait(20)
                late.append(recording.begin('query', 'late'))
                recording.end(late[0])
                done.set()

            threading.Thread(target=run).start()
            start_response('200 OK', [])
            return [b'x']

        with FakeServer(application) as server:
            _, recording = server.trace()
            go.set()
            done.wait(20)
        self.assertEqual(spans(recording, 'query'), [])


class Middleware:
    """Adds a field to the request and one to the response."""

    def __init__(self, app):
        self.app = app

    def __call__(self, environ, start_response):
        def start(status, headers, exc_info=None):
            return start_response(status, [*headers, ('X-Layer', 'a')], exc_info)

        return self.app({**environ, 'HTTP_X_FORWARDED_HOST': 'b', 'SCRIPT_NAME': '/s'}, start)


def closure(inner_application):
    def call(environ, start_response):
        return inner_application(environ, start_response)

    return call


def decorated(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)

    return wrapper


class Slotted:
    __slots__ = ('_app',)

    def __init__(self, app):
        self._app = app

    def __call__(self, environ, start_response):
        return self._app(environ, start_response)


class Method:
    def __init__(self, app):
        self.app = app

    def wsgi(self, environ, start_response):
        return self.app(environ, start_response)


def configured(option, environ, start_response, *, app):
    return app(environ, start_response)


class Chain(Traced):
    def test_has_a_span_for_each_application_and_the_fields_between_them(self):
        application = answering(b'x', headers=[('X-Inner', 'i')])
        _, recording = self.trace(Middleware(application), {'HTTP_X_A': 'b'})
        self.assertEqual(
            spans(recording),
            [
                ('wsgi-middleware', f'{__name__}.Middleware'),
                ('application', 'fake_server.answering.<locals>.application'),
                ('body', 'list'),
            ],
        )
        self.assertEqual(path_to(recording, span(recording, 'application')), [f'{__name__}.Middleware'])
        self.assertEqual(
            hops(recording, 'request'),
            [
                (
                    'application',
                    [
                        ('SCRIPT_NAME', '/s'),
                        ('REQUEST_METHOD', 'GET'),
                        ('X-A', 'b'),
                        ('X-Forwarded-Host', 'b'),
                    ],
                )
            ],
        )
        self.assertEqual(
            hops(recording, 'response'),
            [('application', [('X-Inner', 'i')]), ('Middleware', [('X-Inner', 'i'), ('X-Layer', 'a')])],
        )
        self.assertEqual(
            [(caller, status, len(fields), has) for caller, status, fields, has in recording['start_response']],
            [('application', '200 OK', 1, False), ('Middleware', '200 OK', 2, False)],
        )

    def test_finds_applications_in_all_usual_places(self):
        inner = answering(b'x')
        for name, outer in {
            'an attribute': Middleware(inner),
            'a slot': Slotted(inner),
            'a closure': closure(inner),
            'a decorator': decorated(closure(inner)),
            'a bound method': Method(inner).wsgi,
            'a chain': closure(Slotted(Middleware(inner))),
        }.items():
            with self.subTest(name):
                _, recording = self.trace(outer)
                self.assertEqual(spans(recording)[-2][0], 'application', spans(recording))
                self.assertEqual(spans(recording)[0][0], 'wsgi-middleware')

    def test_lets_wrapped_applications_look_as_they_are(self):
        inner = Slotted(answering(b'x'))
        outer = Middleware(inner)
        self.trace(outer)
        self.assertIsNot(outer.app, inner)
        self.assertIsInstance(outer.app, Slotted)
        self.assertEqual(outer.app, inner)
        self.assertEqual(hash(outer.app), hash(inner))
        other = answering(b'y')
        outer.app._app = other
        self.assertIs(inner._app, other)

    def test_does_not_take_other_callables_for_applications(self):
        def helper(a, b):
            return a + b

        class Application:
            def __init__(self):
                self.wrapped = helper

            def __call__(self, environ, start_response):
                start_response('200 OK', [])
                return [b'%d' % self.wrapped(1, 2)]

        frames, recording = self.trace(Application())
        self.assertEqual(content(frames), b'3')
        self.assertNotIn('helper', str(spans(recording)))


class Response(Traced):
    def test_is_the_same_for_each_way_to_answer(self):
        def writing(environ, start_response):
            write = start_response('200 OK', [])
            write(b'a')
            write(b'b')
            return [b'c']

        def generating(environ, start_response):
            start_response('200 OK', [('X-A', 'b')])
            yield b'a'
            yield b'b'

        def hinting(environ, start_response):
            environ['wsgi.early_hints']([('Link', '</a>; rel=preload')])
            start_response('200 OK', [])
            return [b'a']

        def replacing(environ, start_response):
            start_response('200 OK', [('X-A', 'b')])
            try:
                raise ValueError('x')
            except ValueError:
                start_response('500 Failed', [('X-B', 'c')], sys.exc_info())
            return [b'a']

        for application, expected in (
            (writing, [HEAD, BLOCK, BLOCK, END]),
            (generating, [HEAD, BLOCK, END]),
            (hinting, [EARLY_HINTS, COMPLETE]),
            (replacing, [COMPLETE]),
        ):
            with self.subTest(application.__name__):
                frames, recording = self.trace(Middleware(application))
                self.assertEqual(kinds(frames), expected)
        self.assertEqual([has for _, _, _, has in recording['start_response']], [False, False, True, True])

    def test_is_the_file_that_the_server_sends(self):
        def application(environ, start_response):
            start_response('200 OK', [])
            return environ['wsgi.file_wrapper'](open(__file__, 'rb'))

        frames, recording = self.trace(application, hands_over=True)
        self.assertEqual(kinds(frames), [FILE_BODY])
        self.assertEqual(spans(recording, 'body'), ['FileWrapper'])

    def test_passes_the_validator(self):
        def application(environ, start_response):
            start_response('200 OK', [('Content-Type', 'text/plain')])
            return [environ['wsgi.input'].read(100)]

        with tempfile.NamedTemporaryFile() as spooled:
            spooled.write(b'spooled')
            spooled.flush()
            for body, expected in ((b'abc', b'abc'), (spooled.name, b'spooled')):
                frames, recording = self.trace(validator(closure(validator(application))), {}, body, shared=VALID)
                self.assertEqual((kinds(frames), content(frames)), ([HEAD, END], expected))
                self.assertEqual(len(spans(recording, 'wsgi-middleware')), 3)


class Exceptions(Traced):
    def test_have_frames_with_source(self):
        def application(environ, start_response):
            secret = 'local'
            raise ValueError(f'no {secret}')

        frames, recording = self.trace(Middleware(application))
        self.assertEqual(kinds(frames), [FAILED])
        self.assertNotIn('viaduct_worker/tracing', frames[0].body.decode())
        error = recording['exception']
        self.assertEqual((error['type'], error['message']), ('ValueError', 'no local'))
        self.assertIn('ValueError: no local', error['traceback'])
        self.assertEqual([frame[2].rpartition('.')[2] for frame in error['frames']], ['__call__', 'application'])
        file, line, _, source, first, variables, is_project, columns = error['frames'][-1]
        self.assertIsNone(columns)
        self.assertEqual((file, variables, is_project), (__file__, [], True))
        self.assertIn('raise ValueError', source[line - first])
        self.assertEqual(span(recording, 'application')['attributes'], {'error': 'ValueError: no local'})

    def test_have_local_variables_if_the_option_asks_for_them(self):
        class Odd:
            def __repr__(self):
                raise RuntimeError

        def application(environ, start_response):
            odd, long = Odd(), 'x' * 100_000
            raise ValueError((odd is None) + len(long))

        _, recording = self.trace(application, options='full locals')
        variables = dict(recording['exception']['frames'][-1][5])
        self.assertEqual(variables['odd'], '<Odd whose repr raises RuntimeError>')
        self.assertEqual(len(variables['long']), 1000)

    def test_have_variables_of_hostile_classes(self):
        class Refusing(type):
            def __getattribute__(cls, name):
                raise RuntimeError

            __eq__ = __hash__ = __getattribute__

        class Odd(metaclass=Refusing):
            def __repr__(self):
                raise SystemExit

        class Text(str):
            def __repr__(self):
                return Text('text')

            def __getitem__(self, key):
                raise RuntimeError

            __len__ = __format__ = __getitem__

        def application(environ, start_response):
            odd, several, text, filled = Odd(), [1, Odd(), 2], Text('x'), bytearray(100_000)
            raise ValueError((odd, several, text, filled) is None)

        _, recording = self.trace(application, options='full locals')
        variables = dict(recording['exception']['frames'][-1][5])
        self.assertEqual(variables['odd'], '<Odd whose repr raises SystemExit>')
        self.assertEqual(variables['several'], '[1, <Odd whose repr raises SystemExit>, 2]')
        self.assertEqual(variables['text'], 'text')
        self.assertEqual(len(variables['filled']), 1000)

    def test_send_no_query_for_query_sets_within_other_values(self):
        class QuerySet:
            def __init__(self):
                self._result_cache = None

            def __repr__(self):
                raise AssertionError('a query')

        def application(environ, start_response):
            context = {'books': QuerySet()}
            raise ValueError(len(context))

        _, recording = self.trace(application, options='full locals')
        variables = dict(recording['exception']['frames'][-1][5])
        self.assertEqual(variables['context'], "{'books': <QuerySet that was not evaluated>}")

    def test_make_the_texts_of_variables_in_the_context_of_the_request(self):
        user = ContextVar('user')

        class Current:
            def __repr__(self):
                return user.get()

        def application(environ, start_response):
            user.set('ada')
            current = Current()
            raise ValueError(current is None)

        _, recording = self.trace(application, options='full locals')
        self.assertEqual(dict(recording['exception']['frames'][-1][5])['current'], 'ada')

    def test_of_a_deep_recursion_with_long_variables_fit_into_a_record(self):
        def deeper(depth, texts):
            more, most = list(texts), tuple(texts)
            if depth:
                deeper(depth - 1, more or most)
            raise ValueError('deep')

        def application(environ, start_response):
            deeper(200, ['\U0001f600' * 300] * 10)

        _, recording = self.trace(application, options='full locals')
        frames = recording['exception']['frames']
        self.assertEqual(len(frames), 100)
        self.assertEqual([name for name, _ in frames[-1][5]], ['depth', 'texts', 'more', 'most', 'deeper'])
        self.assertEqual(frames[0][5], [], 'there was no room for those of the outermost frame')
        self.assertTrue(spans(recording, 'application'))

    def test_of_code_whose_names_and_source_refuse(self):
        class Names(dict):
            def items(self):
                raise RuntimeError

        class Loader:
            def get_source(self, name):
                raise SystemExit('no source')

        odd = {'__name__': 'odd', '__loader__': Loader()}
        for names, known in ((Names(), []), ({1: 2, 'a': 3}, [('a', '3')])):

            def application(environ, start_response, names=names):
                exec(compile('raise KeyError', '/nowhere/odd.py', 'exec'), dict(odd), names)

            _, recording = self.trace(application, options='full locals')
            file, line, _, source, _, variables, *_ = recording['exception']['frames'][-1]
            self.assertEqual((file, line, source), ('/nowhere/odd.py', 1, []))
            self.assertEqual([tuple(each) for each in variables], known)

    def test_whose_classes_refuse_are_failures_like_others(self):
        class Refusing(type):
            def __getattribute__(cls, name):
                raise RuntimeError

        class OddError(Exception, metaclass=Refusing):
            pass

        def application(environ, start_response):
            raise OddError('text')

        frames, recording = self.trace(application)
        self.assertEqual(kinds(frames)[0], FAILED)
        self.assertEqual(recording['exception']['message'], 'text')
        self.assertTrue(recording['exception']['type'].endswith('.OddError'))

    def test_have_the_exceptions_that_led_to_them(self):
        def application(environ, start_response):
            try:
                try:
                    raise KeyError('first')
                except KeyError:
                    near = 2
                    raise ValueError(near)  # noqa: B904  # this is what is tested
            except ValueError as error:
                raise RuntimeError('last') from error

        _, recording = self.trace(application, options='full locals')
        error = recording['exception']
        self.assertEqual((error['type'], error['message']), ('RuntimeError', 'last'))
        chain = [(each['relation'], each['type'], each['message']) for each in error['chain']]
        self.assertEqual(chain, [('cause', 'ValueError', '2'), ('context', 'KeyError', "'first'")])
        self.assertEqual(dict(error['chain'][0]['frames'][-1][5])['near'], '2')

        def silent(environ, start_response):
            try:
                raise KeyError('first')
            except KeyError:
                raise ValueError from None

        self.assertEqual(self.trace(silent)[1]['exception']['chain'], [])

    @unittest.skipIf(sys.version_info < (3, 11), 'this Python has no exception groups')
    def test_have_the_exceptions_of_groups_with_what_led_to_them(self):
        def failed(number):
            try:
                try:
                    raise KeyError(number)
                except KeyError as error:
                    raise ValueError(number) from error
            except ValueError as error:
                return error

        def application(environ, start_response):
            inner = builtins.ExceptionGroup('inner', [failed(number) for number in range(1, 20)])
            raise builtins.ExceptionGroup('outer', [failed(0), inner]) from OSError('cause')

        _, recording = self.trace(application)
        error = recording['exception']
        self.assertEqual((error['message'], error['members']), ('outer (2 sub-exceptions)', 2))
        chain = [(each['relation'], each['of'], each['type'], each['message']) for each in error['chain']]
        self.assertEqual(
            chain[:6],
            [
                ('member', -1, 'ValueError', '0'),
                ('cause', 0, 'KeyError', '0'),
                ('member', -1, 'ExceptionGroup', 'inner (19 sub-exceptions)'),
                ('member', 2, 'ValueError', '1'),
                ('cause', 3, 'KeyError', '1'),
                ('member', 2, 'ValueError', '2'),
            ],
        )
        self.assertEqual(error['chain'][2]['members'], 19)
        self.assertEqual(error['chain'][3]['frames'][-1][2].rpartition('.')[2], 'failed')
        self.assertEqual(len(chain), 16, 'it is bounded')

    @unittest.skipIf(sys.version_info < (3, 11), 'this Python has no exception groups')
    def test_end_groups_that_contain_themselves(self):
        def application(environ, start_response):
            member = ValueError('member')
            group = builtins.ExceptionGroup('group', [member])
            member.__cause__ = group
            raise group

        _, recording = self.trace(application)
        self.assertEqual([each['message'] for each in recording['exception']['chain']], ['member'])

    def test_of_syntax_end_in_the_place_that_is_meant(self):
        def application(environ, start_response):
            compile('x = 1\ny = (2 +* 3)\n', '/nowhere/odd.py', 'exec')

        _, recording = self.trace(application)
        *_, last = recording['exception']['frames']
        self.assertEqual((last[0], last[1], last[2], last[7]), ('/nowhere/odd.py', 2, '', (8, 9)))

        class OddError(SyntaxError):
            filename = property(lambda self: 1 / 0)

        def odd(environ, start_response):
            raise OddError('text', (None, -1, 'x', None, 5, 'y'))

        _, recording = self.trace(odd)
        self.assertEqual([each[2].rpartition('.')[2] for each in recording['exception']['frames']], ['odd'])

    def test_of_syntax_have_no_place_that_no_file_has(self):
        for place in (('f.py', 10**30, 1, 'x'), ('f.py', -1, 1, 'x'), ('f.py', 2, 10**30, None, 2, 10**30)):

            def application(environ, start_response, place=place):
                raise SyntaxError('text', place)

            _, recording = self.trace(application)
            *_, last = recording['exception']['frames']
            self.assertLess(last[1], 2**31)
            self.assertIsNone(last[7])

    def test_ends_a_chain_that_is_a_circle(self):
        def application(environ, start_response):
            one, two = ValueError('one'), ValueError('two')
            one.__cause__, two.__cause__ = two, one
            raise one

        _, recording = self.trace(application)
        self.assertEqual([each['message'] for each in recording['exception']['chain']], ['two'])

    def test_leave_a_variable_alone_whose_text_never_ends(self):
        class Endless:
            ended = threading.Event()

            def __repr__(self):
                try:
                    while True:
                        pass
                finally:
                    Endless.ended.set()

        def application(environ, start_response):
            before, endless, after = 1, Endless(), 3
            raise ValueError(before, after, endless is None)

        _, recording = self.trace(application, options='full locals')
        variables = dict(recording['exception']['frames'][-1][5])
        self.assertEqual(variables['endless'], '<Endless whose repr takes too long>')
        self.assertTrue(Endless.ended.wait(20), 'the loop has ended')
        self.assertEqual((variables['before'], variables['after']), ('1', '3'))

    def test_whose_attributes_raise_are_failures_like_others(self):
        for name in ('__cause__', '__context__', '__traceback__', '__str__', '__notes__', '__class__'):

            def refuse(self):
                raise SystemExit('no')

            odd = type('Odd', (Exception,), {name: refuse if name == '__str__' else property(refuse)})

            def application(environ, start_response, odd=odd):
                raise odd('text')

            with self.subTest(name), FakeServer(application) as server:
                frames, recording = server.trace()
                self.assertEqual(kinds(frames), [FAILED])
                self.assertIn(b'Odd', frames[0].body)
                self.assertTrue(recording['exception']['type'].endswith('Odd'))
                self.assertEqual(kinds(server.ask()), [FAILED])

    def test_of_the_body_and_of_close_are_there(self):
        class Body:
            def __iter__(self):
                yield b'a'
                raise ValueError('in the body')

            def close(self):
                raise KeyError('in close')

        def application(environ, start_response):
            start_response('200 OK', [])
            return Body()

        frames, recording = self.trace(application)
        self.assertEqual(kinds(frames), [HEAD, ABORT])
        self.assertEqual(span(recording, 'body')['attributes'], {'error': 'ValueError: in the body'})
        self.assertEqual(span(recording, 'close')['attributes'], {'error': "KeyError: 'in close'"})
        self.assertEqual(recording['exception']['type'], 'KeyError')
        self.assertEqual(len(self.log), 1)

    def test_of_a_library_have_frames_that_are_not_the_projects(self):
        def application(environ, start_response):
            return os.path.join(None)

        _, recording = self.trace(application)
        self.assertEqual([frame[6] for frame in recording['exception']['frames']], [True, False])


class Timeout(unittest.TestCase):
    def test_passes_through_and_leaves_the_lane_in_order(self):
        running = threading.Event()
        ended = []

        def application(environ, start_response):
            if environ['PATH_INFO'] == '/quick':
                start_response('200 OK', [])
                return [b'x']
            try:
                # CPython 3.13 leaves the jump back of a loop out of the `try` around it, so that its `except` can miss
                # the exception. The loop is in a function of its own.
                endless()
            except BaseException as error:
                ended.append(type(error))
                raise
            raise AssertionError('nobody interrupted it')

        def endless():
            running.set()
            until = time.monotonic() + 20
            while time.monotonic() < until:
                sum(range(10))

        with FakeServer(Middleware(application)) as server:
            server.send((7, {'PATH_INFO': '/loop'}, None), trace='full')
            running.wait(20)
            stack, raised = server.lane.interrupt(7)
            self.assertTrue(raised)
            self.assertEqual([line for line in stack.splitlines() if 'viaduct_worker' in line], [])
            self.assertIn('in application', stack)
            frames = [server.frame(), server.frame()]
            self.assertEqual([(frame.request, frame.kind) for frame in frames], [(7, INTERRUPTED), (7, TRACE)])
            recording = recording_of(frames[1].body)
            check(self, recording)
            self.assertEqual(recording['exception']['type'], 'viaduct.RequestTimeout')
            self.assertEqual(ended, [RequestTimeout])
            for _ in range(3):
                frames, recording = server.trace({'PATH_INFO': '/quick'})
                self.assertEqual(kinds(frames), [COMPLETE])
            self.assertEqual(server.log, [])


class Profile(Traced):
    def test_has_the_stacks_of_the_thread(self):
        def busy():
            until = time.monotonic() + 0.2
            while time.monotonic() < until:
                sum(range(100))

        def application(environ, start_response):
            busy()
            start_response('200 OK', [])
            return [b'x']

        before = threading.active_count()
        _, recording = self.trace(application, options='full profile')
        profile = recording['profile']
        stack, samples = profile['stacks'][0]
        self.assertGreater(samples, 0)
        self.assertIn('application', stack[0])
        self.assertIn('busy', stack[1])
        self.assertGreaterEqual(profile['interval_us'], 1000)
        until = time.monotonic() + 20
        while threading.active_count() > before and time.monotonic() < until:
            time.sleep(0.01)
        self.assertLessEqual(threading.active_count(), before)


class Mounts(dict):
    """Applications by their paths, as in Paste."""

    def __call__(self, environ, start_response):
        start_response('200 OK', [])
        return [b'mounted']


class Asking:
    """Middleware that answers with what `question` says of its application."""

    def __init__(self, app, question):
        self.app = app
        self.question = question

    def __call__(self, environ, start_response):
        start_response('200 OK', [])
        return [repr(self.question(self.app)).encode()]


class InThePlaceOfAnApplication(Traced):
    """Middleware cannot see the difference, unless it compares types or asks for identity."""

    def ask(self, question):
        for application in (Mounts({'/a': 1}), answering(b'x')):
            with FakeServer(Asking(application, question)) as server:
                before = server.ask()[-1].body
                server.trace()
                with self.subTest(application=type(application).__name__):
                    self.assertEqual(server.ask()[-1].body, before)

    def test_operators(self):
        for question in (
            bool,
            lambda app: len(app) if isinstance(app, dict) else 0,
            lambda app: app['/a'] if isinstance(app, dict) else 0,
            lambda app: ('/a' in app, list(app), app | {}) if isinstance(app, dict) else 0,
            lambda app: (type(app).__name__, app.__module__, app.__doc__),
        ):
            self.ask(question)

    def test_stays_out_of_a_place_that_refuses_it(self):
        class Strict(Asking):
            def __setattr__(self, name, value):
                if 'question' in vars(self):
                    raise RuntimeError('this cannot be changed')
                super().__setattr__(name, value)

        _, recording = self.trace(Strict(answering(b'x'), bool))
        self.assertEqual(spans(recording)[0][0], 'application')

    def test_copies_and_pickles_are_those_of_the_application(self):
        self.ask(lambda app: type(copy.copy(app)).__name__)
        self.ask(lambda app: type(copy.deepcopy(app)).__name__)
        self.ask(lambda app: pickle.loads(pickle.dumps(app)) if isinstance(app, dict) else 0)


class EndingError(Exception):
    def __str__(self):
        raise SystemExit


class Hostile:
    def __repr__(self):
        raise SystemExit


class HostileValues(Traced):
    def test_a_repr_that_ends_the_thread_does_not(self):
        def application(environ, start_response):
            value = Hostile()
            raise EndingError(value)

        _, recording = self.trace(application, options='full locals')
        frame = recording['exception']['frames'][-1]
        self.assertIn('whose repr raises SystemExit', dict(frame[5])['value'])

    def test_only_the_beginning_of_a_large_value_is_looked_at(self):
        class Counted:
            shown = 0

            def __repr__(self):
                Counted.shown += 1
                return 'counted'

        def application(environ, start_response):
            value = {'a': [(Counted(), 1)] * 100_000}
            raise ValueError(len(value))

        _, recording = self.trace(application, options='full locals')
        text = dict(recording['exception']['frames'][-1][5])['value']
        self.assertTrue(text.startswith("{'a': [(counted, 1), (counted, 1), "), text[:100])
        self.assertLess(Counted.shown, 2000)

    def test_the_text_of_a_value_is_its_repr(self):
        for value in (
            (),
            (1,),
            (1, 'a'),
            [],
            [b'x', [None]],
            {},
            {'a': {1: 2.5}},
            {3},
            set(),
            'x' * 20,
            frozenset({1}),
        ):
            self.assertEqual(texts.safe_repr(value), repr(value))
        loop = []
        loop.append(loop)
        self.assertEqual(texts.safe_repr(loop), '[[[[[[...]]]]]]')


class AfterTheEnd(unittest.TestCase):
    def test_another_thread_may_go_on_when_the_request_is_over(self):
        recording = recorder.Recording('full', 'thread')
        recording.begin('view', 'view')
        query = recording.begin('query', 'before the end')
        recording.finish()
        recording.end(query)
        self.assertFalse(recording.is_within('query'))
        recording.end(recording.begin('query', 'after the end'))


if __name__ == '__main__':
    unittest.main()
