"""Values that a process shares with the server, and what a fork and a full disk make of them."""

import os
import struct
import subprocess
import sys
import tempfile
import unittest

from viaduct_worker.shared_values import CELLS_MAX, REMOVED, SCRATCH, SERIES_BYTES_MAX, SharedValues

PATIENCE_SECONDS = 20
WITHOUT_ROOM = """
import resource, sys
from viaduct_worker.shared_values import shared
shared.attach(sys.argv[1], 'worker-1')
kept = shared.add(b'["kept"]', True)
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
cells = [shared.add(b'["lost"]', True) for _ in range(1000)]
shared.cells[kept] = 5.0
print(kept, set(cells))
"""


class SharedValuesOfAProcess(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = directory.name
        self.shared = SharedValues()
        self.shared.attach(self.directory, 'worker-1')

    def lines(self, name='worker-1'):
        with open(os.path.join(self.directory, f'{name}.series'), 'rb') as file:
            return file.read().splitlines()

    def value(self, cell, name='worker-1', form='d'):
        with open(os.path.join(self.directory, f'{name}.values'), 'rb') as file:
            return struct.unpack_from(form, file.read(), cell * 8)[0]

    def in_child(self, run):
        """Run a function in a forked process, and wait for its end."""
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                run()
                code = 0
            finally:
                os._exit(code)
        self.assertEqual(os.waitpid(pid, 0)[1], 0)

    def test_make_no_file_before_the_first_one(self):
        self.assertEqual(os.listdir(self.directory), [])

    def test_are_in_the_cells_that_the_lines_name(self):
        first = self.shared.add(b'["a"]', True)
        second = self.shared.add(b'["b"]', False, 2)
        third = self.shared.add(b'["c"]', True)
        self.assertEqual(self.lines(), [b'%d\t["a"]' % first, b'%d\t["b"]' % second, b'%d\t["c"]' % third])
        self.shared.cells[third] = 2.5
        self.assertEqual(self.value(third), 2.5)
        self.assertEqual(third - second, 2)

    def test_have_room_for_more_than_the_first_memory(self):
        cells = [self.shared.add(b'["%d"]' % number, True) for number in range(2000)]
        early = self.shared.cells
        for cell in cells:
            self.shared.cells[cell] = float(cell)
        self.assertEqual(self.value(cells[0]), float(cells[0]))
        self.assertEqual(self.value(cells[-1]), float(cells[-1]))
        early[cells[3]] = 7.0  # a thread may still have the memory from before it grew
        self.assertEqual(self.value(cells[3]), 7.0)

    def test_go_on_in_a_forked_worker(self):
        counter, gauge = self.shared.add(b'["counter"]', True), self.shared.add(b'["gauge"]', False)
        self.shared.cells[counter] = 3.0
        self.shared.cells[gauge] = 4.0

        def work():
            self.shared.attach(self.directory, 'worker-2')
            new = self.shared.add(b'["new"]', True)
            self.shared.cells[new] = 1.0
            self.shared.cells[counter] = 5.0 - self.shared.bases[counter]

        self.in_child(work)
        self.assertEqual(self.lines('worker-2'), [*self.lines(), b'%d\t["new"]' % (gauge + 1)])
        self.assertEqual(self.value(counter, 'worker-2'), 2.0)
        self.assertEqual(self.value(gauge, 'worker-2'), 4.0)
        self.assertEqual((self.value(counter), self.value(gauge)), (3.0, 4.0))

    def test_of_a_process_that_the_application_forks_are_nowhere(self):
        cell = self.shared.add(b'["a"]', False)
        self.shared.cells[cell] = 1.0

        def work():
            self.shared.cells[cell] = 9.0
            self.shared.drop(cell, b'["a"]', False)
            assert self.shared.add(b'["b"]', True) == SCRATCH

        self.in_child(work)
        self.assertEqual(self.value(cell), 1.0)
        self.assertEqual(len(self.lines()), 1)

    def test_are_marked_when_a_gauge_is_removed_and_used_again_when_it_is_back(self):
        cell = self.shared.add(b'["gauge"]', False)
        self.shared.cells[cell] = 5.0
        self.shared.drop(cell, b'["gauge"]', False)
        self.assertEqual(self.value(cell, form='Q'), REMOVED)
        self.assertEqual(self.shared.add(b'["gauge"]', False), cell)
        self.assertEqual(self.value(cell), 0.0)

    def test_keep_what_was_counted_when_a_counter_is_removed(self):
        cell = self.shared.add(b'["counter"]', True)
        self.shared.cells[cell] = 5.0
        self.shared.drop(cell, b'["counter"]', True)
        self.assertEqual(self.shared.add(b'["counter"]', True), cell)
        self.shared.cells[cell] = 1.0 - self.shared.bases[cell]
        self.assertEqual(self.value(cell), 6.0)

    def test_have_limits(self):
        self.shared._complains = False
        self.assertEqual(self.shared.add(b'x' * 70_000, True), SCRATCH)
        self.shared._counts = bytearray(CELLS_MAX - 1)
        self.assertEqual(self.shared.add(b'["two"]', False, 2), SCRATCH)
        self.shared._counts = bytearray(1)
        self.shared._bytes = SERIES_BYTES_MAX
        self.assertEqual(self.shared.add(b'["long"]', True), SCRATCH)

    def test_do_not_fail_the_application_when_the_disk_is_full(self):
        command = [sys.executable, '-c', WITHOUT_ROOM, self.directory]
        result = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=True)
        self.assertEqual(result.stdout, '1 {0}\n')
        self.assertEqual(result.stderr.count("Some of the application's metrics are missing"), 1)
        self.assertEqual(self.value(1), 5.0)

    def test_leave_no_file_when_they_are_removed(self):
        self.shared.add(b'["a"]', True)
        self.shared.remove()
        self.assertEqual(os.listdir(self.directory), [])
        self.assertEqual(self.shared.add(b'["b"]', True), SCRATCH)
