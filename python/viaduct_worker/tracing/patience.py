"""The texts of local variables, whose `__repr__` may take long or never end."""

import sys
from time import perf_counter_ns as now

from viaduct_worker.tracing.texts import TookTooLongError, safe_repr

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

    from _typeshed import TraceFunction

VALUE_NS = 50_000_000
TOTAL_NS = 500_000_000


class Patience:
    """Lives for one exception: half a second for all values, and at most a tenth of that for each.

    Only Python code is interrupted, between two lines. With a debugger, which has the thread's trace function, nothing
    is: it may have stopped there.
    """

    def __init__(self) -> None:
        self.end = now() + TOTAL_NS
        self.until = 0

    def repr(self, value: object) -> str:
        """`safe_repr` of a value, or what it is if that takes too long."""
        debugger = sys.gettrace()
        if debugger is not None:
            return safe_repr(value)
        start = now()
        if start > self.end:
            return f'<{type(value).__name__} that was not looked at: other values took too long>'
        self.until = start + VALUE_NS
        sys.settrace(self.watch)
        try:
            return safe_repr(value)
        except TookTooLongError:
            return f'<{type(value).__name__} whose repr takes too long>'
        finally:
            sys.settrace(None)

    def watch(self, _frame: 'FrameType', _event: str, _argument: object) -> 'TraceFunction':
        if now() > self.until:
            raise TookTooLongError
        return self.watch
