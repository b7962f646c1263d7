"""A statistical profile of one thread: where it is, looked at every millisecond while its request runs."""

import sys
import threading
from time import sleep

from viaduct_worker import patches
from viaduct_worker.clock import perf_counter_ns as now
from viaduct_worker.tracing.places import PACKAGE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import TypeAlias

    from viaduct_worker.lane import Lane

    Stack: TypeAlias = tuple[tuple[str, str, int], ...]

INTERVAL_SECONDS = 0.001
FRAMES_MAX = 200
STACKS_MAX = 5000


class Profiler:
    """Samples the thread of `lane` from `start` to `finish`, in a thread of its own.

    A thread that computes keeps the GIL for `sys.getswitchinterval()`, so its samples may be further apart. The profile
    says how far apart they were.
    """

    def __init__(self, lane: 'Lane') -> None:
        self.lane = lane
        self.request = lane.noted[0]
        self.sampling = patches.Lock()
        self.stacks: dict[Stack, int] = {}
        self.samples = 0
        self.is_over = False
        self.started = self.ended = now()

    def start(self) -> bool:
        """Return False if no thread can be started: greenlets share one, and a process may have no more threads."""
        if patches.found():
            return False
        try:
            self.lane.undisturbed(threading.Thread(target=self.run, name='viaduct-profiler', daemon=True).start)
        except RuntimeError:
            return False
        return True

    def run(self) -> None:
        while True:
            sleep(INTERVAL_SECONDS)
            with self.sampling:
                if self.is_over or self.lane.noted[0] != self.request or self.lane.ended == self.request:
                    return
                self.sample()

    def sample(self) -> None:
        try:
            stack = stack_of(sys._current_frames().get(self.lane.thread))
        except Exception:  # seen with CPython 3.11: the thread goes on meanwhile, and a frame turns into another object
            return
        self.samples += 1
        self.ended = now()
        if stack and (stack in self.stacks or len(self.stacks) < STACKS_MAX):
            self.stacks[stack] = self.stacks.get(stack, 0) + 1

    def finish(self) -> dict[str, object]:
        """End the thread, and return the profile."""
        self.is_over = True
        with self.sampling:
            pass
        interval = (self.ended - self.started) // 1000 // self.samples if self.samples else 1000
        stacks = sorted(self.stacks.items(), key=lambda item: -item[1])
        texts = [[f'{function} ({file}:{line})' for function, file, line in stack] for stack, _ in stacks]
        return {
            'interval_us': max(1, interval),
            'stacks': [(text, count) for text, (_, count) in zip(texts, stacks, strict=True)],
        }


def stack_of(frame: 'FrameType | None') -> 'Stack':
    """Function, file and line of each frame, the outermost first, without the frames of this package."""
    entries: list[tuple[str, str, int]] = []
    start = 0
    while frame is not None and len(entries) < FRAMES_MAX:
        code = frame.f_code
        file = code.co_filename
        if file.startswith(PACKAGE):
            start = len(entries)  # what called this package is not the application
        else:
            entries.append((getattr(code, 'co_qualname', code.co_name), file, frame.f_lineno or 0))
        frame = frame.f_back
    return tuple(reversed(entries[:start]))
