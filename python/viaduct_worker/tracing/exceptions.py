"""An exception as a recording has it: its frames with the source around them, and on request their variables."""

import linecache
import traceback

from viaduct_worker.interrupt import RequestTimeout
from viaduct_worker.reports import cause_of, context_of, full_name_of, hides_context, report_of, traceback_of
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
SOURCES_MAX = 100_000
"""How many characters of source an exception has, with those that led to it."""
VARIABLES_MAX = 200_000
"""How many characters of variables it has. With the source they fit into a record, which takes 1 MiB."""


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
    sources = Sources()
    variables = Variables() if with_locals else None
    try:
        return {
            **self_described(error, sources, variables),
            'traceback': clipped(report_of(error)[-10_000:]),
            'chain': [
                {'relation': relation, **self_described(each, sources, variables)} for relation, each in chain_of(error)
            ],
        }
    finally:
        if variables is not None:
            variables.patience.close()


def self_described(error: BaseException, sources: 'Sources', variables: 'Variables | None') -> dict[str, object]:
    """An exception without those that led to it. Its innermost frames are the first that take room and time."""
    walked = [
        (frame, line)
        for frame, line in traceback.walk_tb(traceback_of(error))
        if not frame.f_code.co_filename.startswith(PACKAGE)
    ]
    if len(walked) > FRAMES_MAX:
        walked[FRAMES_MAX // 2 : -FRAMES_MAX // 2] = []
    frames = [frame_row(frame, line, sources, variables) for frame, line in reversed(walked)]
    return {
        'type': full_name_of(type(error)),
        'message': error_text(error).partition(': ')[2],
        'frames': frames[::-1],
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


def frame_row(frame: 'FrameType', line: int, sources: 'Sources', variables: 'Variables | None') -> tuple[object, ...]:
    code = frame.f_code
    file = code.co_filename
    first = max(1, line - AROUND_LINES)
    return (
        file,
        line,
        getattr(code, 'co_qualname', code.co_name),
        sources.lines(frame, first, line + AROUND_LINES),
        first,
        [] if variables is None else variables.of(frame),
        is_project(file),
    )


class Sources:
    """The lines around those of frames, each once: a recursion has the same ones again and again."""

    def __init__(self) -> None:
        self.room = SOURCES_MAX
        self.known: dict[tuple[str, int], list[str]] = {}

    def lines(self, frame: 'FrameType', first: int, last: int) -> list[str]:
        file = frame.f_code.co_filename
        found = self.known.get((file, first))
        if found is None:
            found = source_lines(file, frame.f_globals)[first - 1 : last] if self.room > 0 else []
            found = [each.rstrip('\n')[:LINE_TEXT_MAX] for each in found]
            self.known[file, first] = found
            self.room -= sum(map(len, found))
        return found


def source_lines(file: str, module: dict[str, object]) -> list[str]:
    """All lines of a file; none if they cannot be found, or the loader of their module refuses to say them."""
    try:
        linecache.checkcache(file)
        return linecache.getlines(file, module)
    except RequestTimeout:
        raise
    except BaseException:
        return []


class Variables:
    """The texts of the local variables of frames."""

    def __init__(self) -> None:
        self.room = VARIABLES_MAX
        self.patience = Patience()

    def of(self, frame: 'FrameType') -> list[tuple[str, str]]:
        rows: list[tuple[str, str]] = []
        for name, value in named_values(frame):
            if self.room <= 0:
                break
            text = self.patience.repr(value)[:LOCAL_TEXT_MAX]
            self.room -= len(name) + len(text)
            rows.append((name, text))
        return rows


def named_values(frame: 'FrameType') -> list[tuple[str, object]]:
    """Those that have a name. `exec` and the body of a class may have any mapping for them, which may refuse."""
    try:
        found = list(frame.f_locals.items())[:LOCALS_MAX]
    except RequestTimeout:
        raise
    except BaseException:
        return []
    return [(str.__str__(name)[:LINE_TEXT_MAX], value) for name, value in found if issubclass(type(name), str)]
