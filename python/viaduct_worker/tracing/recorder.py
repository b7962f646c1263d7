"""The recording of one request: its spans, the header fields at each hop, and the bytes that leave the worker.

`current` belongs to a context, so asgiref takes it along into the threads of asynchronous views and of synchronous code
that these call. A recording never raises into the application: what fails in this package becomes a note.
"""

import marshal
import sys
from _contextvars import ContextVar
from time import perf_counter_ns as now

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
    Span: TypeAlias = list[Any]

SPANS_MAX = 2000
HOPS_MAX = 200
NOTES_MAX = 10
PAYLOAD_BYTES_MAX = 1_048_576
VERSION = 2
MARSHAL_VERSION = 4
"""With references: paths and fields that come again take five bytes, and half the time."""
NOWHERE: 'Place' = ('', 0)

NAME, START, END, PARENT, ATTRIBUTES = 1, 2, 3, 4, 5
"""Places in a span, which is a list: its kind, its name, its start, its end or 0 while it lasts, the index of the span
that it happened in or -1, its attributes or None, and file and line of its code. It leaves the worker as it is."""

current: 'ContextVar[Recording | None]' = ContextVar('viaduct_recording', default=None)
running = current.get
"""Returns the recording of the request that this context runs, and None if there is none."""


class Recording:
    """Lives for one request. `span` is the index of the innermost open span, -1 outside of all.

    `phase` is the open phase of a Django middleware. `response` has code, status and fields of the last hop of
    the response, and `variables` the environ of the last hop of the request. `shared` and `environ` are the rows of the
    first one: those of variables that other requests have, too, are marshalled already.
    """

    __slots__ = (
        'dropped',
        'environ',
        'error',
        'exception',
        'hops',
        'notes',
        'phase',
        'profiler',
        'response',
        'room',
        'shared',
        'span',
        'spans',
        'start',
        'start_response',
        'thread',
        'variables',
        'with_locals',
        'with_parameters',
    )

    def __init__(self, options: str, thread: str) -> None:
        """`options` are words: `sql_parameters` and `locals` record these, too."""
        self.start = now()
        self.thread = thread
        self.with_parameters = 'sql_parameters' in options
        self.with_locals = 'locals' in options
        self.room = SPANS_MAX
        self.spans: list[Span] = []
        self.span = -1
        self.phase: Span | None = None
        self.dropped = 0
        self.shared = b''
        self.environ: list[tuple[str, str, bool]] | None = None
        self.variables: dict[str, object] = {}
        self.hops: list[tuple[int, str, str, str, Fields]] = []
        self.response: tuple[int, str, Fields] = (0, '', ())
        self.start_response: list[tuple[str, str, Fields, bool]] = []
        self.exception: dict[str, object] | None = None
        self.error: BaseException | None = None
        self.profiler: Profiler | None = None
        self.notes: list[str] = []

    def begin(self, kind: str, name: str, attributes: 'Attributes | None' = None, place: 'Place' = NOWHERE) -> 'Span':
        """Start a span within the innermost open one."""
        spans = self.spans
        parent = self.span
        if parent >= len(spans):  # the request is over, and another thread still works for it
            parent = -1
        while parent >= 0 and spans[parent][END]:  # two parts of an asynchronous view ran at the same time
            parent = spans[parent][PARENT]
        file, line = place
        index = len(spans)
        span = [kind, name, now(), 0, parent, attributes, file, line]
        if index < self.room:
            self.span = index
            spans.append(span)
        else:
            self.dropped += 1
        return span

    def end(self, span: 'Span') -> None:
        """End a span, and with it the spans inside that are still open for this thread."""
        span[END] = now()
        self.span = span[PARENT]

    def fail(self, span: 'Span', error: BaseException) -> None:
        """Note in a span that it ended by an exception."""
        self.put(span, 'error', error_text(error))

    def put(self, span: 'Span', name: str, value: 'Attribute') -> None:
        """Set one attribute. The dictionary may be shared with other spans, so it is not changed."""
        span[ATTRIBUTES] = {name: value} if span[ATTRIBUTES] is None else {**span[ATTRIBUTES], name: value}

    def is_within(self, kind: str) -> bool:
        """Whether the innermost open span has this kind."""
        spans, index = self.spans, self.span
        return 0 <= index < len(spans) and spans[index][0] == kind and not spans[index][END]

    def hop(self, index: int, direction: str, name: str, status: str, fields: 'Fields') -> None:
        """Note the fields that the span with this index has passed on."""
        if len(self.hops) < HOPS_MAX and index < len(self.spans):
            self.hops.append((index, direction, name, status, fields))

    def note(self, what: str) -> None:
        """Note the current exception, which this package has raised while it recorded `what`."""
        error = sys.exc_info()[1]
        if error is not None and len(self.notes) < NOTES_MAX:
            self.notes.append(f'{what} could not be recorded: {report_of(error, -3)}'[:TEXT_MAX])

    def finish(self) -> bytes:
        """End the recording, and return the marshalled payload. What still runs in other threads is not recorded."""
        end = now()
        self.room = 0
        spans, self.spans = self.spans, []
        content: dict[str, object] = {
            'v': VERSION,
            'start': self.start,
            'end': end,
            'thread': self.thread,
            'spans': spans,
            'shared': self.shared,
            'environ': self.environ,
            'hops': self.hops,
            'start_response': self.start_response,
            'exception': self.exception,
            'profile': None if self.profiler is None else self.profiler.finish(),
            'dropped': self.dropped,
            'notes': self.notes,
        }
        self.span = -1
        self.phase = self.error = None
        self.variables = {}
        return fitting(content, len(spans))


def fitting(content: 'dict[str, Any]', count: int) -> bytes:
    """Marshal the content. If that is too long, leave out spans, the profile, the hops and the exception, in turn."""
    data = marshalled(content)
    spans: list[object] = content['spans']
    while len(data) > PAYLOAD_BYTES_MAX and spans:
        del spans[len(spans) // 2 :]
        content['dropped'] = int(content['dropped']) + count - len(spans)
        count = len(spans)
        content['hops'] = [hop for hop in content['hops'] if hop[0] < count]
        data = marshalled(content)
    for part in ('profile', 'exception', 'environ'):
        if len(data) > PAYLOAD_BYTES_MAX:
            content[part] = None
            data = marshalled(content)
    if len(data) > PAYLOAD_BYTES_MAX:
        content['hops'] = content['start_response'] = []
        data = marshalled(content)
    return data


def marshalled(content: dict[str, object]) -> bytes:
    try:
        return marshal.dumps(content, MARSHAL_VERSION)
    except ValueError:  # a subclass of str, such as Django's SafeString, or another object
        readable = {name: value if name == 'shared' else plain(value) for name, value in content.items()}
        return marshal.dumps(readable, MARSHAL_VERSION)


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
