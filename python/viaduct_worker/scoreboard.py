"""What the server must know about a worker that died: a file that both have open, with a slot for each lane.

A slot starts with two 64-bit little-endian numbers: the id of the request that the lane started last, and the length of
the copies. The copies follow. They are the frames of responses that are finished but may not have left the process.
"""

import mmap
import os
from errno import EINVAL, ENOSYS, EOPNOTSUPP

NOTED_BYTES = 16
COPIES_BYTES = 262_144
SLOT_BYTES = NOTED_BYTES + COPIES_BYTES


class Scoreboard:
    """The worker's side: it writes and never reads. What the worker wrote survives a SIGKILL."""

    def __init__(self, path: str, slots: int) -> None:
        with open(path, 'x+b') as file:  # nothing may be there, and no link is followed
            reserve_space(file.fileno(), slots * SLOT_BYTES)
            self._memory = memoryview(mmap.mmap(file.fileno(), slots * SLOT_BYTES))

    def slot(self, index: int) -> 'tuple[memoryview[int], memoryview[int]]':
        """Return (the two numbers, the memory for copies) of a lane."""
        start = index * SLOT_BYTES
        middle = start + NOTED_BYTES
        return self._memory[start:middle].cast('Q'), self._memory[middle : start + SLOT_BYTES]


def reserve_space(descriptor: int, size: int) -> None:
    """Give the file this size, and take all of its space: a full disk must be an error here and not a SIGBUS later.

    Pages that were written would count as this process's memory, and most copies are short.
    """
    reserve = getattr(os, 'posix_fallocate', None)  # macOS does not have it
    if reserve is not None:
        try:
            reserve(descriptor, 0, size)
            return
        except OSError as error:  # a file system may not have it, and not every C library does it in another way then
            if error.errno not in (EOPNOTSUPP, ENOSYS, EINVAL):
                raise
    written = os.fstat(descriptor).st_size
    while written < size:
        written += os.pwrite(descriptor, bytes(size - written), written)
