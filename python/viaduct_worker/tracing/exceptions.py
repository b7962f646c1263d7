"""An exception as a recording has it: its frames with the source around them, and on request their variables."""

import linecache
import traceback

from viaduct_worker.interrupt import RequestTimeout
from viaduct_worker.reports import cause_of, context_of, hides_context, report_of, traceback_of
from viaduct_worker.tracing.patience import Patience
from viaduct_worker.tracing.places import HERE, PACKAGE, is_project
from viaduct_worker.tracing.recorder import current
from viaduct_worker.tracing.texts import clipped, error_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from viaduct_worker.tracing.recorder import Recording

FRAMES_MAX = 100
AROUND_LINES = 5
LOCALS_MAX = 50
LOCAL_TEXT_MAX = 1000
LINE_TEXT_MAX = 300
CHAINED_MAX = 20
CHAIN_MAX = 8
"""How many of the exceptions that led to one are recorded."""


def hide_recorders(error: BaseException | None) -> None:
    """Take the frames of this package out of the traceback of an exception and of those that led to it.

    They are not in the log then, nor on a page for developers. The first frame stays: it is that of the lane.
    """
    for _ in range(CHAINED_MAX):
        if error is None:
            return
        entry = traceback_of(error)
        while entry is not None:
            while entry.tb_next is not None and entry.tb_next.tb_frame.f_code.co_filename.startswith(HERE):
                entry.tb_next = entry.tb_next.tb_next
            entry = entry.tb_next
        cause = cause_of(error)
        error = context_of(error) if cause is None else cause


def record(recording: 'Recording', error: BaseException) -> None:
    """Record an exception that the application let through, or that its framework made a response of."""
    if recording.error is error:
        return
    token = current.set(None)  # what `repr` of a variable does is not the request's work
    try:
        recording.error = error
        recording.exception = described(error, recording.with_locals)
    except RequestTimeout:
        raise
    except BaseException:
        recording.note('an exception')
    finally:
        current.reset(token)


def described(error: BaseException, with_locals: bool) -> dict[str, object]:
    patience = Patience() if with_locals else None
    try:
        return {
            **self_described(error, patience),
            'traceback': clipped(report_of(error)[-10_000:]),
            'chain': [{'relation': relation, **self_described(each, patience)} for relation, each in chain_of(error)],
        }
    finally:
        if patience is not None:
            patience.close()


def self_described(error: BaseException, patience: Patience | None) -> dict[str, object]:
    """An exception without those that led to it."""
    walked = [
        (frame, line)
        for frame, line in traceback.walk_tb(traceback_of(error))
        if not frame.f_code.co_filename.startswith(PACKAGE)
    ]
    if len(walked) > FRAMES_MAX:
        walked[FRAMES_MAX // 2 : -FRAMES_MAX // 2] = []
    kind = type(error)
    return {
        'type': kind.__qualname__ if kind.__module__ == 'builtins' else f'{kind.__module__}.{kind.__qualname__}',
        'message': error_text(error).partition(': ')[2],
        'frames': [frame_row(frame, line, patience) for frame, line in walked],
    }


def chain_of(error: BaseException) -> 'Iterator[tuple[str, BaseException]]':
    """The exceptions that led to `error`, the last one first: `cause` for `raise … from`, otherwise `context`."""
    seen = {id(error)}
    while len(seen) <= CHAIN_MAX:
        cause = cause_of(error)
        before = context_of(error) if cause is None and not hides_context(error) else cause
        if before is None or id(before) in seen:
            return
        seen.add(id(before))
        yield ('context' if cause is None else 'cause'), before
        error = before


def frame_row(frame: 'FrameType', line: int, patience: Patience | None) -> tuple[object, ...]:
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
        [] if patience is None else variables_of(frame, patience),
        is_project(file),
    )


def variables_of(frame: 'FrameType', patience: Patience) -> list[tuple[str, str]]:
    return [(name, patience.repr(value)[:LOCAL_TEXT_MAX]) for name, value in list(frame.f_locals.items())[:LOCALS_MAX]]
