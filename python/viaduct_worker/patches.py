"""Finds out whether the application has replaced parts of the standard library, as gevent and eventlet do."""

import _thread
import select
import socket
import sys

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


def make_hub() -> None:
    """Let gevent make the hub of this thread, and import what it needs for that, before other threads need theirs.

    Its locks of imports wait in the hub of their thread. If two threads made their first ones at the same time, each
    would wait in the import for the other, for ever.
    """
    gevent = sys.modules.get('gevent')
    if gevent is not None and found():
        gevent.get_hub()
