"""`wsgi.errors`: whole lines go to the server's log (PEP 3333, "Input and Error Streams")."""

import io
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed import ReadableBuffer

STDERR = 2


class ErrorLog(io.TextIOBase):
    """Has what a text file has, since other servers pass `sys.stderr`. All threads share it, and nobody closes it."""

    encoding = 'utf-8'
    errors = 'backslashreplace'
    name = '<wsgi.errors>'
    mode = 'w'

    def __init__(self, log: 'Callable[[str], None]') -> None:
        self._log = log
        self._partial = threading.local()
        self.buffer = ErrorBytes(self)

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f'wsgi.errors takes str, not {type(text).__name__}')
        whole, newline, self._partial.text = (getattr(self._partial, 'text', '') + text).rpartition('\n')
        if newline:
            self._log(whole)
        return len(text)

    def flush(self) -> None:
        text = getattr(self._partial, 'text', '')
        if text:
            self._partial.text = ''
            self._log(text)

    def close(self) -> None:
        self.flush()

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        """The descriptor of standard error, for programs and C code: the server's log has what they write there."""
        return STDERR


class ErrorBytes(io.BufferedIOBase):
    """`buffer` of `wsgi.errors`."""

    name = ErrorLog.name
    mode = 'wb'

    def __init__(self, errors: ErrorLog) -> None:
        self._errors = errors

    def write(self, block: 'ReadableBuffer') -> int:
        data = bytes(block)
        self._errors.write(data.decode(ErrorLog.encoding, ErrorLog.errors))
        return len(data)

    def flush(self) -> None:
        self._errors.flush()

    def close(self) -> None:
        self.flush()

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return STDERR
