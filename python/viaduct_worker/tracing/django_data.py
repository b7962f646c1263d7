"""Django: queries and transactions of databases, and calls of caches."""

import sys

from viaduct_worker.tracing import queries
from viaduct_worker.tracing.places import project_place
from viaduct_worker.tracing.recorder import running
from viaduct_worker.tracing.replacing import replace
from viaduct_worker.tracing.texts import clipped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from viaduct_worker.tracing.recorder import Attributes, Recording, Span
    from viaduct_worker.tracing.replacing import Function

CACHE_CALLS = (
    *('add', 'clear', 'decr', 'decr_version', 'delete', 'delete_many', 'get', 'get_many', 'get_or_set', 'has_key'),
    *('incr', 'incr_version', 'set', 'set_many', 'touch'),
)
MISS = object()


def trace_cursors(utils: 'ModuleType') -> None:
    """`utils` has the class through which all queries of Django pass."""
    replace(utils.CursorWrapper, 'execute', lambda execute: recorded(execute, many=False))
    replace(utils.CursorWrapper, 'executemany', lambda executemany: recorded(executemany, many=True))
    replace(utils.CursorWrapper, 'callproc', lambda callproc: recorded(callproc, many=False))


def recorded(execute: 'Function', many: bool) -> 'Function':
    def send(wrapper: 'Any', *args: object, **kwargs: object) -> object:
        recording = running()
        if recording is None:
            return execute(wrapper, *args, **kwargs)
        __traceback_hide__ = True
        sql = args[0] if args else kwargs.get('sql', kwargs.get('procname', ''))
        parameters = args[1] if len(args) > 1 else kwargs.get('params')
        vendor: str = getattr(wrapper.db, 'vendor', '')
        alias: str = getattr(wrapper.db, 'alias', '')
        span = queries.begin(recording, sql, None if many else parameters, vendor, many, alias)
        try:
            return execute(wrapper, *args, **kwargs)
        except BaseException as error:
            recording.fail(span, error)
            raise
        finally:
            queries.end(recording, span, wrapper.cursor)

    return send


def trace_transactions(base: 'ModuleType') -> None:
    replace(base.BaseDatabaseWrapper, '_commit', lambda commit: ending(commit, 'COMMIT'))
    replace(base.BaseDatabaseWrapper, '_rollback', lambda rollback: ending(rollback, 'ROLLBACK'))


def ending(function: 'Function', name: str) -> 'Function':
    def end(wrapper: 'Any') -> object:
        recording = running()
        if recording is None or wrapper.connection is None:
            return function(wrapper)
        __traceback_hide__ = True
        attributes: Attributes = {'transaction': name.lower(), 'vendor': wrapper.vendor, 'alias': wrapper.alias}
        span = recording.begin('query', name, attributes, project_place(sys._getframe(1)))
        try:
            return function(wrapper)
        except BaseException as error:
            recording.fail(span, error)
            raise
        finally:
            recording.end(span)

    return end


def trace_cache_class(kind: type) -> None:
    """Record the calls that a class of caches implements itself."""
    for name in CACHE_CALLS:
        # mypy cannot infer the type of a lambda with a default.
        replace(kind, name, lambda function, name=name: cached(function, name))  # type: ignore[misc]


def cached(function: 'Function', operation: str) -> 'Function':
    def call(cache: object, *args: object, **kwargs: object) -> object:
        recording = running()
        if recording is None or recording.is_within('cache'):  # a call that another one is made of
            return function(cache, *args, **kwargs)
        __traceback_hide__ = True
        span = begin(recording, cache, operation, args)
        try:
            result = function(cache, *args, **kwargs)
        except BaseException as error:
            recording.fail(span, error)
            recording.end(span)
            raise
        known: Attributes | None = None
        if operation == 'get':
            known = {'hit': result is not (args[1] if len(args) > 1 else kwargs.get('default'))}
        elif operation == 'get_many' and isinstance(result, dict):
            known = {'hits': len(result)}
        recording.end(span, known)
        return result

    return call


def begin(recording: 'Recording', cache: object, operation: str, args: tuple[object, ...]) -> 'Span':
    attributes: Attributes = {'operation': operation, 'backend': type(cache).__name__}
    try:
        key = args[0] if args else None
        if isinstance(key, str):
            attributes['key'] = clipped(key)
        elif isinstance(key, (list, tuple, dict, set)):
            attributes['keys'] = len(key)
        place = project_place(sys._getframe(2))
    except Exception:
        recording.note('a call of the cache')
        place = '', 0
    return recording.begin('cache', operation, attributes, place)


def cache_classes(base: type) -> 'list[type]':
    """A class and all that inherit from it."""
    found = [base]
    for kind in found:
        kinds: list[type] = type.__subclasses__(kind)
        found += [each for each in kinds if each not in found]
    return found
