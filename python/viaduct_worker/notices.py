"""What an application does against PEP 3333 and Viaduct corrects. The log names it once for each place in the code."""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

HERE = os.path.dirname(os.path.abspath(__file__)) + os.sep
NOTED_MAX = 100
"""So many different notices are written by one worker, whatever the application does."""


class Notices:
    """Writes each notice to `log` once."""

    def __init__(self, log: 'Callable[[str], None]') -> None:
        self.log = log
        self.noted: set[str] = set()

    def add(self, text: str) -> None:
        """Log `text` with the place in the application that this thread is at, unless the log has both already."""
        text += _place()
        if text not in self.noted and len(self.noted) < NOTED_MAX:
            self.noted.add(text)
            self.log(f'{text}. Each worker reports this once')


def _place() -> str:
    """Where the application called this package; '' after its end."""
    frame = sys._getframe(1)
    while frame.f_code.co_filename.startswith(HERE):
        if frame.f_back is None:
            return ''
        frame = frame.f_back
    return f' ({frame.f_code.co_filename}:{frame.f_lineno})'
