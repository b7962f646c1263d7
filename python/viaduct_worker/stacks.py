"""Where the threads of this process are: their Python stacks, as text."""

import os
import sys
import traceback
from _thread import get_ident
from threading import enumerate as running_threads

from viaduct_worker.call import Call

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

    from viaduct_worker.messages import ThreadStack

STACKS_MAX = 250_000
"""Longest text of all stacks together, in characters."""
PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep
TRACING = os.path.join(PACKAGE, 'tracing', '')


def stack_of(thread: int) -> str:
    """Return the stack of a thread, the innermost call last, as in a traceback. It is '' if the thread has ended."""
    frame = sys._current_frames().get(thread)
    return '' if frame is None else stack_text(frame)


def stack_text(frame: 'FrameType') -> str:
    """Return the stack that ends in `frame`, without the frames of this package that lead to the application.

    The recorders of a traced request are between frames of the application. They are not in it either. Between two
    blocks of a response, the thread is in this package: then the stack is the place where the generator goes on.
    """
    try:
        shown = entries_of_application(frame)
    except Exception:  # seen with CPython 3.11: the thread goes on meanwhile, and a frame turns into another object
        return ''
    return ''.join(traceback.format_list(shown))


def entries_of_application(frame: 'FrameType') -> 'list[traceback.FrameSummary]':
    entries: list[traceback.FrameSummary] = traceback.extract_stack(frame)
    outer = next((index for index, entry in enumerate(entries) if is_own(entry.filename)), 0)
    inner = next((index for index in range(outer, len(entries)) if not is_own(entries[index].filename)), None)
    if inner is None:
        return generator_entries(frame) or entries[outer:]
    return [entry for entry in entries[inner:] if not os.path.abspath(entry.filename).startswith(TRACING)]


def generator_entries(frame: 'FrameType') -> 'list[traceback.FrameSummary]':
    """Where the generator stands whose blocks `Call.stream` sends; nothing if the thread is elsewhere."""
    found: FrameType | None = frame
    while found is not None and found.f_code is not Call.stream.__code__:
        found = found.f_back
    waiting = None if found is None else getattr(found.f_locals['blocks'], 'gi_frame', None)
    return [] if waiting is None else traceback.extract_stack(waiting, 1)


def is_own(path: str) -> bool:
    """Whether a file belongs to this package."""
    return os.path.abspath(path).startswith(PACKAGE)


def thread_stacks(lanes: 'dict[int, int]') -> 'list[ThreadStack]':
    """Where all threads are but the calling one. `lanes` has the number of the lane that a thread serves.

    A long stack loses its outermost calls. After an application has replaced threads by greenlets, `threading` does not
    know the names of threads.
    """
    names = {thread.ident: thread.name for thread in running_threads()}
    frames = {thread: frame for thread, frame in sys._current_frames().items() if thread != get_ident()}
    share = STACKS_MAX // max(1, len(frames))
    return [
        {
            'name': names.get(thread, f'thread {thread}')[:100],
            'lane': lanes.get(thread),
            'stack': stack_text(frame)[-share:],
        }
        for thread, frame in frames.items()
    ]
