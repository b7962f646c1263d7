"""Finds out whether the application has replaced parts of the standard library, as gevent and eventlet do.

Files of this package that are imported after the application take the originals from here.
"""

import _thread
import select
import socket
import sys
from threading import Lock as Lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    Untyped: TypeAlias = Any  # whatever version of eventlet there is

_ORIGINALS = {
    'threads': (_thread, 'start_new_thread', _thread.start_new_thread),
    'sockets': (socket, 'socket', socket.socket),
    'select': (select, 'select', select.select),
}

# Only Linux has it, and eventlet removes it.
_EPOLL: 'type | tuple[()]' = getattr(select, 'epoll', ())


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


def renew_hub() -> None:
    """In a process that was just forked: give the hub that the import has used an event loop of its own.

    The zygote forks with the original function, of which a hub learns nothing. It would wait at the epoll of the
    zygote, together with all other workers.
    """
    gevent = sys.modules.get('gevent')
    if gevent is not None:
        gevent.reinit()
    hubs = sys.modules.get('eventlet.hubs')
    hub = getattr(getattr(hubs, '_threadlocal', None), 'hub', None)
    if hub is not None and isinstance(getattr(hub, 'poll', None), _EPOLL):
        _renew_eventlet(hub)


def _renew_eventlet(hub: 'Untyped') -> None:
    """Do what eventlet itself does for kqueue after a fork. It has no function for epoll."""
    hub.poll = type(hub.poll)()
    for descriptor in {number for listeners in hub.listeners.values() for number in listeners}:
        hub.register(descriptor, new=True)
