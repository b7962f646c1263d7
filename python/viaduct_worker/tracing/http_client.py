"""What the application asks other servers by `http.client`, on which urllib, requests and urllib3 are built."""

import sys

from viaduct_worker.tracing.places import project_place
from viaduct_worker.tracing.recorder import running
from viaduct_worker.tracing.replacing import replace
from viaduct_worker.tracing.texts import TEXT_MAX, error_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from viaduct_worker.tracing.recorder import Recording, Span
    from viaduct_worker.tracing.replacing import Function


def trace_http_client(module: 'ModuleType') -> None:
    """A span lasts from the request line to the head of the response."""
    connection = module.HTTPConnection
    replace(connection, 'putrequest', starting)
    replace(connection, 'endheaders', lambda endheaders: passing(endheaders, is_last=False))
    replace(connection, 'getresponse', lambda getresponse: passing(getresponse, is_last=True))


def starting(putrequest: 'Function') -> 'Function':
    def start(connection: object, method: str, url: str, *args: object, **kwargs: object) -> object:
        recording = running()
        if recording is not None:
            try:
                begin(recording, connection, method, url)
            except Exception:
                recording.note('a request of http.client')
        elif getattr(connection, '_viaduct', None) is not None:
            connection._viaduct = None  # type: ignore[attr-defined]  # a request before this one has not ended
        return putrequest(connection, method, url, *args, **kwargs)

    return start


def begin(recording: 'Recording', connection: 'Any', method: str, url: str) -> None:
    host, port = str(connection.host), connection.port
    scheme = 'https' if hasattr(connection, '_context') or connection.default_port == 443 else 'http'
    shown = host if port in (80, 443, None) else f'{host}:{port}'
    address = url if '://' in url else f'{scheme}://{shown}{url}'
    span = recording.begin_aside(  # another request may start before this one is answered
        'http-client',
        f'{method} {shown}',
        {'method': str(method), 'url': address[:TEXT_MAX], 'host': shown},
        project_place(sys._getframe(2)),
    )
    connection._viaduct = recording, span


def passing(function: 'Function', is_last: bool) -> 'Function':
    """The rest of a request: it fails, or after the last step has a response."""

    def call(connection: object, *args: object, **kwargs: object) -> object:
        traced: tuple[Recording, Span] | None = getattr(connection, '_viaduct', None)
        if traced is None:
            return function(connection, *args, **kwargs)
        recording, span = traced
        try:
            response = function(connection, *args, **kwargs)
        except BaseException as error:
            finish(connection, recording, span, 'error', error_text(error))
            raise
        if is_last:
            finish(connection, recording, span, 'status', getattr(response, 'status', 0))
        return response

    return call


def finish(connection: 'Any', recording: 'Recording', span: 'Span', name: str, value: str | int) -> None:
    recording.end_aside(span, {name: value})
    connection._viaduct = None
