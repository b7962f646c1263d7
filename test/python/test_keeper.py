"""The keeper of sidecars and schedules, as the server sees it: a program with messages in JSON."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import viaduct_worker

PROGRAM = Path(viaduct_worker.__file__).parent / 'keeper.py'
PATIENCE_SECONDS = 20
OPTIONS = {'identity': None, 'umask': 0o022, 'adopts': False}


def is_running(pid):
    try:
        with open(f'/proc/{pid}/stat') as stat:
            return stat.read().rpartition(')')[2].split()[0] not in 'ZX'
    except FileNotFoundError:
        return False


class KeeperTest(unittest.TestCase):
    def setUp(self):
        self.keeper = self.launch(OPTIONS)

    def launch(self, options):
        keeper = subprocess.Popen(
            [sys.executable, '-I', '-S', str(PROGRAM), json.dumps(options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.addCleanup(keeper.wait, PATIENCE_SECONDS)
        self.addCleanup(keeper.stdout.close)
        self.addCleanup(keeper.stdin.close)
        return keeper

    def send(self, **message):
        self.keeper.stdin.write(json.dumps(message).encode() + b'\n')
        self.keeper.stdin.flush()

    def start(self, *command, program=1, grace_ms=10_000, directory='/', environment=None):
        self.send(
            kind='start',
            program=program,
            command=command,
            directory=directory,
            environment=dict(os.environ) if environment is None else environment,
            stop_signal=signal.SIGTERM,
            grace_ms=grace_ms,
        )

    def python(self, code, **options):
        self.start(sys.executable, '-c', code, **options)

    def next(self):
        return json.loads(self.keeper.stdout.readline())

    def until_end(self):
        """Return the output and the last message of program 1."""
        lines = []
        while True:
            message = self.next()
            if message['kind'] == 'output':
                lines.append(message['text'])
            elif message['kind'] != 'started':
                return lines, message

    def eventually(self, condition):
        end = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.01)

    def test_reports_start_output_and_end(self):
        self.start('sh', '-c', 'echo one; echo two >&2; exit 3')
        started = self.next()
        self.assertEqual(started['kind'], 'started')
        lines, end = self.until_end()
        self.assertEqual(sorted(lines), ['one', 'two'])
        self.assertEqual(end, {'kind': 'ended', 'program': 1, 'code': 3})

    def test_reports_the_signal_that_ended_a_program(self):
        self.start('sh', '-c', 'kill -9 $$')
        self.assertEqual(self.until_end()[1]['code'], -9)

    def test_reports_a_program_that_there_is_not(self):
        self.start('/no/such/program')
        self.assertEqual(
            self.next(),
            {'kind': 'failed', 'program': 1, 'errno': 2, 'reason': '/no/such/program: No such file or directory'},
        )
        self.start('sh', directory='/no/such/directory')
        self.assertIn('/no/such/directory', self.next()['reason'])
        self.start('a\0b')
        self.assertIn('null byte', self.next()['reason'])

    def test_gives_a_program_its_directory_its_variables_and_no_input(self):
        environment = {'A': 'b', 'PATH': os.environ['PATH']}
        self.start('sh', '-c', 'pwd; echo $A; cat; umask', directory='/usr', environment=environment)
        self.assertEqual(self.until_end()[0], ['/usr', 'b', '0022'])

    def test_gives_a_program_the_default_signals(self):
        self.python('import signal; print([s for s in range(1, 32) if signal.getsignal(s) == signal.SIG_IGN])')
        self.assertIn(self.until_end()[0], (['[13]'], ['[13, 25]']))  # Python itself ignores SIGPIPE and SIGXFSZ

    def test_gives_a_program_outputs_that_it_can_open(self):
        self.start('sh', '-c', 'echo out >/dev/stdout; echo err >/dev/stderr')
        self.assertEqual(sorted(self.until_end()[0]), ['err', 'out'])

    def test_passes_on_a_line_without_an_end_and_broken_text(self):
        self.python(r'import os, time; os.write(1, b"no end \xff"); time.sleep(60)')
        self.assertEqual(self.next()['kind'], 'started')
        self.assertEqual(self.next()['text'], 'no end \ufffd')
        self.send(kind='kill-all')
        self.assertEqual(self.until_end()[1]['code'], -9)

    def test_passes_on_all_of_a_big_output_in_parts(self):
        self.python('import os\nfor i in range(64): os.write(1, b"x" * 65535 + b"\\n")')
        lines, _end = self.until_end()
        self.assertEqual(sum(map(len, lines)), 64 * 65_535)
        self.assertLessEqual(max(map(len, lines)), 16_384)

    def test_sends_the_stop_signal_and_then_kills(self):
        self.python('import time\nprint("ready", flush=True)\ntime.sleep(60)')
        self.next(), self.next()
        self.send(kind='stop', program=1)
        self.assertEqual(self.until_end()[1]['code'], -15)
        code = 'import signal, time\nsignal.signal(15, signal.SIG_IGN)\nprint("ready", flush=True)\ntime.sleep(60)'
        self.python(code, grace_ms=50)
        self.next(), self.next()
        self.send(kind='stop', program=1)
        self.assertEqual(self.next(), {'kind': 'overdue', 'program': 1})
        self.assertEqual(self.next()['code'], -9)

    def test_lets_a_paused_program_end(self):
        self.start('sh', '-c', 'echo $$; kill -STOP $$')
        self.next(), self.next()
        self.send(kind='stop', program=1)
        self.assertEqual(self.until_end()[1]['code'], -15)

    def test_kills_what_is_left_of_the_process_group(self):
        self.start('sh', '-c', 'sleep 600 & echo $!; exit 0')
        lines, end = self.until_end()
        self.assertEqual(end['code'], 0)
        self.eventually(lambda: not is_running(int(lines[0])))

    def test_ends_all_programs_when_the_server_is_gone(self):
        trap = 'trap "" TERM; sleep 600 & echo $!; while :; do sleep 1; done'
        self.start('sh', '-c', trap, grace_ms=50)
        self.start('sh', '-c', 'echo $$; exec sleep 600', program=2)
        pids = []
        while len(pids) < 2:
            message = self.next()
            if message['kind'] == 'output':
                pids.append(int(message['text']))
        self.keeper.stdin.close()
        self.assertEqual(self.keeper.wait(PATIENCE_SECONDS), 0)
        for pid in pids:
            self.eventually(lambda pid=pid: not is_running(pid))

    def test_ends_all_programs_when_nobody_reads_its_messages(self):
        self.start('sh', '-c', 'while echo line; do :; done')
        self.next()
        self.keeper.stdout.close()
        self.assertEqual(self.keeper.wait(PATIENCE_SECONDS), 0)

    def test_stays_when_it_gets_signals(self):
        self.start('sh', '-c', 'echo ready; exec sleep 600')
        self.next(), self.next()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGTSTP):
            self.keeper.send_signal(number)
        self.start('sh', '-c', 'echo here', program=2)
        self.assertEqual(self.next()['kind'], 'started')
        self.assertEqual(self.next()['text'], 'here')

    @unittest.skipUnless(sys.platform == 'linux', 'only Linux has subreapers')
    def test_collects_orphans_when_it_adopts(self):
        self.keeper = self.launch({**OPTIONS, 'adopts': True})
        with tempfile.TemporaryDirectory() as directory:
            orphan = 'setsid sh -c "echo \\$\\$ >pid; exec sleep 0.2" & while [ ! -s pid ]; do sleep 0.01; done'
            self.start('sh', '-c', orphan, directory=directory)
            self.until_end()
            pid = Path(directory, 'pid').read_text().strip()
            self.eventually(lambda: not os.path.exists(f'/proc/{pid}'))


if __name__ == '__main__':
    unittest.main()
