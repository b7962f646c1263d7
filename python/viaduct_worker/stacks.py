"""Where the threads of this process are: their Python stacks, as text."""

import os
import sys
import traceback

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep


def stack_of(thread: int) -> str:
    """Return the stack of a thread, the innermost call last, as in a traceback. It is '' if the thread has ended."""
    frame = sys._current_frames().get(thread)
    return '' if frame is None else stack_text(frame)


def stack_text(frame: 'FrameType') -> str:
    """Return the stack that ends in `frame`, without the frames of this package that lead to the application."""
    entries = traceback.extract_stack(frame)
    outer = next((index for index, entry in enumerate(entries) if is_own(entry.filename)), len(entries))
    inner = next((index for index in range(outer, len(entries)) if not is_own(entries[index].filename)), outer)
    return ''.join(traceback.format_list(entries[inner:]))


def is_own(path: str) -> bool:
    """Whether a file belongs to this package."""
    return os.path.abspath(path).startswith(PACKAGE)
