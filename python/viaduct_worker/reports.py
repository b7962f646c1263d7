"""The traceback of an exception as text, also of one whose attributes or text raise.

Their accessors are those of `BaseException` and `type`: a class, or the class of a class, may put properties of its own
in front of them.
"""

import builtins
import traceback

from viaduct_worker.interrupt import RequestTimeout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType


def report_of(error: BaseException, limit: int | None = None) -> str:
    """What Python prints for an exception. If that raises: its frames and its type. `limit` is that of `traceback`."""
    kind: type = type(error)
    entries = traceback_of(error)
    try:
        return ''.join(traceback.format_exception(kind, error, entries, limit))
    except RequestTimeout:
        raise
    except BaseException as refusal:
        reason = f'its text is not known, because it raises {name_of(type(refusal))}'
        return f'Traceback (most recent call last):\n{frames_of(entries, limit)}{full_name_of(kind)}: {reason}\n'


def frames_of(entries: 'TracebackType | None', limit: int | None) -> str:
    try:
        return ''.join(traceback.format_tb(entries, limit))
    except RequestTimeout:
        raise
    except BaseException:  # the loader of a module, which is asked for the source
        places = [(frame.f_code, line) for frame, line in traceback.walk_tb(entries)]
        return ''.join(f'  File "{code.co_filename}", line {line}, in {code.co_name}\n' for code, line in places[-100:])


def name_of(kind: type) -> str:
    """`__qualname__`."""
    return str(type.__dict__['__qualname__'].__get__(kind))


def full_name_of(kind: type) -> str:
    """`__module__` and `__qualname__`, as in tracebacks: without the module of built-in exceptions."""
    module = type.__dict__['__module__'].__get__(kind)
    return name_of(kind) if type(module) is not str or module == 'builtins' else f'{module}.{name_of(kind)}'


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


def members_of(error: BaseException) -> tuple[BaseException, ...]:
    """The exceptions of an exception group (PEP 654); none of another exception. Python 3.10 has no groups."""
    group = getattr(builtins, 'BaseExceptionGroup', None)
    if group is None or not issubclass(type(error), group):
        return ()
    return group.__dict__['exceptions'].__get__(error)  # type: ignore[no-any-return]
