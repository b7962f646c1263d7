"""Checks and encodes what an application passes to `start_response` (PEP 3333, "The start_response() Callable")."""

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    HeaderList: TypeAlias = list[tuple[str, str]]

HAS_REASON = 4
"""Bit of a response frame: a reason phrase precedes the lines."""

_CACHE_SIZE = 1024
_CACHED_VALUE_MAX = 80
"""How many encoded headers are cached, and the longest value of one: most headers of an application repeat."""
_token = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+").fullmatch
_control = re.compile(r'[\x00-\x08\x0a-\x1f\x7f]').search
_hop_by_hop = frozenset(
    (
        'connection',
        'keep-alive',
        'proxy-authenticate',
        'proxy-authorization',
        'proxy-connection',
        'te',
        'trailer',
        'trailers',
        'transfer-encoding',
        'upgrade',
    )
)
_known: 'dict[tuple[str, str], tuple[bytes, int]]' = {}
"""The line of a header and the length that it declares; -1 for any other header than Content-Length."""
_statuses: 'dict[str, tuple[int, str]]' = {}


class HopByHopError(ValueError):
    """A field is hop-by-hop: only the server may send it (PEP 3333). The message is its name; `rest` has the others."""

    rest: 'HeaderList'


def encode_status(status: str) -> tuple[int, str]:
    """Return (code, reason) of a status such as "404 Not Found". The reason ends in CRLF; the usual reason becomes ''.

    Raises TypeError unless it is a str, ValueError unless it is a final status code, a space and a reason phrase.
    """
    try:
        return _statuses[status]
    except (KeyError, TypeError):
        if type(status) is not str:
            raise TypeError(f'status must be a str, not {type(status).__name__}') from None
    code, reason = status[:3], status[4:]
    if not (code.isascii() and code.isdigit()) or status[3:4] not in ('', ' ') or not '200' <= code <= '599':
        raise ValueError(f'status must be a code of 200 to 599, a space and a reason, not {status!r}')
    if _control(reason):
        raise ValueError(f'status {status!r} holds a control character')
    reason.encode('latin-1')
    result = int(code), reason + '\r\n' if reason != _usual.get(int(code), '') else ''
    if len(_statuses) < _CACHE_SIZE:
        _statuses[status] = result
    return result


def encode_headers(headers: 'HeaderList') -> tuple[bytes, int]:
    """Return (lines, content_length): latin-1 bytes, and the declared length or -1.

    Raises TypeError for anything but a list of pairs of str. Raises ValueError for characters that could split the
    response, for a Content-Length that is not a number, and for text outside latin-1; HopByHopError for such a field.
    """
    if type(headers) is not list:
        raise TypeError(f'headers must be a list, not {type(headers).__name__}')
    lines = b''
    length = -1
    for header in headers:
        try:
            line, declared = _known[header]
        except (KeyError, TypeError):
            try:
                line, declared = _encode(header)
            except HopByHopError as error:
                error.rest = [one for one in headers if not _is_hop_by_hop(one)]
                raise
        if declared >= 0:
            if length >= 0:
                raise ValueError('Content-Length appears twice')
            length = declared
        lines += line
    return lines, length


def encode_early_hints(headers: 'HeaderList') -> bytes:
    """Return the lines of an interim response. Raises as `encode_headers` does, and ValueError for a Content-Length."""
    lines, length = encode_headers(headers)
    if length >= 0:
        raise ValueError('Content-Length is not an early hint: an interim response has no content')
    return lines


def _is_hop_by_hop(header: tuple[str, str]) -> bool:
    """Whether `encode_headers` refuses `header` for this reason alone."""
    try:
        _encode(header)
    except HopByHopError:
        return True
    except (TypeError, ValueError):
        pass
    return False


def _encode(header: tuple[str, str]) -> tuple[bytes, int]:
    if type(header) is not tuple or len(header) != 2:
        raise TypeError(f'a header must be a tuple of name and value, not {header!r}')
    name, value = header
    if not isinstance(name, str) or not isinstance(value, str):
        raise TypeError(f'name and value of a header must be str: {header!r}')
    if not _token(name):
        raise ValueError(f'header name {name!r} is not a token')
    if _control(value):
        raise ValueError(f'value of header {name!r} holds a control character: {value!r}')
    lower = name.lower()
    if lower in _hop_by_hop:
        raise HopByHopError(name)
    declared = -1
    if lower == 'content-length':
        if not (value.isascii() and value.isdigit() and len(value) <= 15):
            raise ValueError(f'Content-Length must be a decimal number, not {value!r}')
        declared = int(value)
    result = f'{name}: {value}\r\n'.encode('latin-1'), declared
    if len(value) <= _CACHED_VALUE_MAX:
        if len(_known) >= _CACHE_SIZE:
            _known.clear()
        _known[header] = result
    return result


def _usual_reasons() -> dict[int, str]:
    from http import HTTPStatus

    return {status.value: status.phrase for status in HTTPStatus}


_usual = _usual_reasons()
