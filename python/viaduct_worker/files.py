"""`wsgi.file_wrapper`: an iterable over a file that the front may send by itself."""

import io
import os
import stat
import tempfile

_PLAIN = frozenset((io.BufferedReader, io.BufferedRandom, io.FileIO))


class FileWrapper:
    """Iterates over `filelike` in blocks of `block_size` bytes (PEP 3333, "Optional Platform-Specific File Handling")."""

    def __init__(self, filelike, block_size=65536):
        self.filelike = filelike
        self.block_size = block_size
        if hasattr(filelike, 'close'):
            self.close = filelike.close

    def __iter__(self):
        return self

    def __next__(self):
        block = self.filelike.read(self.block_size)
        if block:
            return block
        raise StopIteration


def regular_file(wrapper):
    """Return (descriptor, position, end) when what is wrapped reads from a real file in binary mode, else None.

    A subclass may make other bytes of what is in the file, and so may an object that holds one: only the types of `open()`
    count, an object whose `read` is that of the file in its attribute `file` (Django's files), and tempfile's wrapper.
    """
    filelike = wrapper.filelike
    if type(filelike) not in _PLAIN:
        holder, filelike = filelike, getattr(filelike, 'file', None)
        if type(filelike) not in _PLAIN:
            return None
        if type(holder) is not tempfile._TemporaryFileWrapper and getattr(holder, 'read', None) != filelike.read:
            return None
    try:
        descriptor = filelike.fileno()
        status = os.fstat(descriptor)
        position = filelike.tell()
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return descriptor, position, max(position, status.st_size)
