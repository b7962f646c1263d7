"""The recording of one request: its spans, the header fields at each hop, and the bytes that leave the worker.

`current` belongs to a context, so asgiref takes it along into the threads of asynchronous views and of synchronous code
that these call. A recording never raises into the application: what fails in this package becomes a note.
"""

import marshal
import traceback
from contextvars import ContextVar
from time import perf_counter_ns as now

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeAlias

    from viaduct_worker.tracing.profiler import Profiler

    Attribute: TypeAlias = str | int | float | bool
    Attributes: TypeAlias = dict[str, Attribute]
    Place: TypeAlias = tuple[str, int]
    Fields: TypeAlias = Sequence[tuple[str, str]]

SPANS_MAX = 2000
HOPS_MAX = 200
NOTES_MAX = 10
TEXT_MAX = 10_000
"""Longest text, in characters."""
PAYLOAD_BYTES_MAX = 1_048_576
VERSION = 1
NOWHERE: 'Place' = ('', 0)

current: 'ContextVar[Recording | None]' = ContextVar('viaduct_recording', default=None)
running = current.get
"""Returns the recording of the request that this context runs, and None if there is none."""


class Span:
    """One thing that happened. `parent` is the span that it happened in, None for the outermost.

    `end` is 0 while the span lasts. `index` is its place in the recording, -1 if the recording has no room for it.
    """

    __slots__ = ('attributes', 'end', 'index', 'kind', 'name', 'parent', 'place', 'start')

    def __init__(
        self, kind: str, name: str, parent: 'Span | None', index: int, attributes: 'Attributes | None', place: 'Place'
    ) -> None:
        self.kind = kind
        self.name = name
        self.parent = parent
        self.index = index
        self.attributes = attributes
        self.place = place
        self.end = 0
        self.start = now()

    def put(self, name: str, value: 'Attribute') -> None:
        """Set one attribute. The dictionary may be shared with other spans, so it is not changed."""
        self.attributes = {name: value} if self.attributes is None else {**self.attributes, name: value}


class Recording:
    """Lives for one request. `span` is the innermost open span of the request.

    `phase` is the open phase of a Django middleware. `response` has the status and fields of the last hop of the
    response, and `variables` the environ of the last hop of the request.
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
        self.span: Span | None = None
        self.phase: Span | None = None
        self.dropped = 0
        self.environ: list[tuple[str, str, bool]] | None = None
        self.variables: dict[str, object] = {}
        self.hops: list[tuple[int, str, str, str, Fields]] = []
        self.response: tuple[str | int, Fields] = ('', ())
        self.start_response: list[tuple[str, str, Fields, bool]] = []
        self.exception: dict[str, object] | None = None
        self.error: BaseException | None = None
        self.profiler: Profiler | None = None
        self.notes: list[str] = []

    def begin(self, kind: str, name: str, attributes: 'Attributes | None' = None, place: 'Place' = NOWHERE) -> Span:
        """Start a span within the innermost open one."""
        parent = self.span
        while parent is not None and parent.end:  # two parts of an asynchronous view ran at the same time
            parent = parent.parent
        spans = self.spans
        index = len(spans)
        if index >= self.room:
            self.dropped += 1
            return Span(kind, name, parent, -1, attributes, place)
        self.span = span = Span(kind, name, parent, index, attributes, place)
        spans.append(span)
        return span

    def end(self, span: Span) -> None:
        """End a span, and with it the spans inside that are still open for this thread."""
        span.end = now()
        self.span = span.parent

    def fail(self, span: Span, error: BaseException) -> None:
        """Note in a span that it ended by an exception."""
        span.put('error', error_text(error))

    def is_within(self, kind: str) -> bool:
        """Whether the innermost open span has this kind."""
        span = self.span
        return span is not None and span.kind == kind and not span.end

    def hop(self, span: Span, direction: str, name: str, status: str, fields: 'Fields') -> None:
        if len(self.hops) < HOPS_MAX and span.index >= 0:
            self.hops.append((span.index, direction, name, status, fields))

    def note(self, what: str) -> None:
        """Note the current exception, which this package has raised while it recorded `what`."""
        if len(self.notes) < NOTES_MAX:
            self.notes.append(f'{what} could not be recorded: {traceback.format_exc(limit=-3)}'[:TEXT_MAX])

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
            'spans': [row(span) for span in spans],
            'environ': self.environ,
            'hops': self.hops,
            'start_response': self.start_response,
            'exception': self.exception,
            'profile': None if self.profiler is None else self.profiler.finish(),
            'dropped': self.dropped,
            'notes': self.notes,
        }
        self.span = self.phase = self.error = None
        self.variables = {}
        return fitting(content, len(spans))


def row(span: Span) -> tuple[object, ...]:
    parent = span.parent
    file, line = span.place
    return (
        span.kind,
        span.name,
        span.start,
        span.end,
        -1 if parent is None else parent.index,
        span.attributes,
        file,
        line,
    )


def fitting(content: dict[str, object], count: int) -> bytes:
    """Marshal the content. If that is too long, leave out spans, the profile, the hops and the exception, in turn."""
    data = marshalled(content)
    spans: list[object] = content['spans']  # type: ignore[assignment]
    while len(data) > PAYLOAD_BYTES_MAX and spans:
        del spans[len(spans) // 2 :]
        content['dropped'] = int(content['dropped']) + count - len(spans)  # type: ignore[call-overload]
        count = len(spans)
        content['hops'] = [hop for hop in content['hops'] if hop[0] < count]  # type: ignore[attr-defined]
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
        return marshal.dumps(content, 2)
    except ValueError:  # a subclass of str, such as Django's SafeString, or another object
        return marshal.dumps(plain(content), 2)  # type: ignore[arg-type]


def plain(value: object) -> object:
    """The value with only those types that `marshal` knows."""
    kind = type(value)
    if value is None or kind is int or kind is float or kind is bool:
        return value
    if isinstance(value, str):
        return clipped(value)
    if kind is dict:
        return {plain(name): plain(each) for name, each in value.items()}  # type: ignore[attr-defined]
    if kind is list or kind is tuple:
        return [plain(each) for each in value]  # type: ignore[attr-defined]
    if kind is bytes:
        return clipped(value.decode('latin-1'))  # type: ignore[attr-defined]
    return safe_repr(value)


def clipped(text: str) -> str:
    """The text as a plain str of at most `TEXT_MAX` characters."""
    return str.__str__(text[:TEXT_MAX] if len(text) > TEXT_MAX else text)


def safe_repr(value: object) -> str:
    """`repr`, also of an object whose `__repr__` fails. It sends no query: that of Django's query sets would."""
    try:
        fields = getattr(value, '__dict__', None)
        if type(fields) is dict and '_result_cache' in fields and fields['_result_cache'] is None:
            return f'<{type(value).__name__} that was not evaluated>'
        return clipped(repr(value))
    except Exception as error:
        return f'<{type(value).__name__} whose repr raises {type(error).__name__}>'


def error_text(error: BaseException) -> str:
    """The type of an exception and what it says."""
    try:
        message = str(error)
    except Exception:
        message = ''
    name = type(error).__qualname__
    return clipped(f'{name}: {message}') if message else name
