"""What a request prints goes to the server's log."""

import io
import sys
import threading
import unittest

from viaduct_worker import capture


class FakeWorker:
    """Keeps what reaches the log. `running` says whether a request runs in the thread that asks."""

    def __init__(self) -> None:
        self.lanes: list[object] = []
        self.thread: int | None = None
        self.entries: list[tuple[str, str]] = []

    def runs_request(self) -> bool:
        return self.thread == threading.get_ident()

    def output(self, stream: str, text: str) -> None:
        self.entries.append((stream, text))


class FakeLane:
    def __init__(self, run) -> None:
        self.run = run


class CaptureTest(unittest.TestCase):
    def setUp(self) -> None:
        before = sys.stdout, sys.stderr
        self.addCleanup(lambda: (setattr(sys, 'stdout', before[0]), setattr(sys, 'stderr', before[1])))
        self.raw = io.BytesIO()
        sys.stdout = io.TextIOWrapper(self.raw, encoding='utf-8', write_through=True)
        sys.stderr = io.StringIO()
        self.error_stream = sys.stderr
        capture.install()
        self.worker = FakeWorker()
        self.addCleanup(capture._installed.clear)

    def serve(self, view) -> list[tuple[str, str]]:
        """Run `view` as a request. Return the new entries."""
        lane = FakeLane(view)
        self.worker.lanes = [lane]
        capture.attach(self.worker)
        self.worker.thread = threading.get_ident()
        del self.worker.entries[:]
        try:
            lane.run()
        finally:
            self.worker.thread = None
        return list(self.worker.entries)

    def test_lines_of_a_request_are_entries(self) -> None:
        def view() -> None:
            print('one', 2)
            print('a\nb')
            print()
            sys.stderr.writelines(['to ', 'stderr\n'])

        expected = [('stdout', 'one 2'), ('stdout', 'a\nb'), ('stderr', 'to stderr')]
        self.assertEqual(self.serve(view), expected)
        self.assertEqual(self.raw.getvalue(), b'')

    def test_the_start_of_a_line_is_written_by_flush_and_at_the_end_of_the_request(self) -> None:
        def view() -> None:
            print('a', end='')
            print('b')
            print('dot', end='', flush=True)
            print('last', end='')

        self.assertEqual(self.serve(view), [('stdout', 'ab'), ('stdout', 'dot'), ('stdout', 'last')])
        self.assertEqual(self.serve(lambda: print('next')), [('stdout', 'next')])

    def test_the_end_of_a_request_that_raises_loses_nothing(self) -> None:
        def view() -> None:
            print('before', end='')
            raise ValueError

        with self.assertRaises(ValueError):
            self.serve(view)
        self.assertEqual(self.worker.entries, [('stdout', 'before')])

    def test_a_long_line_is_written_in_parts(self) -> None:
        def view() -> None:
            for _ in range(30):
                sys.stdout.write('x' * 10_000)

        entries = self.serve(view)
        self.assertGreater(len(entries), 3)
        self.assertEqual(sum(len(text) for _, text in entries), 300_000)

    def test_everything_else_goes_to_the_real_stream(self) -> None:
        def view() -> None:
            thread = threading.Thread(target=lambda: print('thread'))
            thread.start()
            thread.join()
            sys.stdout.buffer.write(b'bytes\n')
            sys.stdout.flush()

        print('import')
        self.assertEqual(self.serve(view), [])
        print('idle', file=sys.stderr)
        self.assertEqual(self.raw.getvalue(), b'import\nthread\nbytes\n')
        self.assertEqual(self.error_stream.getvalue(), 'idle\n')

    def test_the_stream_has_all_attributes_and_errors_of_the_real_one(self) -> None:
        self.assertEqual((sys.stdout.encoding, sys.stdout.isatty(), sys.stdout.closed), ('utf-8', False, False))
        sys.stdout.reconfigure(errors='replace')
        self.assertEqual(sys.stdout.errors, 'replace')
        with self.assertRaises(AttributeError):
            _ = sys.stdout.nothing

        def view() -> None:
            with self.assertRaises(TypeError):
                sys.stdout.write(b'bytes')
            self.assertEqual(sys.stdout.write('four'), 4)

        self.assertEqual(self.serve(view), [('stdout', 'four')])
