"""The values of the application's metrics, in two files that the server reads whenever it is asked for metrics.

`NAME.series` describes the values: a line for each one, with the number of its cell, a tab, and JSON. Lines are only
ever added. `NAME.values` has the cells, doubles in the byte order of the machine. The server reads both after the death
of this process, too, so what was counted before a SIGKILL is not lost. `metric-files.ts` is the other end.
"""

import mmap
import os
import sys
from _thread import allocate_lock
from contextlib import suppress
from math import isfinite
from os import write

from viaduct_worker.scoreboard import reserve_space

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

CELLS_MIN = 512
CELLS_MAX = 65_536
"""The server reads no more."""
SERIES_BYTES_MAX = 16_777_216
LINE_BYTES_MAX = 65_536
SCRATCH = 0
"""The cell of all values that have none of their own. Nobody reads it."""
REMOVED = 0x7FF8_5649_4144_5543
"""The bits of a cell whose series the application has removed: one of the many NaN that no computation returns."""


class Nowhere:
    """Cells of a process that shares none."""

    def __getitem__(self, _cell: int) -> float:
        return 0.0

    def __setitem__(self, _cell: int, _value: float) -> None:
        pass


class SharedValues:
    """The cells of this process.

    A cell has the value of a metric, minus its entry in `bases`: a counter starts with what it counted before a fork,
    and the parent has reported that. `cells` and `bases` are public because each increment uses them.
    """

    def __init__(self) -> None:
        self.cells: memoryview[float] | Nowhere = Nowhere()
        self.bases: list[float] = [0.0]
        self._lock = allocate_lock()
        self._path = ''
        self._series = -1
        self._values = -1
        self._bytes = 0  # of the descriptions
        self._bits: memoryview[int] | None = None
        self._counts = bytearray(1)  # for each cell, whether it counts
        self._free: dict[bytes, list[int]] = {}  # cells of values that are gone, by their description
        self._complains = True
        os.register_at_fork(after_in_child=self.detach)

    def attach(self, directory: str, name: str) -> None:
        """Share values in files of this name from now on. They are made for the first one.

        A process that was forked takes over the series of its parent: gauges with their values, while counters start at
        zero.
        """
        parent, bits, values = self._series, self._bits, self._values
        self._path = os.path.join(directory, name)
        self._series = self._values = -1
        self._bits = None
        if parent >= 0:
            if bits is None or self._attempt(self._take_over, parent, bits) is None:
                self.detach()
            os.close(parent)
            os.close(values)

    def detach(self) -> None:
        """Share nothing: a process that the application forks must not write into the cells of this one."""
        self.cells = Nowhere()
        self._path = ''
        self._lock = allocate_lock()

    def remove(self) -> None:
        """Remove the files and share nothing."""
        for ending in ('.series', '.values') if self._path else ():
            with suppress(OSError):
                os.unlink(self._path + ending)
        self.detach()

    def add(self, description: bytes, counts: bool, cells: int = 1) -> int:
        """Return the first of the cells of a new value. If it cannot have any, that is SCRATCH."""
        with self._lock:
            if not self._path:
                return SCRATCH
            return self._attempt(self._add, description, counts, cells) or SCRATCH

    def drop(self, cell: int, description: bytes, counts: bool) -> None:
        """The application does not have the value of this cell any more. What it counted stays.

        The garbage collector calls this at any time, so it takes no lock.
        """
        if not counts:
            self.hide(cell)
        self._free.setdefault(description, []).append(cell)

    def hide(self, cell: int) -> None:
        """The gauge of this cell has no value until it is set again."""
        if self._path and self._bits is not None:
            self._bits[cell] = REMOVED

    def _add(self, description: bytes, counts: bool, cells: int) -> int:
        free = self._free.get(description)
        if free:
            cell = free.pop()
            self.bases[cell] = -self.cells[cell] if counts else 0.0
            if not counts:
                self.cells[cell] = 0.0
            return cell
        if len(description) > LINE_BYTES_MAX - 16:
            raise OverflowError('the labels of one of them are too long')
        if self._series < 0:
            self._create(CELLS_MIN)
        cell = len(self._counts)
        if cell + cells > CELLS_MAX:
            raise OverflowError(f'there are more than {CELLS_MAX} values')
        self._reserve(cell + cells)
        # A request that takes too long gets an exception between any two lines. So `bases` is never the shorter one.
        self.bases += [0.0] * (cell + cells - len(self.bases))
        self._counts += bytes([counts]) * cells
        line = b'%d\t%s\n' % (cell, description)
        if self._bytes + len(line) > SERIES_BYTES_MAX:
            raise OverflowError(f'their labels take more than {SERIES_BYTES_MAX} bytes')
        self._append(line)
        return cell

    def _create(self, cells: int) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL  # nothing may be there, and no link is followed
        self._values = os.open(self._path + '.values', flags, 0o600)
        self._map(cells)
        self._series = os.open(self._path + '.series', flags | os.O_APPEND, 0o600)

    def _reserve(self, cells: int) -> None:
        """Make room for so many cells. Those who still have the old memory write to the same pages."""
        size = len(self._bits or ())
        if cells > size:
            self._map(min(max(size * 2, cells), CELLS_MAX))

    def _map(self, cells: int) -> None:
        reserve_space(self._values, cells * 8)
        memory = memoryview(mmap.mmap(self._values, cells * 8))
        self._bits = memory.cast('Q')
        self.cells = memory.cast('d')

    def _take_over(self, parent: int, bits: 'memoryview[int]') -> int:
        before = bits.cast('B').cast('d')
        self._create(len(bits))
        own = self._bits
        assert own is not None
        for cell in range(1, len(self._counts)):
            if self._counts[cell]:
                total = before[cell] + self.bases[cell]
                self.bases[cell] = total if isfinite(total) else 0.0
            else:
                own[cell] = bits[cell]
        descriptions = os.pread(parent, self._bytes, 0)
        self._bytes = 0
        self._append(descriptions)
        return len(self._counts)

    def _append(self, data: bytes) -> None:
        """Append descriptions, or nothing of them."""
        if write(self._series, data) != len(data):
            os.ftruncate(self._series, self._bytes)
            raise OSError('no space is left for their names')
        self._bytes += len(data)

    def _attempt(self, step: 'Callable[..., int]', *arguments: object) -> 'int | None':
        """Return what `step` returns. The application must not fail because its metrics have no room: complain once."""
        try:
            return step(*arguments)
        except (OSError, OverflowError, ValueError) as error:
            if self._complains:
                self._complains = False
                complain(f"Some of the application's metrics are missing: {error}")
            return None


def complain(text: str) -> None:
    try:
        sys.stderr.write(f'{text}\n')
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):  # a full disk, or an output that the application replaced
        pass


shared = SharedValues()
