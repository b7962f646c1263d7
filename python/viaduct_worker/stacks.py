"""Where the threads of this process are: their Python stacks, as text."""

import sys
import traceback

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType


def thread_frames() -> 'dict[int, FrameType]':
    """The innermost Python frame of each thread, by the thread's identifier."""
    return sys._current_frames()


def stack_text(frame: 'FrameType | None') -> str:
    """The stack that ends in `frame`, the innermost call last, as in a traceback. It is '' without a frame."""
    return '' if frame is None else ''.join(traceback.format_stack(frame))
