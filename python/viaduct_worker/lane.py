"""One lane: a Unix socket to the front and the thread that runs its requests. This is the worker's hot path.

A batch from the front is its length and a marshalled list of (request id, listener, number, section, environ, body). The body
is bytes, or the path of a spool file, or None. A section is what requests of one connection have in common: it comes once with
its number, which no other has, and is None afterwards; number 0 is for none. Three threads' worth of rules keep
*a request is never started twice, and none is lost*:

- only `serve` takes from the left of `todo`, and it writes the request's id to the scoreboard before the application runs;
- `recall` (control thread) takes from the right; both are atomic under the GIL;
- whoever reads the socket holds `reading`, so that a request is in the socket, in `todo`, or taken, and nowhere else.
"""

import socket
import threading
import traceback
from collections import deque
from io import BytesIO
from marshal import loads
from time import perf_counter_ns as now

from viaduct_worker.exchange import Exchange, recalled_frame

FLUSH_NS = 4_000_000
"""Finished responses wait no longer than this for others while the lane has more to run."""
LARGE_BYTES = 32768
"""A larger response does not wait for others. The front passes it on as it arrives, so it cannot take it twice."""
READ_BYTES = 65536
SECTIONS_MAX = 128
"""The front has the same number in lane-memory.ts."""
FLUSH_NOW_SECONDS = 0.1
"""Longer than that, a lane's thread waits for a client that does not read."""


class Lane:
    """`gone` is the request whose client has left; `handed` maps requests to descriptors that the front will open."""

    def __init__(self, connection, slot, worker):
        self.socket = connection
        self.slot = slot
        self.noted, self.copies = worker.scoreboard.slot(slot)
        self.copied = 0
        self.application = worker.application
        self.environs = worker.environs
        self.sections = {}
        self.log = worker.log
        self.hands_over = worker.hands_over
        self.todo = deque()
        self.rest = b''
        self.missing = 0
        self.reading = threading.Lock()
        self.sending = threading.Lock()
        self.out = []
        self.now = 0
        self.flushed = 0
        self.gone = -1
        self.handed = {}
        self.close_is_slow = False

    def serve(self):
        """Run requests until the front closes the lane."""
        next_request = self.todo.popleft
        noted = self.noted
        while True:
            try:
                request = next_request()
            except IndexError:
                if self.out:
                    self.flush()
                if not self.fill():
                    return
                continue
            noted[0] = request[0]
            self.run(*request)
            if self.now - self.flushed > FLUSH_NS and self.out:
                self.flush()

    def run(self, request_id, listener, number, section, variables, body):
        # Outside of the `try`: a lane that does not know a section must die, because the front believes that it does.
        if not number:
            shared = self.environs[listener]
        elif section is None:
            shared = self.sections[number]
        else:
            shared = self.learn(number, self.environs[listener] | section)
        exchange = Exchange(self, request_id, variables['REQUEST_METHOD'] == 'HEAD')
        result = content = None
        try:
            environ = shared | variables
            environ['wsgi.early_hints'] = exchange.early_hints
            environ['wsgi.input'] = content = open(body, 'rb') if type(body) is str else BytesIO(body)
            result = self.application(environ, exchange.start_response)
            exchange.respond(result)
        except BaseException:
            exchange.fail()
        close = getattr(result, 'close', None)
        if close is not None:
            self.close(close)
        if type(body) is str and content is not None:
            content.close()

    def learn(self, number, shared):
        """Keep the variables that come with a section; the one that was learned first makes room."""
        sections = self.sections
        sections.pop(number, None)
        sections[number] = shared
        if len(sections) > SECTIONS_MAX:
            del sections[next(iter(sections))]
        return shared

    def close(self, close):
        """Call the iterable's close(), which PEP 3333 promises on every path, without holding finished responses back."""
        if self.close_is_slow:
            self.flush()
        before = now()
        try:
            close()
        except BaseException:
            self.log(traceback.format_exc())
        self.now = after = now()
        self.close_is_slow = after - before > FLUSH_NS

    def finish(self, frame):
        """Let a whole response leave with the next flush. A large one leaves at once.

        While it waits a copy lies on the scoreboard: should this process die meanwhile, the front finds it there. The length is noted
        last, so that no half copy counts.
        """
        if len(frame) > LARGE_BYTES:
            self.out.append(frame)
            self.flush()
            return
        start = self.copied
        if start + len(frame) > len(self.copies):
            self.flush()
        if not self.out:
            self.noted[1] = start = 0
        self.copied = end = start + len(frame)
        self.copies[start:end] = frame
        self.noted[1] = end
        self.out.append(frame)

    def fill(self):
        """Wait for the next batch. False when the front has closed the lane."""
        with self.reading:
            if not self.todo:
                data = self.socket.recv(max(READ_BYTES, self.missing))
                if not data:
                    return False
                self.take(data)
        self.flushed = self.now = now()
        return True

    def take(self, data):
        """Add the batches that are complete with `data`. The caller holds `reading`."""
        if self.rest:
            data = self.rest + data
        position, end = 0, len(data)
        while end - position >= 4:
            batch = position + 4
            position = batch + int.from_bytes(data[position:batch], 'little')
            if position > end:
                self.missing = position - end
                position = batch - 4
                break
            self.todo.extend(loads(data[batch:position]))
        self.rest = data[position:] if position < end else b''

    def flush(self):
        """Send what is finished."""
        with self.sending:
            out = self.out
            while count := len(out):
                self.socket.sendall(b''.join(out[:count]) if count > 1 else out[0])
                del out[:count]
            self.flushed = self.now

    def recall(self):
        """Control thread: give up everything not started, in order, and send what is finished past a running request.

        The report goes the way of the responses. As it is put there before `reading` is released, it stands before the response
        to anything that comes later, and the front always knows what the lane has.
        """
        taken = []
        if self.reading.acquire(blocking=False):
            try:
                self.drain_socket()
                while True:
                    taken.append(self.todo.pop()[0])
            except IndexError:
                taken.reverse()
                self.out.append(recalled_frame(taken))
            finally:
                self.reading.release()
        else:
            self.out.append(recalled_frame(taken))
        self.flush_now()

    def drain_socket(self):
        try:
            while data := self.socket.recv(READ_BYTES, socket.MSG_DONTWAIT):
                self.take(data)
        except (BlockingIOError, ConnectionError):
            pass

    def flush_now(self):
        """Control thread: send as much as the socket takes. A thread that sends meanwhile takes what came behind along."""
        if not self.sending.acquire(timeout=FLUSH_NOW_SECONDS):
            return
        try:
            out = self.out
            count = len(out)
            data = b''.join(out[:count])
            try:
                sent = self.socket.send(data, socket.MSG_DONTWAIT)
            except BlockingIOError:
                sent = 0
            out[:count] = [data[sent:]] if sent < len(data) else []
        finally:
            self.sending.release()
