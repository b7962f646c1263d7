"""Control messages: JSON objects, each behind its length as a 32-bit little-endian number."""

import json
import os
import socket
import struct
import threading

LENGTH = struct.Struct('<I')


def close_in_forks(connection):
    """Keep `connection` from processes that the application forks.

    They would hold it open when this process is dead, which the front takes for a life sign; and one that returns from the
    application as if it were the worker would answer a second time.
    """
    os.register_at_fork(after_in_child=connection.close)


class Channel:
    """A blocking control connection to the front. `send` may be called from any thread."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(path)
        close_in_forks(self.socket)
        self._sending = threading.Lock()

    def send(self, **message):
        data = self.pack(**message)
        with self._sending:
            self.socket.sendall(data)

    @staticmethod
    def pack(**message):
        data = json.dumps(message).encode()
        return LENGTH.pack(len(data)) + data

    def receive(self):
        """Return the next message, or None when the front is gone."""
        head = self._read(4)
        data = head and self._read(LENGTH.unpack(head)[0])
        return json.loads(data) if data else None

    def close(self):
        self.socket.close()

    def _read(self, size):
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
