"""*A request is never started twice, and none is lost*, on the worker's side."""

import marshal
import os
import struct
import tempfile
import threading
import unittest

from fake_server import COMPLETE, RECALLED, FakeServer
from viaduct_worker import scoreboard


class Gate:
    """An application that records what it starts. `/hold` waits until `release`."""

    def __init__(self):
        self.started = []
        self.running = threading.Event()
        self.release = threading.Event()

    def __call__(self, environ, start_response):
        path = environ['PATH_INFO']
        self.started.append(path)
        if path == '/hold':
            self.running.set()
            self.release.wait(20)
        start_response('200 OK', [])
        return [path.encode()]


def request(number, path='/'):
    return number, {'PATH_INFO': path}, None


def recalled(frame):
    return list(struct.unpack(f'<{len(frame.body) // 4}I', frame.body))


class Recall(unittest.TestCase):
    def setUp(self):
        self.gate = Gate()
        self.server = FakeServer(self.gate)

    def tearDown(self):
        self.gate.release.set()
        self.server.close()

    def test_gives_up_what_has_not_started_in_order(self):
        self.server.send(request(1, '/hold'), request(2, '/b'), request(3, '/c'))
        self.gate.running.wait(20)
        self.server.send(request(4, '/d'))
        self.server.lane.recall()
        frame = self.server.frame()
        self.assertEqual((frame.kind, recalled(frame)), (RECALLED, [2, 3, 4]))
        self.gate.release.set()
        self.assertEqual(self.server.frame().request, 1)
        self.assertEqual(self.gate.started, ['/hold'])

    def test_sends_what_was_done_before_the_slow_one(self):
        self.server.send(request(1, '/a'), request(2, '/b'), request(3, '/hold'), request(4, '/d'))
        self.gate.running.wait(20)
        self.server.lane.recall()
        frames = [self.server.frame() for _ in range(3)]
        self.assertEqual(
            [(frame.request, frame.kind) for frame in frames], [(1, COMPLETE), (2, COMPLETE), (0, RECALLED)]
        )
        self.assertEqual(recalled(frames[2]), [4])

    def test_gives_up_nothing_when_nothing_waits(self):
        self.server.send(request(1, '/hold'))
        self.gate.running.wait(20)
        self.server.lane.recall()
        self.assertEqual(recalled(self.server.frame()), [])
        self.gate.release.set()
        self.assertEqual(self.server.frame().body, b'/hold')

    def test_reads_part_of_a_batch_that_is_not_complete_yet(self):
        self.server.send(request(1, '/hold'))
        self.gate.running.wait(20)
        batch = marshal.dumps([(2, 0, 0, None, {'REQUEST_METHOD': 'GET', 'PATH_INFO': '/b'}, None)], 2)
        data = struct.pack('<I', len(batch)) + batch
        self.server.socket.sendall(data[:10])
        self.server.lane.recall()
        self.assertEqual(recalled(self.server.frame()), [])
        self.server.socket.sendall(data[10:])
        self.gate.release.set()
        self.assertEqual([self.server.frame().request, self.server.frame().request], [1, 2])

    def test_never_gives_up_what_has_started(self):
        """The thread that takes from the left meets the thread that takes from the right many times."""
        given_up, answered, rounds = set(), set(), 60
        for number in range(rounds):
            self.server.send(*(request(number * 50 + index + 1, f'/{number * 50 + index + 1}') for index in range(50)))
            self.server.lane.recall()
        while len(given_up) + len(answered) < rounds * 50:
            frame = self.server.frame()
            if frame.kind == RECALLED:
                given_up.update(recalled(frame))
            else:
                answered.add(frame.request)
        self.assertEqual(given_up & answered, set())
        self.assertEqual(sorted(int(path[1:]) for path in self.gate.started), sorted(answered))


class ScoreboardFile(unittest.TestCase):
    def test_is_new_and_follows_no_link(self):
        with tempfile.TemporaryDirectory() as directory:
            other = os.path.join(directory, 'other')
            link = os.path.join(directory, 'link')
            with open(other, 'w') as file:
                file.write('kept')
            os.symlink(other, link)
            for path in (other, link):
                self.assertRaises(FileExistsError, scoreboard.Scoreboard, path, 1)
            with open(other) as file:
                self.assertEqual(file.read(), 'kept')


class Scoreboard(unittest.TestCase):
    def test_names_the_request_before_it_starts(self):
        seen = []

        def application(environ, start_response):
            seen.append(server.started())
            start_response('200 OK', [])
            return []

        with FakeServer(application) as server:
            server.send(request(5), request(6), request(7))
            for _ in range(3):
                server.frame()
        self.assertEqual(seen, [5, 6, 7])

    def test_holds_what_is_finished_while_it_waits_for_others(self):
        gate = Gate()
        with FakeServer(gate) as server:
            server.send(request(1, '/a'), request(2, '/b'), request(3, '/hold'))
            gate.running.wait(20)
            self.assertEqual([(frame.request, frame.body) for frame in server.copies()], [(1, b'/a'), (2, b'/b')])
            gate.release.set()
            self.assertEqual([server.frame().request for _ in range(3)], [1, 2, 3])

    def test_forgets_what_has_left(self):
        gate = Gate()
        with FakeServer(gate) as server:
            server.send(request(1, '/a'), request(2, '/b'))
            server.frame(), server.frame()
            server.send(request(3, '/c'), request(4, '/hold'))
            gate.running.wait(20)
            self.assertEqual([frame.request for frame in server.copies()], [3])
            gate.release.set()

    def test_never_holds_more_than_there_is_room_for(self):
        """A response without room for its copy has left. So each response is in the socket or among the copies."""
        body, count = b'x' * 30_000, 20

        def application(environ, start_response):
            start_response('200 OK', [])
            if environ['PATH_INFO'] == '/hold':
                return gate(environ, lambda *_: None)
            return [body]

        gate = Gate()
        with FakeServer(application) as server:
            server.send(*(request(number) for number in range(1, count + 1)), request(99, '/hold'))
            frames = []
            reader = threading.Thread(target=lambda: frames.extend(server.frame() for _ in range(count + 1)))
            reader.start()
            gate.running.wait(20)
            copies = [frame.request for frame in server.copies()]
            gate.release.set()
            reader.join(20)
        self.assertEqual([frame.request for frame in frames], [*range(1, count + 1), 99])
        self.assertEqual(copies, list(range(count + 1 - len(copies), count + 1)))
        self.assertLess(len(copies), 10)

    def test_sends_a_large_response_at_once_without_a_copy(self):
        def application(environ, start_response):
            if environ['PATH_INFO'] == '/hold':
                return gate(environ, start_response)
            start_response('200 OK', [])
            return [b'x' * 50_000]

        gate = Gate()
        with FakeServer(application) as server:
            server.send(request(1, '/large'), request(2, '/hold'))
            self.assertEqual(len(server.frame().body), 50_000)
            gate.running.wait(20)
            self.assertEqual(server.copies(), [])
            gate.release.set()

    def test_sends_a_response_whose_headers_have_no_room_without_a_copy(self):
        value = 'x' * scoreboard.COPIES_BYTES

        def application(environ, start_response):
            if environ['PATH_INFO'] == '/hold':
                return gate(environ, start_response)
            start_response('200 OK', [('X-Long', value)])
            return [b'short']

        gate = Gate()
        with FakeServer(application) as server:
            server.send(request(1, '/long'), request(2, '/hold'))
            frame = server.frame()
            self.assertEqual((frame.kind, frame.lines, frame.body), (COMPLETE, f'X-Long: {value}\r\n', b'short'))
            gate.running.wait(20)
            self.assertEqual(server.copies(), [])
            gate.release.set()
            self.assertEqual(server.log, [])


class Sections(unittest.TestCase):
    def test_are_kept_for_requests_that_come_without_one(self):
        items = [
            (7, {'HTTP_COOKIE': 'seven'}, '/a'),
            (8, {'HTTP_COOKIE': 'eight'}, '/b'),
            (7, None, '/c'),
            (8, None, '/d'),
            (7, {'HTTP_COOKIE': 'seven'}, '/e'),
            (7, None, '/f'),
        ]
        self.assertEqual(self.answers(items), [b'seven/a', b'eight/b', b'seven/c', b'eight/d', b'seven/e', b'seven/f'])

    def test_replace_the_one_that_was_in_their_slot(self):
        items = [(1, {'HTTP_COOKIE': 'first'}, '/a'), (1, {'HTTP_COOKIE': 'second'}, '/b'), (1, None, '/c')]
        self.assertEqual(self.answers(items), [b'first/a', b'second/b', b'second/c'])

    def answers(self, items):
        batch = [
            (request_id, 0, slot, section, {'REQUEST_METHOD': 'GET', 'PATH_INFO': path}, None)
            for request_id, (slot, section, path) in enumerate(items, 1)
        ]
        data = marshal.dumps(batch, 2)
        with FakeServer(cookies) as server:
            server.socket.sendall(struct.pack('<I', len(data)) + data)
            return [server.frame().body for _ in items]


def cookies(environ, start_response):
    """Answers with cookie and path, and changes its environ."""
    start_response('200 OK', [])
    seen = environ['HTTP_COOKIE'] + environ['PATH_INFO'] + environ.get('left', '')
    environ['HTTP_COOKIE'] = environ['left'] = 'changed'
    return [seen.encode()]


class Batches(unittest.TestCase):
    def test_arrive_in_any_pieces(self):
        gate = Gate()
        batch = marshal.dumps(
            [(n, 0, 0, None, {'REQUEST_METHOD': 'GET', 'PATH_INFO': f'/{n}'}, b'x' * 100_000) for n in range(1, 6)], 2
        )
        data = (struct.pack('<I', len(batch)) + batch) * 2
        with FakeServer(gate) as server:
            for start, end in ((0, 1), (1, 3), (3, 70_000), (70_000, 600_000), (600_000, len(data))):
                server.socket.sendall(data[start:end])
            self.assertEqual([server.frame().request for _ in range(10)], [1, 2, 3, 4, 5] * 2)

    def test_leave_nothing_of_one_request_to_the_next(self):
        def application(environ, start_response):
            start_response('200 OK', [])
            body = str(environ.get('left')).encode()
            environ['left'] = 'behind'
            return [body]

        with FakeServer(application) as server:
            server.send(request(1), request(2))
            self.assertEqual([server.frame().body, server.frame().body], [b'None', b'None'])

    def test_end_the_thread_when_the_server_closes_the_lane(self):
        server = FakeServer(Gate())
        server.close()
        self.assertFalse(server.thread.is_alive())


if __name__ == '__main__':
    unittest.main()
