"""How a worker and a zygote end: alone, with a full disk, and after their children."""

import os
import signal
import subprocess
import sys
import unittest
from types import SimpleNamespace
from unittest import mock

from viaduct_worker.worker import Worker
from viaduct_worker.zygote import Zygote

PATIENCE_SECONDS = 20
FAILING_THREAD = """
import threading
from viaduct_worker import system_threads
{patch}
def fail():
    raise ValueError('this is the reason')
system_threads.start_thread('viaduct-lane-1', fail, daemon=False)
threading.Event().wait()
"""


def run(code, stderr):
    """Run `code`, whose main thread never ends by itself."""
    return subprocess.run([sys.executable, '-c', code], stderr=stderr, timeout=PATIENCE_SECONDS, check=False)


class AFailedThread(unittest.TestCase):
    def test_ends_the_process_with_its_traceback(self):
        result = run(FAILING_THREAD.format(patch=''), subprocess.PIPE)
        self.assertEqual(result.returncode, 1)
        self.assertIn(b'this is the reason', result.stderr)

    @unittest.skipUnless(os.path.exists('/dev/full'), 'this system has no full device')
    def test_ends_the_process_when_the_disk_is_full(self):
        with open('/dev/full', 'wb') as full:
            self.assertEqual(run(FAILING_THREAD.format(patch=''), full).returncode, 1)

    def test_ends_the_process_whatever_the_application_made_of_its_error_output(self):
        for patch in (
            'import sys; sys.stderr = 0',
            'import sys; sys.stderr.close()',
            'import traceback; traceback.print_exc = exit',
            'system_threads.patches.found = lambda: ["gevent"]; import sys; sys.stderr = 0',
        ):
            with self.subTest(patch=patch):
                self.assertEqual(run(FAILING_THREAD.format(patch=patch), subprocess.DEVNULL).returncode, 1)


class AWorkerWithoutThreads(unittest.TestCase):
    def test_says_so_and_waits_for_its_end(self):
        channel = mock.Mock(**{'receive.return_value': None})
        worker = SimpleNamespace(channel=channel, lanes=[SimpleNamespace(slot=0)], control=None, serve=None)
        refused = mock.patch('threading.Thread.start', side_effect=RuntimeError("can't start new thread"))
        with refused, mock.patch('os._exit', side_effect=SystemExit), self.assertRaises(SystemExit):
            Worker.run(worker)
        reason = channel.send.call_args.kwargs['reason']
        self.assertRegex(reason, r"^it cannot start its threads: can't start new thread\. Raise the limit of processes")
        channel.receive.assert_called_once_with()


FORKED_BY_THE_APPLICATION = """
import os, signal
from viaduct_worker import disarm
os.register_at_fork(after_in_child=lambda: os.kill(os.getpid(), signal.SIGTERM))
disarm.disarm_signals()
disarm.arm_forks()
pid = os.fork() if {by_application} else disarm.fork_disarmed()
if pid == 0:
    os._exit(0)
_, status = os.waitpid(pid, 0)
held = signal.SIGTERM in signal.pthread_sigmask(signal.SIG_BLOCK, ())
os._exit(100 if held else abs(os.waitstatus_to_exitcode(status)))
"""


class AForkedProcess(unittest.TestCase):
    def test_ends_by_a_sigterm_that_comes_at_once_if_the_application_forked_it(self):
        code = FORKED_BY_THE_APPLICATION.format(by_application=True)
        self.assertEqual(run(code, None).returncode, signal.SIGTERM)

    def test_ignores_it_otherwise(self):
        code = FORKED_BY_THE_APPLICATION.format(by_application=False)
        self.assertEqual(run(code, None).returncode, 0)


ASKED_TO_END = """
import os, signal
from viaduct_worker import reaper
wait = os.wait
def wait_and_be_asked():
    {before}
    result = wait()
    {after}
    return result
os.wait = wait_and_be_asked
child = os.fork()
if child == 0:
    {child}
reaper.collect(child)
"""


@unittest.skipUnless(sys.platform == 'linux', 'only Linux has reapers')
class AReaperThatIsAskedToEndItsZygote(unittest.TestCase):
    def test_kills_it_and_ends_as_it_did(self):
        code = ASKED_TO_END.format(before='os.kill(os.getpid(), reaper.END)', after='', child='signal.pause()')
        self.assertEqual(run(code, subprocess.DEVNULL).returncode, -signal.SIGKILL)

    def test_ends_as_it_did_if_it_has_just_been_collected(self):
        code = ASKED_TO_END.format(before='', after='os.kill(os.getpid(), reaper.END)', child='os._exit(3)')
        self.assertEqual(run(code, subprocess.DEVNULL).returncode, 3)


class AWorkerThatTheApplicationWaitedFor(unittest.TestCase):
    """A thread of the application may call `os.waitpid(-1)` in the zygote."""

    def setUp(self):
        child = subprocess.Popen([sys.executable, '-c', ''])
        child.wait()
        channel = SimpleNamespace(send=lambda **message: self.sent.append(message))
        self.sent = []
        self.zygote = Zygote({'runtime': '/nonexistent', 'spool': '/nonexistent'}, channel, None)
        self.zygote.children = {child.pid: 7}

    def test_can_be_killed_and_is_reported(self):
        self.zygote.kill(7)
        self.zygote.reap()
        self.assertEqual(self.sent, [{'kind': 'exited', 'worker': 7, 'code': -signal.SIGKILL}])

    def test_does_not_keep_the_zygote_from_ending(self):
        with mock.patch('os._exit', side_effect=SystemExit), self.assertRaises(SystemExit):
            self.zygote.abandon()


if __name__ == '__main__':
    unittest.main()
