"""The clock of this package, of a copy of the module `time` that nobody else has.

Libraries that stop the time or move it, such as freezegun, replace the functions of `time` in each module that has
imported them. The times of a request would no longer fit together then.
"""

import time
from _frozen_importlib import BuiltinImporter, module_from_spec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_spec = BuiltinImporter.find_spec('time')
_own = time if _spec is None else module_from_spec(_spec)
if _own is not time:
    BuiltinImporter.exec_module(_own)

monotonic: 'Callable[[], float]' = _own.monotonic
perf_counter: 'Callable[[], float]' = _own.perf_counter
perf_counter_ns: 'Callable[[], int]' = _own.perf_counter_ns
