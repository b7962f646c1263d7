"""The texts of values and exceptions as a recording has them: short, and also of objects that refuse to be shown."""

from viaduct_worker.interrupt import RequestTimeout
from viaduct_worker.reports import name_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

TEXT_MAX = 10_000
"""Longest text, in characters."""
DEPTH_MAX = 6
CONTEXTS = 'django.template.context'
"""The module of contexts, whose text is that of a list of dicts."""
BRACKETS: dict[type, tuple[str, str]] = {list: ('[', ']'), tuple: ('(', ')'), set: ('{', '}'), dict: ('{', '}')}


class TookTooLongError(BaseException):
    """Raised in a `__repr__` whose time is over; see patience.py. Not an `Exception`, which it might catch."""


class NeedsQueryError(Exception):
    """Raised in a `__repr__` that sends a query; see patience.py."""


def clipped(text: str) -> str:
    """The text as a plain str of at most `TEXT_MAX` characters."""
    return str.__str__(text[:TEXT_MAX] if len(text) > TEXT_MAX else text)


def safe_repr(value: object) -> str:
    """`repr`, also of an object whose `__repr__` fails or ends the thread, and of a list of millions.

    It sends no query: that of Django's query sets would.
    """
    try:
        return beginning(value)
    except (RequestTimeout, TookTooLongError):
        raise
    except BaseException as error:  # a list that changes meanwhile
        return refusal(value, error)


def class_name(value: object) -> str:
    """`__name__` of its class, without asking the class."""
    return str(type.__dict__['__name__'].__get__(type(value)))


def refusal(value: object, error: BaseException) -> str:
    if type(error) is NeedsQueryError:
        return f'<{class_name(value)} whose repr needs a query>'
    return f'<{class_name(value)} whose repr raises {class_name(error)}>'


def beginning(value: object) -> str:
    """The first `TEXT_MAX` characters of `repr`. The rest is not looked at."""
    found: list[str] = []
    length = 0
    for part in parts(value, 0):
        found.append(part)
        length += len(part)
        if length > TEXT_MAX:
            break
    return clipped(''.join(found))


def parts(value: 'Any', depth: int) -> 'Iterator[str]':
    """The parts of `repr(value)` in order."""
    kind = type(value)
    if kind is str or kind is bytes or kind is bytearray:
        yield repr(value[:TEXT_MAX])
        return
    if type.__getattribute__(kind, '__module__') == CONTEXTS:
        value = getattr(value, 'dicts', value)
    shape = shape_of(type(value))
    if shape is None or not value:
        yield leaf(value)
    elif depth == DEPTH_MAX:
        yield '...'
    else:
        first, last = BRACKETS[shape]
        yield first
        comma = ''
        for item in value:
            yield comma
            comma = ', '
            yield from parts(item, depth + 1)
            if shape is dict:
                yield ': '
                yield from parts(value[item], depth + 1)
        yield f',{last}' if shape is tuple and len(value) == 1 else last


def shape_of(kind: type) -> type | None:
    """The type whose `repr` this type has, if that writes brackets."""
    text = type.__getattribute__(kind, '__repr__')
    return next((each for each in BRACKETS if text is each.__repr__), None)


def leaf(value: object) -> str:
    """The text of a value that is not divided. If it cannot be made, that of the list around it can."""
    try:
        fields = getattr(value, '__dict__', None)
        if type(fields) is dict and '_result_cache' in fields and fields['_result_cache'] is None:
            return f'<{class_name(value)} that was not evaluated>'
        return str.__str__(repr(value))
    except (RequestTimeout, TookTooLongError):
        raise
    except BaseException as error:
        return refusal(value, error)


def error_text(error: BaseException) -> str:
    """The type of an exception and what it says."""
    try:
        message = str.__str__(str(error))
    except RequestTimeout:
        raise
    except BaseException:
        message = ''
    name = name_of(type(error))
    return clipped(f'{name}: {message}') if message else name
