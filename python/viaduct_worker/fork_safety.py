"""Finds what the import of an application leaves behind that forked processes cannot share.

A fork copies only the thread that forks: in a worker, all others are gone. A connection or an event loop that all
workers inherit is one for all of them, so one worker reads what another one asked for (fork(2), epoll(7)). All workers
would also hold the same lock, and write into the same database without knowing of each other (flock(2), "How To Corrupt
An SQLite Database File", 2.6).
"""

import gc
import os
import sys
from contextlib import suppress
from fcntl import F_GETFL, fcntl
from socket import AF_INET6, AF_UNIX, SOCK_STREAM, getdefaulttimeout, setdefaulttimeout, socket
from stat import S_ISREG, S_ISSOCK
from threading import enumerate as running_threads

from viaduct_worker import load, patches

TYPE_CHECKING = False
if TYPE_CHECKING:
    from threading import Thread
    from types import FrameType

FINDINGS_MAX = 20
"""How many findings are listed. The last one says how many more there are."""
TEXT_MAX = 200
"""Longest text of a finding, in characters."""
EPOLL = 'anon_inode:[eventpoll]'
EVENT_LOOP = 'an event loop'
LOCK = 'a lock on '
"""How the finding of a lock starts; preload.ts has the same text."""
MEMORY = '/dev/shm/'  # nothing is written there
"""Where shared memory is (shm_open(3)), which is for several processes."""


class Snapshot:
    """The threads and the descriptors of this process at one moment, before an import.

    Files below `own`, a directory, are not the application's.
    """

    def __init__(self, own: str) -> None:
        self.own = os.path.join(own, '')
        self.threads = set(running_threads())
        self.unlisted = set(unlisted_threads())
        self.descriptors = descriptors()

    def findings(self) -> list[str]:
        """Describe what was started or opened since then and still exists: threads, connections, event loops and files.

        Of files, those with a lock count, and those that are open for reading and writing, as databases are. Logs and
        temporary files without a name do not count. If the application has replaced threads by greenlets, these and
        their event loop are left out, because `patches.renew_hub` takes care of them. Datagram sockets are left out,
        because a datagram is sent as a whole, and so are pairs of sockets within a process. Threads that C code starts
        are too: libraries for numbers start them, and take care of forks.
        """
        if not self._found():
            return []
        gc.collect()  # what nobody refers to any more is not shared
        found = self._found()
        if len(found) > FINDINGS_MAX:
            found[FINDINGS_MAX:] = [f'{len(found) - FINDINGS_MAX} others']
        return found

    def new_descriptors(self) -> list[int]:
        return [number for number, file in descriptors().items() if self.descriptors.get(number) != file]

    def _found(self) -> list[str]:
        texts = map(self._shared, sorted(self.new_descriptors()))
        opened = list(dict.fromkeys(text for text in texts if text))
        if patches.found():
            return [text for text in opened if text != EVENT_LOOP]
        threads = [described(thread) for thread in running_threads() if thread not in self.threads]
        for number, frame in unlisted_threads().items():
            if number not in self.unlisted:
                threads.append(f'a thread ({started_function(frame)})'[:TEXT_MAX])
        return threads + opened

    def _shared(self, descriptor: int) -> str:
        """Describe what an open descriptor shares; '' if that harms nobody."""
        try:
            mode = os.fstat(descriptor).st_mode
            if S_ISSOCK(mode):
                peer = peer_of(descriptor)
                return f'a connection to {peer}'[:TEXT_MAX] if peer else ''
            path = os.readlink(f'/proc/self/fd/{descriptor}')
            if path == EPOLL:
                return EVENT_LOOP
            if S_ISREG(mode) and not path.startswith((self.own, MEMORY)):
                return shared_file(descriptor, path)
        except OSError:
            pass  # a thread has closed it, or there is no /proc
        return ''


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


def unlisted_threads() -> 'dict[int, FrameType]':
    """Return where the threads are that `threading` does not list: those of `_thread.start_new_thread`.

    A thread of `threading` that is starting or ending is left out, because it may be missing in the list.
    """
    listed = {thread.ident for thread in running_threads()}
    found = {number: frame for number, frame in sys._current_frames().items() if number not in listed}
    return {number: frame for number, frame in found.items() if not started_function(frame).startswith('threading:')}


def started_function(frame: 'FrameType') -> str:
    """Return `MODULE:NAME` of the function that a thread runs. `frame` is any of its frames."""
    while frame.f_back is not None:
        frame = frame.f_back
    name = getattr(frame.f_code, 'co_qualname', frame.f_code.co_name)  # since CPython 3.11
    return f'{frame.f_globals.get("__name__", "")}:{name}'


def described(thread: 'Thread') -> str:
    """Return `thread NAME (MODULE:FUNCTION)`, with the function that the thread runs."""
    function = load.name_of(getattr(thread, '_target', None) or type(thread).run)
    return f'thread {thread.name}{function and f" ({function})"}'[:TEXT_MAX]


def shared_file(descriptor: int, path: str) -> str:
    """Describe a regular file by its path if it has a lock, or can be read and written; '' otherwise.

    A file with O_APPEND is a log, to which processes may add at the same time.
    """
    with open(f'/proc/self/fdinfo/{descriptor}', encoding='latin-1') as file:
        if any(line.startswith('lock:') for line in file):
            return f'{LOCK}{path}'[:TEXT_MAX]
    flags = fcntl(descriptor, F_GETFL)
    is_named = os.fstat(descriptor).st_nlink > 0
    if is_named and flags & os.O_ACCMODE == os.O_RDWR and not flags & os.O_APPEND:
        return f'the writable file {path}'[:TEXT_MAX]
    return ''


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
