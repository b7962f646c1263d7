"""One traced request in the thread of its lane: from before the call of the application until after close()."""

import marshal

from viaduct_worker.clock import perf_counter as now
from viaduct_worker.frames import trace_frame
from viaduct_worker.tracing import exceptions
from viaduct_worker.tracing.install import install
from viaduct_worker.tracing.profiler import Profiler
from viaduct_worker.tracing.recorder import MARSHAL_VERSION, Recording, current, described
from viaduct_worker.tracing.replacing import replacing
from viaduct_worker.tracing.wsgi import Layer, trace_chain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from viaduct_worker.call import Call
    from viaduct_worker.lane import Lane

PLAIN = frozenset((bool, int, tuple, type(None)))
OWN = ('wsgi.early_hints', 'wsgi.input')
"""Variables that `Lane.run` makes for each request. Their texts only depend on the type of the second one."""
SHARED_MAX = 256
BODIES_MAX = 256
CLOSE = described('close', 'close')

texts: dict[type, str] = {}
_layers: 'dict[int, tuple[WSGIApplication, Layer | None]]' = {}
"""The outermost layer of each application of this process, by the id of the application."""
_shared: dict[tuple[int, type], tuple[dict[str, object], bytes]] = {}
"""Variables that requests share, by the id of their dict and the type of `wsgi.input`, and their marshalled rows."""
_bodies: dict[type, bytes] = {}
"""The description of the span of a body, by the type of what the application returned."""


class TracedRequest:
    """What `Lane.run` does for a traced request in addition. Only exceptions of the application leave its methods."""

    __slots__ = ('id', 'lane', 'recording')

    def __init__(self, lane: 'Lane', request_id: int, options: str) -> None:
        self.lane = lane
        self.id = request_id
        self.recording = recording = Recording(options, lane.thread_name)
        try:
            install(recording)
            if options != 'full' and 'profile' in options:
                profiler = Profiler(lane)
                recording.profiler = profiler if profiler.start() else None
        except Exception:
            recording.note('the beginning')

    @staticmethod
    def forget() -> None:
        """This thread runs no traced request any more."""
        current.set(None)

    def call(
        self,
        environ: 'WSGIEnvironment',
        start_response: 'StartResponse',
        shared: dict[str, object],
        variables: dict[str, object],
    ) -> 'Iterable[bytes]':
        """Call the application. `environ` was made of `shared`, which other requests have, too, and of `variables`."""
        __traceback_hide__ = True
        recording = self.recording
        application = self.lane.application
        layer: Layer | None = None
        try:
            known = _shared.get((id(shared), type(environ['wsgi.input'])))
            recording.shared = known[1] if known is not None and known[0] is shared else rows_of_shared(shared, environ)
            recording.environ = variables
            known_layer = _layers.get(id(application))
            layer = known_layer[1] if known_layer is not None else layer_of(application)
        except Exception:
            recording.note('the environ')
        current.set(recording)
        if layer is None:
            return application(environ, start_response)
        return layer.run(recording, application, environ, start_response)

    def respond(self, call: 'Call', result: 'Iterable[bytes]') -> None:
        """Send what the application returned. A generator runs meanwhile."""
        log = self.recording.log
        span = now()
        log += _bodies.get(type(result)) or body_of(type(result)), span, None
        try:
            call.respond(result)
        except BaseException as error:
            self.recording.fail(span, error)
            raise
        finally:
            log += span, now(), None

    @staticmethod
    def hide(error: BaseException) -> None:
        """Take recorders out of a traceback. They are in those of other requests, too, once they have been put in."""
        exceptions.hide_recorders(error)

    def fail(self, error: BaseException) -> None:
        """The application has raised. A client that has left is not a fault."""
        self.hide(error)
        if not issubclass(type(error), ConnectionAbortedError):
            exceptions.record(self.recording, error)

    def closing(self, close: 'Callable[[], object]') -> 'Callable[[], object]':
        """Return close() of the iterable, with its span."""
        recording = self.recording
        log = recording.log

        def run() -> None:
            span = now()
            log.extend((CLOSE, span, None))
            try:
                close()
            except BaseException as error:
                recording.fail(span, error)
                exceptions.record(recording, error)
                raise
            finally:
                log.extend((span, now(), None))

        return run

    def finish(self) -> None:
        """Everything of the request is over: send the recording after it."""
        self.forget()
        lane = self.lane
        if lane.overdue:
            lane.end_interrupted()
        try:
            payload = self.recording.finish()
        except Exception:
            self.recording.note('the whole')
            lane.log(f'A request could not be traced: {(self.recording.notes or [""])[-1]}')
            return
        lane.out.append(trace_frame(self.id, len(payload)) + payload)


def rows_of_shared(shared: dict[str, object], environ: 'WSGIEnvironment') -> bytes:
    """The marshalled rows of variables that many requests share, and of those that `Lane.run` makes: made once."""
    if len(_shared) >= SHARED_MAX:
        _shared.clear()
    own = [(name, shown(environ[name]), False) for name in OWN]
    data = marshal.dumps(rows(shared) + own, MARSHAL_VERSION)
    _shared[id(shared), type(environ['wsgi.input'])] = shared, data
    return data


def body_of(kind: type) -> bytes:
    if len(_bodies) >= BODIES_MAX:
        _bodies.clear()
    data = _bodies[kind] = described('body', kind.__name__)
    return data


def rows(variables: dict[str, object]) -> list[tuple[str, str, bool]]:
    """Name, text, and whether it is text, of each variable."""
    return [
        (name, value, True) if type(value) is str else (name, shown(value), False) for name, value in variables.items()
    ]


def shown(value: object) -> str:
    """The text of a variable that is not text. Objects of a class have the same one: `repr` may show what is secret."""
    kind = type(value)
    if kind in PLAIN:
        return repr(value)
    known = texts.get(kind)
    if known is not None:
        return known
    texts[kind] = text = f'<{kind.__module__}.{kind.__qualname__}>'
    return text


def layer_of(application: 'WSGIApplication') -> Layer | None:
    with replacing:
        known = _layers.get(id(application)) or (application, trace_chain(application))
        _layers[id(application)] = known
    return known[1]
