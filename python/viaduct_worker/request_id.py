"""The id of the running request in Python's log records: the outermost middleware, with the setting `request_id`."""

import logging
from contextvars import ContextVar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_current: 'ContextVar[str]' = ContextVar('viaduct_request_id', default='-')


def current() -> str:
    """Return the id of the request that this thread (or greenlet) runs, and `-` outside of requests."""
    return _current.get()


def noting(application: 'WSGIApplication') -> 'WSGIApplication':
    """Return `application`, with `viaduct_request_id` in each record that is logged while it runs.

    Applications pass `request_id` in `extra` themselves, and `logging` refuses a name that a record already has.
    """
    make = logging.getLogRecordFactory()

    def make_record(*args: object, **kwargs: object) -> logging.LogRecord:
        record = make(*args, **kwargs)
        record.viaduct_request_id = _current.get()
        return record

    def call(environ: 'WSGIEnvironment', start_response: 'StartResponse') -> 'Iterable[bytes]':
        _current.set(environ.get('viaduct.request_id', '-'))
        return application(environ, start_response)

    logging.setLogRecordFactory(make_record)
    return call
