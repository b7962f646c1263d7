"""Small blocks leave together, in order, and never wait for the application."""

import threading
import unittest

from fake_server import ABORT, BLOCK, END, HEAD, FakeServer, start_daemon
from viaduct_worker.gather import GATHERED_BYTES, QUICK_BLOCKS, Flusher

MANY = [b'%d' % number for number in range(30)]
NOTHING = Flusher(lambda _run: None)
"""A flusher whose thread never runs: it shows what the lane's own thread does."""


def streams(blocks):
    """An application that sends `blocks`, each of which may be a function that makes it."""

    def application(_environ, start_response):
        start_response('200 OK', [])
        return (block() if callable(block) else block for block in blocks)

    return application


def kinds(frames):
    return [frame.kind for frame in frames]


class Together(unittest.TestCase):
    def ask(self, application, flusher=None):
        with FakeServer(application, flusher=flusher) as server:
            return server.ask()

    def test_blocks_made_quickly_are_few_frames_with_the_same_bytes(self):
        blocks = [b'%06d' % number for number in range(20_000)]
        frames = self.ask(streams(blocks))
        self.assertEqual(b''.join(frame.body for frame in frames), b''.join(blocks))
        self.assertLess(len(frames), 1000)

    def test_the_first_blocks_leave_alone(self):
        letters = [bytes([letter]) for letter in b'abcdefgh']
        frames = self.ask(streams(letters), NOTHING)
        self.assertEqual([frame.body for frame in frames[: QUICK_BLOCKS + 1]], letters[: QUICK_BLOCKS + 1])
        self.assertEqual(b''.join(frame.body for frame in frames), b'abcdefgh')

    def test_nothing_waits_when_no_thread_can_start(self):
        def refuse(_run):
            raise RuntimeError("can't start new thread")

        blocks = [b'%d' % number for number in range(20)]
        frames = self.ask(streams(blocks), Flusher(refuse))
        self.assertEqual([frame.body for frame in frames], [*blocks, b''])
        self.assertEqual(frames[-1].kind, END)

    def test_frames_are_limited(self):
        block = b'x' * 10_000
        frames = self.ask(streams([block] * 100))
        self.assertLess(max(len(frame.body) for frame in frames), GATHERED_BYTES + len(block))
        self.assertEqual(sum(len(frame.body) for frame in frames), 1_000_000)

    def test_a_large_block_follows_what_waits(self):
        large = b'l' * (GATHERED_BYTES + 1)
        quick = [b'%d' % number for number in range(9)]
        frames = self.ask(streams([*quick, large, b'd']), NOTHING)
        self.assertEqual(b''.join(frame.body for frame in frames), b'012345678' + large + b'd')
        self.assertIn(large, [frame.body for frame in frames])

    def test_what_waits_leaves_before_the_end(self):
        def fails():
            raise ValueError('late')

        for last, kind in ((b'd', END), (fails, ABORT)):
            frames = self.ask(streams([b'a', b'b', b'c', *[b'x'] * 9, last]), NOTHING)
            self.assertEqual(frames[-1].kind, kind)
            sent = b''.join(frame.body for frame in frames if frame.kind in (HEAD, BLOCK))
            self.assertEqual(sent, b'abcxxxxxxxxx' + (b'd' if kind == END else b''))

    def test_write_gathers_too(self):
        def application(_environ, start_response):
            write = start_response('200 OK', [])
            for letter in b'abcd':
                write(bytes([letter]))
            return [b'e']

        frames = self.ask(application, NOTHING)
        self.assertEqual(b''.join(frame.body for frame in frames), b'abcde')
        self.assertEqual(frames[-1].kind, END)


class InTime(unittest.TestCase):
    def test_what_waits_leaves_while_the_application_does_not_come_back(self):
        go_on = threading.Event()

        def slow():
            go_on.wait(20)
            return b'last'

        with FakeServer(streams([*MANY, slow])) as server:
            server.send((1, {}, None))
            arrived = b''
            while arrived != b''.join(MANY):
                arrived += server.frame().body
                self.assertTrue(b''.join(MANY).startswith(arrived))
            go_on.set()
            frames = [server.frame(), server.frame()]
            self.assertEqual(b''.join(frame.body for frame in frames), b'last')
            self.assertEqual(kinds(frames)[-1], END)

    def test_a_lane_whose_server_does_not_read_delays_no_other(self):
        flusher = Flusher(start_daemon)
        full, go_on = threading.Event(), threading.Event()

        def endless(_environ, start_response):
            write = start_response('200 OK', [])
            write(b'x' * 100_000)
            for _ in MANY:
                write(b'y')
            full.set()
            while not go_on.is_set():
                write(b'x' * 100_000)
            return []

        def slow():
            full.wait(20)
            go_on.wait(20)
            return b'd'

        with (
            FakeServer(endless, flusher=flusher) as stuck,
            FakeServer(streams([*MANY, slow]), flusher=flusher) as other,
        ):
            stuck.send((1, {}, None))
            full.wait(20)
            other.send((1, {}, None))
            arrived = b''
            while arrived != b''.join(MANY):
                arrived += other.frame().body
            go_on.set()
            while stuck.frame().kind != END:
                pass


if __name__ == '__main__':
    unittest.main()
