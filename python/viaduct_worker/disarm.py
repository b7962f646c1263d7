"""The signals that mean nothing to these processes, which a terminal or a service manager sends to the whole group."""

import os
from _thread import get_ident
from os import fork
from signal import SIG_BLOCK, SIG_DFL, SIG_SETMASK, SIG_UNBLOCK, SIGTERM, Signals, getsignal, pthread_sigmask, signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

# Signals of timers and of the limit of processor time are absent: an application may use them to end itself.
WITHOUT_EFFECT = ('SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGIO', 'SIGPWR', 'SIGSTKFLT')
# In a terminal they pause the server with all its processes.
JOB_CONTROL = ('SIGTSTP', 'SIGTTIN', 'SIGTTOU')


def disarm_signals() -> None:
    """The server decides when workers exit.

    Programs that the application starts would inherit SIG_IGN; they do not inherit empty handlers. Signals that
    `hold_signals` held arrive now, without effect.
    """
    disarmed = _disarmed()
    for number in disarmed:
        signal(number, ignore)
    pthread_sigmask(SIG_UNBLOCK, disarmed)


def hold_signals() -> None:
    """Let the signals without effect wait, also in the program that replaces this one."""
    pthread_sigmask(SIG_BLOCK, _disarmed())


def arm_forks() -> None:
    """Let SIGTERM end the processes that the application forks: `terminate()` of multiprocessing sends it, and waits.

    They would inherit the empty handler. A SIGTERM that comes before they have another one waits until then.
    """
    os.register_at_fork(before=_hold, after_in_parent=_release, after_in_child=_arm)


def fork_disarmed() -> int:
    """Fork a process in which the signals stay without effect."""
    global _is_own  # noqa: PLW0603  # the functions around each fork read it
    _is_own = True
    try:
        return fork()
    finally:
        _is_own = False


_is_own = False
"""Whether this package forks now."""


_masks: 'dict[int, set[int | Signals]]' = {}
"""The signals that a thread which forks had blocked before, by the number of the thread."""


def _hold() -> None:
    _masks[get_ident()] = pthread_sigmask(SIG_BLOCK, (SIGTERM,))


def _release() -> None:
    pthread_sigmask(SIG_SETMASK, _masks.pop(get_ident()))


def _arm() -> None:
    if not _is_own and getsignal(SIGTERM) is ignore:
        signal(SIGTERM, SIG_DFL)
    _release()


def _disarmed() -> list[Signals]:
    names = WITHOUT_EFFECT if os.isatty(1) or os.isatty(2) else WITHOUT_EFFECT + JOB_CONTROL
    return [Signals[name] for name in names if name in Signals.__members__]


def ignore(_number: int, _frame: 'FrameType | None') -> None:
    pass
