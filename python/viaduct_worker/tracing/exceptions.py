"""An exception as a recording has it: its frames with the source around them, and on request their variables."""

import linecache
import traceback

from viaduct_worker.tracing.places import HERE, PACKAGE, is_project
from viaduct_worker.tracing.recorder import current
from viaduct_worker.tracing.texts import clipped, error_text, safe_repr

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType, TracebackType

    from viaduct_worker.tracing.recorder import Recording

FRAMES_MAX = 100
AROUND_LINES = 5
LOCALS_MAX = 50
LOCAL_TEXT_MAX = 1000
LINE_TEXT_MAX = 300
CHAINED_MAX = 20


def hide_recorders(error: BaseException | None) -> None:
    """Take the frames of this package out of the traceback of an exception and of those that led to it.

    They are not in the log then, nor on a page for developers. The first frame stays: it is that of the lane.
    """
    for _ in range(CHAINED_MAX):
        if error is None:
            return
        entry: TracebackType | None = error.__traceback__
        while entry is not None:
            while entry.tb_next is not None and entry.tb_next.tb_frame.f_code.co_filename.startswith(HERE):
                entry.tb_next = entry.tb_next.tb_next
            entry = entry.tb_next
        error = error.__cause__ or error.__context__


def record(recording: 'Recording', error: BaseException) -> None:
    """Record an exception that the application let through, or that its framework made a response of."""
    if recording.error is error:
        return
    token = current.set(None)  # what `repr` of a variable does is not the request's work
    try:
        recording.error = error
        recording.exception = described(error, recording.with_locals)
    except Exception:
        recording.note('an exception')
    finally:
        current.reset(token)


def described(error: BaseException, with_locals: bool) -> dict[str, object]:
    walked = [
        (frame, line)
        for frame, line in traceback.walk_tb(error.__traceback__)
        if not frame.f_code.co_filename.startswith(PACKAGE)
    ]
    if len(walked) > FRAMES_MAX:
        walked[FRAMES_MAX // 2 : -FRAMES_MAX // 2] = []
    kind = type(error)
    text = error_text(error)
    return {
        'type': kind.__qualname__ if kind.__module__ == 'builtins' else f'{kind.__module__}.{kind.__qualname__}',
        'message': text.partition(': ')[2],
        'traceback': clipped(''.join(traceback.format_exception(kind, error, error.__traceback__))[-10_000:]),
        'frames': [frame_row(frame, line, with_locals) for frame, line in walked],
    }


def frame_row(frame: 'FrameType', line: int, with_locals: bool) -> tuple[object, ...]:
    code = frame.f_code
    file = code.co_filename
    first = max(1, line - AROUND_LINES)
    linecache.checkcache(file)
    lines = linecache.getlines(file, frame.f_globals)[first - 1 : line + AROUND_LINES]
    return (
        file,
        line,
        getattr(code, 'co_qualname', code.co_name),
        [each.rstrip('\n')[:LINE_TEXT_MAX] for each in lines],
        first,
        variables_of(frame) if with_locals else [],
        is_project(file),
    )


def variables_of(frame: 'FrameType') -> list[tuple[str, str]]:
    return [(name, safe_repr(value)[:LOCAL_TEXT_MAX]) for name, value in list(frame.f_locals.items())[:LOCALS_MAX]]
