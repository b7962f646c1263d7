"""The frames that a worker sends to the server. `frames.ts` has the other end."""

import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

FRAME = struct.Struct('<IBBHIIqQ')
"""Frame to the server: request, kind, has, status, bytes of head, bytes of body, Content-Length or -1, nanoseconds."""
FILE = struct.Struct('<IQQ')
"""Body of a FILE frame: descriptor in this process, first byte, end (exclusive)."""

COMPLETE, HEAD, BLOCK, END, ABORT, FILE_BODY, FAILED, RECALLED, EARLY_HINTS, INTERRUPTED, TRACE = range(1, 12)


def recalled_frame(request_ids: 'Sequence[int]') -> bytes:
    """The frame that reports which requests the lane gave up."""
    body = struct.pack(f'<{len(request_ids)}I', *request_ids)
    return FRAME.pack(0, RECALLED, 0, 0, 0, len(body), -1, 0) + body


def interrupted_frame(request_id: int) -> bytes:
    """The frame that reports the end of a request that was interrupted."""
    return FRAME.pack(request_id, INTERRUPTED, 0, 0, 0, 0, -1, 0)


def trace_frame(request_id: int, size: int) -> bytes:
    """The head of the frame with the recording of a traced request, which follows all other frames of the request."""
    return FRAME.pack(request_id, TRACE, 0, 0, 0, size, -1, 0)
