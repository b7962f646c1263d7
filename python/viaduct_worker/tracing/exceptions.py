"""An exception as a recording has it: its frames with the source around them, and on request their variables."""

import linecache
import marshal
import sys
import traceback
from binascii import b2a_base64

from viaduct_worker.interrupt import RequestTimeout
from viaduct_worker.reports import (
    cause_of,
    context_of,
    full_name_of,
    hides_context,
    members_of,
    report_of,
    traceback_of,
)
from viaduct_worker.tracing.patience import Patience
from viaduct_worker.tracing.places import HERE, PACKAGE, is_project
from viaduct_worker.tracing.recorder import current
from viaduct_worker.tracing.texts import clipped, error_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import TypeGuard

    from viaduct_worker.tracing.recorder import Recording

FRAMES_MAX = 100
AROUND_LINES = 5
LOCALS_MAX = 50
LOCAL_TEXT_MAX = 1000
LINE_TEXT_MAX = 300
CHAIN_MAX = 16
"""How many of the exceptions that led to one are recorded."""
MEMBERS_MAX = 8
"""How many exceptions of a group are among them."""
SOURCES_MAX = 100_000
"""How many characters of source an exception has, with those that led to it."""
VARIABLES_MAX = 200_000
"""How many characters of variables it has. With the source they fit into a record, which takes 1 MiB."""

PLACE_MAX = (1 << 31) - 1
MARSHALLED_MAX = 3_000_000
"""How many characters of base64 a message takes, beside its other texts."""


def hide_recorders(error: BaseException) -> None:
    """Take the frames of this package out of the traceback of an exception and of those that led to it.

    They are not in the log then, nor on a page for developers. The first frame stays: it is that of the lane.
    """
    for _, _, each in with_chain_of(error):
        entry = traceback_of(each)
        while entry is not None:
            while entry.tb_next is not None and entry.tb_next.tb_frame.f_code.co_filename.startswith(HERE):
                entry.tb_next = entry.tb_next.tb_next
            entry = entry.tb_next


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
        (_, _, last), *chain = with_chain_of(error)
        return {
            **self_described(last, sources, variables),
            'traceback': clipped(report_of(error)[-10_000:]),
            'chain': [
                {'relation': relation, 'of': of, **self_described(each, sources, variables)}
                for relation, of, each in chain
            ],
        }
    finally:
        if variables is not None:
            variables.patience.close()


def marshalled(error: BaseException) -> str:
    """The description of an exception, with its variables, for a message: marshalled data in base64. '' if it fails."""
    try:
        data = b2a_base64(marshal.dumps(described(error, True)), newline=False)
    except BaseException:
        return ''
    return data.decode() if len(data) <= MARSHALLED_MAX else ''


def self_described(error: BaseException, sources: 'Sources', variables: 'Variables | None') -> dict[str, object]:
    """An exception without those that led to it. Its innermost frames are the first that take room and time."""
    walked = [
        (frame, line)
        for frame, line in traceback.walk_tb(traceback_of(error))
        if not frame.f_code.co_filename.startswith(PACKAGE)
    ]
    if len(walked) > FRAMES_MAX:
        walked[FRAMES_MAX // 2 : -FRAMES_MAX // 2] = []
    place = syntax_place(error, sources)
    frames = [frame_row(frame, line, sources, variables) for frame, line in reversed(walked)]
    return {
        'type': full_name_of(type(error)),
        'message': error_text(error).partition(': ')[2],
        'frames': [*frames[::-1], *place][-FRAMES_MAX:],
        'members': len(members_of(error)),
    }


def with_chain_of(error: BaseException) -> list[tuple[str, int, BaseException]]:
    """An exception and those that led to it, depth first: how it belongs to another one, the index of that one, itself.

    `member` is one of an exception group, `cause` what `raise … from` names, `context` what was handled meanwhile. The
    indexes count those that led to `error`, so `error` is -1.
    """
    found: list[tuple[str, int, BaseException]] = []
    known: set[int] = set()
    waiting: list[tuple[str, int, BaseException]] = [('', -1, error)]
    while waiting and len(found) <= CHAIN_MAX:
        relation, of, each = waiting.pop()
        if id(each) in known:
            continue
        known.add(id(each))
        found.append((relation, of, each))
        at = len(found) - 2
        cause = cause_of(each)
        before = context_of(each) if cause is None and not hides_context(each) else cause
        if before is not None:
            waiting.append(('context' if cause is None else 'cause', at, before))
        waiting += [('member', at, member) for member in members_of(each)[:MEMBERS_MAX][::-1]]
    return found


def syntax_place(error: BaseException, sources: 'Sources') -> list[tuple[object, ...]]:
    """The place that a syntax error names, as a frame without a function: the code there has never run."""
    if not issubclass(type(error), SyntaxError):
        return []
    names = ('filename', 'lineno', 'offset', 'end_lineno', 'end_offset', 'text')
    file, line, start, end_line, end, text = (SyntaxError.__dict__[name].__get__(error) for name in names)
    if type(file) is not str or not is_place(line):
        return []
    columns = None
    if is_place(start):
        last = max(start, end - 1) if end_line == line and is_place(end) else start
        columns = (column_of(start - 1, text), column_of(last, text))
    return [place_row(file, line, '', sources, {}, [], columns)]


def is_place(value: object) -> 'TypeGuard[int]':
    """Whether it can be a line or a column of a file. A program may make syntax errors of any values."""
    return type(value) is int and 0 < value <= PLACE_MAX


def column_of(offset: int, text: object) -> int:
    """The column in characters. Up to CPython 3.12, the offset in a file counts the bytes of UTF-8."""
    if sys.version_info >= (3, 13) or type(text) is not str:
        return offset
    return len(text.encode('utf-8', 'replace')[:offset].decode('utf-8', 'replace'))


def frame_row(frame: 'FrameType', line: int, sources: 'Sources', variables: 'Variables | None') -> tuple[object, ...]:
    code = frame.f_code
    name = getattr(code, 'co_qualname', code.co_name)
    found = [] if variables is None else variables.of(frame)
    return place_row(code.co_filename, line, name, sources, frame.f_globals, found, None)


def place_row(
    file: str,
    line: int,
    name: str,
    sources: 'Sources',
    module: dict[str, object],
    variables: list[tuple[str, str]],
    columns: tuple[int, int] | None,
) -> tuple[object, ...]:
    """`columns` are the first and the last one, exclusive, of the part of the line that is meant; None for all."""
    first = max(1, line - AROUND_LINES)
    source = sources.lines(file, module, first, line + AROUND_LINES)
    return (file, line, name, source, first, variables, is_project(file), columns)


class Sources:
    """The lines around those of frames, each once: a recursion has the same ones again and again."""

    def __init__(self) -> None:
        self.room = SOURCES_MAX
        self.known: dict[tuple[str, int], list[str]] = {}

    def lines(self, file: str, module: dict[str, object], first: int, last: int) -> list[str]:
        found = self.known.get((file, first))
        if found is None:
            found = source_lines(file, module)[first - 1 : last] if self.room > 0 else []
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


MODULE_NAMES = frozenset(
    ('__name__', '__doc__', '__package__', '__loader__', '__spec__', '__file__', '__cached__', '__builtins__')
)


def named_values(frame: 'FrameType') -> list[tuple[str, object]]:
    """Those that have a name, without those that every module has.

    `exec` and the body of a class may have any mapping for them, which may refuse.
    """
    try:
        hidden = MODULE_NAMES if frame.f_locals is frame.f_globals else frozenset()
        found = [each for each in frame.f_locals.items() if not hidden or each[0] not in hidden][:LOCALS_MAX]
    except RequestTimeout:
        raise
    except BaseException:
        return []
    return [(str.__str__(name)[:LINE_TEXT_MAX], value) for name, value in found if issubclass(type(name), str)]
