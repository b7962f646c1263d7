"""The traceback of an exception as text, also of one whose attributes or text raise.

Their accessors are those of `BaseException`: a class may put properties of its own in front of them.
"""

import traceback

from viaduct_worker.interrupt import RequestTimeout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType


def report_of(error: BaseException, limit: int | None = None) -> str:
    """What Python prints for an exception. If that raises: its frames and its type. `limit` is that of `traceback`."""
    kind = type(error)
    entries = traceback_of(error)
    try:
        return ''.join(traceback.format_exception(kind, error, entries, limit))
    except RequestTimeout:
        raise
    except BaseException as refusal:
        frames = ''.join(traceback.format_tb(entries, limit))
        reason = f'its text is not known, because it raises {type(refusal).__qualname__}'
        return f'Traceback (most recent call last):\n{frames}{kind.__module__}.{kind.__qualname__}: {reason}\n'


def traceback_of(error: BaseException) -> 'TracebackType | None':
    return BaseException.__dict__['__traceback__'].__get__(error)  # type: ignore[no-any-return]


def cause_of(error: BaseException) -> BaseException | None:
    """`__cause__`: what `raise … from` names."""
    return BaseException.__dict__['__cause__'].__get__(error)  # type: ignore[no-any-return]


def context_of(error: BaseException) -> BaseException | None:
    """`__context__`: what was handled when this exception was raised. Python does not print it after `from None`."""
    return BaseException.__dict__['__context__'].__get__(error)  # type: ignore[no-any-return]


def hides_context(error: BaseException) -> bool:
    """`__suppress_context__`: a cause was named, perhaps None."""
    return bool(BaseException.__dict__['__suppress_context__'].__get__(error))
