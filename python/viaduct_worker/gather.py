"""Small blocks of a response leave together when the application makes them quickly.

PEP 3333 lets a server send a block by another thread while the application makes the next one. The first block after a
pause leaves at once. A block that follows within `HOLD_NS` waits for others, until they are `GATHERED_BYTES`, until the
response ends, or until the time is over. If the application does not come back by then, the flusher sends them.
"""

from _queue import SimpleQueue
from threading import Lock
from time import perf_counter_ns as now
from time import sleep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from viaduct_worker.call import Call
    from viaduct_worker.lane import Lane

HOLD_NS = 1_000_000
"""How long a block waits for others."""
GATHERED_BYTES = 196_608
"""A little less than a Unix socket takes at once: so the server receives them in one read."""
RETRY_SECONDS_MAX = 0.064
"""How long the flusher pauses at most while the server does not read."""
BLOCK = 3


class Gathering:
    """The blocks that one lane holds. They belong to `call`, the running request."""

    def __init__(self, lane: 'Lane', flusher: 'Flusher') -> None:
        self.lane = lane
        self.flusher = flusher
        self.holding = Lock()
        self.blocks: list[bytes] = []
        self.size = 0
        self.call: Call | None = None
        self.is_watched = False

    def send(self, call: 'Call', block: bytes) -> None:
        """The lane's thread: send a block of a response whose head has left, now or a little later."""
        lane = self.lane
        with self.holding:
            self.size += len(block)
            if self.size < GATHERED_BYTES and now() - lane.flushed < HOLD_NS:
                self.blocks.append(block)
                self.call = call
                if not self.is_watched:
                    self.is_watched = True
                    self.flusher.watch(self)
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

    def queue(self) -> None:
        """Make one frame of the blocks. The caller holds `holding`, so that no block overtakes another."""
        if self.call is not None:
            self.call.frame(BLOCK, b'', b''.join(self.blocks))
            self.call = None
            self.blocks.clear()
        self.size = 0

    def flush(self) -> bool:
        """The flusher's thread: send what is held, as much as the socket accepts. Return whether nothing is left."""
        with self.holding:
            self.is_watched = False
            self.queue()
        return not self.lane.out or self.lane.flush_now(patience=0)


class Flusher:
    """Sends what the lanes of this process hold, `HOLD_NS` later. Its thread starts when a lane holds something."""

    def __init__(self, start_thread: 'Callable[[Callable[[], None]], object]') -> None:
        self.start_thread = start_thread
        self.watched: SimpleQueue[Gathering] = SimpleQueue()
        self.runs = False

    def watch(self, gathering: Gathering) -> None:
        self.watched.put(gathering)
        if not self.runs:
            self.runs = True
            self.start_thread(self.run)

    def run(self) -> None:
        pause = HOLD_NS / 1e9
        while True:
            first = self.watched.get()
            sleep(pause)
            due = {first} | {self.watched.get() for _ in range(self.watched.qsize())}
            unsent = [gathering for gathering in due if not gathering.flush()]
            for gathering in unsent:
                self.watched.put(gathering)
            pause = min(pause * 2, RETRY_SECONDS_MAX) if unsent else HOLD_NS / 1e9
