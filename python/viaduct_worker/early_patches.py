"""Takes back, for a while, what gevent or eventlet has replaced before this package was imported.

A sitecustomize can do that, such as the one of `opentelemetry-instrument`. Files of this package take the originals
when they are imported, between `undo` and `redo`. What runs after `redo` has the replacements.
"""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

_EVENTLET = ('_thread', 'os', 'queue', 'select', 'selectors', 'socket', 'subprocess', 'threading', 'time')
"""The modules that eventlet replaces parts of. Of `ssl`, this package needs nothing."""
_MISSING = object()
_replacements: 'list[tuple[ModuleType, str, object]]' = []


def undo() -> None:
    """Put the originals into their modules."""
    for name, attribute, original in (*_gevent_originals(), *_eventlet_originals()):
        module = sys.modules.get(name)
        if module is not None:
            _replacements.append((module, attribute, module.__dict__.get(attribute, _MISSING)))
            setattr(module, attribute, original)


def redo() -> None:
    """Put back what `undo` has found."""
    for module, attribute, replacement in reversed(_replacements):
        if replacement is _MISSING:
            delattr(module, attribute)
        else:
            setattr(module, attribute, replacement)
    _replacements.clear()


def _gevent_originals() -> 'Iterator[tuple[str, str, object]]':
    saved: dict[str, dict[str, object]] = getattr(sys.modules.get('gevent.monkey'), 'saved', {})
    for name, originals in saved.items():
        for attribute, original in originals.items():
            yield name, attribute, original


def _eventlet_originals() -> 'Iterator[tuple[str, str, object]]':
    patcher = sys.modules.get('eventlet.patcher')
    if not getattr(patcher, 'already_patched', None):
        return
    for name in _EVENTLET:
        green = sys.modules.get('eventlet.green.' + ('Queue' if name == 'queue' else name.strip('_')))
        original = patcher.original(name)  # type: ignore[union-attr]  # already_patched says that it is there
        for attribute in (*getattr(green, '__patched__', ()), *getattr(green, '__deleted__', ())):
            if hasattr(original, attribute):
                yield name, attribute, getattr(original, attribute)
