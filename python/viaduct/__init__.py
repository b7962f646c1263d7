"""What an application can ask of Viaduct, the server that runs it.

The server makes this module importable, unless the application has a module of the same name. Elsewhere, as in a shell
or in a test, it can be imported if its directory is on `sys.path`. Then nothing runs what is registered here.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    Function = TypeVar('Function', bound=Callable[[], object])

__all__ = ['RequestTimeout', 'before_exit', 'is_running', 'postfork', 'worker_id']


class RequestTimeout(BaseException):
    """Raised in the application when its request has exceeded `request_timeout_ms` or `stream_timeout_ms`.

    The client has got its answer. Like KeyboardInterrupt, it is not an Exception, so `except Exception` does not stop
    it. `finally` blocks and `with` statements run, so transactions are rolled back.
    """


def worker_id() -> int:
    """Return the number of this worker, from 1; 0 in every other process.

    No two workers of a server process have the same number, and a new worker never gets that of an earlier one.
    """
    return _process.worker


def is_running() -> bool:
    """Return whether Viaduct runs this process, a worker or the zygote, which imports the application."""
    return _process.is_running


def postfork(function: 'Function') -> 'Function':
    """Have `function` called without arguments in each worker, before its first request. A decorator.

    The functions run in the order in which they were registered, after the hook `after_fork` of viaduct.toml. An
    exception ends the worker. In a worker that has started, `function` runs at once.
    """
    _process.after_fork.append(function)
    if _process.has_started:
        function()
    return function


def before_exit(function: 'Function') -> 'Function':
    """Have `function` called without arguments in each worker that ends in order, after its last request. A decorator.

    It runs before threads are waited for and before the functions of `atexit`. A worker that dies or is killed does not
    call it. The functions run in the order in which they were registered, after the hook `before_exit` of viaduct.toml.
    """
    _process.before_exit.append(function)
    return function


class _Process:
    """What the server keeps here about this process."""

    def __init__(self) -> None:
        self.is_running = False
        self.worker = 0
        self.has_started = False
        self.after_fork: list[Callable[[], object]] = []
        self.before_exit: list[Callable[[], object]] = []


_process = _Process()
