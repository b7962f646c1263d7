"""Flask: the rule of the URL, the functions before, after and around the view, and the view itself.

Flask asks `ensure_sync` for each function of the application just before it calls it. The method that asks says what
the function is for.
"""

import sys

from viaduct_worker.tracing import exceptions
from viaduct_worker.tracing.places import describe
from viaduct_worker.tracing.recorder import running
from viaduct_worker.tracing.replacing import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from viaduct_worker.tracing.recorder import Attributes, Passed, Recording, Span
    from viaduct_worker.tracing.replacing import Function

HOOKS = {
    'preprocess_request': 'before_request',
    'process_response': 'after_request',
    'do_teardown_request': 'teardown_request',
    'do_teardown_appcontext': 'teardown_appcontext',
    'handle_http_exception': 'errorhandler',
    'handle_user_exception': 'errorhandler',
    'handle_exception': 'errorhandler',
    'update_template_context': 'context_processor',
}
"""Methods that ask for a function, and how the application has registered it."""


def trace_flask(module: 'ModuleType') -> None:
    """`module` is `flask.app`."""
    replace(module.Flask, 'ensure_sync', ensuring)
    replace(module.Flask, 'process_response', processing)
    replace(module.Flask, 'handle_exception', handling)


def trace_werkzeug_rules(module: 'ModuleType') -> None:
    """`module` is `werkzeug.routing.map`."""
    replace(module.MapAdapter, 'match', matching)


def ensuring(ensure_sync: 'Function') -> 'Function':
    def ensure(application: object, func: 'Function') -> 'Function':
        target: Function = ensure_sync(application, func)
        recording = running()
        if recording is None:
            return target
        caller = sys._getframe(1).f_code.co_name
        if caller == 'dispatch_request':
            return recorded(target, func, recording, 'view')
        if caller in HOOKS:
            return recorded(target, func, recording, HOOKS[caller])
        return target

    return ensure


def recorded(target: 'Function', function: 'Function', recording: 'Recording', role: str) -> 'Function':
    def call(*args: object, **kwargs: object) -> object:
        __traceback_hide__ = True
        span = begin(recording, function, role)
        try:
            result = target(*args, **kwargs)
        except BaseException as error:
            recording.view = 0.0  # the response is that of an errorhandler
            recording.fail(span, error)
            recording.end(span)
            raise
        recording.end(span, response_hop(recording, result) if role == 'after_request' else None)
        return result

    return call


def begin(recording: 'Recording', function: 'Function', role: str) -> 'Span':
    name, place = role, ('', 0)
    try:
        name, place = describe(function)
    except Exception:
        recording.note('a function of Flask')
    if role == 'view':
        if recording.is_within('view'):  # the method of a class that is a view
            return recording.begin('hook', name, {'phase': 'method'}, place)
        recording.view = recording.begin('view', name, None, place)
        return recording.view
    return recording.begin('hook', name, {'phase': role}, place)


def processing(process_response: 'Function') -> 'Function':
    """What the view returned is a response now, before the functions after the view change it."""

    def process(application: object, *args: object) -> object:
        recording = running()
        if recording is not None and args:
            recording.put(recording.view, response_hop(recording, args[-1]))
        return process_response(application, *args)

    return process


def response_hop(recording: 'Recording', response: 'Any') -> 'Passed | None':
    """Status and fields of a response."""
    try:
        return response.status, list(response.headers)
    except Exception:
        recording.note('a response')
        return None


def handling(handle_exception: 'Function') -> 'Function':
    """Flask answers an exception of the view with 500 here, or lets it through."""

    def handle(application: object, error: BaseException) -> object:
        exceptions.hide_recorders(error)
        recording = running()
        if recording is not None:
            exceptions.record(recording, error)
        return handle_exception(application, error)

    return handle


def matching(match: 'Function') -> 'Function':
    def record(adapter: object, *args: object, **kwargs: object) -> object:
        recording = running()
        if recording is None:
            return match(adapter, *args, **kwargs)
        __traceback_hide__ = True
        span = recording.begin('url', getattr(adapter, 'path_info', None) or '')
        try:
            found = match(adapter, *args, **kwargs)
        except BaseException as error:
            recording.fail(span, error)
            recording.end(span)
            raise
        recording.end(span, matched(recording, found))
        return found

    return record


def matched(recording: 'Recording', found: 'Any') -> 'Attributes | None':
    try:
        rule = found[0]
        if isinstance(getattr(rule, 'rule', None), str):
            return {'pattern': rule.rule, 'name': str(rule.endpoint)}
    except Exception:
        recording.note('the rule of the URL')
    return None
