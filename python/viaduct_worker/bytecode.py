"""Keeps compiled modules from hiding a change of their source.

Python compiles a module into `__pycache__` and takes it from there as long as the source has the same size and the same
modification time in whole seconds. A source that is changed twice in one second, for example by an editor that formats
what it has saved, may therefore be served in its first version for ever.
"""

import os
import time
from importlib.machinery import SourceFileLoader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

SETTLED_S = 2
"""A source that was modified so recently may change again without a visible sign."""


def cache_settled_sources_only() -> None:
    """From now on Python does not store the compiled module of a source that has just been modified."""
    store = SourceFileLoader.set_data

    def set_data(self: SourceFileLoader, path: str, data: 'ReadableBuffer', *, _mode: int = 0o666) -> None:
        try:
            age = time.time() - os.stat(self.path).st_mtime
        except OSError:
            return
        if abs(age) >= SETTLED_S:
            store(self, path, data, _mode=_mode)

    SourceFileLoader.set_data = set_data  # type: ignore[method-assign]  # replacing it is the purpose
