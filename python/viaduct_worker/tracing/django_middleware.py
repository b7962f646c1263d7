"""Django's middleware: each in place, its request phase and its response phase apart, and what it changes.

Django's chain goes from link to link. A link is the function `inner` that `convert_exception_to_response` makes around
a middleware; the middleware calls the link after it as `get_response`. So a recorder in each link sees where the phases
start and end: the request phase of a middleware lasts until it calls the next link, and its response phase starts when
that link returns.
"""

from functools import partial
from types import CoroutineType, FunctionType, MethodType

from viaduct_worker.tracing.places import describe, place_of
from viaduct_worker.tracing.recorder import NOWHERE, running

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterator
    from types import CellType
    from typing import Any

    from viaduct_worker.tracing.recorder import Attributes, Place, Recording
    from viaduct_worker.tracing.replacing import Function

SEARCHED_MAX = 50
"""How many objects may lie between a middleware and the link after it: decorators and adapters to asynchronous code."""
REQUEST: 'Attributes' = {'phase': 'request'}
RESPONSE: 'Attributes' = {'phase': 'response'}


class Middleware:
    """What is known of one middleware. A phase without a name does nothing, so it has no span."""

    __slots__ = ('hop', 'name', 'place', 'request', 'request_place', 'response', 'response_place')

    def __init__(self, target: object) -> None:
        path, self.place = describe(target)
        self.name = short(path)
        self.hop = f'middleware {self.name}'
        self.request, self.request_place = phase(target, 'process_request', 'request phase')
        self.response, self.response_place = phase(target, 'process_response', 'response phase')


def short(path: str) -> str:
    """The name of a class without its module; the middleware in a function `name` is called `name`."""
    return path.partition('.<locals>')[0].rpartition('.')[2]


def phase(target: object, method: str, otherwise: str) -> 'tuple[str, Place]':
    function = getattr(type(target), method, None)
    if function is not None:
        return method, place_of(getattr(function, '__code__', None))
    is_mixin = any(kind.__name__ == 'MiddlewareMixin' for kind in type(target).__mro__)
    if is_mixin and is_call_of_mixin(type(target)):
        return '', NOWHERE
    return otherwise, NOWHERE


def is_call_of_mixin(kind: type) -> bool:
    """Whether the class has the `__call__` of MiddlewareMixin, which calls `process_request` and `process_response`."""
    owner = next((each for each in kind.__mro__ if '__call__' in vars(each)), kind)
    return owner.__name__ == 'MiddlewareMixin'


def trace_handler(handler: 'Any') -> None:
    """Put recorders into all links of a handler, and around the other methods of its middlewares."""
    link = find_link(handler._middleware_chain)
    outer: Middleware | None = None
    seen: set[int] = set()
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        cell = cell_of(link)
        target = cell.cell_contents
        is_middleware = getattr(target, '__func__', None) not in (
            type(handler)._get_response,
            type(handler)._get_response_async,
        )
        own = Middleware(target) if is_middleware else None
        next_link = find_link(target) if is_middleware else None
        cell.cell_contents = calling(target, outer, own)
        link, outer = next_link, own
    for name, kind in (
        ('_view_middleware', 'view'),
        ('_template_response_middleware', 'template response'),
        ('_exception_middleware', 'exception'),
    ):
        methods = getattr(handler, name)
        methods[:] = [phase_method(method, kind) for method in methods]


def calling(target: 'Function', outer: Middleware | None, own: Middleware | None) -> 'Function':
    """Around what a link calls: `own`, or the view if that is None. `outer` called the link."""

    def call(request: object) -> object:
        recording = running()
        if recording is None:
            return target(request)
        __traceback_hide__ = True
        index = enter(recording, own)
        try:
            response = target(request)
        except BaseException as error:
            leave(recording, index, outer, own, None, error)
            raise
        if type(response) is CoroutineType:
            return continued(recording, index, outer, own, response)
        leave(recording, index, outer, own, response, None)
        return response

    return call


async def continued(
    recording: 'Recording', index: int, outer: Middleware | None, own: Middleware | None, coroutine: 'Awaitable[object]'
) -> object:
    """The rest of a link that works asynchronously."""
    __traceback_hide__ = True
    try:
        response = await coroutine
    except BaseException as error:
        leave(recording, index, outer, own, None, error)
        raise
    leave(recording, index, outer, own, response, None)
    return response


def enter(recording: 'Recording', own: Middleware | None) -> int:
    """The request phase of the middleware before ends, and that of `own` starts. Return the index of its span."""
    phase = recording.phase
    if phase is not None:
        recording.end(phase)
        recording.phase = None
    if own is None:
        return -1
    recording.begin('middleware', own.name, None, own.place)
    index = recording.span
    if own.request:
        recording.phase = recording.begin('phase', own.request, REQUEST, own.request_place)
    return index


def leave(
    recording: 'Recording',
    index: int,
    outer: Middleware | None,
    own: Middleware | None,
    response: object,
    error: BaseException | None,
) -> None:
    """The phase and the span of `own` end, and the response phase of the middleware before starts."""
    phase = recording.phase
    if phase is not None:
        recording.end(phase)
        recording.phase = None
    if own is not None and index < len(recording.spans):
        span = recording.spans[index]
        if error is None:
            response_hop(recording, index, own.hop, response)
        else:
            recording.fail(span, error)
        recording.end(span)
    if outer is not None and outer.response:
        recording.phase = recording.begin('phase', outer.response, RESPONSE, outer.response_place)


def response_hop(recording: 'Recording', index: int, name: str, response: 'Any') -> None:
    """Note status and fields of a response if they are not those of the hop before."""
    try:
        fields = list(response.headers._store.values())
        if response.cookies:
            fields += [('Set-Cookie', cookie.OutputString()) for cookie in response.cookies.values()]
        code = response.status_code
        last_code, status, last_fields = recording.response
        if code != last_code:
            status = f'{code} {response.reason_phrase}'
        elif fields == last_fields:
            return
        recording.response = code, status, fields
        recording.hop(index, 'response', name, status, fields)
    except Exception:
        recording.note(f'the response of {name}')


def phase_method(method: 'Function', kind: str) -> 'Function':
    """Around `process_view`, `process_template_response` or `process_exception` of a middleware."""
    middleware = getattr(method, '__self__', None)
    name = f'{type(middleware).__name__}.{getattr(method, "__name__", kind)}'
    place = place_of(getattr(getattr(method, '__func__', None), '__code__', None))
    attributes: Attributes = {'phase': kind}

    def call(*args: object) -> object:
        recording = running()
        if recording is None:
            return method(*args)
        __traceback_hide__ = True
        span = recording.begin('phase', name, attributes, place)
        try:
            return method(*args)
        except BaseException as error:
            recording.fail(span, error)
            raise
        finally:
            recording.end(span)

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
