"""A change of a source is served, however quickly it follows another one."""

import os
import subprocess
import sys
import tempfile
import textwrap
import time
import unittest

PROGRAM = """
import sys
from viaduct_worker import bytecode
bytecode.cache_settled_sources_only()
sys.path.insert(0, sys.argv[1])
import module
print(module.version)
"""


class CacheSettledSourcesOnly(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = directory.name
        self.source = os.path.join(self.directory, 'module.py')

    def write(self, version, modified):
        with open(self.source, 'w') as file:
            file.write(textwrap.dedent(f'version = {version!r}\n'))
        os.utime(self.source, (modified, modified))

    def imported(self):
        environment = {**os.environ, 'PYTHONDONTWRITEBYTECODE': ''}
        command = [sys.executable, '-c', PROGRAM, self.directory]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()

    def cached(self):
        return os.path.isdir(os.path.join(self.directory, '__pycache__'))

    def test_a_second_change_in_the_same_second_is_seen(self):
        second = int(time.time())
        self.write('one', second)
        self.assertEqual(self.imported(), 'one')
        self.assertFalse(self.cached())
        self.write('two', second + 0.5)
        self.assertEqual(self.imported(), 'two')

    def test_a_source_that_has_settled_is_cached(self):
        for modified in (time.time() - 3, time.time() + 3600):
            self.write('one', modified)
            self.assertEqual(self.imported(), 'one')
            self.assertTrue(self.cached())


if __name__ == '__main__':
    unittest.main()
