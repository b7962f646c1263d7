"""One request under PEP 3333: what `start_response`, `write` and the returned iterable may do, and when bytes leave."""

import os
import struct
import traceback
from time import perf_counter_ns as now

from viaduct_worker.files import FileWrapper, regular_file
from viaduct_worker.headers import HAS_REASON, encode_early_hints, encode_headers, encode_status

FRAME = struct.Struct('<IBBHIIqQ')
"""Frame to the front: request, kind, has, status, bytes of head, bytes of body, Content-Length or -1, nanoseconds so far."""
FILE = struct.Struct('<IQQ')
"""Body of a FILE frame: descriptor in this process, first byte, end (exclusive)."""

COMPLETE, HEAD, BLOCK, END, ABORT, FILE_BODY, FAILED, RECALLED, EARLY_HINTS = range(1, 10)

_ready = type(iter([])), type(iter(()))


class Exchange:
    """Lives for one request. `lane` sends its frames; `sent` counts body bytes; phases are the constants below.

    `bodyless` is 1 for HEAD, plus 2 for a status that has no content, which an error may replace by one that has.
    """

    __slots__ = ('lane', 'id', 'begun', 'bodyless', 'phase', 'code', 'lines', 'length', 'has', 'sent')

    NEW, STARTED, STREAMING, DONE = range(4)

    def __init__(self, lane, request_id, head_only):
        self.lane = lane
        self.id = request_id
        self.begun = lane.now
        self.bodyless = head_only
        self.phase = 0
        self.sent = 0

    def start_response(self, status, headers, exc_info=None):
        """PEP 3333: may be called again only with `exc_info`, which is re-raised when the headers have left."""
        if exc_info is not None:
            try:
                if self.phase > 1:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None
            self.bodyless &= 1
        elif self.phase:
            raise AssertionError('start_response was called a second time without exc_info')
        code, reason = encode_status(status)
        lines, self.length, has = encode_headers(headers)
        if reason:
            lines = reason.encode('latin-1') + lines
            has |= HAS_REASON
        if code == 204 or code == 304:
            self.bodyless |= 2
        self.code = code
        self.lines = lines
        self.has = has
        self.phase = 1
        return self.write

    def early_hints(self, headers):
        """`wsgi.early_hints`: sends an interim response 103 (RFC 8297) at once. Nothing is sent when the response has begun."""
        lines = encode_early_hints(headers)
        if lines and self.phase < 2:
            lane = self.lane
            lane.now = time = now()
            lane.out.append(FRAME.pack(self.id, EARLY_HINTS, 0, 103, len(lines), 0, -1, time - self.begun) + lines)
            lane.flush()

    def write(self, block):
        """The callable that `start_response` returns: sends `block` before it returns."""
        if not isinstance(block, bytes):
            raise TypeError(f'write() takes bytes, not {type(block).__name__}')
        if self.phase == 3 and not self.bodyless:
            raise AssertionError('write() was called after the response was complete')
        if block:
            self.send(block)

    def respond(self, result):
        """Send what the application returned. Blocks that are already there go as one; others as they are made."""
        kind = type(result)
        if kind is not list and kind is not tuple:
            if kind is FileWrapper and self.hand_over(result):
                return
            iterator = iter(result)
            if type(iterator) not in _ready:
                self.stream(iterator)
                return
            result = list(iterator)
        if self.phase != 1:
            self.stream(result)
            return
        body = result[0] if len(result) == 1 else b''.join(map(_checked, result))
        self.complete(body if type(body) is bytes else bytes(_checked(body)))

    def stream(self, blocks):
        lane = self.lane
        for block in blocks:
            if block:
                self.send(_checked(block))
                if self.phase == 3 or self.sent == self.length or lane.gone == self.id:
                    break
            elif not isinstance(block, bytes):
                _checked(block)
        self.finish()

    def send(self, block):
        """Send one block at once; the first takes the head with it."""
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
            block = block[: self.length - self.sent]
            self.excess()
        if self.phase == 1:
            if total >= self.length >= 0:
                self.complete(block)
                self.lane.flush()
                return
            self.phase = 2
            self.frame(HEAD, self.lines, block)
        else:
            self.frame(BLOCK, b'', block)
        self.sent += len(block)
        self.lane.flush()

    def complete(self, body):
        """Send a whole response; it leaves with the lane's next flush."""
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
        self.phase = 3
        lane.finish(
            FRAME.pack(self.id, 1, self.has, self.code, len(lines), len(body), length, time - self.begun) + lines + body
        )

    def finish(self):
        """The iterable is exhausted."""
        if self.phase == 2:
            self.phase = 3
            if self.length > self.sent and self.lane.gone != self.id:
                self.lane.log(f'the application sent {self.sent} bytes of a declared Content-Length of {self.length}')
            self.frame(END, b'', b'')
            self.lane.flush()
        elif self.phase == 1:
            self.complete(b'')
        elif self.phase == 0:
            raise AssertionError('the application returned without calling start_response')

    def hand_over(self, wrapper):
        """Give the front the file instead of its bytes. False when it is no regular file or the front cannot open it.

        It opens what this process holds by its descriptor, for which the file's mode counts again: so that is tried here first.
        """
        lane = self.lane
        found = regular_file(wrapper) if lane.hands_over and self.phase == 1 and not self.bodyless else None
        if not found:
            return False
        descriptor, start, end = found
        try:
            copy = os.open(f'/proc/self/fd/{descriptor}', os.O_RDONLY)
        except OSError:
            return False
        if self.length > end - start:
            lane.log(f'the file has {end - start} bytes of a declared Content-Length of {self.length}')
        elif self.length >= 0:
            end = start + self.length
        lane.handed[self.id] = copy
        self.phase = 3
        self.frame(FILE_BODY, self.lines, FILE.pack(copy, start, end))
        lane.flush()
        return True

    def fail(self):
        """The application raised: 500 while the head is still here, else a response that visibly breaks off."""
        report = traceback.format_exc()
        if self.phase == 3:
            self.lane.log(report, self.id)
        else:
            kind = ABORT if self.phase == 2 else FAILED
            self.phase, self.code = 3, 500
            self.frame(kind, b'', report.encode('utf-8', 'replace'))
        self.lane.flush()

    def excess(self):
        self.lane.log(f'the application sent more than the declared Content-Length of {self.length}: the rest is cut')

    def frame(self, kind, lines, body):
        lane = self.lane
        lane.now = time = now()
        head = kind == HEAD or kind == FILE_BODY
        lane.out.append(
            FRAME.pack(
                self.id,
                kind,
                self.has if head else 0,
                self.code,
                len(lines),
                len(body),
                self.length if head else -1,
                time - self.begun,
            )
            + lines
            + body
        )


def recalled_frame(request_ids):
    """Tell the front which requests the lane gave up."""
    body = struct.pack(f'<{len(request_ids)}I', *request_ids)
    return FRAME.pack(0, RECALLED, 0, 0, 0, len(body), -1, 0) + body


def _checked(block):
    if not isinstance(block, bytes):
        raise TypeError(f'the application must produce bytes, not {type(block).__name__}')
    return block
