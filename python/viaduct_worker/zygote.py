"""The zygote: imports one release of the application once and forks its workers.

The zygote does not run requests. When the server goes away for whatever reason, the zygote kills its workers and exits.
So a server that was ended with `kill -9` leaves no orphans.

An application may replace functions of the standard library while it is imported (gevent, eventlet). This package uses
the originals, which each file imports by name before that.
"""

import gc
import json
import os
import sys
from contextlib import suppress
from errno import EAGAIN
from os import close, kill, read, set_blocking, waitpid
from select import select
from signal import SIG_DFL, SIGCHLD, SIGKILL, set_wakeup_fd, signal

from viaduct_worker import bytecode, load, patches, reaper, release_hook, worker
from viaduct_worker.channel import Channel
from viaduct_worker.disarm import arm_forks, disarm_signals, fork_disarmed, hold_signals, ignore
from viaduct_worker.fork_safety import Snapshot
from viaduct_worker.release import Release
from viaduct_worker.shared_values import shared
from viaduct_worker.system_threads import NO_MORE, print_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

    from viaduct_worker.messages import Options, RunHook


def main(options: 'Options') -> None:
    disarm_signals()
    if options['adopts']:
        reaper.start()
    arm_forks()
    channel = Channel(options['socket'])
    channel.send(kind='zygote', release=options['release'], pid=os.getpid(), version=sys.version.split()[0])
    load.prepare(options)
    bytecode.cache_settled_sources_only()
    if options['application_metrics']:
        from viaduct_worker import prometheus  # takes memory

        prometheus.install()
        shared.attach(options['runtime'], f'release-{options["release"]}')
    release = None
    if options['preload'] != 'never':
        environment = dict(os.environ)
        before = Snapshot(options['runtime'])
        try:
            with channel.dying_with_server():
                release = Release(options)
        except BaseException as error:
            channel.send(kind='broken', **load.failure(error, options['describes_failures']))
            os._exit(3)
        findings = before.findings()
        if findings:
            channel.send(kind='unsafe', findings=findings)
            if options['preload'] == 'when-safe':
                start_again(options, environment, before)
        gc.collect(1)  # what is older was examined before, and a full collection of a large application takes long
        gc.freeze()
    channel.send(kind='loaded')
    Zygote(options, channel, release).run()


def start_again(options: 'Options', environment: dict[str, str], before: Snapshot) -> 'NoReturn':
    """Become a zygote that does not import the application, as a new program in the same process.

    So nothing is left of the import: no thread, no connection, no module. The workers import the application.
    """
    worker.flush_outputs()
    shared.remove()
    for descriptor in before.new_descriptors():
        with suppress(OSError):  # a thread has closed it
            os.set_inheritable(descriptor, False)
    hold_signals()  # a new program has no handlers yet
    os.chdir(options['directory'])
    program, *arguments = options['command']
    again = json.dumps({**options, 'preload': 'never', 'adopts': False})
    os.execve(program, [program, *arguments, again], environment)


class Zygote:
    """Owns its child processes: `children` maps a pid to the worker's number, `hooks` to a hook and its two pipes."""

    def __init__(self, options: 'Options', channel: Channel, release: Release | None) -> None:
        self.options = options
        self.channel = channel
        self.release = release
        self.children: dict[int, int] = {}
        self.hooks: dict[int, tuple[str, int, int]] = {}
        self.descriptors: list[int] = []  # those that only this process needs
        self.is_quitting = False

    def run(self) -> None:
        wake, wake_write = self.descriptors = list(os.pipe())
        set_blocking(wake, False)
        set_blocking(wake_write, False)
        set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        signal(SIGCHLD, ignore)
        control = self.channel.socket.fileno()
        while not self.is_quitting or self.hooks:
            ready, _, _ = select([control, wake], [], [])
            if wake in ready:
                _drain(wake)
            if control in ready:
                message = self.channel.receive()
                if message is None:
                    self.abandon()
                elif message['kind'] == 'fork':
                    self.fork_worker(message['worker'], message['socket'], message['runtime'])
                elif message['kind'] == 'hook':
                    self.fork_hook(message)
                elif message['kind'] == 'kill':
                    self.kill(message['worker'])
                elif message['kind'] == 'ping':
                    self.channel.send(kind='alive')
                elif message['kind'] == 'quit':
                    self.is_quitting = True
            self.reap()  # also after messages, because a library of the application may have taken SIGCHLD away
        os._exit(0)

    def fork_worker(self, number: int, path: str, runtime: str) -> None:
        """Fork worker `number`, which connects to the socket at `path` and makes its scoreboard in `runtime`."""
        self.options['socket'] = path
        self.options['runtime'] = runtime
        try:
            pid = self.fork(lambda: worker.main(self.options, number, self.release))
        except OSError as error:
            self.channel.send(kind='unforked', worker=number, reason=refusal_of(error))
            return
        self.children[pid] = number
        self.channel.send(kind='forked', worker=number, pid=pid)

    def fork_hook(self, message: 'RunHook') -> None:
        """Fork the process of a hook. It reports through one pipe, and ends when this process closes the other one."""
        pipes: list[int] = []
        try:
            pipes += os.pipe()
            pipes += os.pipe()
            report, output, life, life_write = pipes
            self.descriptors += report, life_write
            pid = self.fork(lambda: release_hook.main(self.options, message, self.release, output, life))
        except OSError as error:
            for descriptor in pipes:
                close(descriptor)
            self.descriptors = [each for each in self.descriptors if each not in pipes]
            reason = f'its hook {message["hook"]} cannot run: {refusal_of(error)}'
            self.channel.send(kind='hooked', hook=message['hook'], code=1, report=reason)
            return
        close(output)
        close(life)
        self.hooks[pid] = (message['hook'], report, life_write)

    def fork(self, run: 'Callable[[], None]') -> int:
        """Fork a process that calls `run` and ends. Return its process id."""
        worker.flush_outputs()
        pid = fork_disarmed()
        if pid:
            return pid
        try:
            set_wakeup_fd(-1)
            signal(SIGCHLD, SIG_DFL)
            for descriptor in self.descriptors:
                close(descriptor)
            self.channel.close()
            patches.renew_hub()
            run()
        except BaseException:
            print_error()
        finally:
            os._exit(1)

    def kill(self, number: int) -> None:
        for pid, child in self.children.items():
            if child == number:
                _end(pid)

    def reap(self) -> None:
        """Report children that have ended. The application's own children are left to the application."""
        for pid in [*self.children, *self.hooks]:
            try:
                ended, status = waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                ended, status = pid, SIGKILL  # the application waited for all children of this process
            if not ended:
                continue
            code = os.waitstatus_to_exitcode(status)
            if pid in self.children:
                self.channel.send(kind='exited', worker=self.children.pop(pid), code=code)
            else:
                hook, report, life = self.hooks.pop(pid)
                self.channel.send(kind='hooked', hook=hook, code=code, report=release_hook.report_of(report))
                for descriptor in (report, life):
                    close(descriptor)
                    self.descriptors.remove(descriptor)
        if self.release is None:
            self.reap_strangers()

    def reap_strangers(self) -> None:
        """Collect the children that an import started in this process before `start_again`."""
        peek = getattr(os, 'waitid', None)  # macOS has none, and does not start again
        while peek is not None:
            try:
                ended = peek(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if ended is None or ended.si_pid in self.children or ended.si_pid in self.hooks:
                return
            waitpid(ended.si_pid, 0)

    def abandon(self) -> None:
        """The server died: nobody else can end the workers or remove the private directories."""
        for pid in [*self.children, *self.hooks]:
            _end(pid)
        for directory in (self.options['runtime'], self.options['spool']):
            _remove(directory)
        os._exit(1)


def refusal_of(error: OSError) -> str:
    """Why the system starts no process, and what to do. The zygote stays: its workers would end with it."""
    advice = f'. {NO_MORE}' if error.errno == EAGAIN else ''
    return f'the system refuses a further process: {error.strerror}{advice}'


def _remove(directory: str) -> None:
    """Remove a private directory, which has no directories."""
    with suppress(OSError):
        for name in os.listdir(directory):
            with suppress(OSError):
                os.unlink(os.path.join(directory, name))
        os.rmdir(directory)


def _end(pid: int) -> None:
    """Kill a worker, unless it has ended and the application has waited for all children of this process."""
    with suppress(ProcessLookupError):
        kill(pid, SIGKILL)


def _drain(descriptor: int) -> None:
    try:
        while read(descriptor, 512):
            pass
    except BlockingIOError:
        pass
