"""Django's signals: each receiver that runs. A signal without receivers is not one that happened."""

import sys

from viaduct_worker.tracing.places import describe
from viaduct_worker.tracing.recorder import NOWHERE, running
from viaduct_worker.tracing.replacing import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    from viaduct_worker.tracing.recorder import Place, Recording
    from viaduct_worker.tracing.replacing import Function

NAMES_MAX = 10_000
OWN = frozenset(('django.core.cache', 'django.core.handlers.base', 'django.db'))
"""Modules of Django whose receivers run in each request. They would only hide the others."""

_own: set[object] = set()
_names: dict[int, tuple[object, str]] = {}
_receivers: 'dict[object, tuple[str, Place]]' = {}


def trace_signals(dispatcher: 'ModuleType') -> None:
    """Record receivers as a signal asks for those that live, which it does only if there are some."""
    replace(dispatcher.Signal, '_live_receivers', recording_receivers)


def recording_receivers(live_receivers: 'Function') -> 'Function':
    def live(signal: object, sender: object) -> object:
        found = live_receivers(signal, sender)
        recording = running()
        if recording is None:
            return found
        try:
            waiting, awaited = found
            if waiting and not _own.issuperset(waiting):
                waiting = traced(waiting, signal, TracedReceiver)
            if awaited:
                awaited = traced(awaited, signal, AwaitedReceiver)
            return waiting, awaited
        except Exception:
            recording.note('the receivers of a signal')
            return found

    return live


def is_own(receiver: object) -> bool:
    """Whether Django itself listens, as it does to the start and the end of each request."""
    if getattr(receiver, '__module__', None) not in OWN:
        return False
    _own.add(receiver)
    return True


def traced(receivers: 'list[Function]', signal: object, kind: 'type[TracedReceiver]') -> 'list[Function]':
    name = name_of(signal)
    return [receiver if is_own(receiver) else kind(receiver, name) for receiver in receivers]


class TracedReceiver:
    """Stands in the place of a receiver for one sending of its signal, and looks like it."""

    __slots__ = ('_viaduct_receiver', '_viaduct_signal')

    def __init__(self, receiver: 'Function', signal: str) -> None:
        self._viaduct_receiver = receiver
        self._viaduct_signal = signal

    def __call__(self, **named: object) -> object:
        receiver = self._viaduct_receiver
        recording = running()
        if recording is None:
            return receiver(**named)
        __traceback_hide__ = True
        name, place = known_receiver(recording, receiver, self._viaduct_signal)
        span = recording.begin('signal', name, {'signal': self._viaduct_signal}, place)
        try:
            return receiver(**named)
        except BaseException as error:
            recording.fail(span, error)
            raise
        finally:
            recording.end(span)

    def __getattr__(self, name: str) -> object:
        return getattr(self._viaduct_receiver, name)

    def __eq__(self, other: object) -> bool:
        return self is other or self._viaduct_receiver == other

    def __hash__(self) -> int:
        return hash(self._viaduct_receiver)


class AwaitedReceiver(TracedReceiver):
    """A receiver that is a coroutine function. Others run at the same time, so nothing is within its span."""

    __slots__ = ()

    async def __call__(self, **named: object) -> object:
        recording = running()
        if recording is None:
            return await self._viaduct_receiver(**named)
        receiver, signal = self._viaduct_receiver, self._viaduct_signal
        name, place = known_receiver(recording, receiver, signal)
        span = recording.begin_aside('signal', name, {'signal': signal}, place)
        try:
            return await receiver(**named)
        finally:
            recording.end_aside(span, None)


def known_receiver(recording: 'Recording', receiver: 'Function', signal: str) -> 'tuple[str, Place]':
    """Name and place of a receiver."""
    try:
        known = _receivers.get(receiver)
        if known is None:
            known = describe(receiver)
            if len(_receivers) < NAMES_MAX and getattr(receiver, '__self__', None) is None:
                _receivers[receiver] = known
        return known
    except Exception:
        recording.note('a receiver')
        return signal, NOWHERE


def name_of(signal: object) -> str:
    """A signal does not know its name, so the modules that have been imported are searched once."""
    known = _names.get(id(signal))
    if known is not None and known[0] is signal:
        return known[1]
    name = found_name(signal)
    if len(_names) < NAMES_MAX:
        _names[id(signal)] = signal, name
    return name


def found_name(signal: object) -> str:
    for module_name, module in sorted(sys.modules.items(), key=lambda item: 'signals' not in item[0]):
        for name, value in list(getattr(module, '__dict__', {}).items()):
            if value is signal:
                return f'{module_name}.{name}'
    return type(signal).__name__
