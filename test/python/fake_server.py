"""The server's end of a lane, for tests: it sends batches and reads frames."""

import io
import marshal
import os
import socket
import struct
import tempfile
import threading
from types import SimpleNamespace

from traces import recording_of
from viaduct_worker.files import FileWrapper
from viaduct_worker.gather import Flusher
from viaduct_worker.lane import Lane
from viaduct_worker.notices import Notices
from viaduct_worker.scoreboard import COPIES_BYTES, NOTED_BYTES, Scoreboard

FRAME = struct.Struct('<IBBHIIqQ')
COMPLETE, HEAD, BLOCK, END, ABORT, FILE_BODY, FAILED, RECALLED, EARLY_HINTS, INTERRUPTED, TRACE = range(1, 12)
LAST = (COMPLETE, END, ABORT, FILE_BODY, FAILED, INTERRUPTED)
PATIENCE_SECONDS = 20


class FakeServer:
    """Runs one lane with `application` in a thread. `log` is what the worker wrote to the server's log."""

    def __init__(self, application, hands_over=False, flusher=None):
        self.socket, theirs = socket.socketpair()
        self.socket.settimeout(PATIENCE_SECONDS)
        self.log = []
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, 'scoreboard')
            scoreboard = Scoreboard(path, 1)
            self.scoreboard = open(path, 'rb')
        worker = SimpleNamespace(
            application=application,
            environs=[{'SCRIPT_NAME': '', 'wsgi.file_wrapper': FileWrapper}],
            scoreboard=scoreboard,
            log=lambda text, request=None: self.log.append(text),
            notices=Notices(self.log.append),
            hands_over=hands_over,
            flusher=flusher or Flusher(start_daemon),
        )
        self.lane = Lane(theirs, 0, worker)
        self.thread = threading.Thread(target=self.lane.serve, daemon=True)
        self.lane.thread_name = self.thread.name
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.shutdown(socket.SHUT_WR)
        self.thread.join(PATIENCE_SECONDS)
        self.socket.close()
        for number in list(self.lane.handed):
            self.lane.close_handed(number)
        self.lane.socket.close()
        self.scoreboard.close()

    def send(self, *requests, trace=None):
        """Each request is (id, environ, body). All go as one batch. `trace` has the options of a trace of them."""
        options = () if trace is None else (trace,)
        batch = [
            (number, 0, 0, None, {'REQUEST_METHOD': 'GET', **environ}, body, *options)
            for number, environ, body in requests
        ]
        data = marshal.dumps(batch, 2)
        self.socket.sendall(struct.pack('<I', len(data)) + data)

    def frame(self):
        """The next frame: request, kind, status, head lines, body, declared length."""
        return parse_frame(self.read)

    def started(self):
        """The request that the lane started last, as the scoreboard says."""
        return struct.unpack('<Q', os.pread(self.scoreboard.fileno(), 8, 0))[0]

    def copies(self):
        """The frames whose copies are on the scoreboard."""
        (size,) = struct.unpack('<Q', os.pread(self.scoreboard.fileno(), 8, 8))
        data = io.BytesIO(os.pread(self.scoreboard.fileno(), min(size, COPIES_BYTES), NOTED_BYTES))
        frames = []
        while data.tell() < size:
            frames.append(parse_frame(data.read))
        return frames

    def ask(self, environ=None, body=None):
        """Send one request and return its frames."""
        self.send((1, environ or {}, body))
        frames = [self.frame()]
        while frames[-1].kind not in LAST:
            frames.append(self.frame())
        return frames

    def trace(self, environ=None, body=None, options='full'):
        """Send one traced request. Return its frames and its recording, which comes after them."""
        self.send((1, environ or {}, body), trace=options)
        frames = [self.frame()]
        while frames[-1].kind != TRACE:
            frames.append(self.frame())
        recording = frames.pop()
        assert recording.request == 1
        return frames, recording_of(recording.body)

    def read(self, size):
        data = b''
        while len(data) < size:
            block = self.socket.recv(size - len(data))
            if not block:
                raise EOFError('the lane closed')
            data += block
        return data


def start_daemon(target):
    threading.Thread(target=target, daemon=True).start()


def parse_frame(read):
    number, kind, has, status, lines, body, length, _ = FRAME.unpack(read(FRAME.size))
    return SimpleNamespace(
        request=number,
        kind=kind,
        has=has,
        status=status,
        lines=read(lines).decode('latin-1'),
        body=read(body),
        length=length,
    )


def answering(*blocks, status='200 OK', headers=()):
    """An application that answers each request with these blocks."""

    def application(environ, start_response):
        start_response(status, list(headers))
        return list(blocks)

    return application
