"""The zygote: imports one release of the application once and forks its workers.

The zygote does not run requests. When the server goes away for whatever reason, the zygote kills its workers and exits.
So a server that was ended with `kill -9` leaves no orphans.

An application may replace functions of the standard library while it is imported (gevent, eventlet). This package uses
the originals, which each file imports by name before that.
"""

import gc
import os
import sys
from contextlib import suppress
from os import close, fork, kill, read, set_blocking, waitpid
from select import select
from signal import SIG_DFL, SIGCHLD, SIGKILL, set_wakeup_fd, signal
from threading import enumerate as running_threads
from threading import main_thread

from viaduct_worker import bytecode, load, patches, reaper, worker
from viaduct_worker.channel import Channel, shortened
from viaduct_worker.disarm import disarm_signals, ignore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    from viaduct_worker.messages import Options

THREADS_MAX = 20
"""How many threads a warning names."""


def main(options: 'Options') -> None:
    disarm_signals()
    if options['adopts']:
        reaper.start()
    channel = Channel(options['socket'])
    channel.send(kind='zygote', release=options['release'], pid=os.getpid(), version=sys.version.split()[0])
    load.prepare(options)
    bytecode.cache_settled_sources_only()
    application = None
    threads: list[str] = []
    if options['preload']:
        try:
            with channel.dying_with_server():
                application = load.load(options)
        except BaseException as error:
            report, reason = load.report(error)
            channel.send(kind='broken', traceback=shortened(report), reason=shortened(reason))
            os._exit(3)
        threads = started_threads()
        gc.collect(1)  # what is older was examined before, and a full collection of a large application takes long
        gc.freeze()
    channel.send(kind='loaded', threads=threads)
    Zygote(options, channel, application).run()


def started_threads() -> list[str]:
    """The threads that the import started. A fork does not copy them, so they do not run in the workers."""
    if patches.found():
        return []  # `threading` then lists greenlets
    names = [thread.name[:100] for thread in running_threads() if thread is not main_thread()]
    return names if len(names) <= THREADS_MAX else [*names[:THREADS_MAX], f'{len(names) - THREADS_MAX} others']


class Zygote:
    """Owns the worker processes: `children` maps a pid to the worker's number."""

    def __init__(self, options: 'Options', channel: Channel, application: 'WSGIApplication | None') -> None:
        self.options = options
        self.channel = channel
        self.application = application
        self.children: dict[int, int] = {}

    def run(self) -> None:
        wake, wake_write = os.pipe()
        set_blocking(wake, False)
        set_blocking(wake_write, False)
        set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        signal(SIGCHLD, ignore)
        control = self.channel.socket.fileno()
        while True:
            ready, _, _ = select([control, wake], [], [])
            if wake in ready:
                _drain(wake)
            if control in ready:
                message = self.channel.receive()
                if message is None:
                    self.abandon()
                elif message['kind'] == 'fork':
                    self.fork(message['worker'], message['socket'], message['runtime'], (wake, wake_write))
                elif message['kind'] == 'kill':
                    self.kill(message['worker'])
                elif message['kind'] == 'ping':
                    self.channel.send(kind='alive')
                elif message['kind'] == 'quit':
                    os._exit(0)
            self.reap()  # also after messages, because a library of the application may have taken SIGCHLD away

    def fork(self, number: int, path: str, runtime: str, descriptors: tuple[int, int]) -> None:
        """Fork worker `number`, which connects to the socket at `path` and makes its scoreboard in `runtime`."""
        self.options['socket'] = path
        self.options['runtime'] = runtime
        worker.flush_outputs()
        pid = fork()
        if pid:
            self.children[pid] = number
            self.channel.send(kind='forked', worker=number, pid=pid)
            return
        try:
            set_wakeup_fd(-1)
            signal(SIGCHLD, SIG_DFL)
            for descriptor in descriptors:
                close(descriptor)
            self.channel.close()
            worker.main(self.options, number, self.application)
        except BaseException:
            worker.print_error()
        finally:
            os._exit(1)

    def kill(self, number: int) -> None:
        for pid, child in self.children.items():
            if child == number:
                _end(pid)

    def reap(self) -> None:
        """Report workers that have ended. The application's own children are left to the application."""
        for pid, number in list(self.children.items()):
            try:
                ended, status = waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                ended, status = pid, SIGKILL  # the application waited for all children of this process
            if ended:
                del self.children[pid]
                self.channel.send(kind='exited', worker=number, code=os.waitstatus_to_exitcode(status))

    def abandon(self) -> None:
        """The server died: nobody else can end the workers or remove the private directories."""
        for pid in self.children:
            _end(pid)
        for directory in (self.options['runtime'], self.options['spool']):
            _remove(directory)
        os._exit(1)


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
