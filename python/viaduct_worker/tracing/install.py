"""Puts the recorders in their places: around what the application has imported, at the first traced request after."""

import sys

from viaduct_worker.tracing import (
    databases,
    django_data,
    django_requests,
    django_signals,
    flask_requests,
    http_client,
    templates,
)
from viaduct_worker.tracing.replacing import replacing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from viaduct_worker.tracing.recorder import Recording

_missing: 'dict[str, Callable[[ModuleType], None]]' = {
    'django.core.handlers.base': django_requests.trace_handlers,
    'django.core.handlers.exception': django_requests.trace_exceptions,
    'django.db.backends.base.base': django_data.trace_transactions,
    'django.db.backends.utils': django_data.trace_cursors,
    'django.dispatch.dispatcher': django_signals.trace_signals,
    'django.template.base': templates.trace_django_templates,
    'django.template.loader_tags': templates.trace_django_blocks,
    'flask.app': flask_requests.trace_flask,
    'http.client': http_client.trace_http_client,
    'jinja2.environment': templates.trace_jinja2,
    'MySQLdb.cursors': databases.trace_mysql_cursors,
    'psycopg': databases.trace_psycopg,
    'psycopg2': databases.trace_psycopg2,
    'pymysql.cursors': databases.trace_mysql_cursors,
    'sqlalchemy.engine': databases.trace_sqlalchemy,
    'sqlite3': databases.trace_sqlite3,
    'sqlite3.dbapi2': databases.trace_sqlite3,
    'werkzeug.routing.map': flask_requests.trace_werkzeug_rules,
}
"""What has not been imported yet, by its module."""
_caches: set[type] = set()
_modules = 0


def install(recording: 'Recording') -> None:
    """Put the recorders of modules that have been imported since the last traced request into their places."""
    global _modules  # noqa: PLW0603  # without new modules there is nothing to do
    if len(sys.modules) == _modules:
        return
    with replacing:
        count = len(sys.modules)
        are_complete = True
        for name in list(_missing):
            module = sys.modules.get(name)
            if module is None:
                continue
            if getattr(getattr(module, '__spec__', None), '_initializing', False):
                are_complete = False
                continue
            trace = _missing.pop(name)
            try:
                trace(module)
            except Exception:
                recording.note(f'the module {name}')
        install_caches(recording)
        if are_complete:
            _modules = count


def install_caches(recording: 'Recording') -> None:
    """Each class of caches implements its own calls, also one of the project."""
    module = sys.modules.get('django.core.cache.backends.base')
    base = getattr(module, 'BaseCache', None)
    if base is None:
        return
    for kind in django_data.cache_classes(base):
        if kind not in _caches:
            _caches.add(kind)
            try:
                django_data.trace_cache_class(kind)
            except Exception:
                recording.note(f'the cache {kind.__qualname__}')
