"""Django: the resolution of the URL, the view, and exceptions of which Django makes a response."""

from viaduct_worker.tracing import django_middleware, exceptions
from viaduct_worker.tracing.places import describe
from viaduct_worker.tracing.recorder import ATTRIBUTES, NAME, running
from viaduct_worker.tracing.replacing import replace, replacing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from viaduct_worker.tracing.recorder import Place, Recording, Span
    from viaduct_worker.tracing.replacing import Function

FAILED = 500
VIEWS_MAX = 10_000

_views: 'dict[int, tuple[str, Place, bool, object]]' = {}
"""Name, place, whether it is a coroutine function, and the view, of each that a traced request has called, by its id.

A view may have no hash, or say that it is equal to another one.
"""


def trace_handlers(base: 'ModuleType') -> None:
    """`base` is the module of the class of all handlers."""
    handler = base.BaseHandler
    replace(handler, 'get_response', preparing)
    replace(handler, 'resolve_request', resolving)
    replace(handler, 'make_view_atomic', lambda make: viewing(make, base.iscoroutinefunction))


def preparing(get_response: 'Function') -> 'Function':
    """A handler gets recorders in its middleware with its first traced request."""

    def get(handler: object, request: object) -> object:
        recording = running()
        if recording is not None and not hasattr(handler, '_viaduct_traced'):
            try:
                with replacing:
                    if not hasattr(handler, '_viaduct_traced'):
                        handler._viaduct_traced = True  # type: ignore[attr-defined]  # a mark of ours
                        django_middleware.trace_handler(handler)
            except Exception:
                recording.note('the middleware of Django')
        return get_response(handler, request)

    return get


def resolving(resolve_request: 'Function') -> 'Function':
    def resolve(handler: object, request: object) -> object:
        recording = running()
        if recording is None:
            return resolve_request(handler, request)
        __traceback_hide__ = True
        span = recording.begin('url', '')
        try:
            match = resolve_request(handler, request)
        except BaseException as error:
            recording.fail(span, error)
            raise
        finally:
            recording.end(span)
        matched(recording, span, match)
        return match

    return resolve


def matched(recording: 'Recording', span: 'Span', match: 'Any') -> None:
    try:
        pattern: object = match.route
        text = pattern if type(pattern) is str else str.__str__(str(pattern))
        span[NAME] = text or 'the empty pattern'
        name = match.view_name
        span[ATTRIBUTES] = {'pattern': text, 'name': name if type(name) is str else ''}
    except Exception:
        recording.note('the pattern of the URL')


def viewing(make_view_atomic: 'Function', is_asynchronous: 'Function') -> 'Function':
    """Django asks for the view that it calls, inside its transaction, here."""

    def make(handler: object, view: object) -> object:
        target = make_view_atomic(handler, view)
        recording = running()
        if recording is None:
            return target
        try:
            known = _views.get(id(view))
            if known is None:
                known = (*describe(view), bool(is_asynchronous(view)), view)
                if len(_views) < VIEWS_MAX:
                    _views[id(view)] = known
        except Exception:
            recording.note('the view')
            return target
        name, place, is_awaited, _ = known
        return (awaiting if is_awaited else calling)(target, recording, name, place)

    return make


def calling(view: 'Function', recording: 'Recording', name: str, place: tuple[str, int]) -> 'Function':
    def call(*args: object, **kwargs: object) -> object:
        __traceback_hide__ = True
        span = recording.begin('view', name, None, place)
        index = recording.span
        try:
            response = view(*args, **kwargs)
        except BaseException as error:
            recording.fail(span, error)
            raise
        finally:
            recording.end(span)
        view_hop(recording, index, name, response)
        return response

    return call


def awaiting(view: 'Function', recording: 'Recording', name: str, place: tuple[str, int]) -> 'Function':
    async def call(*args: object, **kwargs: object) -> object:
        __traceback_hide__ = True
        span = recording.begin('view', name, None, place)
        index = recording.span
        try:
            response = await view(*args, **kwargs)
        except BaseException as error:
            recording.fail(span, error)
            raise
        finally:
            recording.end(span)
        view_hop(recording, index, name, response)
        return response

    return call


def view_hop(recording: 'Recording', index: int, name: str, response: object) -> None:
    if hasattr(response, 'status_code'):
        django_middleware.response_hop(recording, index, f'view {name}', response)


def trace_exceptions(module: 'ModuleType') -> None:
    """Record what Django answers with a status of 500 or more: the application does not raise it."""
    replace(module, 'response_for_exception', answering)


def answering(response_for_exception: 'Function') -> 'Function':
    def answer(request: object, error: BaseException) -> object:
        exceptions.hide_recorders(error)
        response = response_for_exception(request, error)
        recording = running()
        if recording is not None and getattr(response, 'status_code', 0) >= FAILED:
            exceptions.record(recording, error)
        return response

    return answer
