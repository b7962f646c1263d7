"""A library that stops the time replaces the functions of `time` in all modules that have them."""

import subprocess
import sys
import unittest

STOPPED = """
import sys, time
from viaduct_worker import call, clock, gather, lane, worker
from viaduct_worker.tracing import request
functions = {id(function) for function in (time.time, time.time_ns, time.monotonic, time.monotonic_ns,
    time.perf_counter, time.perf_counter_ns)}
for name, module in sys.modules.items():
    if name.startswith('viaduct_worker'):
        for attribute, value in vars(module).items():
            if id(value) in functions:
                print(f'{name}.{attribute}')
time.perf_counter = time.perf_counter_ns = time.monotonic = lambda: 0
assert clock.monotonic() > 0 and clock.perf_counter() > 0 and call.now() > 0
"""


class TheClock(unittest.TestCase):
    def test_has_no_function_that_can_be_replaced(self):
        done = subprocess.run([sys.executable, '-c', STOPPED], capture_output=True, text=True, check=False)
        self.assertEqual((done.stdout, done.stderr, done.returncode), ('', '', 0))

    def test_shows_the_time_of_the_system(self):
        import time

        from viaduct_worker import clock

        before = time.perf_counter()
        self.assertLess(before, clock.perf_counter())
        self.assertLess(clock.perf_counter(), time.perf_counter())
        self.assertGreater(clock.perf_counter_ns(), before * 1e9)


if __name__ == '__main__':
    unittest.main()
