"""A worker: one forked process, one lane per thread, and a control thread that listens to the server meanwhile."""

import atexit
import contextlib
import faulthandler
import marshal
import os
import sys
import threading
from _thread import get_ident
from binascii import a2b_base64
from functools import partial
from select import poll

from viaduct_worker import capture, load, patches, system_threads
from viaduct_worker.channel import TEXT_MAX, Channel, connect, shortened
from viaduct_worker.collect import Collection
from viaduct_worker.error_log import ErrorLog
from viaduct_worker.files import FileWrapper
from viaduct_worker.gather import Flusher
from viaduct_worker.interface import process
from viaduct_worker.lane import Lane
from viaduct_worker.notices import Notices
from viaduct_worker.release import Release
from viaduct_worker.scoreboard import Scoreboard
from viaduct_worker.shared_values import shared
from viaduct_worker.stacks import thread_stacks
from viaduct_worker.system_threads import guarded, print_error, start_thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import NoReturn

    from _typeshed.wsgi import WSGIApplication

    from viaduct_worker.capture import Stream
    from viaduct_worker.lane import Environ
    from viaduct_worker.messages import FromServer, Level, Options

STDERR = 2
"""The descriptor: the application may have replaced `sys.stderr` by an object that has none."""
POLLIN = 1
"""eventlet removes `poll` and its constants from the module `select`."""
RETRY_MS = 50
REQUEST_KEYS = frozenset(('CONTENT_TYPE', 'CONTENT_LENGTH', 'REMOTE_USER', 'AUTH_TYPE', 'HTTPS'))


def main(options: 'Options', number: int, loaded: 'Release | None') -> None:
    """Serve until the server closes the lanes. If `loaded` is None, this process imports the application."""
    faulthandler.enable(STDERR)
    process.worker = number
    channel = Channel(options['socket'])
    hands_over = greet(channel, options, number)
    if options['application_metrics']:
        shared.attach(options['runtime'], f'worker-{number}')
    try:
        with channel.dying_with_server():
            release = loaded or Release(options)
            if options['runs_hooks']:
                release.hooks.after_fork()
    except BaseException as error:
        channel.send(kind='broken', **load.failure(error, options['describes_failures']))
        os._exit(3)
    worker = Worker(options, number, release.application, channel, hands_over)
    worker.run()
    if options['runs_hooks']:
        release.hooks.before_exit(worker.log)
    finish_threads()
    atexit._run_exitfuncs()
    flush_outputs()
    os._exit(0)


def finish_threads() -> None:
    """Wait for threads that are not daemons, and for executors, as the interpreter does at its end.

    The server ends this process when they take too long.
    """
    try:
        threading._shutdown()  # type: ignore[attr-defined]  # nothing public waits for all threads
    except BaseException:
        print_error()


def flush_outputs() -> None:
    """Write what is still in the buffers. A full disk or a closed pipe must not end the process.

    Neither must what the application has put there: `None`, or an object that has only `write`.
    """
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()


def greet(channel: Channel, options: 'Options', number: int) -> bool:
    """Verify that marshalled data arrives intact. Return whether the server can open files of this process."""
    channel.send(kind='worker', release=options['release'], worker=number, pid=os.getpid())
    proof = channel.receive()
    if proof is None or proof['kind'] != 'proof':
        raise ConnectionError('the server left before the worker was ready')
    decoded = marshal.loads(a2b_base64(proof['data']))
    with open(__file__, 'rb') as file:
        channel.send(kind='proof', decoded=decoded, descriptor=file.fileno(), size=os.fstat(file.fileno()).st_size)
        go = channel.receive()
    if go is None or go['kind'] != 'go':
        raise ConnectionError('the server left before the worker was ready')
    return go['hands_over']


def make_scoreboard(options: 'Options', number: int, channel: Channel) -> Scoreboard:
    """Return the scoreboard. If there is no place for it, report this and wait for the end."""
    directory = options['runtime']
    try:
        return Scoreboard(f'{directory}/worker-{number}.scoreboard', options['threads'])
    except OSError as error:
        advice = 'Free space there, or set TMPDIR'
        give_up(channel, f'it cannot make its scoreboard in "{directory}": {error.strerror}. {advice}')


def give_up(channel: Channel, reason: str) -> 'NoReturn':
    """Report why this worker cannot serve, and wait for the end."""
    channel.send(kind='unable', reason=reason)
    channel.receive()
    os._exit(1)


class Worker:
    """What the lanes of this process share."""

    def __init__(
        self, options: 'Options', number: int, application: 'WSGIApplication', channel: Channel, hands_over: bool
    ) -> None:
        self.application = application
        self.channel = channel
        self.hands_over = hands_over
        self.environs = [self.environ(options, listener) for listener in options['listeners']]
        self.scoreboard = make_scoreboard(options, number, channel)
        self.collection = Collection(channel.send, partial(start_thread, 'viaduct-collection', daemon=True))
        self.flusher = Flusher(lambda run: start_thread('viaduct-flusher', run, daemon=True))
        self.notices = Notices(partial(self.log, level='warn'))
        self.lanes: list[Lane] = []
        self.running: dict[int, Lane] = {}  # by the number of the thread
        self.unsent: list[Lane] = []  # the server waits for these lanes, but their sockets were full
        for index in range(options['threads']):
            connection = connect(options['socket'])
            hello = Channel.pack(kind='lane', release=options['release'], worker=number, index=index)
            connection.sendall(hello)
            self.lanes.append(Lane(connection, index, self))
        capture.attach(self)

    def run(self) -> None:
        patches.make_hub()
        serve = self.serve
        first, *others = self.lanes
        for lane in others:
            lane.thread_name = f'viaduct-lane-{lane.slot}'
        try:
            waits = [start_thread(lane.thread_name, partial(serve, lane), daemon=False) for lane in others]
            start_thread('viaduct-control', self.control, daemon=True)
        except RuntimeError as error:
            give_up(self.channel, f'it cannot start its threads: {error}. {system_threads.NO_MORE}')
        guarded(partial(serve, first))
        for wait in waits:
            wait()

    def serve(self, lane: Lane) -> None:
        self.running[get_ident()] = lane
        lane.serve()

    def control(self) -> None:
        control = poll()
        control.register(self.channel.socket.fileno(), POLLIN)
        while True:
            while self.unsent and not control.poll(RETRY_MS):
                self.unsent = [lane for lane in self.unsent if not lane.flush_now()]
            message = self.channel.receive()
            if message is None:
                os._exit(1)
            self.obey(message)

    def obey(self, message: 'FromServer') -> None:
        """Do what the server asks of a worker that serves."""
        if message['kind'] == 'recall':
            lane = self.lanes[message['lane']]
            if not lane.recall():
                self.unsent.append(lane)
        elif message['kind'] == 'ping':
            self.channel.send(kind='alive')
        elif message['kind'] == 'interrupt':
            request = message['request']
            stack, raised = self.lanes[message['lane']].interrupt(request)
            self.channel.send(
                kind='interrupted', lane=message['lane'], request=request, raised=raised, stack=shortened(stack)
            )
        elif message['kind'] == 'stacks':
            self.channel.send(kind='stacks', threads=thread_stacks({lane.thread: lane.slot for lane in self.lanes}))
        elif message['kind'] == 'collect':
            self.collection.answer(message['everything'])
        elif message['kind'] == 'gone':
            self.lanes[message['lane']].leave(message['request'])
        elif message['kind'] == 'opened':
            self.lanes[message['lane']].close_handed(message['request'])

    def environ(self, options: 'Options', listener: dict[str, str]) -> 'Environ':
        """The part of the environ that all requests of a listener share."""
        environ: Environ = dict(process_variables(options['environ_variables']))
        environ.update(listener)
        environ.update(
            {
                'SCRIPT_NAME': '',
                'SERVER_SOFTWARE': options['software'],
                'wsgi.version': (1, 0),
                'wsgi.errors': ErrorLog(partial(self.log, level='info')),
                'wsgi.multithread': options['threads'] > 1,
                'wsgi.multiprocess': options['multiprocess'],
                'wsgi.run_once': False,
                'wsgi.input_terminated': True,
                'wsgi.file_wrapper': FileWrapper,
            }
        )
        return environ

    def log(self, text: str, request: int | None = None, level: 'Level' = 'error') -> None:
        """Write `text` to the server's log, with the request that it belongs to. A long text is split.

        By default that is the request which this thread runs.
        """
        if request is None and (lane := self.running.get(get_ident())) is not None:
            request = lane.noted[0]
        shown = text.rstrip('\n')
        try:
            for start in range(0, len(shown) or 1, TEXT_MAX):
                self.channel.send(kind='log', level=level, text=shown[start : start + TEXT_MAX], request=request)
        except OSError:
            with contextlib.suppress(OSError, ValueError):
                sys.stderr.write(text)

    def runs_request(self) -> bool:
        """Whether this thread runs a request."""
        lane = self.running.get(get_ident())
        return lane is not None and lane.noted[0] != lane.ended

    def output(self, stream: 'Stream', text: str) -> None:
        """Write what the request of this thread has printed to the server's log. A long text is split."""
        request = self.running[get_ident()].noted[0]
        try:
            for start in range(0, len(text), TEXT_MAX):
                self.channel.send(kind='output', stream=stream, text=text[start : start + TEXT_MAX], request=request)
        except OSError:
            pass  # the server is gone, and this process is about to end


def process_variables(names: list[str]) -> 'Iterator[tuple[str, str]]':
    """The variables of this process that `names` lists. A name that ends in `*` means all names that start so.

    A key that looks like a part of the request always is one, so some variables are never among them.
    """
    for key, value in os.environ.items():
        if key.startswith('HTTP_') or key in REQUEST_KEYS:
            continue
        if any(key.startswith(name[:-1]) if name.endswith('*') else key == name for name in names):
            yield key, _native(value)


def _native(value: str) -> str:
    """A process variable as PEP 3333's native string: bytes read as latin-1."""
    return value if value.isascii() else os.fsencode(value).decode('latin-1')
