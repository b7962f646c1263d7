"""The recording of one request: a log of what started and ended, and the bytes that leave the worker.

The log is one flat list, three values for an event, so that an event costs one list of three. Which span is within
which, what a middleware did before and after the next one, and which hop changed a field: the server finds that out, as
`src/trace/python-log.ts` has it, when somebody looks.

- A span starts: `(description, time, attributes or None)`. `described` makes the description once if it is always the
  same. A tuple `(kind, name, file, line)` is one, too.
- It ends: `(time of its start, time, what is known now)`. It ends those inside that are still open.
- More is known of it: the same with 0 as the time.

Times are seconds of `perf_counter`. That of its start stands for a span: threads of a request may start some at once,
so a place in the log could be another one's. Attributes are known of a span, or a tuple:

- `(fields,)` of a request, as it passed them on;
- `(status, fields)` of a response, unless both are those of the response before;
- `(status, fields, has exc_info)`: the arguments of `start_response`.

`current` belongs to a context, so asgiref takes it along into the threads of asynchronous views and of synchronous code
that these call. A recording never raises into the application: what fails in this package becomes a note.
"""

import marshal
import sys
from _contextvars import ContextVar

from viaduct_worker.clock import perf_counter as now
from viaduct_worker.reports import report_of
from viaduct_worker.tracing.texts import TEXT_MAX, clipped, error_text, safe_repr

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, TypeAlias

    from viaduct_worker.tracing.profiler import Profiler

    Attribute: TypeAlias = str | int | float | bool
    Attributes: TypeAlias = dict[str, Attribute]
    Place: TypeAlias = tuple[str, int]
    Fields: TypeAlias = Sequence[tuple[str, str]]
    Passed: TypeAlias = tuple[str, Fields]
    Known: TypeAlias = Attributes | tuple[object, ...] | None
    Span: TypeAlias = float
    """The time of its start; 0 if there was no room."""

EVENT = 3
"""Values for each event."""
ROOM = 4000 * EVENT
"""No span starts in a longer log. Spans that have started may still end."""
NOTES_MAX = 10
PAYLOAD_BYTES_MAX = 1_048_576
VERSION = 3
MARSHAL_VERSION = 4
"""With references: a field that several hops have takes five bytes."""
NOWHERE: 'Place' = ('', 0)
ENVIRON, LOG, MORE = 5, 6, 7
"""Places in the record that leaves the worker."""

current: 'ContextVar[Recording | None]' = ContextVar('viaduct_recording', default=None)
running = current.get
"""Returns the recording of the request that this context runs, and None if there is none."""


def described(kind: str, name: str, place: 'Place' = NOWHERE, *more: 'str | tuple[str, str, int]') -> bytes:
    """The description of a span, marshalled: for spans that are the same in each request."""
    return marshal.dumps((kind, name, *place, *more), MARSHAL_VERSION)


class Recording:
    """Lives for one request. `log` is described above; nothing starts any more when it is as long as `room`.

    `code`, `status` and `fields` are those of the last hop of the response. `shared` and `environ` are the
    variables of the request, and `variables` those of its last hop. `open` has the kinds of open spans of `begin`,
    the innermost one last. `view` is the span of Flask's view, unless it raised. What most requests do not change
    belongs to the class, which makes a recording cheap.
    """

    room = ROOM
    dropped = 0
    is_in_django = False
    with_parameters = False
    with_locals = False
    shared = b''
    environ: dict[str, object] | None = None
    variables: dict[str, object] | None = None
    code = 0
    status = ''
    fields: 'list[tuple[str, str]] | None' = None
    exception: dict[str, object] | None = None
    error: BaseException | None = None
    profiler: 'Profiler | None' = None
    view: 'Span' = 0.0
    notes: list[str] | None = None

    def __init__(self, options: str, thread: str) -> None:
        """`options` are words: `sql_parameters` and `locals` record these, too."""
        self.start = now()
        self.thread = thread
        self.log: list[Any] = []
        self.open: list[str] = []
        if options != 'full':
            self.with_parameters = 'sql_parameters' in options
            self.with_locals = 'locals' in options

    def begin(self, kind: str, name: str, attributes: 'Attributes | None' = None, place: 'Place' = NOWHERE) -> 'Span':
        """Start a span within the innermost open one."""
        span = self.begin_aside(kind, name, attributes, place, False)
        if span:
            self.open.append(kind)
        return span

    def begin_aside(
        self, kind: str, name: str, attributes: 'Attributes | None', place: 'Place', is_aside: bool = True
    ) -> 'Span':
        """Start a span that nothing is within, because what starts next may have nothing to do with it."""
        if len(self.log) >= self.room:
            self.dropped += 1
            return 0.0
        file, line = place
        span = now()
        self.log += (kind, name, file, line, True) if is_aside else (kind, name, file, line), span, attributes
        return span

    def end(self, span: 'Span', known: 'Known' = None) -> None:
        """End a span of `begin`, and with it the spans inside that are still open."""
        if span:
            self.log += span, now(), known
            if self.open:
                self.open.pop()

    def end_aside(self, span: 'Span', known: 'Known') -> None:
        """End a span of `begin_aside`."""
        if span:
            self.log += span, now(), known

    def put(self, span: 'Span', known: 'Known') -> None:
        """Note what is known of a span, which may have ended."""
        if span:
            self.log += span, 0, known

    def fail(self, span: 'Span', error: BaseException) -> None:
        """Note in a span that it ended by an exception."""
        self.put(span, {'error': error_text(error)})

    def is_within(self, kind: str) -> bool:
        """Whether the innermost open span of `begin` has this kind."""
        return bool(self.open) and self.open[-1] == kind

    def note(self, what: str) -> None:
        """Note the current exception, which this package has raised while it recorded `what`."""
        error = sys.exc_info()[1]
        notes = self.notes = self.notes or []
        if error is not None and len(notes) < NOTES_MAX:
            notes.append(f'{what} could not be recorded: {report_of(error, -3)}'[:TEXT_MAX])

    def finish(self) -> bytes:
        """End the recording, and return the marshalled payload. What still runs in other threads is not recorded."""
        self.room = 0
        log, self.log, self.open = self.log, [], []
        more: dict[str, object] | None = None
        if self.exception is not None or self.profiler is not None or self.notes is not None or self.dropped:
            more = self.rarities()
        self.error = None
        record = [VERSION, self.start, now(), self.thread, self.shared, self.environ, log, more]
        try:
            data = marshal.dumps(record, MARSHAL_VERSION)
        except ValueError:  # a subclass of str, such as Django's SafeString, or another object
            record[ENVIRON:] = plain(self.environ), plain_log(log), plain(more)
            data = marshal.dumps(record, MARSHAL_VERSION)
        return data if len(data) <= PAYLOAD_BYTES_MAX else fitting(record)

    def rarities(self) -> dict[str, object]:
        """What most records do not have."""
        return {
            'exception': self.exception,
            'profile': None if self.profiler is None else self.profiler.finish(),
            'dropped': self.dropped,
            'notes': self.notes or [],
        }


def fitting(record: 'list[Any]') -> bytes:
    """Marshal the record without the last spans, profile, exception and environ, in turn, until it fits."""
    more: dict[str, Any] = record[MORE] or {'dropped': 0, 'notes': []}
    record[MORE] = more
    while record[LOG]:
        record[LOG], dropped = halved(record[LOG])
        more['dropped'] += dropped
        data = marshal.dumps(record, MARSHAL_VERSION)
        if len(data) <= PAYLOAD_BYTES_MAX:
            return data
    for name in ('profile', 'exception'):
        more[name] = None
        data = marshal.dumps(record, MARSHAL_VERSION)
        if len(data) <= PAYLOAD_BYTES_MAX:
            return data
    record[ENVIRON] = None
    return marshal.dumps(record, MARSHAL_VERSION)


def halved(log: 'list[Any]') -> 'tuple[list[Any], int]':
    """The log without the second half of its spans, and how many these are."""
    places = [at for at in range(0, len(log), EVENT) if type(log[at]) is not float]
    end = places[len(places) // 2]
    kept = log[:end]
    spans = {log[at + 1] for at in places if at < end}
    for at in range(end, len(log), EVENT):
        what, time, _ = log[at : at + EVENT]
        if what in spans and time:
            kept += what, time, None
    return kept, len(places) - len(places) // 2


def plain_log(log: 'list[Any]') -> list[object]:
    """The log with only those types that `marshal` knows. Descriptions are marshalled already."""
    return [value if type(value) is bytes else plain(value) for value in log]


def plain(value: 'Any') -> object:
    """The value with only those types that `marshal` knows."""
    kind = type(value)
    if value is None or kind is int or kind is float or kind is bool:
        return value
    if isinstance(value, str):
        return clipped(value)
    if kind is dict:
        return {plain(name): plain(each) for name, each in value.items()}
    if kind is list or kind is tuple:
        return [plain(each) for each in value]
    if kind is bytes:
        return clipped(value.decode('latin-1'))
    return safe_repr(value)
