"""One call of the application (PEP 3333): `start_response`, `write` and the returned iterable, and when bytes leave."""

from io import FileIO

from viaduct_worker.blocks import as_bytes
from viaduct_worker.channel import shortened
from viaduct_worker.clock import perf_counter_ns as now
from viaduct_worker.files import FileWrapper, regular_file
from viaduct_worker.frames import ABORT, EARLY_HINTS, END, FAILED, FILE, FILE_BODY, FRAME, HEAD
from viaduct_worker.headers import HAS_REASON, HopByHopError, encode_early_hints, encode_headers, encode_status
from viaduct_worker.interrupt import RequestTimeout
from viaduct_worker.reports import report_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from _typeshed import OptExcInfo

    from viaduct_worker.headers import HeaderList
    from viaduct_worker.lane import Lane

LINES_BYTES_MAX = 1_048_576
"""The server has the same number in frame-rules.ts, and kills a worker that sends more."""

DROPPED_MAX = 100
"""How many blocks write() drops after a response that has no content. Without a limit a loop would go on for ever."""

_ready: 'tuple[type, type]' = type(iter([])), type(iter(()))


class ClientLeftError(ConnectionAbortedError):
    """Raised by write(): nobody reads what the application sends. It ends the application, and no log has it."""


class Call:
    """Lives for one request. `lane` sends its frames. `phase` is one of the constants below.

    `sent` counts body bytes, also those that are cut. After a response without content it counts dropped blocks.
    `bodyless` is 1 for HEAD. A status without content adds 2; an error may replace this status by one with content.
    """

    __slots__ = ('lane', 'id', 'start_ns', 'bodyless', 'phase', 'code', 'lines', 'length', 'has', 'sent')

    NEW, STARTED, STREAMING, DONE = range(4)

    def __init__(self, lane: 'Lane', request_id: int, head_only: bool) -> None:
        self.lane = lane
        self.id = request_id
        self.start_ns = lane.now
        self.bodyless: int = head_only
        self.phase = 0
        self.sent = 0

    def start_response(
        self, status: str, headers: 'HeaderList', exc_info: 'OptExcInfo | None' = None
    ) -> 'Callable[[bytes], None]':
        """PEP 3333: a second call needs `exc_info`. If the headers have left, this function raises `exc_info` again."""
        if exc_info is not None:
            if not isinstance(exc_info, tuple) or len(exc_info) != 3:
                raise TypeError(f'exc_info must be a tuple of three, as sys.exc_info() returns it, not {exc_info!r}')
            try:
                if self.phase > 1:
                    # The type of exc_info also allows three None, which PEP 3333 does not.
                    raise exc_info[1].with_traceback(exc_info[2])  # type: ignore[union-attr]
            finally:
                exc_info = None
            self.bodyless &= 1
        elif self.phase:
            raise AssertionError('start_response was called a second time without exc_info')
        code, reason = encode_status(status)
        try:
            lines, self.length = encode_headers(headers)
        except HopByHopError as error:
            self.notice(f'the application sent the field {error}, which belongs to the server: it is left out')
            lines, self.length = encode_headers(error.rest)
        has = 0
        if reason:
            lines = reason.encode('latin-1') + lines
            has = HAS_REASON
        if code == 204 or code == 304:
            self.bodyless |= 2
        if len(lines) > LINES_BYTES_MAX:
            raise ValueError(f'the headers have {len(lines)} bytes, and at most {LINES_BYTES_MAX} can be sent')
        self.code = code
        self.lines = lines
        self.has = has
        self.phase = 1
        return self.write

    def early_hints(self, headers: 'HeaderList') -> None:
        """`wsgi.early_hints`: send an interim response 103 (RFC 8297) at once, unless the response has started."""
        try:
            lines = encode_early_hints(headers)
        except HopByHopError as error:
            self.notice(f'the early hints have the field {error}, which belongs to the server: it is left out')
            lines = encode_early_hints(error.rest)
        if len(lines) > LINES_BYTES_MAX:
            raise ValueError(f'the early hints have {len(lines)} bytes, and at most {LINES_BYTES_MAX} can be sent')
        if lines and self.phase < 2:
            lane = self.lane
            lane.now = time = now()
            lane.out.append(FRAME.pack(self.id, EARLY_HINTS, 0, 103, len(lines), 0, -1, time - self.start_ns) + lines)
            lane.flush()

    def write(self, block: bytes) -> None:
        """The callable that `start_response` returns: `block` leaves now or within a millisecond."""
        if not isinstance(block, bytes):
            block = as_bytes(block, 'write() takes')
        if self.id in self.lane.gone:
            raise ClientLeftError('the client has left')
        if self.phase == 3:
            if not self.bodyless:
                raise AssertionError('write() was called after the response was complete')
            self.sent += 1
            if self.sent > DROPPED_MAX:
                raise ClientLeftError('this response has no content')
        elif block:
            self.send(block)

    def respond(self, result: 'Iterable[bytes]') -> None:
        """Send what the application returned. Blocks of a list leave as one; a generator's leave as they are made."""
        kind = type(result)
        if kind is not list and kind is not tuple:
            # mypy does not see what `kind` says about `result`.
            if kind is FileWrapper and self.hand_over(result):  # type: ignore[arg-type]
                return
            if isinstance(result, (bytes, bytearray)):
                self.notice('the application returned bytes, not an iterable of blocks: they are sent as one block')
                result = [result]
            else:
                iterator = iter(result)
                if type(iterator) not in _ready:
                    self.stream(iterator)
                    return
                result = list(iterator)
        if self.phase != 1:
            self.stream(result)
            return
        # Here `result` is a list or a tuple, as its kind says, which mypy does not see.
        body = result[0] if len(result) == 1 else b''.join(map(as_bytes, result))  # type: ignore[index,arg-type]
        self.complete(body if type(body) is bytes else bytes(as_bytes(body)))

    def stream(self, blocks: 'Iterable[bytes]') -> None:
        lane = self.lane
        for block in blocks:
            if block:
                self.send(as_bytes(block))
                if self.phase == 3 or 0 <= self.length <= self.sent or self.id in lane.gone:
                    break
            elif not isinstance(block, bytes):
                as_bytes(block)
            elif self.id in lane.gone:
                self.leave()
                return
        self.finish()

    def send(self, block: bytes) -> None:
        """Send one block. The head leaves with the first block, at once. Later blocks may wait for others."""
        if self.phase == 0:
            raise AssertionError('a block was produced before start_response was called')
        if self.phase == 3:
            if not self.bodyless:
                self.excess()
            return
        if self.bodyless:
            self.complete(b'')
            self.lane.flush()
            return
        total = self.sent + len(block)
        if 0 <= self.length < total:
            if self.sent > self.length:
                return  # the log has it already
            block = block[: self.length - self.sent]
            self.excess()
        if self.phase == 1:
            if total >= self.length >= 0:
                self.complete(block)
                self.lane.flush()
                return
            self.frame(HEAD, self.lines, block)
            self.phase = 2
            self.lane.flush()
        elif block:
            self.lane.gathering.send(self, block)
        self.sent = total

    def complete(self, body: bytes) -> None:
        """Send a whole response. It leaves with the lane's next flush."""
        length = self.length
        if self.bodyless:
            body = b''
        elif 0 <= length != len(body):
            if len(body) > length:
                self.excess()
                body = body[:length]
            else:
                self.lane.log(f'the application sent {len(body)} bytes of a declared Content-Length of {length}')
        lines = self.lines
        lane = self.lane
        lane.now = time = now()
        frame = FRAME.pack(self.id, 1, self.has, self.code, len(lines), len(body), length, time - self.start_ns)
        self.phase = 3
        lane.finish(frame + lines, body)

    def finish(self) -> None:
        """The iterable is exhausted."""
        if self.phase == 2:
            self.phase = 3
            if self.length > self.sent and self.id not in self.lane.gone:
                self.lane.log(f'the application sent {self.sent} bytes of a declared Content-Length of {self.length}')
            self.lane.gathering.finish()
            self.frame(END, b'', b'')
            self.lane.flush()
        elif self.phase == 1:
            self.complete(b'')
        elif self.phase == 0:
            raise AssertionError('the application returned without calling start_response')

    def leave(self) -> None:
        """The client has left, and nobody reads the answer."""
        if self.phase < 2:
            self.phase = 0
            self.start_response('499 Client Closed Request', [])
        self.finish()

    def hand_over(self, wrapper: FileWrapper) -> bool:
        """Give the server the file instead of its bytes. Return False if the server cannot open it as a regular file.

        The server opens the file by the descriptor of this process, and the kernel then checks the file's mode again.
        So this process opens the file in the same way first.
        """
        lane = self.lane
        found = regular_file(wrapper) if lane.hands_over and self.phase == 1 and not self.bodyless else None
        if not found:
            return False
        descriptor, start, end = found
        try:
            # An object, which closes itself if RequestTimeout comes before `handed` has it.
            copy = FileIO(f'/proc/self/fd/{descriptor}')
        except OSError:
            return False
        if self.length > end - start:
            lane.log(f'the file has {end - start} bytes of a declared Content-Length of {self.length}')
        elif self.length >= 0:
            end = start + self.length
        lane.handed[self.id] = copy
        self.phase = 3
        self.frame(FILE_BODY, self.lines, FILE.pack(copy.fileno(), start, end))
        lane.flush()
        return True

    def fail(self, error: BaseException) -> None:
        """The application raised: send 500 if the head has not left, otherwise break the response off visibly."""
        # Its type decides: `__class__` may be a property that raises.
        kind = type(error)
        if issubclass(kind, ClientLeftError):
            self.leave()
            self.lane.flush()
            return
        if issubclass(kind, RequestTimeout) and self.lane.overdue == self.id:
            self.phase = 3  # the lane reports the end
            return
        report = report_of(error)
        if self.phase == 3:
            self.lane.log(report, self.id)
        else:
            frame = ABORT if self.phase == 2 else FAILED
            self.lane.gathering.finish()
            self.phase, self.code = 3, 500
            self.frame(frame, b'', shortened(report).encode('utf-8', 'replace'))
        self.lane.flush()

    def notice(self, text: str) -> None:
        """The application broke PEP 3333 in a way that Viaduct corrects."""
        self.lane.notices.add(text)

    def excess(self) -> None:
        self.lane.log(f'the application sent more than the declared Content-Length of {self.length}: the rest is cut')

    def frame(self, kind: int, lines: bytes, body: bytes) -> None:
        lane = self.lane
        lane.now = time = now()
        head = kind == HEAD or kind == FILE_BODY
        lane.put(
            FRAME.pack(
                self.id,
                kind,
                self.has if head else 0,
                self.code,
                len(lines),
                len(body),
                self.length if head else -1,
                time - self.start_ns,
            )
            + lines,
            body,
        )
