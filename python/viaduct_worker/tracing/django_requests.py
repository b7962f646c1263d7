"""Django: the resolution of the URL, the view, and exceptions of which Django makes a response."""

from viaduct_worker.clock import perf_counter as now
from viaduct_worker.tracing import django_middleware, exceptions
from viaduct_worker.tracing.places import describe, place_of
from viaduct_worker.tracing.recorder import current, described, running
from viaduct_worker.tracing.replacing import replace, replacing
from viaduct_worker.tracing.texts import error_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from viaduct_worker.tracing.recorder import Attributes, Passed, Recording
    from viaduct_worker.tracing.replacing import Function

FAILED = 500
VIEWS_MAX = 10_000

URL = described('url', '')

_views: 'dict[int, tuple[bytes, bool, object, Function]]' = {}
"""Description, whether it is a coroutine function, the view, and the recorder around it, of each that a traced request
has called, by its id. A view may have no hash, or say that it is equal to another one.
"""


def trace_handlers(base: 'ModuleType') -> None:
    """`base` is the module of the class of all handlers."""
    handler = base.BaseHandler
    replace(handler, 'get_response', preparing)
    replace(handler, 'resolve_request', resolving)
    replace(handler, 'make_view_atomic', lambda make: viewing(make, base.iscoroutinefunction))


def preparing(get_response: 'Function') -> 'Function':
    """A handler gets recorders in its middleware with its first traced request.

    Without room in the log, nothing of the request is recorded, so the recorders in the chain need not look.
    """

    def get(handler: 'Any', request: object) -> object:
        recording = running()
        if recording is None:
            return get_response(handler, request)
        try:
            handler._viaduct_traced  # noqa: B018  # a mark of ours
        except AttributeError:
            prepare(handler, recording)
        if len(recording.log) < recording.room:
            return (getting_within if recording.is_in_django else getting)(recording, get_response, handler, request)
        recording.dropped += 1
        token = current.set(None)
        try:
            return get_response(handler, request)
        finally:
            current.reset(token)

    return get


def getting(recording: 'Recording', get_response: 'Function', handler: object, request: object) -> object:
    __traceback_hide__ = True
    recording.is_in_django = True
    try:
        return get_response(handler, request)
    finally:
        recording.is_in_django = False


def getting_within(recording: 'Recording', get_response: 'Function', handler: object, request: object) -> object:
    """A view, or a middleware, sends a request through Django itself. What this one does is in a span of its own."""
    __traceback_hide__ = True
    name, place = describe(type(handler))
    span = recording.begin('application', name, None, place)
    try:
        return get_response(handler, request)
    except BaseException as error:
        recording.fail(span, error)
        raise
    finally:
        recording.end(span)


def prepare(handler: 'Any', recording: 'Recording') -> None:
    try:
        with replacing:
            if not hasattr(handler, '_viaduct_traced'):
                handler._viaduct_traced = True
                django_middleware.trace_handler(handler)
    except Exception:
        recording.note('the middleware of Django')


def resolving(resolve_request: 'Function') -> 'Function':
    def resolve(handler: object, request: object) -> object:
        recording = running()
        if recording is None:
            return resolve_request(handler, request)
        __traceback_hide__ = True
        log = recording.log
        span = now()
        log += URL, span, None
        try:
            match = resolve_request(handler, request)
        except BaseException as error:
            log += span, now(), {'error': error_text(error)}
            raise
        log += span, now(), matched(recording, match)
        return match

    return resolve


def matched(recording: 'Recording', match: 'Any') -> 'Attributes | None':
    try:
        pattern: object = match.route
        name = match.view_name
        return {
            'pattern': pattern if type(pattern) is str else str.__str__(str(pattern)),
            'name': name if type(name) is str else '',
        }
    except Exception:
        recording.note('the pattern of the URL')
        return None


def viewing(make_view_atomic: 'Function', is_asynchronous: 'Function') -> 'Function':
    """Django asks for the view that it calls, inside its transaction, here."""

    def make(handler: object, view: 'Function') -> object:
        target = make_view_atomic(handler, view)
        recording = running()
        if recording is None:
            return target
        try:
            known = _views.get(id(view)) or known_view(view, bool(is_asynchronous(view)))
        except Exception:
            recording.note('the view')
            return target
        description, is_awaited, _, recorder = known
        return recorder if target is view else (awaiting if is_awaited else calling)(target, description)

    return make


def known_view(view: 'Function', is_awaited: bool) -> 'tuple[bytes, bool, object, Function]':
    description = described('view', *describe(view))
    known = description, is_awaited, view, (awaiting if is_awaited else calling)(view, description)
    if len(_views) < VIEWS_MAX:
        _views[id(view)] = known
    return known


def calling(view: 'Function', description: bytes) -> 'Function':
    def call(*args: object, **kwargs: object) -> object:
        recording = running()
        if recording is None:
            return view(*args, **kwargs)
        __traceback_hide__ = True
        log = recording.log
        span = now()
        log += description, span, None
        try:
            response = view(*args, **kwargs)
        except BaseException as error:
            log += span, now(), {'error': error_text(error)}
            raise
        log += span, now(), view_hop(recording, response)
        return response

    return call


def awaiting(view: 'Function', description: bytes) -> 'Function':
    async def call(*args: object, **kwargs: object) -> object:
        recording = running()
        if recording is None:
            return await view(*args, **kwargs)
        __traceback_hide__ = True
        log = recording.log
        span = now()
        log += description, span, None
        try:
            response = await view(*args, **kwargs)
        except BaseException as error:
            log += span, now(), {'error': error_text(error)}
            raise
        log += span, now(), view_hop(recording, response)
        return response

    return call


def view_hop(recording: 'Recording', response: object) -> 'Passed | None':
    """The response as the view returned it; Django reports a view that returned something else."""
    return django_middleware.response_hop(recording, response) if hasattr(response, 'status_code') else None


def trace_exceptions(module: 'ModuleType') -> None:
    """Record what Django answers with a status of 500 or more: the application does not raise it."""
    replace(module, 'response_for_exception', answering)


def answering(response_for_exception: 'Function') -> 'Function':
    place = place_of(getattr(response_for_exception, '__code__', None))
    description = described('phase', 'response_for_exception', place, 'exception')

    def answer(request: object, error: BaseException) -> object:
        exceptions.hide_recorders(error)
        recording = running()
        if recording is None:
            return response_for_exception(request, error)
        log = recording.log
        span = now()
        log += description, span, None
        try:
            response = response_for_exception(request, error)
        finally:
            log += span, now(), None
        if getattr(response, 'status_code', 0) >= FAILED:
            exceptions.record(recording, error)
        return response

    return answer
