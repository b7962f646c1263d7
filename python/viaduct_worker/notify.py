"""Passes messages to the service manager. The server runs `python notify.py PID`: Node has no Unix datagram sockets.

The messages arrive on standard input, each ended by a NUL byte. Each one goes to NOTIFY_SOCKET as one datagram
(sd_notify(3)). This process ends when its input ends, and so it ends with the server. If this process may (as root), it
names the server, which has this PID, as the sender.
"""

import os
import signal
import socket
import struct
import sys

CRASHES = (signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGSEGV)
CREDENTIALS = struct.Struct('=iII')


def main(pid: int) -> None:
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP, *CRASHES}:
        signal.signal(number, signal.SIG_IGN)
    address = os.environ['NOTIFY_SOCKET']
    sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    rest = b''
    while block := os.read(0, 65536):
        *messages, rest = (rest + block).split(b'\0')
        for message in messages:
            send(sender, message, ('\0' + address[1:]) if address.startswith('@') else address, pid)


def send(sender: socket.socket, message: bytes, address: str, pid: int) -> None:
    """Send one message. If the service manager does not listen, report this and carry on."""
    try:
        rights = getattr(socket, 'SCM_CREDENTIALS', None)
        if rights is None or os.geteuid():
            raise PermissionError
        sender.sendmsg(
            [message], [(socket.SOL_SOCKET, rights, CREDENTIALS.pack(pid, os.getuid(), os.getgid()))], 0, address
        )
    except OSError:
        try:
            sender.sendto(message, address)
        except OSError as error:
            sys.stderr.write(f'viaduct: Cannot notify the service manager: {error}\n')


if __name__ == '__main__':
    main(int(sys.argv[1]))
