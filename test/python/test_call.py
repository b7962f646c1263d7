"""One request under PEP 3333, as the server sees it: which frames leave, and when."""

import struct
import sys
import tempfile
import threading
import unittest
from unittest import mock

from fake_server import (
    ABORT,
    BLOCK,
    COMPLETE,
    EARLY_HINTS,
    END,
    FAILED,
    FILE_BODY,
    HEAD,
    RECALLED,
    FakeServer,
    answering,
)


def kinds(frames):
    return [frame.kind for frame in frames]


class Response(unittest.TestCase):
    def frames(self, application, environ=None, body=None, hands_over=False):
        with FakeServer(application, hands_over) as server:
            frames = server.ask(environ, body)
        self.log = server.log
        return frames

    def test_is_one_frame_when_all_blocks_are_there(self):
        for blocks in ([b'one block'], [b'one', b' ', b'block'], [b'', b'one block', b'']):
            frames = self.frames(answering(*blocks))
            self.assertEqual(kinds(frames), [COMPLETE])
            self.assertEqual(frames[0].body, b'one block')

    def test_is_one_frame_when_there_is_no_block(self):
        frames = self.frames(answering())
        self.assertEqual((kinds(frames), frames[0].body), ([COMPLETE], b''))

    def test_is_a_frame_a_block_when_blocks_are_made_one_by_one(self):
        def application(environ, start_response):
            start_response('200 OK', [('X-A', 'b')])
            yield b''
            yield b'one'
            yield b''
            yield b'two'

        frames = self.frames(application)
        self.assertEqual(kinds(frames), [HEAD, BLOCK, END])
        self.assertEqual([frame.body for frame in frames], [b'one', b'two', b''])
        self.assertEqual([frame.lines for frame in frames], ['X-A: b\r\n', '', ''])

    def test_sends_a_block_before_the_next_one_is_made(self):
        go = threading.Event()

        def application(environ, start_response):
            start_response('200 OK', [])
            yield b'one'
            go.wait()
            yield b'two'

        with FakeServer(application) as server:
            server.send((1, {}, None))
            self.assertEqual(server.frame().body, b'one')
            go.set()
            self.assertEqual(server.frame().body, b'two')

    def test_sends_what_write_takes_at_once(self):
        go = threading.Event()

        def application(environ, start_response):
            write = start_response('200 OK', [])
            write(b'one')
            go.wait()
            return [b'two']

        with FakeServer(application) as server:
            server.send((1, {}, None))
            self.assertEqual(server.frame().body, b'one')
            go.set()
            self.assertEqual(server.frame().body, b'two')
            self.assertEqual(server.frame().kind, END)

    def test_has_no_body_for_head_and_keeps_the_declared_length(self):
        for blocks in ([b'12345'], []):
            frames = self.frames(answering(*blocks, headers=[('Content-Length', '5')]), {'REQUEST_METHOD': 'HEAD'})
            self.assertEqual((kinds(frames), frames[0].body, frames[0].length), ([COMPLETE], b'', 5))

    def test_has_no_body_when_the_status_has_none(self):
        for status in ('204 No Content', '304 Not Modified'):
            frames = self.frames(answering(b'12345', status=status))
            self.assertEqual((kinds(frames), frames[0].body), ([COMPLETE], b''))

    def test_is_read_by_the_worker_when_its_mode_forbids_opening_it_again(self):
        def application(environ, start_response):
            start_response('200 OK', [])
            return environ['wsgi.file_wrapper'](open(file.name, 'rb'))

        with tempfile.NamedTemporaryFile() as file:
            file.write(b'0123456789')
            file.flush()
            refusing = mock.patch('viaduct_worker.call.FileIO', side_effect=PermissionError)
            with FakeServer(application, hands_over=True) as server, refusing:
                frames = server.ask()
        self.assertEqual(kinds(frames), [HEAD, END])
        self.assertEqual(frames[0].body, b'0123456789')

    def test_has_a_body_again_when_an_error_replaces_a_status_without_content(self):
        def application(environ, start_response):
            start_response('204 No Content', [])
            try:
                raise LookupError
            except LookupError:
                start_response('500 Sorry', [], sys.exc_info())
            return [b'sorry']

        self.assertEqual(self.frames(application)[0].body, b'sorry')
        self.assertEqual(self.frames(application, {'REQUEST_METHOD': 'HEAD'})[0].body, b'')

    def test_is_cut_to_its_declared_length(self):
        frames = self.frames(answering(b'12345', b'678', headers=[('Content-Length', '6')]))
        self.assertEqual((frames[0].body, frames[0].length), (b'123456', 6))
        self.assertIn('more than', self.log[0])

    def test_is_cut_once_for_the_log_however_often_write_is_called(self):
        def application(environ, start_response):
            write = start_response('200 OK', [('Content-Length', '6')])
            for _ in range(100):
                write(b'four')
            return (block for block in (b'more', b'and more'))

        frames = self.frames(application)
        self.assertEqual([(frame.kind, frame.body) for frame in frames], [(HEAD, b'four'), (BLOCK, b'fo'), (END, b'')])
        self.assertEqual(len(self.log), 1)

    def test_asks_a_generator_for_nothing_past_the_declared_length(self):
        asked = []

        def application(environ, start_response):
            start_response('200 OK', [('Content-Length', '4')])
            for block in (b'12', b'345', b'6'):
                asked.append(block)
                yield block

        frames = self.frames(application)
        self.assertEqual(b''.join(frame.body for frame in frames), b'1234')
        self.assertEqual(asked, [b'12', b'345'])

    def test_keeps_the_declared_length_when_the_application_sends_less(self):
        frames = self.frames(answering(b'123', headers=[('Content-Length', '6')]))
        self.assertEqual((frames[0].body, frames[0].length), (b'123', 6))
        self.assertIn('Content-Length of 6', self.log[0])

    def test_carries_a_reason_of_its_own_before_the_headers(self):
        frame = self.frames(answering(b'', status='404 Nothing Here', headers=[('X-A', 'b')]))[0]
        self.assertEqual((frame.status, frame.lines, frame.has & 4), (404, 'Nothing Here\r\nX-A: b\r\n', 4))

    def test_is_a_failure_with_its_traceback_while_no_head_has_left(self):
        def application(environ, start_response):
            start_response('200 OK', [('X-A', 'b')])
            raise LookupError('the reason')

        frames = self.frames(application)
        self.assertEqual((kinds(frames), frames[0].lines), ([FAILED], ''))
        self.assertIn(b'LookupError: the reason', frames[0].body)

    def test_breaks_off_with_its_traceback_when_the_head_has_left(self):
        def application(environ, start_response):
            start_response('200 OK', [])
            yield b'started'
            raise LookupError('the reason')

        frames = self.frames(application)
        self.assertEqual(kinds(frames), [HEAD, ABORT])
        self.assertIn(b'LookupError: the reason', frames[1].body)

    def test_raises_what_exc_info_says_when_the_head_has_left(self):
        def application(environ, start_response):
            start_response('200 OK', [])
            yield b'started'
            try:
                raise LookupError('the reason')
            except LookupError:
                start_response('500 Sorry', [], sys.exc_info())
            yield b'never sent'

        frames = self.frames(application)
        self.assertEqual(kinds(frames), [HEAD, ABORT])
        self.assertIn(b'LookupError: the reason', frames[1].body)

    def test_fails_when_the_application_breaks_the_contract(self):
        def silent(environ, start_response):
            return [b'no head']

        def twice(environ, start_response):
            start_response('200 OK', [])
            start_response('200 OK', [])
            return []

        def nothing(environ, start_response):
            start_response('200 OK', [])

        def empty_text(environ, start_response):
            start_response('200 OK', [])
            yield ''

        def text(environ, start_response):
            start_response('200 OK', [])('text')

        def untupled(environ, start_response):
            start_response('200 OK', [], RuntimeError())
            return []

        for application in (silent, twice, nothing, empty_text, text, untupled):
            with self.subTest(application.__name__):
                self.assertEqual(kinds(self.frames(application)), [FAILED])

    def test_survives_whatever_the_application_raises(self):
        for error in (SystemExit(3), KeyboardInterrupt(), GeneratorExit(), BaseException()):

            def application(environ, start_response, error=error):
                raise error

            with self.subTest(error), FakeServer(application) as server:
                self.assertEqual(kinds(server.ask()), [FAILED])
                self.assertEqual(kinds(server.ask()), [FAILED])

    def test_survives_an_exception_whose_attributes_raise(self):
        for name in ('__cause__', '__context__', '__traceback__', '__str__', '__notes__', '__class__'):

            def refuse(self):
                raise LookupError('no')

            odd = type('Odd', (Exception,), {name: refuse if name == '__str__' else property(refuse)})

            def application(environ, start_response, odd=odd):
                raise odd('text')

            def closing(environ, start_response, odd=odd):
                class Body(list):
                    def close(self):
                        raise odd('text')

                start_response('200 OK', [])
                return Body()

            with self.subTest(name), FakeServer(application) as server:
                for _ in range(2):
                    frames = server.ask()
                    self.assertEqual(kinds(frames), [FAILED])
                    self.assertIn(b"raise odd('text')", frames[0].body)
                    self.assertIn(b'Odd', frames[0].body)
            with self.subTest(name):
                with FakeServer(closing) as server:
                    for _ in range(2):
                        self.assertEqual(kinds(server.ask()), [COMPLETE])
                self.assertEqual(len(server.log), 2)  # the lane has ended: close() was called for both

    def test_is_the_file_itself_when_the_server_can_open_it(self):
        with tempfile.TemporaryFile() as file:
            file.write(b'0123456789')

            def application(environ, start_response):
                file.seek(4)
                start_response('200 OK', [('X-A', 'b')])
                return environ['wsgi.file_wrapper'](open(file.fileno(), 'rb', closefd=False))

            frames = self.frames(application, hands_over=True)
            self.assertEqual(kinds(frames), [FILE_BODY])
            _, start, end = struct.unpack('<IQQ', frames[0].body)
            self.assertEqual((start, end, frames[0].lines), (4, 10, 'X-A: b\r\n'))
            frames = self.frames(application)
            self.assertEqual(b''.join(frame.body for frame in frames), b'456789')
            frames = self.frames(application, {'REQUEST_METHOD': 'HEAD'}, hands_over=True)
            self.assertEqual((kinds(frames), frames[0].body), ([COMPLETE], b''))


class EarlyHints(unittest.TestCase):
    """`wsgi.early_hints`: interim responses before the head leaves."""

    LINK = ('Link', '</a.css>; rel=preload')

    def hinting(self, environ, start_response):
        environ['wsgi.early_hints']([self.LINK])
        start_response('200 OK', [])
        return [b'done']

    def test_leave_before_the_response_is_made(self):
        go = threading.Event()

        def application(environ, start_response):
            environ['wsgi.early_hints']([self.LINK, ('X-A', 'b')])
            go.wait()
            start_response('200 OK', [])
            return [b'done']

        with FakeServer(application) as server:
            server.send((1, {}, None))
            frame = server.frame()
            self.assertEqual((frame.request, frame.kind, frame.status), (1, EARLY_HINTS, 103))
            self.assertEqual((frame.lines, frame.body), ('Link: </a.css>; rel=preload\r\nX-A: b\r\n', b''))
            go.set()
            self.assertEqual(server.frame().kind, COMPLETE)

    def test_are_ignored_when_the_response_has_started(self):
        def application(environ, start_response):
            start_response('200 OK', [])
            yield b'one'
            environ['wsgi.early_hints']([self.LINK])

        with FakeServer(application) as server:
            self.assertEqual(kinds(server.ask()), [HEAD, END])

    def test_are_ignored_when_their_request_is_over(self):
        kept = []

        def application(environ, start_response):
            for hint in kept:
                hint([self.LINK])
            kept.append(environ['wsgi.early_hints'])
            start_response('200 OK', [])
            return [b'done']

        with FakeServer(application) as server:
            for _ in range(3):
                self.assertEqual(kinds(server.ask()), [COMPLETE])

    def test_follow_the_responses_to_earlier_requests(self):
        with FakeServer(self.hinting) as server:
            server.send((1, {}, None), (2, {}, None), (3, {}, None))
            frames = [server.frame() for _ in range(6)]
            self.assertEqual([frame.request for frame in frames], [1, 1, 2, 2, 3, 3])
            self.assertEqual(kinds(frames), [EARLY_HINTS, COMPLETE] * 3)

    def test_leave_no_copy_on_the_scoreboard(self):
        with FakeServer(self.hinting) as server:
            server.ask()
            self.assertEqual([frame.kind for frame in server.copies()], [COMPLETE])

    def test_keep_their_request_when_later_requests_are_given_up(self):
        go = threading.Event()

        def application(environ, start_response):
            environ['wsgi.early_hints']([self.LINK])
            go.wait()
            start_response('200 OK', [])
            return [b'done']

        with FakeServer(application) as server:
            server.send((1, {}, None), (2, {}, None))
            self.assertEqual(server.frame().kind, EARLY_HINTS)
            server.lane.recall()
            recalled = server.frame()
            self.assertEqual((recalled.kind, struct.unpack('<I', recalled.body)), (RECALLED, (2,)))
            go.set()
            self.assertEqual((server.frame().request, server.started()), (1, 1))

    def test_raise_where_they_are_wrong(self):
        for headers, error in (
            ([('X-A', 'b\r\nX-B: c')], ValueError),
            ([('X A', 'b')], ValueError),
            ([('Content-Length', '5')], ValueError),
            ([('X-A', '\u2713')], ValueError),
            ([('X-A', b'bytes')], TypeError),
            ((self.LINK,), TypeError),
        ):

            def application(environ, start_response, headers=headers, error=error):
                with self.assertRaises(error):
                    environ['wsgi.early_hints'](headers)
                start_response('200 OK', [])
                return []

            with self.subTest(headers), FakeServer(application) as server:
                self.assertEqual(kinds(server.ask()), [COMPLETE])


class Corrected(unittest.TestCase):
    """What PEP 3333 forbids, and can mean only one thing."""

    def test_blocks_may_be_arrays_and_views(self):
        block = bytearray(b'one')

        def listed(environ, start_response):
            start_response('200 OK', [])
            return [block, memoryview(b'two'), bytearray()]

        def single(environ, start_response):
            start_response('200 OK', [])
            return [bytearray(b'onetwo')]

        def written(environ, start_response):
            write = start_response('200 OK', [])
            write(block)
            write(memoryview(b'two'))
            return []

        def generated(environ, start_response):
            start_response('200 OK', [])
            reused = bytearray(b'one')
            yield reused
            reused[:] = b'two'
            yield reused

        for application in (listed, single, written, generated):
            with self.subTest(application.__name__), FakeServer(application) as server:
                self.assertEqual(b''.join(frame.body for frame in server.ask()), b'onetwo')
                self.assertEqual(server.log, [])

    def test_bytes_themselves_are_one_block(self):
        def application(environ, start_response):
            start_response('200 OK', [])
            return body

        for body in (b'12345', bytearray(b'12345'), b''):
            with self.subTest(body), FakeServer(application) as server:
                for _ in range(2):
                    frame = server.ask()[0]
                    self.assertEqual((frame.kind, frame.body), (COMPLETE, body))
                self.assertEqual(len(server.log), 1)
                self.assertIn('returned bytes', server.log[0])

    def test_hop_by_hop_fields_are_left_out_and_logged_once_for_each_place(self):
        def application(environ, start_response):
            environ['wsgi.early_hints']([('TE', 'x'), ('Link', '</a>')])
            if environ['PATH_INFO'] == '/a':
                start_response('200 OK', [('X-A', 'b'), ('Connection', 'close'), ('upgrade', 'x'), ('X-C', 'd')])
            else:
                start_response('200 OK', [('connection', 'close')])
            return [b'12345']

        with FakeServer(application) as server:
            for path, lines in (('/a', 'X-A: b\r\nX-C: d\r\n'), ('/a', 'X-A: b\r\nX-C: d\r\n'), ('/b', '')):
                hints, response = server.ask({'PATH_INFO': path})
                self.assertEqual((hints.lines, response.lines), ('Link: </a>\r\n', lines))
        self.assertEqual(
            [line.partition(' (')[0] for line in server.log],
            [
                f'the {what}, which belongs to the server: it is left out'
                for what in (
                    'early hints have the field TE',
                    'application sent the field Connection',
                    'application sent the field connection',
                )
            ],
        )
        self.assertRegex(server.log[0], r'\(.*test_call\.py:\d+\)')

    def test_the_log_has_a_bounded_number_of_notices(self):
        def application(environ, start_response):
            start_response('200 OK', [(environ['NAME'], 'x')])
            return []

        names = [''.join(c.upper() if n >> i & 1 else c for i, c in enumerate('connection')) for n in range(300)]
        with FakeServer(application) as server:
            for name in names:
                self.assertEqual(server.ask({'NAME': name})[0].kind, COMPLETE)
        self.assertEqual(len(server.log), 100)

    def test_other_errors_in_the_headers_still_count(self):
        for header in (('X-A', 'b\nc'), ('X-A', 1), 'X-A'):

            def application(environ, start_response, header=header):
                start_response('200 OK', [('Connection', 'close'), header])

            with self.subTest(header), FakeServer(application) as server:
                self.assertEqual(kinds(server.ask()), [FAILED])


class Close(unittest.TestCase):
    """`close()` of what the application returned is called once on every path."""

    class Blocks:
        def __init__(self, *blocks, fails=False):
            self.blocks = blocks
            self.fails = fails
            self.closed = 0

        def __iter__(self):
            yield from self.blocks
            if self.fails:
                raise LookupError

        def close(self):
            self.closed += 1

    def check(self, blocks, environ=None, starts=True):
        def application(_, start_response):
            if starts:
                start_response('200 OK', [])
            return blocks

        with FakeServer(application) as server:
            server.ask(environ)
        self.assertEqual(blocks.closed, 1)

    def test_when_the_iteration_ends(self):
        self.check(self.Blocks(b'one', b'two'))
        self.check(self.Blocks())

    def test_when_the_iteration_fails(self):
        self.check(self.Blocks(fails=True))
        self.check(self.Blocks(b'one', fails=True))

    def test_when_the_method_is_head(self):
        self.check(self.Blocks(b'one', b'two'), {'REQUEST_METHOD': 'HEAD'})

    def test_when_start_response_was_not_called(self):
        self.check(self.Blocks(b'one'), starts=False)

    def test_when_it_fails_itself(self):
        blocks = self.Blocks(b'one')

        def close():
            blocks.closed += 1
            raise LookupError('in close')

        blocks.close = close
        self.check(blocks)

    def test_is_asked_for_once_when_its_property_raises(self):
        class Blocks:
            asked = 0

            def __iter__(self):
                return iter([b'x'])

            @property
            def close(self):
                Blocks.asked += 1
                raise SystemExit('no close')

        def application(environ, start_response):
            start_response('200 OK', [])
            return Blocks()

        with FakeServer(application) as server:
            self.assertEqual(kinds(server.ask())[-1], COMPLETE)
            self.assertEqual(kinds(server.ask())[-1], COMPLETE)  # the lane goes on
            self.assertEqual(Blocks.asked, 2)
            self.assertIn('SystemExit: no close', server.log[0])

    def test_when_the_client_has_left(self):
        made = []
        closed = threading.Event()

        class Endless:
            def __iter__(self):
                return self

            def __next__(self):
                made.append(1)
                return b'x' * 1000

            def close(self):
                closed.set()

        def application(environ, start_response):
            start_response('200 OK', [])
            return Endless()

        with FakeServer(application) as server:
            server.send((7, {}, None))
            server.frame()
            server.lane.leave(7)
            while server.frame().kind != END:
                pass
            self.assertTrue(closed.wait(20))


class Write(unittest.TestCase):
    """An application that writes in a loop ends when nobody reads, and is not blamed."""

    def ends(self, application, environ=None, leave_after=None):
        """Run `application`, whose client leaves after `leave_after` frames. Return the frames."""
        ended = threading.Event()

        def recorded(environ, start_response):
            try:
                return application(environ, start_response)
            finally:
                ended.set()

        frames = []
        with FakeServer(recorded) as server:
            server.send((7, environ or {}, None))
            if leave_after == 0:
                server.lane.leave(7)
            while not frames or frames[-1].kind not in (COMPLETE, END, ABORT, FAILED):
                frames.append(server.frame())
                if len(frames) == leave_after:
                    server.lane.leave(7)
            self.assertTrue(ended.wait(20))
        self.assertEqual(server.log, [])
        return frames

    def test_ends_when_the_client_has_left(self):
        for block, headers in ((b'x', []), (b'x', [('Content-Length', '1000000000')]), (b'x' * 100_000, [])):

            def application(environ, start_response, block=block, headers=headers):
                write = start_response('200 OK', headers)
                while True:
                    write(block)

            self.assertEqual(self.ends(application, leave_after=3)[-1].kind, END)

    def test_ends_when_the_client_has_left_before_the_first_block(self):
        for headers in ([], [('Content-Length', '5')]):

            def application(environ, start_response, headers=headers):
                write = start_response('200 OK', headers)
                while True:
                    write(b'')

            frames = self.ends(application, leave_after=0)
            self.assertEqual([(frame.kind, frame.status, frame.length) for frame in frames], [(COMPLETE, 499, -1)])

    def test_ends_in_the_middle_of_an_iteration(self):
        def application(environ, start_response):
            write = start_response('200 OK', [])

            def blocks():
                while True:
                    write(b'x')
                    yield b''

            return blocks()

        self.assertEqual(self.ends(application, leave_after=3)[-1].kind, END)

    def test_ends_when_the_response_has_no_content(self):
        def application(environ, start_response):
            write = start_response(environ.get('status', '200 OK'), [])
            while True:
                write(b'x')

        self.assertEqual(kinds(self.ends(application, {'REQUEST_METHOD': 'HEAD'})), [COMPLETE])
        self.assertEqual(kinds(self.ends(application, {'status': '204 No Content'})), [COMPLETE])

    def test_drops_some_blocks_of_a_response_without_content(self):
        made = []

        def application(environ, start_response):
            write = start_response('200 OK', [])
            for _ in range(50):
                write(b'x')
            made.append('all')
            return []

        self.assertEqual(kinds(self.ends(application, {'REQUEST_METHOD': 'HEAD'})), [COMPLETE])
        self.assertEqual(made, ['all'])

    def test_raises_an_error_of_the_connection(self):
        raised = []

        def application(environ, start_response):
            write = start_response('200 OK', [])
            try:
                while True:
                    write(b'x')
            except ConnectionError as error:
                raised.append(str(error))
                raise

        self.ends(application, leave_after=2)
        self.assertEqual(raised, ['the client has left'])


class Log(unittest.TestCase):
    def test_does_not_blame_the_application_when_the_client_left_before_the_declared_length(self):
        left = threading.Event()

        def application(environ, start_response):
            start_response('200 OK', [('Content-Length', '100')])
            yield b'one'
            left.wait(20)
            yield b'two'
            yield b'three'

        with FakeServer(application) as server:
            server.send((7, {}, None))
            self.assertEqual(server.frame().kind, HEAD)
            server.lane.leave(7)
            left.set()
            while server.frame().kind != END:
                pass
        self.assertEqual(server.log, [])


class Input(unittest.TestCase):
    def read(self, body):
        def application(environ, start_response):
            start_response('200 OK', [])
            stream = environ['wsgi.input']
            return [stream.readline(), stream.read(2), stream.read(), stream.read()]

        with FakeServer(application) as server:
            return server.ask({'REQUEST_METHOD': 'POST'}, body)[0].body

    def test_is_what_came_with_the_request(self):
        self.assertEqual(self.read(b'a line\nand more'), b'a line\nand more')
        self.assertEqual(self.read(None), b'')

    def test_is_the_spool_file_when_there_is_one(self):
        with tempfile.NamedTemporaryFile() as file:
            file.write(b'a line\nand more')
            file.flush()
            self.assertEqual(self.read(file.name), b'a line\nand more')


if __name__ == '__main__':
    unittest.main()
