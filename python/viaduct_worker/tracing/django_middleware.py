"""Django's middleware: each in place, its request phase and its response phase apart, and what it changes.

Django's chain goes from link to link. A link is the function `inner` that `convert_exception_to_response` makes around
a middleware; the middleware calls the link after it as `get_response`. So a recorder in each link sees where the phases
start and end: the request phase of a middleware lasts until it calls the next link, and its response phase starts when
that link returns.
"""

from functools import partial
from types import CoroutineType, FunctionType, MethodType

from viaduct_worker.clock import perf_counter as now
from viaduct_worker.tracing.places import describe, place_of
from viaduct_worker.tracing.recorder import NOWHERE, described, running
from viaduct_worker.tracing.texts import error_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterator
    from types import CellType
    from typing import Any

    from viaduct_worker.tracing.recorder import Passed, Recording
    from viaduct_worker.tracing.replacing import Function

SEARCHED_MAX = 50
"""How many objects may lie between a middleware and the link after it: decorators and adapters to asynchronous code."""
VIEW = described('middleware', '')
"""The link to the view is not a middleware, so it has no name and no span; it ends the phase before."""


def middleware_of(target: object) -> bytes:
    """The description of a middleware, with its phases. A phase that does nothing has no name."""
    path, place = describe(target)
    phases = phase(target, 'process_request', 'request phase'), phase(target, 'process_response', 'response phase')
    return described('middleware', short(path), place, *phases)


def short(path: str) -> str:
    """The name of a class without its module; the middleware in a function `name` is called `name`."""
    return path.partition('.<locals>')[0].rpartition('.')[2]


def phase(target: object, method: str, otherwise: str) -> tuple[str, str, int]:
    """Name and place of a phase."""
    function = getattr(type(target), method, None)
    if function is not None:
        return method, *place_of(getattr(function, '__code__', None))
    is_mixin = any(kind.__name__ == 'MiddlewareMixin' for kind in type(target).__mro__)
    if is_mixin and is_call_of_mixin(type(target)):
        return '', *NOWHERE
    return otherwise, *NOWHERE


def is_call_of_mixin(kind: type) -> bool:
    """Whether the class has the `__call__` of MiddlewareMixin, which calls `process_request` and `process_response`."""
    owner = next((each for each in kind.__mro__ if '__call__' in vars(each)), kind)
    return owner.__name__ == 'MiddlewareMixin'


def trace_handler(handler: 'Any') -> None:
    """Put recorders into all links of a handler, and around the other methods of its middlewares."""
    link = find_link(handler._middleware_chain)
    seen: set[int] = set()
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        cell = cell_of(link)
        target = cell.cell_contents
        is_middleware = getattr(target, '__func__', None) not in (
            type(handler)._get_response,
            type(handler)._get_response_async,
        )
        link = find_link(target) if is_middleware else None
        cell.cell_contents = calling(target, middleware_of(target) if is_middleware else VIEW)
    for name, kind in (
        ('_view_middleware', 'view'),
        ('_template_response_middleware', 'template response'),
        ('_exception_middleware', 'exception'),
    ):
        methods = getattr(handler, name)
        methods[:] = [phase_method(method, kind) for method in methods]


def calling(target: 'Function', description: bytes) -> 'Function':
    """Around what a link calls: a middleware, or the view.

    Where it starts, the request phase of the middleware before ends; where it ends, its response phase starts.
    """

    is_middleware = description is not VIEW

    def call(request: object) -> object:
        recording = running()
        if recording is None:
            return target(request)
        __traceback_hide__ = True
        log = recording.log
        span = now()
        log += description, span, None
        try:
            response = target(request)
        except BaseException as error:
            log += span, now(), {'error': error_text(error)}
            raise
        if type(response) is CoroutineType:
            return continued(recording, span, response, is_middleware)
        log += span, now(), response_hop(recording, response) if is_middleware else None
        return response

    return call


async def continued(recording: 'Recording', span: float, coroutine: 'Awaitable[object]', is_middleware: bool) -> object:
    """The rest of a link that works asynchronously."""
    __traceback_hide__ = True
    log = recording.log
    try:
        response = await coroutine
    except BaseException as error:
        log += span, now(), {'error': error_text(error)}
        raise
    log += span, now(), response_hop(recording, response) if is_middleware else None
    return response


def response_hop(recording: 'Recording', response: 'Any') -> 'Passed | None':
    """Status and fields of a response; None if they are those of the hop before."""
    try:
        fields = [*response.headers._store.values()]
        if response.cookies:
            fields += [('Set-Cookie', cookie.OutputString()) for cookie in response.cookies.values()]
        code = response.status_code
        if code == recording.code:
            if fields == recording.fields:
                return None
        else:
            recording.code = code
            recording.status = f'{code} {response.reason_phrase}'
        recording.fields = fields
        return recording.status, fields
    except Exception:
        recording.note('a response')
        return None


def phase_method(method: 'Function', kind: str) -> 'Function':
    """Around `process_view`, `process_template_response` or `process_exception` of a middleware."""
    middleware = getattr(method, '__self__', None)
    name = f'{type(middleware).__name__}.{getattr(method, "__name__", kind)}'
    place = place_of(getattr(getattr(method, '__func__', None), '__code__', None))
    description = described('phase', name, place, kind)

    def call(*args: object) -> object:
        recording = running()
        if recording is None:
            return method(*args)
        __traceback_hide__ = True
        log = recording.log
        span = now()
        log += description, span, None
        try:
            return method(*args)
        except BaseException as error:
            recording.fail(span, error)
            raise
        finally:
            log += span, now(), None

    call.__self__ = middleware  # type: ignore[attr-defined]  # Django names it when the method returns None
    return call


def find_link(start: object) -> FunctionType | None:
    """The next link that `start` leads to."""
    waiting, seen = [start], {id(start)}
    while waiting and len(seen) < SEARCHED_MAX:
        target = waiting.pop(0)
        if is_link(target):
            return target  # type: ignore[return-value]  # mypy does not see what `is_link` says
        for each in reached_from(target):
            if id(each) not in seen:
                seen.add(id(each))
                waiting.append(each)
    return None


def is_link(target: object) -> bool:
    return (
        isinstance(target, FunctionType)
        and target.__code__.co_name == 'inner'
        and target.__globals__.get('__name__') == 'django.core.handlers.exception'
    )


def cell_of(link: FunctionType) -> 'CellType':
    return (link.__closure__ or ())[link.__code__.co_freevars.index('get_response')]


def reached_from(target: object) -> 'Iterator[object]':
    """The callables that a middleware or an adapter holds."""
    if isinstance(target, FunctionType):
        for cell in target.__closure__ or ():
            try:
                if callable(cell.cell_contents):
                    yield cell.cell_contents
            except ValueError:
                continue
    elif isinstance(target, MethodType):
        yield target.__self__
    elif isinstance(target, partial):
        yield target.func
        yield from filter(callable, target.args)
    else:
        # Adapters of asgiref come first: they also have a copy of the attributes of what they adapt.
        values = dict(getattr(target, '__dict__', {}))
        yield from (values[name] for name in ('func', 'awaitable', 'get_response') if callable(values.get(name)))
        yield from filter(callable, values.values())
