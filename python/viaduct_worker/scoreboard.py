"""What the front has to know of a worker that died: a file that both have open, with a slot for each lane.

A slot is two numbers of 64 bits, little-endian, and memory for copies: the id of the request that the lane started last, the length of the
copies, and the copies themselves, which are the frames of responses that are finished but may not have left the process.
"""

import mmap

NOTED_BYTES = 16
COPIES_BYTES = 262_144
SLOT_BYTES = NOTED_BYTES + COPIES_BYTES


class Scoreboard:
    """The worker's side: it writes and never reads. What was written is there after a SIGKILL, too."""

    def __init__(self, path, slots):
        with open(path, 'w+b') as file:
            # Written in full, because a full disk must be an error here and not a SIGBUS later.
            file.write(bytes(slots * SLOT_BYTES))
            file.flush()
            self._memory = memoryview(mmap.mmap(file.fileno(), slots * SLOT_BYTES))

    def slot(self, index):
        """Return (the two numbers, the memory for copies) of a lane."""
        start = index * SLOT_BYTES
        middle = start + NOTED_BYTES
        return self._memory[start:middle].cast('Q'), self._memory[middle : start + SLOT_BYTES]
