"""A live server for an application of this process: the real front, the real worker code, one lane or more."""

import atexit
import json
import os
import pathlib
import queue
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

from viaduct_worker.channel import Channel
from viaduct_worker.worker import Worker, greet

from . import ROOT
from .wire import Client

STOP_SECONDS = 1
POLL_SECONDS = 0.01
HERE = pathlib.Path(__file__).parent
SERVES = re.compile(r'^Viaduct \S+ serves .* on \S+?(?::(\d+))?$', re.MULTILINE)
SETTINGS = ('--no-dev', '--access-log', 'off', '--no-preload', '--workers', '1', '--threads', '4')


class Server:
    """Serves `application`, which can be exchanged at any time, on `port`. `asked` counts its requests.

    `listen` is what the server's flag of this name takes, `flags` are others; below `mount` the application lives.
    """

    def __init__(self, listen='127.0.0.1:0', mount='', *flags):
        self.application = None
        self.asked = 0
        self.place = listen, mount
        self.inline = None
        self.directory = tempfile.TemporaryDirectory(prefix='conformance-')
        self.log = open(f'{self.directory.name}/log', 'w+b')
        if mount:
            settings = pathlib.Path(self.directory.name, 'viaduct.toml')
            settings.write_text(f'[[route]]\nmount = "{mount}"\napp = "main"\n')
            flags = *flags, '--config', settings
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(f'{self.directory.name}/suite.sock')
        listener.listen()
        self.process = self._start(flags, listen)
        self.zygote = self._await_zygote(listener)
        options = json.loads(self.zygote.makefile('rb').readline())
        self.runtime = options['runtime']
        self.control = Channel(options['socket'])
        self.control.send(kind='zygote', release=options['release'], pid=os.getpid(), version=sys.version.split()[0])
        self.control.send(kind='loaded')
        threading.Thread(target=self._obey, args=(options,), daemon=True).start()
        self.port = self._await_address()
        self.client = Client((listen.rpartition(':')[0], self.port))
        self.to_send = queue.SimpleQueue()
        threading.Thread(target=self._send, daemon=True).start()

    def _start(self, flags, listen):
        node = os.environ.get('CONFORMANCE_NODE', 'node')
        command = [node, ROOT / 'bin/viaduct.js', 'suite:application', '--chdir', HERE / 'project']
        command += ['--python', HERE / 'interpreter.py', '--listen', listen, *SETTINGS, *flags]
        environment = {name: value for name, value in os.environ.items() if not name.startswith('VIADUCT_')}
        environment['CONFORMANCE_SOCKET'] = f'{self.directory.name}/suite.sock'
        environment['CONFORMANCE_PYTHON'] = sys.executable
        return subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, start_new_session=True
        )

    def _await_zygote(self, listener):
        listener.settimeout(POLL_SECONDS)
        with listener:
            while self.process.poll() is None:
                try:
                    zygote, _ = listener.accept()
                except TimeoutError:
                    continue
                zygote.settimeout(None)
                return zygote
        raise RuntimeError(f'the server ended:\n{self.output()}')

    def _await_address(self):
        while self.process.poll() is None:
            if found := SERVES.search(self.output()):
                return int(found[1] or 0)
            time.sleep(POLL_SECONDS)
        raise RuntimeError(f'the server ended:\n{self.output()}')

    def output(self):
        """What the server wrote so far."""
        with open(self.log.name, encoding='utf-8', errors='replace') as file:
            return file.read()

    def _obey(self, options):
        """The zygote's part: a thread for each worker that it would fork."""
        while message := self.control.receive():
            if message['kind'] == 'ping':
                self.control.send(kind='alive')
            elif message['kind'] == 'fork':
                options = {**options, 'socket': message['socket'], 'runtime': message['runtime']}
                self.control.send(kind='forked', worker=message['worker'], pid=os.getpid())
                threading.Thread(target=self._work, args=(options, message['worker']), daemon=True).start()
            elif message['kind'] == 'quit':
                self.zygote.sendall(b'.')
                break
        self.zygote.close()
        self.control.close()

    def _work(self, options, number):
        channel = Channel(options['socket'])
        hands_over = greet(channel, options, number)
        self.worker = Worker(options, number, self.call, channel, hands_over)
        threading.Thread(target=self._listen, args=(self.worker,), daemon=True).start()
        lanes = [threading.Thread(target=self._serve, args=(lane,), daemon=True) for lane in self.worker.lanes]
        for thread in lanes:
            thread.start()
        for thread in lanes:
            thread.join()
        try:
            self.control.send(kind='exited', worker=number, code=0)
        except OSError:
            pass  # the front is gone as well
        channel.close()

    def _listen(self, worker):
        """`Worker.control` for a process that outlives its front."""
        while message := worker.channel.receive():
            worker.obey(message)

    def _serve(self, lane):
        """`Lane.serve`, whose requests the thread that asks may run itself."""
        while lane.fill():
            while lane.todo:
                request = lane.todo.popleft()
                lane.noted[0] = request[0]
                inline = self.inline
                if inline is None:
                    lane.run(*request)
                else:
                    done = threading.Event()
                    inline.put((lane, request, done))
                    done.wait()
            lane.flush()
        lane.socket.close()

    def call(self, environ, start_response):
        self.asked += 1
        return self.application(environ, start_response)

    def ask(self, environ):
        """Send `environ` as a request over the wire. The application runs in this thread, as suites expect it."""
        self.inline = work = queue.SimpleQueue()
        before = self.asked
        self.to_send.put((environ, work))
        try:
            while True:
                item = work.get()
                if isinstance(item, BaseException):
                    raise item
                if not isinstance(item, tuple):
                    self.asked = max(self.asked, before + 1)  # the server may have answered by itself
                    return item
                lane, request, done = item
                try:
                    lane.run(*request)
                finally:
                    done.set()
        finally:
            self.inline = None

    def _send(self):
        while True:
            environ, work = self.to_send.get()
            try:
                work.put(self.client.ask(environ))
            except Exception as error:
                work.put(error)

    def stop(self):
        self.client.close()
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:  # a client of the suite that does not leave
            self.process.kill()
            self.process.wait()
            shutil.rmtree(self.runtime, ignore_errors=True)
        self.log.close()
        self.directory.cleanup()


class Pool:
    """Servers that are started once and used again. `asked` counts the requests of all."""

    def __init__(self):
        self.idle = []
        self.all = []
        self.busy = 0
        atexit.register(self.stop)

    @property
    def asked(self):
        return sum(server.asked for server in self.all)

    def take(self, application, listen='127.0.0.1:0', mount=''):
        found = [server for server in self.idle if server.place == (listen, mount)]
        server = found[0] if found else self.start(listen, mount)
        if found:
            self.idle.remove(server)
        server.application = application
        return server

    def start(self, listen, mount='', *flags):
        server = Server(listen, mount, *flags)
        self.all.append(server)
        return server

    def give_back(self, server):
        server.application = None
        self.idle.append(server)

    def ask(self, application, environ):
        """One request to `application` over the wire. `busy` is how many of them run inside of one another."""
        script_name = environ.get('SCRIPT_NAME', '').rstrip('/')
        server = self.take(application, mount=script_name if script_name[:1] == '/' else '')
        self.busy += 1
        try:
            return server.ask(environ)
        finally:
            self.busy -= 1
            self.give_back(server)

    def stop(self):
        for server in self.all:
            if server.process.poll() is None:
                server.stop()


POOL = Pool()
