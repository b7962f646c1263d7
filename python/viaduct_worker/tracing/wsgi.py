"""WSGI: each application of the chain that middleware makes (PEP 3333, "Middleware"), and what passes between them."""

from functools import partial
from types import CellType, CodeType, FunctionType, MethodType

from viaduct_worker.clock import perf_counter as now
from viaduct_worker.tracing.places import describe
from viaduct_worker.tracing.recorder import described
from viaduct_worker.tracing.traced_application import TracedApplication, stand_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from viaduct_worker.tracing.recorder import Fields, Recording

NAMES = frozenset(
    (
        *('_app', '_application', '_wsgi_app', 'app', 'application', 'inner', 'inner_app', 'inner_application'),
        *('next_app', 'wrapped', 'wrapped_app', 'wsgi', 'wsgi_app', 'wsgi_application'),
    )
)
"""Under these names middleware keeps the application that it calls. Under others its parameters have to say it."""
APPLICATIONS_MAX = 100
CO_VARARGS = 0x04
"""The flag of code that takes `*arguments` (`inspect.CO_VARARGS`). The project may have an `inspect.py` of its own."""
URL_VARIABLES = frozenset(
    (
        *('PATH_INFO', 'QUERY_STRING', 'REMOTE_ADDR', 'REMOTE_PORT', 'REMOTE_USER', 'REQUEST_METHOD', 'SCRIPT_NAME'),
        *('SERVER_NAME', 'SERVER_PORT', 'wsgi.url_scheme'),
    )
)
"""What middleware changes of the environ, beside fields of the request."""


class Layer:
    """What is known of one application of the chain: the description of its span, and whether it is middleware."""

    __slots__ = ('description', 'is_middleware')

    def __init__(self, application: object, is_middleware: bool) -> None:
        name, place = describe(application)
        self.is_middleware = is_middleware
        self.description = described('wsgi-middleware' if is_middleware else 'application', name, place)

    def run(
        self,
        recording: 'Recording',
        application: 'WSGIApplication',
        environ: 'WSGIEnvironment',
        start_response: 'StartResponse',
    ) -> 'Iterable[bytes]':
        """Call the application within a span."""
        __traceback_hide__ = True
        log = recording.log
        if len(log) >= recording.room:
            recording.dropped += 1
            return application(environ, start_response)
        span = now()
        log += self.description, span, None
        if self.is_middleware or recording.variables is not None:
            request_hop(recording, span, environ)

        def start(status: str, headers: 'Fields', *rest: object, **named: object) -> 'Callable[[bytes], object]':
            __traceback_hide__ = True
            try:
                if len(log) < recording.room:  # an application may call it any number of times
                    log.extend((span, 0, (status, [*headers], bool(named or (rest and rest[0])))))
            except Exception:
                recording.note('a call of start_response')
            # An application may also name its arguments, which the type of start_response does not allow.
            return start_response(status, headers, *rest, **named)  # type: ignore[arg-type]

        try:
            return application(environ, start)
        except BaseException as error:
            recording.fail(span, error)
            raise
        finally:
            log += span, now(), None


def request_hop(recording: 'Recording', span: float, environ: 'WSGIEnvironment') -> None:
    """Note the fields of the request, as this application gets them, if a middleware has changed them."""
    try:
        before, recording.variables = recording.variables, dict(environ)
        if before is not None:
            fields = dict(passed(environ))
            if fields != dict(passed(before)):
                recording.put(span, ([(field_name(key), value) for key, value in fields.items()],))
    except Exception:
        recording.note('a change of environ')


def passed(environ: dict[str, object]) -> 'Iterator[tuple[str, str]]':
    for key, value in environ.items():
        if type(value) is str and (
            key.startswith('HTTP_') or key in URL_VARIABLES or key == 'CONTENT_TYPE' or key == 'CONTENT_LENGTH'
        ):
            yield key, value


def field_name(key: str) -> str:
    """`HTTP_X_FORWARDED_FOR` is the field `X-Forwarded-For`. Other variables keep their names."""
    if key.startswith('HTTP_'):
        return key[5:].replace('_', '-').title()
    return key.replace('_', '-').title() if key.startswith('CONTENT_') else key


def trace_chain(application: object) -> Layer | None:
    """Put recorders around the applications that middleware calls. Return the layer of the outermost application.

    Flask calls the middleware around it as its own attribute `wsgi_app`. It is then no layer itself.
    """
    inner = trace_inner(application, set())
    if 'wsgi_app' in getattr(application, '__dict__', {}):
        return None
    return Layer(application, is_middleware=inner)


def trace_inner(holder: object, seen: set[int]) -> bool:
    """Replace what `holder` calls, and what that calls. Return whether there was such an application."""
    if id(holder) in seen or len(seen) > APPLICATIONS_MAX:
        return False
    seen.add(id(holder))
    found = False
    for target, put in list(held_by(holder)):
        if isinstance(target, TracedApplication):
            found = True
            continue
        if id(target) in seen or not takes_environ(target):
            continue
        inner = trace_inner(target, seen)
        try:
            # `target` has the form of an application; its type says nothing.
            put(stand_in(target, Layer(target, is_middleware=inner)))  # type: ignore[arg-type]
            found = True
        except Exception:  # its place cannot be set, or checks what it gets
            found = found or inner
    return found


def held_by(holder: object) -> 'Iterator[tuple[object, Callable[[object], None]]]':
    """What `holder` may call as an application, each with a function that puts something in its place."""
    if isinstance(holder, MethodType):
        yield from held_by_function(holder.__func__)
        holder = holder.__self__
        if 'wsgi_app' in getattr(holder, '__dict__', {}):
            return  # the application whose method is the inner part of its own chain
    if isinstance(holder, FunctionType):
        yield from held_by_function(holder)
        return
    if isinstance(holder, partial):
        yield from held_by(holder.func)
        return
    yield from held_by_function(call_of(holder))
    names = set(getattr(holder, '__dict__', ()))
    names.update(name for kind in type(holder).__mro__ for name in getattr(kind, '__slots__', ()))
    for name in names:
        try:
            value = object.__getattribute__(holder, name)
        except AttributeError:
            continue
        if name in NAMES or says_environ(value):
            yield value, attribute_of(holder, name)
        elif type(value) is dict and name in ('mounts', 'apps', 'applications'):
            for key, each in value.items():
                yield each, item_of(value, key)


def held_by_function(function: object) -> 'Iterator[tuple[object, Callable[[object], None]]]':
    """What a function has from outside: variables of the function around it, and of its module."""
    if not isinstance(function, FunctionType):
        return
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False):
        try:
            value = cell.cell_contents
        except ValueError:
            continue
        if name in NAMES or says_environ(value):
            yield value, content_of(cell)
    for name in function.__code__.co_names:
        value = function.__globals__.get(name)
        if value is not None and says_environ(value):
            yield value, item_of(function.__globals__, name)


def attribute_of(holder: object, name: str) -> 'Callable[[object], None]':
    return lambda value: setattr(holder, name, value)


def item_of(holder: dict[str, object], key: str) -> 'Callable[[object], None]':
    return lambda value: holder.__setitem__(key, value)


def content_of(cell: CellType) -> 'Callable[[object], None]':
    return lambda value: setattr(cell, 'cell_contents', value)


def call_of(target: object) -> object:
    """The function that a call of an object runs."""
    return next((vars(kind)['__call__'] for kind in type(target).__mro__ if '__call__' in vars(kind)), None)


def code_of(target: object) -> tuple[CodeType | None, int]:
    """The code that a call of `target` runs, and how many of its parameters are bound; None for classes.

    It may be any object of the project, so its type decides: `__class__` may be a property that raises.
    """
    kind = type(target)
    if issubclass(kind, type) or not callable(target):
        return None, 0
    bound = 0
    if kind is MethodType:
        # mypy does not see what `kind` says about `target`.
        target, bound = target.__func__, 1  # type: ignore[attr-defined]
    elif kind is not FunctionType:
        target, bound = call_of(target), 1
    return getattr(target, '__code__', None), bound


def says_environ(target: object) -> bool:
    """Whether the second and last parameter has the name that PEP 3333 gives it."""
    if issubclass(type(target), TracedApplication):
        return True
    code, bound = code_of(target)
    return code is not None and code.co_varnames[bound + 1 : code.co_argcount] == ('start_response',)


def takes_environ(target: object) -> bool:
    """Whether `target` may be an application: it takes two arguments, or any number."""
    if type(target) is partial:
        return True
    code, bound = code_of(target)
    return code is not None and (code.co_argcount - bound == 2 or bool(code.co_flags & CO_VARARGS))
