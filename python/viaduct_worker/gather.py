"""Small blocks of a response leave together when the application makes them quickly.

PEP 3333 lets a server send a block by another thread while the application makes the next one. The first block after a
pause leaves at once, and so do the next three. A block that follows within `HOLD_NS` then waits for others, until they
are `GATHERED_BYTES`, until the response ends, or until the time is over. If the application does not come back by then,
the flusher sends them.
"""

from _queue import Empty, SimpleQueue
from threading import Lock
from time import sleep

from viaduct_worker.clock import perf_counter_ns as now
from viaduct_worker.frames import BLOCK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from viaduct_worker.call import Call
    from viaduct_worker.lane import Lane

HOLD_NS = 1_000_000
"""How long a block waits for others."""
QUICK_BLOCKS = 3
"""So many blocks in a row leave at once although they follow quickly: an application that shows its progress, and then
computes in C code that keeps the GIL, has sent them."""
GATHERED_BYTES = 196_608
"""A little less than a Unix socket takes at once: so the server receives them in one read."""
RETRY_SECONDS_MAX = 0.064
"""How long the flusher pauses at most while the server does not read."""


class Gathering:
    """The blocks that one lane holds. They belong to `call`, the running request."""

    def __init__(self, lane: 'Lane', flusher: 'Flusher') -> None:
        self.lane = lane
        self.flusher = flusher
        self.holding = Lock()
        self.blocks: list[bytes] = []
        self.size = 0
        self.quick = 0
        self.call: Call | None = None
        self.is_watched = False

    def send(self, call: 'Call', block: bytes) -> None:
        """The lane's thread: send a block of a response whose head has left, now or a little later."""
        lane = self.lane
        with self.holding:
            self.size += len(block)
            is_quick = now() - lane.flushed < HOLD_NS
            if is_quick:
                self.quick += 1
            elif self.call is None:
                self.quick = 0
            if is_quick and self.quick > QUICK_BLOCKS and self.size < GATHERED_BYTES:
                self.is_watched = self.is_watched or self.flusher.watch(self)
                if self.is_watched:
                    self.blocks.append(block)
                    self.call = call
                    return
            if len(block) < GATHERED_BYTES:
                self.blocks.append(block)
                self.call = call
                self.queue()
            else:
                self.queue()
                call.frame(BLOCK, b'', block)
        lane.flush()

    def finish(self) -> None:
        """The lane's thread: no block follows. What is held leaves with the lane's next flush."""
        with self.holding:
            self.queue()
            self.quick = 0

    def drop(self) -> None:
        """The lane's thread: the request was interrupted, perhaps in the middle of `send`. Forget what is held."""
        with self.holding:
            self.blocks.clear()
            self.call = None
            self.size = self.quick = 0

    def queue(self) -> None:
        """Make one frame of the blocks. The caller holds `holding`, so that no block overtakes another."""
        if self.call is not None:
            self.call.frame(BLOCK, b'', b''.join(self.blocks))
            self.call = None
            self.blocks.clear()
        self.size = 0

    def flush(self) -> int:
        """The flusher's thread: send what is held, as much as the socket accepts. Return how many bytes are left."""
        with self.holding:
            self.is_watched = False
            self.queue()
        lane = self.lane
        return 0 if not lane.out or lane.flush_now(patience=0) else sum(map(len, lane.out[:]))


class Flusher:
    """Sends what the lanes of this process hold, `HOLD_NS` later. Its thread starts when a lane holds something."""

    def __init__(self, start_thread: 'Callable[[Callable[[], None]], object]') -> None:
        self.start_thread = start_thread
        self.watched: SimpleQueue[Gathering] = SimpleQueue()
        self.starting = Lock()
        self.runs = False

    def watch(self, gathering: Gathering) -> bool:
        """Return whether a thread will send what `gathering` holds. There is none if this process may have no more."""
        if not self.runs:
            with self.starting:  # with two threads, each might wait for what the other one took
                if not self.runs:
                    try:
                        gathering.lane.undisturbed(lambda: self.start_thread(self.run))
                    except RuntimeError:
                        return False
                    self.runs = True
        self.watched.put(gathering)
        return True

    def run(self) -> None:
        hold = pause = HOLD_NS / 1e9
        unsent: dict[Gathering, int] = {}
        while True:
            due = set(unsent)
            try:
                due.add(self.watched.get(timeout=pause if unsent else None))
                sleep(hold)
                due.update(self.watched.get() for _ in range(self.watched.qsize()))
            except Empty:
                pass
            before = sum(unsent.values())
            unsent = {gathering: left for gathering in due if (left := gathering.flush())}
            # A server that reads gets the rest soon; one that does not is not asked all the time.
            pause = hold if sum(unsent.values()) != before else min(pause * 2, RETRY_SECONDS_MAX)
