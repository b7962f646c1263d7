"""Finds out whether the application has replaced parts of the standard library, as gevent and eventlet do."""

import _thread
import select
import socket

_ORIGINALS = {
    'threads': (_thread, 'start_new_thread', _thread.start_new_thread),
    'sockets': (socket, 'socket', socket.socket),
    'select': (select, 'select', select.select),
}


def found() -> list[str]:
    """Return the parts that are not the original ones any more."""
    return [
        part for part, (module, name, original) in _ORIGINALS.items() if getattr(module, name, None) is not original
    ]
