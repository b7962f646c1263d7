"""A request that takes too long gets an exception, and no other request notices it."""

import marshal
import os
import random
import struct
import sys
import tempfile
import threading
import time
import unittest
import warnings
from functools import partial
from importlib import import_module
from io import FileIO
from types import SimpleNamespace
from unittest import mock

from fake_server import BLOCK, COMPLETE, END, FAILED, HEAD, INTERRUPTED, LAST, TRACE, FakeServer
from traces import recording_of
from viaduct_worker import interrupt
from viaduct_worker.gather import Flusher
from viaduct_worker.interrupt import RequestTimeout
from viaduct_worker.lane import Lane

PATIENCE_SECONDS = 20
STEPS = 600
BLOCKS = 10
SEED = int(os.environ.get('VIADUCT_TEST_SEED', random.randrange(1 << 30)))


class Application:
    """`/loop` computes until something ends it, `/quick` answers at once, `/stream` yields one block and computes."""

    def __init__(self):
        self.running = threading.Event()
        self.ended = []
        self.closed = 0

    def __call__(self, environ, start_response):
        path = environ['PATH_INFO']
        if path == '/quick':
            start_response('200 OK', [])
            return [environ['QUERY_STRING'].encode()]
        if path == '/stream':
            start_response('200 OK', [])
            return Blocks(self)
        try:
            self.running.set()
            self.compute()
        except BaseException as error:
            self.ended.append(type(error))
            if path == '/answers':
                start_response('200 OK', [])
                return [b'late']
            if path == '/other':
                raise ValueError('no time') from error
            raise
        raise AssertionError('nobody interrupted it')

    def compute(self):
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            pass


class Blocks:
    def __init__(self, application):
        self.application = application
        self.count = 0

    def __iter__(self):
        return self

    def __next__(self):
        self.count += 1
        if self.count == 1:
            return b'first'
        self.application.running.set()
        self.application.compute()
        raise StopIteration

    def close(self):
        self.application.closed += 1


def request(number, path, query=''):
    return number, {'PATH_INFO': path, 'QUERY_STRING': query}, None


class Interrupting(unittest.TestCase):
    def setUp(self):
        self.application = Application()
        self.server = FakeServer(self.application)
        self.addCleanup(self.server.close)

    def frames_until(self, kind):
        frames = [self.server.frame()]
        while frames[-1].kind != kind:
            frames.append(self.server.frame())
        return [(frame.request, frame.kind) for frame in frames]

    def interrupt(self, number):
        self.application.running.wait(PATIENCE_SECONDS)
        return self.server.lane.interrupt(number)

    def test_ends_a_computation_and_reports_where_it_was(self):
        self.server.send(request(1, '/loop'), request(2, '/quick', 'next'))
        stack, raised = self.interrupt(1)
        self.assertTrue(raised)
        self.assertIn('in compute', stack)
        self.assertNotIn('lane.py', stack)
        self.assertEqual(self.frames_until(COMPLETE), [(1, INTERRUPTED), (2, COMPLETE)])
        self.assertEqual(self.application.ended, [RequestTimeout])
        self.assertEqual(self.server.log, [])

    def test_an_application_that_answers_nevertheless_has_ended(self):
        self.server.send(request(1, '/answers'))
        self.interrupt(1)
        self.assertEqual(self.frames_until(INTERRUPTED), [(1, COMPLETE), (1, INTERRUPTED)])

    def test_another_exception_is_reported(self):
        self.server.send(request(1, '/other'))
        self.interrupt(1)
        self.assertEqual(self.frames_until(INTERRUPTED), [(1, FAILED), (1, INTERRUPTED)])

    def test_ends_a_response_that_has_started_and_closes_it(self):
        self.server.send(request(1, '/stream'))
        self.interrupt(1)
        self.assertEqual(self.frames_until(INTERRUPTED), [(1, HEAD), (1, INTERRUPTED)])
        self.assertEqual(self.application.closed, 1)

    def test_leaves_a_request_alone_that_has_ended_or_not_started(self):
        self.server.send(request(1, '/quick'))
        self.assertEqual(self.server.frame().kind, COMPLETE)
        for number in (1, 2):
            self.assertFalse(self.server.lane.interrupt(number)[1])
        self.server.send(request(3, '/quick', 'third'))
        self.assertEqual(self.server.frame().body, b'third')

    def test_a_thread_that_is_sending_is_left_alone(self):
        with self.server.lane.sending:
            self.assertFalse(self.server.lane.interrupt(1)[1])


class Noted:
    """Notes on the scoreboard, and interrupts the second request in the same moment."""

    def __init__(self, lane):
        self.lane = lane
        self.slot = lane.noted

    def __getitem__(self, index):
        return self.slot[index]

    def __setitem__(self, index, value):
        self.slot[index] = value
        if index == 0 and value == 2:
            in_another_thread(partial(self.lane.interrupt, 2))


class AtACertainMoment(unittest.TestCase):
    def test_a_request_that_starts_leaves_its_section_to_the_next_one_of_its_connection(self):
        def application(environ, start_response):
            start_response('200 OK', [])
            return [environ['HTTP_COOKIE'].encode()]

        sections = [{'HTTP_COOKIE': 'first'}, {'HTTP_COOKIE': 'second'}, None]
        batch = [(number, 0, 1, section, {'REQUEST_METHOD': 'GET'}, None) for number, section in enumerate(sections, 1)]
        data = marshal.dumps(batch, 2)
        with FakeServer(application) as server:
            server.lane.noted = Noted(server.lane)
            server.socket.sendall(struct.pack('<I', len(data)) + data)
            frames = [server.frame() for _ in sections]
        self.assertEqual(
            [(frame.kind, frame.body) for frame in frames],
            [(COMPLETE, b'first'), (INTERRUPTED, b''), (COMPLETE, b'second')],
        )

    def test_a_file_that_was_just_opened_for_the_server_is_closed(self):
        opened = []

        class Interrupted(FileIO):
            def __init__(self, path):
                super().__init__(path)
                opened.append(self.fileno())
                in_another_thread(partial(server.lane.interrupt, 1))

        def application(environ, start_response):
            start_response('200 OK', [])
            return environ['wsgi.file_wrapper'](file)

        patch = mock.patch('viaduct_worker.call.FileIO', Interrupted)
        quiet = warnings.catch_warnings()
        with quiet, tempfile.TemporaryFile() as file, FakeServer(application, hands_over=True) as server, patch:
            warnings.simplefilter('ignore', ResourceWarning)  # that the file closes itself
            self.assertEqual([frame.kind for frame in server.ask()], [INTERRUPTED])
        self.assertEqual(len(opened), 1)
        self.assertRaises(OSError, os.fstat, opened[0])

    def test_the_thread_that_sends_for_all_lanes_starts_undisturbed(self):
        raised = []

        def start(run):
            in_another_thread(lambda: raised.append(server.lane.interrupt(1)[1]))
            threading.Thread(target=run, daemon=True).start()

        def application(environ, start_response):
            start_response('200 OK', [])
            return (b'x' for _ in range(BLOCKS))

        with FakeServer(application, flusher=Flusher(start)) as server:
            frames = server.ask()
        self.assertEqual(raised, [False])
        self.assertEqual(b''.join(frame.body for frame in frames), b'x' * BLOCKS)

    def test_the_code_of_traces_is_imported_undisturbed(self):
        raised = []

        def import_recorder(lane):
            in_another_thread(lambda: raised.append(lane.interrupt(1)[1]))
            imported(lane)

        imported = Lane.import_recorder
        with FakeServer(spinning) as server, mock.patch.object(Lane, 'import_recorder', import_recorder):
            frames, _ = server.trace({'number': '7', 'way': 'list', 'spins': 0})
        self.assertEqual(raised, [False])
        self.assertEqual([frame.kind for frame in frames], [COMPLETE])

    def test_a_step_of_the_import_system_is_waited_for(self):
        self.addCleanup(delattr, sys, 'importing')
        sys.importing = importing = SimpleNamespace(started=threading.Event(), ends=threading.Event())
        name = 'imported_by_two_threads'
        with tempfile.TemporaryDirectory() as directory, mock.patch.object(sys, 'path', [directory, *sys.path]):
            with open(os.path.join(directory, f'{name}.py'), 'w', encoding='utf-8') as file:
                file.write('import sys\nsys.importing.started.set()\nsys.importing.ends.wait(60)\n')
            first, second = (threading.Thread(target=import_module, args=(name,)) for _ in range(2))
            first.start()
            importing.started.wait(PATIENCE_SECONDS)
            second.start()
            while sys._current_frames()[second.ident].f_code.co_filename != interrupt.IMPORT_SYSTEM:
                time.sleep(0.001)
            interrupt.wait_for_import(second.ident)  # not for ever
            with mock.patch.object(interrupt, 'IMPORT_SECONDS', 60):
                waiting = threading.Thread(target=interrupt.wait_for_import, args=(second.ident,))
                waiting.start()
                waiting.join(0.1)
                self.assertTrue(waiting.is_alive())
                importing.ends.set()
                for thread in (first, second, waiting):
                    thread.join(PATIENCE_SECONDS)
                    self.assertFalse(thread.is_alive())


def in_another_thread(function):
    thread = threading.Thread(target=function)
    thread.start()
    thread.join(PATIENCE_SECONDS)


def spinning(environ, start_response):
    """Computes for a while, and answers with a list or a generator."""
    for _ in range(environ['spins']):
        pass
    number = environ['number']
    start_response('200 OK', [('X-Number', number)])
    if environ['way'] == 'list':
        return [number.encode() * BLOCKS]
    return (number.encode() for _ in range(BLOCKS))


class AtAnyMoment(unittest.TestCase):
    """Interrupts requests while they start, run, send and end."""

    def setUp(self):
        before = sys.getswitchinterval()
        self.addCleanup(sys.setswitchinterval, before)
        sys.setswitchinterval(1e-6)
        self.chance = random.Random(SEED)

    def test_every_request_ends_once_and_only_the_interrupted_ones_suffer(self):
        interrupted = 0
        with FakeServer(spinning) as server:
            for number in range(1, STEPS):
                spins, way = self.chance.randrange(20_000), self.chance.choice(['list', 'stream'])
                batch = [
                    (one, {'number': f'<{one}>', 'way': way, 'spins': spins}, None) for one in (number, number + STEPS)
                ]
                server.send(*batch)
                while server.started() not in (number, number + STEPS):
                    pass
                for _ in range(self.chance.randrange(300)):
                    pass
                raised = server.lane.interrupt(number)[1]
                interrupted += raised
                self.check(server, number, raised)
                self.check(server, number + STEPS, False)
        self.assertGreater(interrupted, 0, f'seed {SEED}')

    def test_the_same_is_true_of_traced_requests(self):
        interrupted = 0
        with FakeServer(spinning) as server:
            for number in range(1, STEPS):
                spins, way = self.chance.randrange(20_000), self.chance.choice(['list', 'stream'])
                follower = number + STEPS
                batch = [(one, {'number': f'<{one}>', 'way': way, 'spins': spins}, None) for one in (number, follower)]
                server.send(*batch, trace='full')
                while server.started() not in (number, follower):
                    pass
                for _ in range(self.chance.randrange(600)):
                    pass
                raised = server.lane.interrupt(number)[1]
                interrupted += raised
                frames = [server.frame()]
                while (frames[-1].request, frames[-1].kind) != (follower, TRACE):
                    frames.append(server.frame())
                of_first = [frame for frame in frames if frame.request == number]
                told = f'seed {SEED}, {[(frame.request, frame.kind) for frame in frames]}'
                self.assertEqual(frames, of_first + [frame for frame in frames if frame.request == follower], told)
                traces = [frame for frame in of_first if frame.kind == TRACE]
                self.assertLessEqual(len(traces), 1, told)
                if not raised:
                    self.assertEqual(of_first[-1].kind, TRACE, told)
                for frame in (*traces, frames[-1]):
                    self.assertEqual(recording_of(frame.body)['notes'], [], told)
                answers = iter([frame for frame in frames if frame.kind != TRACE])
                rest = SimpleNamespace(frame=lambda answers=answers: next(answers))
                self.check(rest, number, raised)
                self.check(rest, follower, False)
        self.assertGreater(interrupted, 0, f'seed {SEED}')

    def check(self, server, number, raised):
        frames = []
        while not frames or frames[-1].kind not in LAST or (raised and frames[-1].kind != INTERRUPTED):
            frames.append(server.frame())
        told = f'seed {SEED}, {[(frame.request, frame.kind) for frame in frames]}'
        self.assertEqual({frame.request for frame in frames}, {number}, told)
        body = b''.join(frame.body for frame in frames if frame.kind in (COMPLETE, HEAD, BLOCK))
        whole = b'<%d>' % number * BLOCKS
        if raised:
            self.assertTrue(whole.startswith(body), told)
            self.assertEqual([frame.kind for frame in frames].count(INTERRUPTED), 1, told)
        else:
            self.assertEqual(body, whole, told)
            self.assertIn(frames[-1].kind, (COMPLETE, END), told)


if __name__ == '__main__':
    unittest.main()
