"""`wsgi.file_wrapper`: an iterable over a file that the server may send by itself."""

import io
import os
import stat
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from _typeshed import SupportsRead

    PlainFile: TypeAlias = io.BufferedReader | io.BufferedRandom | io.FileIO

_PLAIN = frozenset((io.BufferedReader, io.BufferedRandom, io.FileIO))


class FileWrapper:
    """Iterates over `filelike` in blocks of `block_size` bytes.

    PEP 3333, "Optional Platform-Specific File Handling".
    """

    def __init__(self, filelike: 'SupportsRead[bytes]', block_size: int = 65536) -> None:
        self.filelike = filelike
        self.block_size = block_size
        if hasattr(filelike, 'close'):
            self.close = filelike.close

    def __iter__(self) -> 'FileWrapper':
        return self

    def __next__(self) -> bytes:
        block = self.filelike.read(self.block_size)
        if block:
            return block
        raise StopIteration


def regular_file(wrapper: FileWrapper) -> tuple[int, int, int] | None:
    """Return (descriptor, position, end) if `wrapper` reads from a regular file in binary mode, otherwise None.

    A subclass of a file type, or an object that holds a file, may read other bytes than the file has. So only three
    kinds of object count: the types that `open()` returns, an object whose `read` is that of the file in its attribute
    `file` (Django's files), and tempfile's wrapper.
    """
    holder = wrapper.filelike
    file: PlainFile | None
    # mypy does not see what the test says about the type of `holder`.
    file = holder if type(holder) in _PLAIN else _plain_file_in(holder)  # type: ignore[assignment]
    if file is None:
        return None
    try:
        descriptor = file.fileno()
        status = os.fstat(descriptor)
        position = file.tell()
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return descriptor, position, max(position, status.st_size)


def _plain_file_in(holder: object) -> 'PlainFile | None':
    file: PlainFile | None = getattr(holder, 'file', None)
    if file is None or type(file) not in _PLAIN:
        return None
    if not _is_temporary(holder) and getattr(holder, 'read', None) != file.read:
        return None
    return file


def _is_temporary(holder: object) -> bool:
    """Whether it is the wrapper of `tempfile`, a module that the application may be importing in another thread."""
    tempfile = sys.modules.get('tempfile')
    return tempfile is not None and type(holder) is getattr(tempfile, '_TemporaryFileWrapper', None)
