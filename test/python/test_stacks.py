"""Where threads are: their names, their lanes, and stacks without the calls that lead to the application."""

import sys
import threading
import time
import unittest
from _thread import get_ident, start_new_thread
from types import SimpleNamespace
from unittest import mock

from viaduct_worker import stacks
from viaduct_worker.call import Call


class Stacks(unittest.TestCase):
    def setUp(self):
        self.release = threading.Event()
        self.addCleanup(self.release.set)

    def start(self, name):
        thread = threading.Thread(target=self.wait_here, name=name, daemon=True)
        thread.start()
        return thread

    def wait_here(self):
        self.release.wait()

    def of(self, name, lanes):
        return [found for found in stacks.thread_stacks(lanes) if found['name'] == name]

    def test_a_thread_of_the_application_has_its_whole_stack_and_no_lane(self):
        self.start('of the application')
        (found,) = self.of('of the application', {})
        self.assertIsNone(found['lane'])
        self.assertIn('in wait_here\n', found['stack'])
        self.assertIn('_bootstrap', found['stack'].splitlines()[0])

    def test_the_thread_of_a_lane_has_its_number(self):
        thread = self.start('of a lane')
        (found,) = self.of('of a lane', {thread.ident: 3})
        self.assertEqual(found['lane'], 3)

    def test_between_two_blocks_it_is_where_the_generator_goes_on(self):
        lock, yielded = threading.Lock(), threading.Event()
        lock.acquire()
        gone = type('Gone', (), {'__contains__': lock.acquire})()  # C code: it adds no frame to the stack

        def blocks():
            yielded.set()
            yield b''

        call = Call(SimpleNamespace(gone=gone, now=0, finish=lambda *_: None), 1, head_only=False)
        call.start_response('200 OK', [])
        thread = threading.Thread(target=call.stream, args=(blocks(),))
        thread.start()
        yielded.wait(20)
        while sys._current_frames()[thread.ident].f_code is not Call.stream.__code__:
            time.sleep(0.001)
        first, second = stacks.stack_of(thread.ident).splitlines()
        lock.release()
        thread.join()
        self.assertTrue(first.endswith('in blocks'))
        self.assertEqual(second.strip(), "yield b''")

    def test_a_stack_that_changes_while_it_is_read_is_left_out(self):
        self.start('changing')
        with mock.patch('traceback.extract_stack', side_effect=AttributeError('f_lineno')):
            (found,) = self.of('changing', {})
        self.assertEqual(found['stack'], '')

    def test_the_calling_thread_is_left_out(self):
        self.assertEqual(self.of(threading.current_thread().name, {}), [])

    def test_a_long_stack_loses_its_outermost_calls(self):
        self.start('deep')
        before = stacks.STACKS_MAX
        self.addCleanup(setattr, stacks, 'STACKS_MAX', before)
        stacks.STACKS_MAX = 200 * len(sys._current_frames())  # threads of other tests may still run
        (found,) = self.of('deep', {})
        self.assertLessEqual(len(found['stack']), 400)
        self.assertIn('in wait\n', found['stack'])

    def test_a_thread_that_threading_does_not_know_has_a_number(self):
        ready = threading.Event()
        numbers = []

        def run():
            numbers.append(get_ident())
            ready.set()
            self.release.wait()

        start_new_thread(run, ())
        self.assertTrue(ready.wait(10))
        (found,) = self.of(f'thread {numbers[0]}', {numbers[0]: 1})
        self.assertEqual(found['lane'], 1)


if __name__ == '__main__':
    unittest.main()
