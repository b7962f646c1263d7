"""Finds out what a directory holds. Discovery runs this file with the project's Python: JSON in, JSON out.

The first line is about the interpreter, and the last line is the answer. Nothing follows the first one if the project
ends the process.

Python 3.6 must still be able to run this file: a Python that is too old reports its version here. Newer syntax belongs
in inspect_directory.py.
"""

import json
import os
import select
import sys
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from viaduct_worker.messages import Target

HERE = os.path.dirname(os.path.abspath(__file__))

if sys.version_info >= (3, 10):
    getattr(sys, 'set_lazy_imports', str)('normal')  # PEP 810; later, nothing of this package would be found
    sys.path.insert(0, os.path.dirname(HERE))
    from viaduct_worker import interface
    from viaduct_worker.inspect_directory import inspect
    from viaduct_worker.inspect_source import DiscoveryError

    del sys.path[0]


def main() -> None:
    # Output of the project's import must not mix with the answer.
    output = os.dup(1)
    os.dup2(2, 1)
    end_with_reader(output)
    target = json.loads(sys.stdin.buffer.read())
    write(output, describe_interpreter())  # the project may end this process
    answer(output, target)


def answer(output: int, target: 'Target') -> None:
    """Write to `output` what `target` is, and end this process."""
    # The project must not find this package's modules as its own.
    sys.path[:] = [path for path in sys.path if os.path.abspath(path) != HERE]
    answer = describe_interpreter()
    if sys.version_info >= (3, 10):
        interface.install()
        try:
            answer.update(inspect(target))
        except DiscoveryError as error:
            answer.update(error=error.message, advice=error.advice)
    write(output, answer)
    os._exit(0)


def write(output: int, answer: 'dict[str, object]') -> None:
    os.write(output, (json.dumps(answer) + '\n').encode())


def describe_interpreter() -> 'dict[str, object]':
    return {'implementation': sys.implementation.name, 'version': version(), 'prefix': sys.prefix}


def version() -> str:
    """The version in full, such as `3.15.0rc1 free-threading build`."""
    return sys.version.split()[0] + (' free-threading build' if 'free-threading build' in sys.version else '')


def end_with_reader(output: int) -> None:
    """End this process when the server has ended: the import of the project may wait for ever."""
    threading.Thread(target=_end_without, args=(output,), daemon=True).start()


def _end_without(output: int) -> None:
    poll = select.poll()
    poll.register(output, 0)  # POLLHUP and POLLERR are always reported
    poll.poll()
    os._exit(1)


if __name__ == '__main__':
    main()
