"""Passes messages to the service manager: `python notify.py PID`, started by the front, which has no datagram sockets.

Messages come on standard input, each ended by a NUL byte; every one goes to NOTIFY_SOCKET as one datagram (sd_notify(3)). It ends with its
input, and thus with the front. Where it may (as root), it says that the front with this PID is the sender.
"""

import os
import signal
import socket
import struct
import sys

CREDENTIALS = struct.Struct('=iII')


def main(pid):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    address = os.environ['NOTIFY_SOCKET']
    sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    waiting = b''
    while block := os.read(0, 65536):
        *messages, waiting = (waiting + block).split(b'\0')
        for message in messages:
            send(sender, message, ('\0' + address[1:]) if address.startswith('@') else address, pid)


def send(sender, message, address, pid):
    """A manager that does not listen is no reason to stop."""
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
