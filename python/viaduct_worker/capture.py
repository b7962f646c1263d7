"""What the application prints while it runs a request goes to the server's log, with the request that it belongs to.

That is the setting `capture_output`. `install` runs before the application is imported, because handlers of `logging`
keep the stream that they find then. The objects in `sys.stdout` and `sys.stderr` write whole lines of text to the log
if their thread runs a request. Everything else goes to the real stream: what the import and other threads write, and
bytes for `buffer`.
"""

import sys
from _thread import get_ident

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Literal, TextIO

    from viaduct_worker.worker import Worker

    Stream = Literal['stdout', 'stderr']

LINE_CHARS_MAX = 65536
"""A line that is longer is written in parts."""


class CapturedStream:
    """A text stream in place of `stream`, with all its attributes. `worker` is None until requests can run."""

    def __init__(self, stream: 'TextIO', name: 'Stream') -> None:
        self.captured_stream = stream
        self.captured_name = name
        self.captured_worker: Worker | None = None
        self.captured_parts: dict[int, str] = {}  # the start of a line, by the number of the thread

    def __getattr__(self, name: str) -> object:
        return getattr(self.captured_stream, name)

    def write(self, text: str) -> int:
        worker = self.captured_worker
        if worker is None or not isinstance(text, str) or not worker.runs_request():
            return self.captured_stream.write(text)
        thread = get_ident()
        whole = self.captured_parts.pop(thread, '') + text
        if whole.endswith('\n') or len(whole) > LINE_CHARS_MAX:
            self.captured_log(worker, whole)
        else:
            self.captured_parts[thread] = whole
        return len(text)

    def writelines(self, lines: 'Iterable[str]') -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        self.captured_flush()
        self.captured_stream.flush()

    def captured_flush(self) -> None:
        """Write the start of a line that this thread has written."""
        part = self.captured_parts.pop(get_ident(), '')
        if part and self.captured_worker is not None:
            self.captured_log(self.captured_worker, part)

    def captured_log(self, worker: 'Worker', text: str) -> None:
        shown = text.strip('\n')
        if shown:
            worker.output(self.captured_name, shown)


_installed: list[CapturedStream] = []


def install() -> None:
    """Replace `sys.stdout` and `sys.stderr`."""
    out, err = CapturedStream(sys.stdout, 'stdout'), CapturedStream(sys.stderr, 'stderr')
    _installed[:] = out, err
    sys.stdout, sys.stderr = out, err


def attach(worker: 'Worker') -> None:
    """From now on, the threads of `worker` write to the log while they run requests."""
    for stream in _installed:
        stream.captured_worker = worker
    if _installed:
        for lane in worker.lanes:
            # mypy lets no object replace a method. Here it does, so that nothing is tested for each request.
            lane.run = flushing(lane.run)  # type: ignore[method-assign]


def flushing(run: 'Callable[..., None]') -> 'Callable[..., None]':
    """Return `Lane.run`, after which no line is left without its end."""

    out, err = (stream.captured_parts for stream in _installed)

    def run_and_flush(*request: object) -> None:
        try:
            run(*request)
        finally:
            if out or err:  # a thread has started a line: seldom, and cheaper than to ask for this thread
                for stream in _installed:
                    stream.captured_flush()

    return run_and_flush
