"""The signals that mean nothing to these processes, which a terminal or a service manager sends to the whole group."""

import os
from signal import Signals, signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

# Signals of timers and of the limit of processor time are absent: an application may use them to end itself.
WITHOUT_EFFECT = ('SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGIO', 'SIGPWR', 'SIGSTKFLT')
# In a terminal they pause the server with all its processes.
JOB_CONTROL = ('SIGTSTP', 'SIGTTIN', 'SIGTTOU')


def disarm_signals() -> None:
    """The server decides when workers exit.

    Programs that the application starts would inherit SIG_IGN; they do not inherit empty handlers.
    """
    names = WITHOUT_EFFECT if os.isatty(1) or os.isatty(2) else WITHOUT_EFFECT + JOB_CONTROL
    for name in names:
        if name in Signals.__members__:
            signal(Signals[name], ignore)


def ignore(_number: int, _frame: 'FrameType | None') -> None:
    pass
