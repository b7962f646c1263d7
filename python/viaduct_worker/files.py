"""`wsgi.file_wrapper`: an iterable over a file that the front may send by itself."""

import io
import os
import stat


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
    """Return (descriptor, position, end) when the wrapped object is a real file opened in binary mode, else None."""
    filelike = wrapper.filelike
    filelike = getattr(filelike, 'file', filelike)  # tempfile's wrapper
    if not isinstance(filelike, (io.BufferedReader, io.BufferedRandom, io.FileIO)):
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
