"""The zygote: imports one release of the application once and forks its workers.

It runs no request. When the front goes away, however that happens, it kills its workers and leaves: a front ended with
`kill -9` leaves no orphan behind.
"""

import gc
import os
import select
import shutil
import signal
import sys
import traceback

from viaduct_worker import load, worker
from viaduct_worker.channel import Channel


def main(options):
    # The front decides when workers leave. A terminal's Ctrl-C and a service manager's SIGTERM reach every process of the
    # group; handlers that do nothing, unlike SIG_IGN, are not inherited by programs that the application starts.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _ignore)
    channel = Channel(options['socket'])
    channel.send(kind='zygote', release=options['release'], pid=os.getpid(), version=sys.version.split()[0])
    load.prepare(options)
    application = None
    if options['preload']:
        try:
            application = load.load(options)
        except BaseException as error:
            report, reason = load.report(error)
            channel.send(kind='broken', traceback=report, reason=reason)
            os._exit(3)
        gc.collect()
        gc.freeze()
    channel.send(kind='loaded')
    Zygote(options, channel, application).run()


class Zygote:
    """Owns the worker processes: `children` maps a pid to the worker's number."""

    def __init__(self, options, channel, application):
        self.options = options
        self.channel = channel
        self.application = application
        self.children = {}

    def run(self):
        wake, wake_write = os.pipe()
        os.set_blocking(wake, False)
        os.set_blocking(wake_write, False)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, _ignore)
        while True:
            ready, _, _ = select.select([self.channel.socket, wake], [], [])
            if wake in ready:
                _drain(wake)
                self.reap()
            if self.channel.socket in ready:
                message = self.channel.receive()
                if message is None:
                    self.abandon()
                elif message['kind'] == 'fork':
                    self.fork(message['worker'], (wake, wake_write))
                elif message['kind'] == 'kill':
                    self.kill(message['worker'])
                elif message['kind'] == 'quit':
                    os._exit(0)

    def fork(self, number, descriptors):
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid:
            self.children[pid] = number
            self.channel.send(kind='forked', worker=number, pid=pid)
            return
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for descriptor in descriptors:
                os.close(descriptor)
            self.channel.close()
            worker.main(self.options, number, self.application)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)

    def kill(self, number):
        for pid, child in self.children.items():
            if child == number:
                os.kill(pid, signal.SIGKILL)

    def reap(self):
        while self.children:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            number = self.children.pop(pid, None)
            if number is not None:
                code = os.waitstatus_to_exitcode(status)
                self.channel.send(kind='exited', worker=number, code=code)

    def abandon(self):
        """The front died: nobody else can end the workers or remove the runtime directory."""
        for pid in self.children:
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.options['runtime'], ignore_errors=True)
        os._exit(1)


def _ignore(_number, _frame):
    pass


def _drain(descriptor):
    try:
        while os.read(descriptor, 512):
            pass
    except BlockingIOError:
        pass
