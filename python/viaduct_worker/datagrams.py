"""Sends messages of a log as datagrams to a Unix socket, as Node cannot. The server runs `python datagrams.py PATH`.

Standard input has the messages, each after its length (u32). Standard output has a byte for each message, in their
order: 0 if the socket has taken it, else the number of the error. While the socket takes nothing, this process waits
with the rest, and the server counts what it could not pass on. It ends when its input ends, and so with the server.

A message that is too long for a datagram is sent as a sealed file in memory, as systemd's journal takes it
(https://systemd.io/JOURNAL_NATIVE_PROTOCOL). The server sends no such message to other sockets.
"""

import errno
import fcntl
import os
import select
import signal
import socket
import struct
import sys
import time

CRASHES = (signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGSEGV)
LENGTH = struct.Struct('<I')
BLOCK_BYTES = 65_536
END_SECONDS = 2
"""The longest wait for a socket that takes nothing after the server has ended."""
SEALS = 0x0001 | 0x0002 | 0x0004 | 0x0008  # F_SEAL_SEAL, SHRINK, GROW and WRITE in fcntl.h
F_ADD_SEALS = 1033


class Sender:
    """The connection to the socket at `path`, opened again for each message if there is none."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.socket: socket.socket | None = None
        self.results = bytearray()
        self.end_at: float | None = None

    def send(self, message: bytes) -> None:
        """Note 0 if the socket has taken the message, else the number of the error."""
        known = self.socket is not None
        number = self.attempt(message)
        if number and known:  # the receiver may have another socket now
            number = self.attempt(message)
        self.results.append(number)

    def attempt(self, message: bytes) -> int:
        try:
            if self.socket is None:
                self.socket = connect(self.path)
            self.put(self.socket, message)
        except OSError as error:
            if self.socket is not None:
                self.socket.close()
                self.socket = None
            return error.errno or errno.ENAMETOOLONG  # only a path that is too long has no number
        return 0

    def put(self, target: socket.socket, message: bytes) -> None:
        while True:
            try:
                target.send(message)
                return
            except BlockingIOError:
                self.wait(target)
            except OSError as error:
                if error.errno not in (errno.EMSGSIZE, errno.ENOBUFS) or not hasattr(os, 'memfd_create'):
                    raise
                break
        descriptor = os.memfd_create('viaduct-log', os.MFD_ALLOW_SEALING)
        try:
            with open(descriptor, 'wb', closefd=False) as file:
                file.write(message)
            fcntl.fcntl(descriptor, F_ADD_SEALS, SEALS)
            while True:
                try:
                    socket.send_fds(target, [b''], [descriptor])
                    return
                except BlockingIOError:
                    self.wait(target)
        finally:
            os.close(descriptor)

    def wait(self, target: socket.socket) -> None:
        """Wait until the receiver has read something. Once the server has ended, exit after a while."""
        self.answer()
        poll = select.poll()
        poll.register(target, select.POLLOUT)
        if self.end_at is None:
            poll.register(0, 0)  # reports only that the server has closed its end
            if any(descriptor == 0 for descriptor, _events in poll.poll()):
                self.end_at = time.monotonic() + END_SECONDS
            return
        if not poll.poll(max(0.0, self.end_at - time.monotonic()) * 1000):
            sys.exit(1)

    def answer(self) -> None:
        """Pass the results on."""
        results, self.results = self.results, bytearray()
        while results:
            try:
                del results[: os.write(1, results)]
            except OSError:  # the server has ended, and its last messages are still to be sent
                return


def connect(path: str) -> socket.socket:
    target = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    target.setblocking(False)
    try:
        target.connect(path)
    except OSError:
        target.close()
        raise
    return target


def main(path: str) -> None:
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP, *CRASHES}:
        signal.signal(number, signal.SIG_IGN)
    sender = Sender(path)
    data = bytearray()
    while block := os.read(0, BLOCK_BYTES):
        data += block
        at = 0
        while len(data) - at >= LENGTH.size:
            end = at + LENGTH.size + LENGTH.unpack_from(data, at)[0]
            if end > len(data):
                break
            sender.send(bytes(data[at + LENGTH.size : end]))
            at = end
        del data[:at]
        sender.answer()


if __name__ == '__main__':
    main(sys.argv[1])
