"""Starts and ends the programs beside the application: sidecars and scheduled commands.

The server runs `python keeper.py JSON` and writes a JSON message to each line of standard input; the messages to the
server are lines of standard output. The JSON of the argument has the `identity` to run as (or None), the `umask`, and
whether this process `adopts` orphans.

Programs are children of this process and not of the server, because of what Node cannot do. When the server is killed,
its end of the pipe closes, and this process ends all programs. Their outputs are pipes, which a program can open as
/dev/stderr; Node has only sockets. The groups of the user are set, and orphans are collected in a container.

Each program has a session, and so a process group, of its own: the Ctrl-C of a terminal does not reach it, and when it
has ended, this process kills what is left of its group.
"""

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

PR_SET_CHILD_SUBREAPER = 36
BLOCK_BYTES = 65_536
LINE_BYTES_MAX = 16_384
"""A longer line is passed on in parts."""
WINDOW_SECONDS = 0.1
WINDOW_BYTES_MAX = 131_072
"""What a program may write in each window. One that writes more waits, so its output does not keep the server busy."""
IDLE_SECONDS = 0.5
"""A line without an end is passed on after this time."""
DRAIN_BYTES_MAX = 2_097_152
"""The most that is read from the outputs of a program that has ended. Pipes hold less."""
CRASHES = (signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGSEGV)


class Output:
    """One of the two output pipes of a program."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.rest = b''
        self.window_start = 0.0
        self.window_bytes = 0
        self.read_at = 0.0
        os.set_blocking(descriptor, False)

    def read(self) -> 'bytes | None':
        """Return what can be read; None at the end."""
        try:
            block = os.read(self.descriptor, BLOCK_BYTES)
        except BlockingIOError:
            return b''
        except OSError:
            return None
        now = time.monotonic()
        if now - self.window_start >= WINDOW_SECONDS:
            self.window_start, self.window_bytes = now, 0
        self.window_bytes += len(block)
        self.read_at = now
        return block or None

    @property
    def exhausted(self) -> bool:
        return self.window_bytes >= WINDOW_BYTES_MAX

    def lines(self, block: bytes) -> 'Iterator[bytes]':
        """Yield the complete lines so far, without their ends."""
        *lines, self.rest = (self.rest + block).split(b'\n')
        for line in lines:
            yield from (line[at : at + LINE_BYTES_MAX] for at in range(0, len(line), LINE_BYTES_MAX))
        while len(self.rest) >= LINE_BYTES_MAX:
            yield self.rest[:LINE_BYTES_MAX]
            self.rest = self.rest[LINE_BYTES_MAX:]

    def flush(self) -> bytes:
        rest, self.rest = self.rest, b''
        return rest


class Program:
    """A running program."""

    def __init__(self, number: int, process: 'subprocess.Popen[bytes]', stop_signal: int, grace: float) -> None:
        self.number = number
        self.process = process
        self.stop_signal = stop_signal
        self.grace = grace
        self.kill_at: float | None = None
        self.outputs = [Output(pipe.fileno()) for pipe in (process.stdout, process.stderr) if pipe is not None]

    @property
    def pid(self) -> int:
        return self.process.pid

    def send(self, number: int) -> None:
        with contextlib.suppress(OSError):
            os.kill(self.pid, number)

    def kill_group(self) -> None:
        with contextlib.suppress(OSError):
            os.killpg(self.pid, signal.SIGKILL)

    def close(self) -> None:
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()


class Keeper:
    """All programs, and the connection to the server."""

    def __init__(self) -> None:
        self.programs: dict[int, Program] = {}
        self.selector = selectors.DefaultSelector()
        self.waiting: list[tuple[float, Program, Output]] = []
        self.rest = b''
        self.serving = True
        wakeup, write = os.pipe()
        os.set_blocking(wakeup, False)
        os.set_blocking(write, False)
        self.wakeup = wakeup
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP, signal.SIGPIPE, *CRASHES}:
            # A handler, because programs would inherit that a signal is ignored.
            with contextlib.suppress(OSError, ValueError):
                signal.signal(number, nothing)
        self.selector.register(0, selectors.EVENT_READ)
        self.selector.register(wakeup, selectors.EVENT_READ)

    def run(self) -> None:
        """Return when the server has closed its end and no program runs any more."""
        while self.serving or self.programs:
            for key, _events in self.selector.select(self.wait_seconds()):
                if key.fd == 0:
                    self.receive()
                elif key.fd == self.wakeup:
                    with contextlib.suppress(BlockingIOError):
                        os.read(self.wakeup, 4096)
                else:
                    self.pass_on(*key.data)
            self.collect()
            self.look_at_clock()

    def wait_seconds(self) -> 'float | None':
        now = time.monotonic()
        times = [at for at, _program, _output in self.waiting]
        for program in self.programs.values():
            if program.kill_at is not None:
                times.append(program.kill_at)
            times.extend(output.read_at + IDLE_SECONDS for output in program.outputs if output.rest)
        return max(0.0, min(times) - now) if times else None

    def look_at_clock(self) -> None:
        now = time.monotonic()
        due = [entry for entry in self.waiting if entry[0] <= now]
        self.waiting = [entry for entry in self.waiting if entry[0] > now]
        for _at, program, output in due:
            if program.number in self.programs:
                self.selector.register(output.descriptor, selectors.EVENT_READ, (program, output))
        for program in self.programs.values():
            if program.kill_at is not None and program.kill_at <= now:
                program.kill_at = None
                self.send({'kind': 'overdue', 'program': program.number})
                program.kill_group()
            for output in program.outputs:
                if output.rest and output.read_at + IDLE_SECONDS <= now:
                    self.say(program, output.flush())

    def receive(self) -> None:
        block = os.read(0, BLOCK_BYTES)
        if not block:
            self.abandon()
            return
        *lines, self.rest = (self.rest + block).split(b'\n')
        for line in lines:
            self.obey(json.loads(line))

    def obey(self, message: 'dict[str, Any]') -> None:
        kind = message['kind']
        if kind == 'start':
            self.start(message)
        elif kind == 'kill-all':
            for program in self.programs.values():
                program.kill_group()
        elif message['program'] in self.programs:
            self.stop(self.programs[message['program']])

    def start(self, message: 'dict[str, Any]') -> None:
        number = message['program']
        try:
            process = subprocess.Popen(
                message['command'],
                cwd=message['directory'],
                env=message['environment'],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            code = getattr(error, 'errno', None) or 0
            name = getattr(error, 'filename', None) or message['command'][0]
            reason = getattr(error, 'strerror', None) or str(error)
            self.send({'kind': 'failed', 'program': number, 'errno': code, 'reason': f'{name}: {reason}'})
            return
        program = Program(number, process, message['stop_signal'], message['grace_ms'] / 1000)
        self.programs[number] = program
        for output in program.outputs:
            self.selector.register(output.descriptor, selectors.EVENT_READ, (program, output))
        self.send({'kind': 'started', 'program': number, 'pid': program.pid})

    def stop(self, program: Program) -> None:
        """Ask a program to end. Its group is killed when its grace is over."""
        if program.kill_at is None:
            program.kill_at = time.monotonic() + program.grace
            program.send(program.stop_signal)
            program.send(signal.SIGCONT)  # a process that is stopped could not end

    def abandon(self) -> None:
        """Let all programs end: the server has ended."""
        if not self.serving:
            return
        self.serving = False
        self.selector.unregister(0)
        for program in self.programs.values():
            self.stop(program)

    def pass_on(self, program: Program, output: Output) -> None:
        block = output.read()
        if block is None:
            self.forget(output)
            return
        for line in output.lines(block):
            self.say(program, line)
        if output.exhausted:
            self.selector.unregister(output.descriptor)
            self.waiting.append((output.window_start + WINDOW_SECONDS, program, output))

    def forget(self, output: Output) -> None:
        with contextlib.suppress(KeyError, ValueError):
            self.selector.unregister(output.descriptor)

    def collect(self) -> None:
        """Collect every child that has ended, and also the orphans that this process has adopted."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for program in [one for one in self.programs.values() if one.pid == pid]:
                self.ended(program, status)

    def ended(self, program: Program, status: int) -> None:
        program.kill_group()  # no process has had time to take over the id
        code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        program.process.returncode = code  # for Popen, which would look for the child
        for output in program.outputs:
            self.drain(program, output)
        self.waiting = [entry for entry in self.waiting if entry[1] is not program]
        program.close()
        del self.programs[program.number]
        self.send({'kind': 'ended', 'program': program.number, 'code': code})

    def drain(self, program: Program, output: Output) -> None:
        """Pass on what the program has written before its end."""
        self.forget(output)
        taken = 0
        while taken < DRAIN_BYTES_MAX:
            block = output.read()
            if not block:
                break
            taken += len(block)
            for line in output.lines(block):
                self.say(program, line)
        if output.rest:
            self.say(program, output.flush())

    def say(self, program: Program, line: bytes) -> None:
        text = line.decode('utf-8', 'replace')
        self.send({'kind': 'output', 'program': program.number, 'text': text[:-1] if text[-1:] == '\r' else text})

    def send(self, message: 'dict[str, Any]') -> None:
        if not self.serving:
            return
        data = json.dumps(message).encode() + b'\n'
        try:
            while data:
                data = data[os.write(1, data) :]
        except OSError:  # the server has ended
            self.abandon()


def nothing(_number: int, _frame: object) -> None:
    pass


def adopt_orphans() -> None:
    """Let the kernel give orphans of the programs to this process (PR_SET_CHILD_SUBREAPER in prctl(2))."""
    import ctypes  # only here, because it costs memory

    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def become(identity: 'dict[str, Any]') -> None:
    """Give up the rights of root for good, as the server processes do."""
    uid, gid, user = identity['uid'], identity['gid'], identity['user']
    if user is None:
        os.setgroups([gid])
    else:
        os.initgroups(user, gid)
    os.setgid(gid)
    os.setuid(uid)


def main(options: 'dict[str, Any]') -> None:
    if options['identity'] is not None:
        become(options['identity'])
    os.umask(options['umask'])
    if options['adopts']:
        adopt_orphans()
    Keeper().run()


if __name__ == '__main__':
    main(json.loads(sys.argv[1]))
