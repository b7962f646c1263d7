"""One lane: a Unix socket to the server and the thread that runs its requests. This is the worker's hot path.

A batch from the server is its length and a marshalled list of (request id, listener, slot, section, environ, body).
The body is bytes, or the path of a spool file, or None. A traced request has a seventh element: words with options of
its trace. A section holds what the requests of one connection have in common. The server sends a section once, with the
slot that it takes, and sends None afterwards. Slot 0 means that the request has no section.

Three rules ensure that *a request is never started twice, and none is lost*:

- Only `serve` takes from the left of `todo`. `run` writes the request's id to the scoreboard before the application
  runs.
- `recall` (control thread) takes from the right. Both operations are atomic under the GIL.
- The thread that reads the socket holds `reading`. So a request is in the socket, in `todo`, or taken: nowhere else.

Two rules ensure that *only the request that is too late gets the exception*, and that its end is known:

- `interrupt` (control thread) notes the request in `overdue` before it looks whether the request still runs. `serve`
  notes the end in `ended` before it looks at `overdue`. So one of them sees the other.
- The exception may come between any two steps of this file or of call.py. `end_interrupted` therefore reports the end
  of the request whatever was sent before, and `flush` and `undisturbed`, which must not be cut off, raise it at their
  start.
"""

from _thread import get_ident
from collections import deque
from io import BytesIO
from marshal import loads
from socket import MSG_DONTWAIT
from threading import Lock

from viaduct_worker import interrupt
from viaduct_worker.call import Call
from viaduct_worker.clock import perf_counter_ns as now
from viaduct_worker.frames import interrupted_frame, recalled_frame
from viaduct_worker.gather import Gathering
from viaduct_worker.interrupt import RequestTimeout
from viaduct_worker.reports import report_of
from viaduct_worker.stacks import stack_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterable
    from io import FileIO
    from typing import TypeAlias

    from viaduct_worker.tracing.request import TracedRequest
    from viaduct_worker.worker import Worker

    Environ: TypeAlias = dict[str, object]
    Untraced: TypeAlias = tuple[int, int, int, Environ | None, Environ, bytes | str | None]
    Request: TypeAlias = Untraced | tuple[int, int, int, Environ | None, Environ, bytes | str | None, str]

FLUSH_NS = 4_000_000
"""While the lane has more requests to run, a finished response waits at most this long for other responses."""
LARGE_BYTES = 32768
"""A larger body leaves at once, without a copy. The server forwards its parts as they arrive, so a copy on the
scoreboard could not replace them."""
READ_BYTES = 65536
GONE_MAX = 1024
"""The maximum number of requests in a lane. An older one is over."""
FLUSH_NOW_SECONDS = 0.1
"""If a lane's thread is sending for longer, it waits for a client that does not read."""


class Lane:
    """`gone` has requests whose clients have left. `handed` maps requests to files that the server will open."""

    def __init__(self, connection: 'socket.socket', slot: int, worker: 'Worker') -> None:
        self.socket = connection
        self.slot = slot
        self.noted, self.copies = worker.scoreboard.slot(slot)
        self.copied = 0
        self.application = worker.application
        self.environs = worker.environs
        self.sections: dict[int, Environ] = {}
        self.log = worker.log
        self.notices = worker.notices
        self.hands_over = worker.hands_over
        self.gathering = Gathering(self, worker.flusher)
        self.todo: deque[Request] = deque()
        self.rest = b''
        self.missing = 0
        self.reading = Lock()
        self.sending = Lock()
        self.out: list[bytes] = []
        self.now = 0
        self.flushed = 0
        self.gone: dict[int, None] = {}
        self.handed: dict[int, FileIO] = {}
        self.close_is_slow = False
        self.thread = 0
        self.thread_name = 'MainThread'
        self.ended = 0
        self.overdue = 0
        self.interrupting = Lock()
        self.recorder: type[TracedRequest] | None = None

    def serve(self) -> None:
        """Run requests until the server closes the lane."""
        self.thread = get_ident()
        while True:
            try:
                self.serve_requests()
                return
            except RequestTimeout:  # this package was ending the request
                self.end_interrupted()

    def serve_requests(self) -> None:
        next_request = self.todo.popleft
        while True:
            try:
                request = next_request()
            except IndexError:
                if self.out:
                    self.flush()
                if not self.fill():
                    return
                continue
            self.run(*request)
            self.ended = request[0]
            if self.overdue:
                self.end_interrupted()
            if self.now - self.flushed > FLUSH_NS and self.out:
                self.flush()

    def run(
        self,
        request_id: int,
        listener: int,
        slot: int,
        section: 'Environ | None',
        variables: 'Environ',
        body: bytes | str | None,
        trace: str | None = None,
    ) -> None:
        # Outside the `try`: the server believes that the lane knows the section, so a lane that does not must die.
        if not slot:
            shared = self.environs[listener]
        elif section is None:
            shared = self.sections[slot]
        else:
            shared = self.sections[slot] = self.environs[listener] | section
        self.noted[0] = request_id  # only now: a request that is noted may be interrupted, and its section must be kept
        call = Call(self, request_id, variables['REQUEST_METHOD'] == 'HEAD')
        traced = None if trace is None else self.traced(request_id, trace)
        result: Iterable[bytes] | None
        result = content = None
        try:
            environ = shared | variables
            environ['wsgi.early_hints'] = call.early_hints
            # The file is closed below. mypy does not see that a body which is not a str is bytes or None.
            environ['wsgi.input'] = content = open(body, 'rb') if type(body) is str else BytesIO(body)  # type: ignore[arg-type]  # noqa: SIM115
            if traced is None:
                result = self.application(environ, call.start_response)
                call.respond(result)
            else:
                result = traced.call(environ, call.start_response, shared, variables)
                traced.respond(call, result)
        except BaseException as error:
            if traced is not None:
                traced.fail(error)
            elif self.recorder is not None:
                self.recorder.hide(error)
            call.fail(error)
        finally:
            try:
                close = getattr(result, 'close', None)
            except BaseException as error:  # a property that raises
                close = None
                if traced is not None:
                    traced.fail(error)
                self.log(report_of(error))
            if close is not None:
                self.close(close if traced is None else traced.closing(close))
            if type(body) is str and content is not None:
                content.close()
            if traced is not None:
                traced.finish()

    def traced(self, request_id: int, options: str) -> 'TracedRequest | None':
        """The recorder of a traced request; None if its code cannot be imported, for example after an upgrade."""
        if self.recorder is None:
            try:
                # An exception in the middle of an import may leave Python's import lock locked.
                self.undisturbed(self.import_recorder)
            except Exception as error:
                self.log(report_of(error))
        return None if self.recorder is None else self.recorder(self, request_id, options)

    def import_recorder(self) -> None:
        from viaduct_worker.tracing.request import TracedRequest  # a worker without traced requests needs none of it

        self.recorder = TracedRequest

    def close(self, close: 'Callable[[], object]') -> None:
        """Call the iterable's close(), which PEP 3333 requires on every path, without delaying finished responses."""
        if self.close_is_slow and not self.overdue:
            self.flush()
        before = now()
        try:
            close()
        except BaseException as error:
            self.log(report_of(error))
        self.now = after = now()
        self.close_is_slow = after - before > FLUSH_NS

    def finish(self, head: bytes, body: bytes) -> None:
        """Queue a whole response for the next flush. A large response leaves at once.

        While the response waits, a copy is on the scoreboard. If this process dies meanwhile, the server finds the
        response there. The length is written last, so a partial copy does not count.
        """
        if len(body) > LARGE_BYTES:
            self.put(head, body)
            self.flush()
            return
        frame = head + body
        start = self.copied
        if start + len(frame) > len(self.copies):
            if len(frame) > len(self.copies):  # its headers are that long
                self.out.append(frame)
                self.flush()
                return
            self.flush()
        if not self.out:
            self.noted[1] = start = 0
        self.copied = end = start + len(frame)
        self.copies[start:end] = frame
        self.noted[1] = end
        self.out.append(frame)

    def put(self, head: bytes, body: bytes) -> None:
        """Queue a frame for the next flush. Both parts enter in one step, so that nothing comes between them."""
        if len(body) > LARGE_BYTES:
            self.out.extend((head, body))
        else:
            self.out.append(head + body)

    def fill(self) -> bool:
        """Wait for the next batch. Return False if the server has closed the lane."""
        with self.reading:
            if not self.todo:
                data = self.socket.recv(max(READ_BYTES, self.missing))
                if not data:
                    return False
                self.take(data)
        self.flushed = self.now = now()
        return True

    def take(self, data: bytes) -> None:
        """Add the batches that `data` completes. The caller holds `reading`."""
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

    def flush(self) -> None:
        """Send the finished frames."""
        with self.sending:
            self.raise_if_overdue()
            out = self.out
            while count := len(out):
                last = out[count - 1]
                if count == 1:
                    self.socket.sendall(last)
                elif len(last) > LARGE_BYTES:
                    self.send_uncopied(b''.join(out[: count - 1]), last)
                else:
                    self.socket.sendall(b''.join(out[:count]))
                del out[:count]
            self.flushed = self.now

    def undisturbed(self, start: 'Callable[[], object]') -> None:
        """Start a thread that all lanes need, or import a module. RequestTimeout comes before or afterwards.

        Until a new thread runs, Python up to 3.11 gives it the number of the thread that starts it. It would get the
        exception in its place and end, and this thread would wait for its start for ever.
        """
        with self.sending:
            self.raise_if_overdue()
            start()

    def raise_if_overdue(self) -> None:
        """The caller holds `sending`, so that no exception comes from here on."""
        if self.overdue and get_ident() == self.thread:
            interrupt.clear(self.thread)
            raise RequestTimeout

    def send_uncopied(self, head: bytes, body: bytes) -> None:
        """Send both without copying them together."""
        sent = self.socket.sendmsg((head, body))
        if sent < len(head):
            self.socket.sendall(head[sent:])
            sent = len(head)
        if sent < len(head) + len(body):
            self.socket.sendall(memoryview(body)[sent - len(head) :])

    def close_handed(self, request_id: int) -> None:
        """The server has opened the file of a request, or does not want it any more."""
        file = self.handed.pop(request_id, None)
        if file is not None:
            file.close()

    def leave(self, request_id: int) -> None:
        """Control thread: the client of a request has left. Drop the oldest such request when there are too many."""
        self.gone[request_id] = None
        if len(self.gone) > GONE_MAX:
            del self.gone[next(iter(self.gone))]

    def interrupt(self, request_id: int) -> tuple[str, bool]:
        """Control thread: raise RequestTimeout in the request if it runs. Return its stack and whether it was raised.

        A thread that is sending waits for its client and not for the application, and is left alone.
        """
        stack = stack_of(self.thread)
        if not interrupt.is_possible() or not self.sending.acquire(timeout=FLUSH_NOW_SECONDS):
            return stack, False
        interrupt.wait_for_import(self.thread)
        with self.interrupting:
            self.overdue = request_id
            runs = self.noted[0] == request_id and self.ended != request_id
            raised = runs and interrupt.raise_in(self.thread)
            if not raised:
                self.overdue = 0
        self.sending.release()
        return stack, raised

    def end_interrupted(self) -> None:
        """Report the end of the request that was interrupted. Nothing of it reaches the next one."""
        with self.interrupting:
            interrupt.clear(self.thread)
        if self.recorder is not None:
            self.recorder.forget()
        if not self.overdue:
            return
        self.gathering.drop()
        self.ended = self.overdue
        self.close_handed(self.overdue)
        self.out.append(interrupted_frame(self.overdue))
        self.overdue = 0

    def recall(self) -> bool:
        """Control thread: give up every request not started, in order, and send finished responses past a running one.

        Return whether the report has left.

        The report takes the same way as the responses. This thread queues the report before it releases `reading`, so
        the report precedes the response to any later request. So the server always knows which requests the lane has.
        """
        taken: list[int] = []
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
        return self.flush_now()

    def drain_socket(self) -> None:
        try:
            while data := self.socket.recv(READ_BYTES, MSG_DONTWAIT):
                self.take(data)
        except (BlockingIOError, ConnectionError):
            pass

    def flush_now(self, patience: float = FLUSH_NOW_SECONDS) -> bool:
        """Another thread: send as much as the socket accepts. Return whether nothing is left for this thread.

        A thread that is sending also sends what is queued.
        """
        if not self.sending.acquire(timeout=patience):
            return True
        try:
            out = self.out
            count = len(out)
            data = b''.join(out[:count])
            try:
                sent = self.socket.send(data, MSG_DONTWAIT)
            except BlockingIOError:
                sent = 0
            out[:count] = [data[sent:]] if sent < len(data) else []
            return not out
        finally:
            self.sending.release()
