"""A worker: one forked process, one lane per thread, and a control thread that listens to the front meanwhile."""

import atexit
import base64
import faulthandler
import marshal
import os
import socket
import sys
import threading
import traceback

from viaduct_worker import load
from viaduct_worker.channel import Channel, close_in_forks
from viaduct_worker.files import FileWrapper
from viaduct_worker.lane import Lane
from viaduct_worker.scoreboard import Scoreboard


def main(options, number, application):
    """Serve until the front closes the lanes. `application` is None when this process must import it."""
    faulthandler.enable()
    channel = Channel(options['socket'])
    hands_over = greet(channel, options, number)
    if application is None:
        try:
            application = load.load(options)
        except BaseException as error:
            report, reason = load.report(error)
            channel.send(kind='broken', traceback=report, reason=reason)
            os._exit(3)
    Worker(options, number, application, channel, hands_over).run()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def greet(channel, options, number):
    """Prove that this interpreter decodes the front's data; learn whether the front can open files of this process."""
    channel.send(kind='worker', release=options['release'], worker=number, pid=os.getpid())
    proof = channel.receive()
    decoded = marshal.loads(base64.b64decode(proof['data']))
    with open(__file__, 'rb') as file:
        channel.send(kind='proof', decoded=decoded, descriptor=file.fileno(), size=os.fstat(file.fileno()).st_size)
        return channel.receive()['hands_over']


class Worker:
    """What the lanes of this process share."""

    def __init__(self, options, number, application, channel, hands_over):
        self.application = application
        self.channel = channel
        self.hands_over = hands_over
        self.environs = [self.environ(options, listener) for listener in options['listeners']]
        self.scoreboard = Scoreboard(f'{options["runtime"]}/worker-{number}.scoreboard', options['threads'])
        self.lanes = []
        for index in range(options['threads']):
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            connection.connect(options['socket'])
            close_in_forks(connection)
            hello = Channel.pack(kind='lane', release=options['release'], worker=number, index=index)
            connection.sendall(hello)
            self.lanes.append(Lane(connection, index, self))

    def run(self):
        start_thread('viaduct-control', self.control)
        others = [start_thread(f'viaduct-lane-{lane.slot}', lane.serve) for lane in self.lanes[1:]]
        guarded(self.lanes[0].serve)
        for thread in others:
            thread.join()

    def control(self):
        while message := self.channel.receive():
            lane = self.lanes[message['lane']]
            if message['kind'] == 'recall':
                lane.recall()
            elif message['kind'] == 'gone':
                lane.gone = message['request']
            elif message['kind'] == 'opened':
                os.close(lane.handed.pop(message['request']))
        os._exit(1)

    def environ(self, options, listener):
        """The part of the environ that all requests of a listener share. Headers never come from the process environment."""
        environ = {key: _native(value) for key, value in os.environ.items() if not key.startswith('HTTP_')}
        for key in ('CONTENT_TYPE', 'CONTENT_LENGTH', 'REMOTE_USER', 'AUTH_TYPE', 'HTTPS'):
            environ.pop(key, None)
        environ.update(listener)
        environ.update(
            {
                'SCRIPT_NAME': '',
                'SERVER_SOFTWARE': options['software'],
                'wsgi.version': (1, 0),
                'wsgi.errors': ErrorLog(self),
                'wsgi.multithread': options['threads'] > 1,
                'wsgi.multiprocess': options['multiprocess'],
                'wsgi.run_once': False,
                'wsgi.input_terminated': True,
                'wsgi.file_wrapper': FileWrapper,
            }
        )
        return environ

    def log(self, text, request=None):
        """Put `text` into the front's log as an error, with the request it belongs to."""
        try:
            self.channel.send(kind='log', text=text.rstrip('\n'), request=request)
        except OSError:
            sys.stderr.write(text)


class ErrorLog:
    """`wsgi.errors`: whole lines go to the front's log (PEP 3333, "Input and Error Streams")."""

    def __init__(self, worker):
        self._worker = worker
        self._partial = threading.local()

    def write(self, text):
        if type(text) is not str:
            raise TypeError(f'wsgi.errors takes str, not {type(text).__name__}')
        text = getattr(self._partial, 'text', '') + text
        whole, newline, self._partial.text = text.rpartition('\n')
        if newline:
            self._worker.log(whole)

    def writelines(self, lines):
        for line in lines:
            self.write(line)

    def flush(self):
        text = getattr(self._partial, 'text', '')
        if text:
            self._partial.text = ''
            self._worker.log(text)


def start_thread(name, target):
    thread = threading.Thread(target=guarded, args=(target,), name=name, daemon=True)
    thread.start()
    return thread


def guarded(target):
    """A thread that breaks takes the process along: the front then knows which requests it was running."""
    try:
        target()
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def _native(value):
    """A process variable as PEP 3333's native string: bytes read as latin-1."""
    return value if value.isascii() else os.fsencode(value).decode('latin-1')
