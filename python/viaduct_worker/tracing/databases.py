"""Queries outside of Django: SQLAlchemy, sqlite3, psycopg, psycopg2, MySQLdb and PyMySQL.

What SQLAlchemy or Django sends is one query, so what their driver does for it is not another. Cursors of C types are
subclassed for connections that are made from now on. Those that a module made before the first traced request are not
seen, nor are functions `connect` that the application has imported by name.
"""

import sys

from viaduct_worker.tracing import queries
from viaduct_worker.tracing.recorder import running
from viaduct_worker.tracing.replacing import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from viaduct_worker.tracing.recorder import Recording, Span
    from viaduct_worker.tracing.replacing import Function


POSTGRESQL = 'postgresql'
QUOTING = '_quote_params_for_last_executed_query'
"""With DEBUG, Django lets SQLite quote the parameters of each query, to show its text. The site asks for none of it."""


def trace_sqlalchemy(engine: 'ModuleType') -> None:
    """Record what all engines send, by the events that SQLAlchemy has for that."""
    from importlib import import_module

    listen = import_module('sqlalchemy.event').listen

    def before(_: object, cursor: object, sql: str, parameters: object, context: 'Any', many: bool) -> None:
        recording = running()
        if recording is not None and context is not None:
            context._viaduct = recording, queries.begin(recording, sql, parameters, context.engine.name, many)

    def after(
        _connection: object, cursor: object, _statement: str, _parameters: object, context: object, _many: bool
    ) -> None:
        traced: tuple[Recording, Span] | None = getattr(context, '_viaduct', None)
        if traced is not None:
            queries.end(*traced, cursor)

    def failed(context: 'Any') -> None:
        traced: tuple[Recording, Span] | None = getattr(getattr(context, 'execution_context', None), '_viaduct', None)
        if traced is not None:
            recording, span = traced
            recording.fail(span, context.original_exception)
            recording.end(span)

    listen(engine.Engine, 'before_cursor_execute', before)
    listen(engine.Engine, 'after_cursor_execute', after)
    listen(engine.Engine, 'handle_error', failed)


def trace_cursor_class(cursor: type, vendor: str) -> None:
    """Record what a class of cursors sends that is written in Python."""
    replace(cursor, 'execute', lambda execute: recorded(execute, vendor, many=False))
    replace(cursor, 'executemany', lambda executemany: recorded(executemany, vendor, many=True))


def recorded(execute: 'Function', vendor: str, many: bool) -> 'Function':
    def send(cursor: object, *args: object, **kwargs: object) -> object:
        recording = running()
        if recording is None or recording.is_within('query'):
            return execute(cursor, *args, **kwargs)
        if sys._getframe(1).f_code.co_name == QUOTING:
            return execute(cursor, *args, **kwargs)
        __traceback_hide__ = True
        sql = args[0] if args else kwargs.get('query', '')
        parameters = args[1] if len(args) > 1 else kwargs.get('params', kwargs.get('args'))
        span = queries.begin(recording, sql, None if many else parameters, vendor, many)
        try:
            return execute(cursor, *args, **kwargs)
        except BaseException as error:
            recording.fail(span, error)
            raise
        finally:
            queries.end(recording, span, cursor)

    return send


def recorded_async(execute: 'Function', many: bool) -> 'Function':
    """As `recorded`. Of queries that wait at the same time, only the first one is recorded."""

    async def send(cursor: object, query: object, *args: object, **kwargs: object) -> object:
        recording = running()
        if recording is None or recording.is_within('query'):
            return await execute(cursor, query, *args, **kwargs)
        __traceback_hide__ = True
        parameters = args[0] if args else kwargs.get('params')
        span = queries.begin(recording, query, None if many else parameters, POSTGRESQL, many)
        try:
            return await execute(cursor, query, *args, **kwargs)
        except BaseException as error:
            recording.fail(span, error)
            raise
        finally:
            queries.end(recording, span, cursor)

    return send


def trace_psycopg(module: 'ModuleType') -> None:
    for cursor in (module.Cursor, module.ServerCursor):
        trace_cursor_class(cursor, POSTGRESQL)
    for cursor in (module.AsyncCursor, module.AsyncServerCursor):
        replace(cursor, 'execute', lambda execute: recorded_async(execute, many=False))
        replace(cursor, 'executemany', lambda executemany: recorded_async(executemany, many=True))


def trace_mysql_cursors(module: 'ModuleType') -> None:
    """MySQLdb has `BaseCursor`, PyMySQL has `Cursor`."""
    trace_cursor_class(getattr(module, 'BaseCursor', None) or module.Cursor, 'mysql')


def trace_psycopg2(module: 'ModuleType') -> None:
    """New connections get a subclass of the cursor, unless the caller names its own."""
    cursor = traced_subclass(module.extensions.cursor, POSTGRESQL)

    def connecting(connect: 'Function') -> 'Function':
        def connect_traced(*args: object, **kwargs: object) -> object:
            if len(args) < 2 and not kwargs.get('connection_factory'):
                kwargs.setdefault('cursor_factory', cursor)
            return connect(*args, **kwargs)

        return connect_traced

    replace(module, 'connect', connecting)


def trace_sqlite3(module: 'ModuleType') -> None:
    """New connections get subclasses of the connection and its cursor, unless the caller names its own."""
    cursor = traced_subclass(module.Cursor, 'sqlite')

    def cursor_of(connection: object, factory: object = cursor) -> 'Any':
        return module.Connection.cursor(connection, factory)

    def execute(connection: object, *args: object) -> object:
        return cursor_of(connection).execute(*args)

    def executemany(connection: object, *args: object) -> object:
        return cursor_of(connection).executemany(*args)

    names = {'__module__': 'sqlite3', 'cursor': cursor_of, 'execute': execute, 'executemany': executemany}
    connection = type('Connection', (module.Connection,), names)

    def connecting(connect: 'Function') -> 'Function':
        def connect_traced(*args: object, **kwargs: object) -> object:
            if len(args) < 6:
                kwargs.setdefault('factory', connection)
            return connect(*args, **kwargs)

        return connect_traced

    replace(module, 'connect', connecting)


def traced_subclass(cursor: 'Any', vendor: str) -> type:
    """A subclass of a C type, under the same name."""
    names = {
        '__module__': cursor.__module__,
        'execute': recorded(cursor.execute, vendor, many=False),
        'executemany': recorded(cursor.executemany, vendor, many=True),
    }
    return type(cursor.__name__, (cursor,), names)
