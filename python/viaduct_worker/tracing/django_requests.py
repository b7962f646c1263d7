"""Django: the resolution of the URL, the view, and exceptions of which Django makes a response."""

from viaduct_worker.tracing import django_middleware, exceptions
from viaduct_worker.tracing.places import describe
from viaduct_worker.tracing.recorder import running
from viaduct_worker.tracing.replacing import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    from viaduct_worker.tracing.recorder import Recording, Span
    from viaduct_worker.tracing.replacing import Function

FAILED = 500


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
            handler._viaduct_traced = True  # type: ignore[attr-defined]
            try:
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


def matched(recording: 'Recording', span: 'Span', match: object) -> None:
    try:
        pattern: object = match.route  # type: ignore[attr-defined]
        span.name = text = pattern if type(pattern) is str else str.__str__(str(pattern))
        span.attributes = {'pattern': text}
        name = match.view_name  # type: ignore[attr-defined]
        if type(name) is str:
            span.attributes['name'] = name
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
            name, place = describe(view)
            traced = awaiting if is_asynchronous(target) else calling
        except Exception:
            recording.note('the view')
            return target
        return traced(target, recording, name, place)

    return make


def calling(view: 'Function', recording: 'Recording', name: str, place: tuple[str, int]) -> 'Function':
    def call(*args: object, **kwargs: object) -> object:
        __traceback_hide__ = True
        span = recording.begin('view', name, None, place)
        try:
            response = view(*args, **kwargs)
        except BaseException as error:
            recording.fail(span, error)
            raise
        finally:
            recording.end(span)
        view_hop(recording, span, response)
        return response

    return call


def awaiting(view: 'Function', recording: 'Recording', name: str, place: tuple[str, int]) -> 'Function':
    async def call(*args: object, **kwargs: object) -> object:
        __traceback_hide__ = True
        span = recording.begin('view', name, None, place)
        try:
            response = await view(*args, **kwargs)
        except BaseException as error:
            recording.fail(span, error)
            raise
        finally:
            recording.end(span)
        view_hop(recording, span, response)
        return response

    return call


def view_hop(recording: 'Recording', span: 'Span', response: object) -> None:
    if hasattr(response, 'status_code'):
        django_middleware.response_hop(recording, span, f'view {span.name}', response)


def trace_exceptions(module: 'ModuleType') -> None:
    """Record what Django answers with a status of 500 or more: the application does not raise it."""
    replace(module, 'response_for_exception', answering)


def answering(response_for_exception: 'Function') -> 'Function':
    def answer(request: object, error: BaseException) -> object:
        response = response_for_exception(request, error)
        recording = running()
        if recording is not None and getattr(response, 'status_code', 0) >= FAILED:
            exceptions.record(recording, error)
        return response

    return answer
