import os
import socket
import subprocess
import sys
import tempfile
import unittest

from viaduct_worker.callables import read_callable
from viaduct_worker.inspect_source import parse

PROGRAM = os.path.join(os.path.dirname(__file__), '../../python/viaduct_worker/inspect_project.py')


class InspectProject(unittest.TestCase):
    def test_ends_when_nobody_can_read_its_answer(self):
        with self.subTest('a pipe'), inspector(subprocess.PIPE) as process:
            process.stdout.close()
            self.assertEqual(process.wait(timeout=30), 1)
        ours, theirs = socket.socketpair()
        with self.subTest('a socket'), inspector(theirs) as process:
            theirs.close()
            ours.close()
            self.assertEqual(process.wait(timeout=30), 1)


class SourceThatIsTooDeepForTheParser(unittest.TestCase):
    def test_is_like_source_that_cannot_be_parsed(self):
        deep = '-' * 20_000 + '1'
        with tempfile.NamedTemporaryFile('w', suffix='.py') as file:
            file.write(f'number = {deep}\n')
            file.flush()
            self.assertIsNone(parse(file.name))
        with self.assertRaisesRegex(ValueError, 'it is not a name'):
            read_callable(f'make({deep})')


def inspector(output):
    """The program, which waits for its input for ever."""
    return subprocess.Popen([sys.executable, PROGRAM], stdin=subprocess.PIPE, stdout=output)


if __name__ == '__main__':
    unittest.main()
