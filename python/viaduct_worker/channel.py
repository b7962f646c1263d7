"""Control messages: JSON objects, each after its length as a 32-bit little-endian number."""

import contextlib
import fcntl
import json
import os
import socket as socket_module
from signal import SIGKILL
from socket import AF_UNIX, MSG_DONTWAIT, MSG_PEEK, SOCK_STREAM, SOL_SOCKET, socket
from struct import Struct
from threading import Lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from viaduct_worker.messages import FromServer

STDERR = 2
STRAY = b'A process that the import has forked went on with it. It ends, because only the first one can serve.\n'
LENGTH = Struct('<I')
CREDENTIALS = Struct('=iII')
"""Process, user and group."""
SO_PEERCRED: int | None = getattr(socket_module, 'SO_PEERCRED', None)  # only Linux has it
TEXT_MAX = 250_000
"""Longest text of a message, in characters. The server refuses messages that must be longer."""


def connect(path: str) -> socket:
    """Connect to the server. Raise PermissionError if another user listens at `path`."""
    connection = socket(AF_UNIX, SOCK_STREAM)
    connection.settimeout(None)  # the application may have called socket.setdefaulttimeout()
    connection.connect(path)
    owner = owner_of(connection)
    if owner not in (None, 0, os.geteuid()):
        connection.close()
        raise PermissionError(f'user {owner} listens at {path} in place of the server')
    close_in_forks(connection)
    return connection


def owner_of(connection: socket) -> int | None:
    """Return the user who listens at the other end (unix(7)); None where the system does not tell."""
    if SO_PEERCRED is None:
        return None
    _, user, _ = CREDENTIALS.unpack(connection.getsockopt(SOL_SOCKET, SO_PEERCRED, CREDENTIALS.size))
    return int(user)


def close_in_forks(connection: socket) -> None:
    """Keep `connection` from processes that the application forks.

    Such a process would hold the connection open after this process died, and the server would believe that this
    process lives. A fork that returns from the application as if it were the worker would also answer a second time.
    """
    os.register_at_fork(after_in_child=connection.close)


def die_on_input(descriptor: int) -> bool:
    """Let the kernel kill this process when the descriptor, a pipe or a socket, has input or its other end is closed.

    Return whether the kernel can. Only Linux can.
    """
    number = getattr(fcntl, 'F_SETSIG', None)
    if number is None:
        return False
    fcntl.fcntl(descriptor, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(descriptor, number, SIGKILL)
    fcntl.fcntl(descriptor, fcntl.F_SETFL, fcntl.fcntl(descriptor, fcntl.F_GETFL) | os.O_ASYNC)
    return True


def shortened(text: str) -> str:
    """Return `text` without its middle if it is too long for a message."""
    if len(text) <= TEXT_MAX:
        return text
    half = TEXT_MAX // 2 - 50
    return f'{text[:half]}\n[... {len(text) - 2 * half} characters left out ...]\n{text[-half:]}'


class Channel:
    """A blocking control connection to the server. Any thread may call `send`."""

    def __init__(self, path: str) -> None:
        self.socket = connect(path)
        self._sending = Lock()

    def send(self, **message: object) -> None:
        data = self.pack(**message)
        with self._sending:
            self.socket.sendall(data)

    @staticmethod
    def pack(**message: object) -> bytes:
        data = json.dumps(message).encode()
        return LENGTH.pack(len(data)) + data

    def receive(self) -> 'FromServer | None':
        """Return the next message, or None if the server is gone."""
        head = self._read(4)
        data = head and self._read(LENGTH.unpack(head)[0])
        return json.loads(data) if data else None

    @contextlib.contextmanager
    def dying_with_server(self) -> 'Iterator[None]':
        """Let the kernel kill this process if the server dies while the application is imported (only on Linux).

        Nobody reads this channel then, so an import that hangs would never end. The server sends nothing meanwhile.
        A process that the import has forked ends here: it has no channel.
        """
        process = os.getpid()
        flags = fcntl.fcntl(self.socket, fcntl.F_GETFL)
        is_possible = die_on_input(self.socket.fileno())
        try:
            if is_possible:
                with contextlib.suppress(BlockingIOError):
                    self.socket.recv(1, MSG_PEEK | MSG_DONTWAIT)
                    os._exit(1)  # it died before
            yield
        finally:
            if os.getpid() != process:
                with contextlib.suppress(OSError):
                    os.write(STDERR, STRAY)
                os._exit(1)
            if is_possible:
                fcntl.fcntl(self.socket, fcntl.F_SETFL, flags)

    def close(self) -> None:
        self.socket.close()

    def _read(self, size: int) -> bytes | None:
        data = b''
        while len(data) < size:
            try:
                block = self.socket.recv(size - len(data))
            except ConnectionError:
                return None
            if not block:
                return None
            data += block
        return data
