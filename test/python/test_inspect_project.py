import os
import socket
import subprocess
import sys
import unittest

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


def inspector(output):
    """The program, which waits for its input for ever."""
    return subprocess.Popen([sys.executable, PROGRAM], stdin=subprocess.PIPE, stdout=output)


if __name__ == '__main__':
    unittest.main()
