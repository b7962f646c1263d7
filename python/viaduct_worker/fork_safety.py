"""Finds what the import of an application leaves behind that forked processes cannot share.

A fork copies only the thread that forks: in a worker, all others are gone. A connection or an event loop that all
workers inherit is one for all of them, so one worker reads what another one asked for (fork(2), epoll(7)).
"""

import gc
import os
from contextlib import suppress
from socket import AF_INET6, AF_UNIX, SOCK_STREAM, getdefaulttimeout, setdefaulttimeout, socket
from stat import S_ISSOCK
from threading import enumerate as running_threads

from viaduct_worker import load, patches

TYPE_CHECKING = False
if TYPE_CHECKING:
    from threading import Thread

FINDINGS_MAX = 20
"""How many findings are listed. The last one says how many more there are."""
TEXT_MAX = 200
"""Longest text of a finding, in characters."""
EVENT_LOOP = 'anon_inode:[eventpoll]'


class Snapshot:
    """The threads and the descriptors of this process at one moment, before an import."""

    def __init__(self) -> None:
        self.threads = set(running_threads())
        self.descriptors = descriptors()

    def findings(self) -> list[str]:
        """Describe the threads, connections and event loops that were started or opened since then and still exist.

        Nothing is found if the application has replaced threads by greenlets. Datagram sockets are left out, because
        a datagram is sent as a whole, and so are pairs of sockets within a process. Threads that C code starts are too:
        libraries for numbers start them, and take care of forks.
        """
        if patches.found() or not self._found():
            return []
        gc.collect()  # what nobody refers to any more is not shared
        found = self._found()
        if len(found) > FINDINGS_MAX:
            found[FINDINGS_MAX:] = [f'{len(found) - FINDINGS_MAX} others']
        return found

    def new_descriptors(self) -> list[int]:
        return [number for number, file in descriptors().items() if self.descriptors.get(number) != file]

    def _found(self) -> list[str]:
        threads = [described(thread) for thread in running_threads() if thread not in self.threads]
        opened = [text for number in sorted(self.new_descriptors()) if (text := shared(number))]
        return threads + list(dict.fromkeys(opened))


def descriptors() -> dict[int, tuple[int, int]]:
    """Map each open descriptor to the device and the number of its file. Without /proc and /dev/fd, return nothing."""
    found: dict[int, tuple[int, int]] = {}
    for directory in ('/proc/self/fd', '/dev/fd'):
        with suppress(OSError):
            for name in os.listdir(directory):
                with suppress(OSError):  # the descriptor of the directory itself is closed by now
                    status = os.fstat(int(name))
                    found[int(name)] = (status.st_dev, status.st_ino)
            break
    return found


def described(thread: 'Thread') -> str:
    """Return `thread NAME (MODULE:FUNCTION)`, with the function that the thread runs."""
    function = load.name_of(getattr(thread, '_target', None) or type(thread).run)
    return f'thread {thread.name}{function and f" ({function})"}'[:TEXT_MAX]


def shared(descriptor: int) -> str:
    """Describe a connection by the address of its other end, or an event loop; '' for everything else."""
    try:
        if not S_ISSOCK(os.fstat(descriptor).st_mode):
            return 'an event loop' if os.readlink(f'/proc/self/fd/{descriptor}') == EVENT_LOOP else ''
        peer = peer_of(descriptor)
    except OSError:
        return ''  # a thread has closed it, or there is no /proc
    return f'a connection to {peer}'[:TEXT_MAX] if peer else ''


def peer_of(descriptor: int) -> str:
    """Return the address at the other end of a stream socket; '' if it has none, as an end of a pair has none.

    Raise OSError if the socket is not connected.
    """
    timeout = getdefaulttimeout()
    setdefaulttimeout(None)  # with a default, the new object would make the application's socket non-blocking
    try:
        connection = socket(fileno=descriptor)
    finally:
        setdefaulttimeout(timeout)
    try:
        if connection.type != SOCK_STREAM:
            return ''
        address = connection.getpeername()
        if connection.family == AF_UNIX:
            return os.fsdecode(address).replace('\0', '@')  # an abstract name, as ss(8) shows it
        host, port = address[:2]
        return f'[{host}]:{port}' if connection.family == AF_INET6 else f'{host}:{port}'
    finally:
        connection.detach()
