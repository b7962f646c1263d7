"""What the server must know about a worker that died: a file that both have open, with a slot for each lane.

A slot starts with two 64-bit little-endian numbers: the id of the request that the lane started last, and the length of
the copies. The copies follow. They are the frames of responses that are finished but may not have left the process.
"""

import mmap

NOTED_BYTES = 16
COPIES_BYTES = 262_144
SLOT_BYTES = NOTED_BYTES + COPIES_BYTES


class Scoreboard:
    """The worker's side: it writes and never reads. What the worker wrote survives a SIGKILL."""

    def __init__(self, path: str, slots: int) -> None:
        with open(path, 'x+b') as file:  # nothing may be there, and no link is followed
            # Write the whole file, because a full disk must be an error here and not a SIGBUS later.
            file.write(bytes(slots * SLOT_BYTES))
            file.flush()
            self._memory = memoryview(mmap.mmap(file.fileno(), slots * SLOT_BYTES))

    def slot(self, index: int) -> 'tuple[memoryview[int], memoryview[int]]':
        """Return (the two numbers, the memory for copies) of a lane."""
        start = index * SLOT_BYTES
        middle = start + NOTED_BYTES
        return self._memory[start:middle].cast('Q'), self._memory[middle : start + SLOT_BYTES]
