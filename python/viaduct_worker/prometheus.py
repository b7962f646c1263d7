"""Lets the metrics of `prometheus_client` live in `shared_values`, so that the server can merge those of all workers.

The library chooses the class of its values when it is imported (`values.ValueClass`), and all numbers of counters,
gauges, histograms and summaries are objects of it. This module replaces that class by one that does the same and also
notes each value in a cell. The application sees no difference: its own page of metrics shows what it showed before.
"""

import json
import sys
from functools import partial

from viaduct_worker.collect import functions
from viaduct_worker.shared_values import complain, shared

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from importlib.abc import Loader
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any, TypeAlias

    Untyped: TypeAlias = Any  # whatever version of the library there is
else:
    Loader = object  # its module takes memory

MOST_RECENT = ('mostrecent', 'livemostrecent')


def install() -> None:
    """Replace the class as soon as the application imports the library, or now if it has been imported."""
    finder = Finder({'prometheus_client.values': share_values, 'prometheus_client.metrics': note_functions})
    for name, change in finder.changes.items():
        if name in sys.modules:
            attempt(change, sys.modules[name])
    sys.meta_path.insert(0, finder)


def share_values(values: 'Untyped') -> None:
    """Change the module `prometheus_client.values`."""
    if values.ValueClass is values.MutexValue:
        values.ValueClass = shared_class(values.MutexValue)
    else:
        complain(
            "The application's metrics are not merged, because PROMETHEUS_MULTIPROC_DIR is set. "
            'Remove this variable, which Viaduct does not need'
        )


def note_functions(metrics: 'Untyped') -> None:
    """Change the module `prometheus_client.metrics`: a gauge has no value before the server calls its function."""
    set_function = metrics.Gauge.set_function

    def set_function_and_note(self: 'Untyped', f: 'Callable[[], float]') -> None:
        set_function(self, f)
        ask = getattr(self._value, 'ask', None)
        if ask is not None:
            ask(f)

    metrics.Gauge.set_function = set_function_and_note


def shared_class(plain: 'Untyped') -> type:
    """Return a subclass of `plain`, prometheus_client's value in memory, that shares each value."""

    # For mypy, `plain` is not a class: it does not know prometheus_client, which the project brings.
    class SharedValue(plain):  # type: ignore[misc]
        _value: float
        _cell = 0
        _asked = 0

        def __init__(self, *args: 'Untyped', **kwargs: 'Untyped') -> None:
            super().__init__(*args, **kwargs)
            self._description, self._counts, self._has_time = describe(*args, **kwargs)
            self._cell = shared.add(self._description, self._counts, 2 if self._has_time else 1)

        def inc(self, amount: float) -> None:
            with self._lock:
                self._value += amount
                cell = self._cell
                shared.cells[cell] = self._value - shared.bases[cell]

        def set(self, value: float, timestamp: float | None = None) -> None:
            cell = self._cell
            with self._lock:
                if self._counts and value < self._value:  # a counter is reset: what it counted stays in the sum
                    shared.bases[cell] = value - shared.cells[cell]
                self._value = value
                if self._has_time and cell:
                    shared.cells[cell + 1] = timestamp or 0.0
                shared.cells[cell] = value - shared.bases[cell]

        def ask(self, function: 'Callable[[], float]') -> None:
            """From now on, the value is what `function` returns when the server asks."""
            self._asked, self._cell = self._cell or self._asked, 0
            if self._asked:
                shared.hide(self._asked)
                functions[self._asked] = partial(note, self._asked, function)

        def __del__(self) -> None:
            if functions.pop(self._asked, None) is not None:
                shared.drop(self._asked, self._description, self._counts)
            if self._cell:
                shared.drop(self._cell, self._description, self._counts)

    SharedValue.__name__ = SharedValue.__qualname__ = plain.__name__
    return SharedValue


def note(cell: int, function: 'Callable[[], float]') -> None:
    """Note what `function` returns. If it fails, the cell has no value."""
    try:
        shared.cells[cell] = float(function())
    except BaseException:
        shared.hide(cell)
        raise


def describe(
    kind: str,
    family: str,
    sample: str,
    label_names: 'tuple[str, ...]',
    label_values: 'tuple[str, ...]',
    documentation: str = '',
    multiprocess_mode: str = '',
    **_: object,
) -> tuple[bytes, bool, bool]:
    """Return (description of a value as JSON, whether it counts, whether it has a time).

    The parameters are those of the constructor of a value. Versions before 0.15 give no documentation.
    """
    labels = dict(zip(label_names, label_values, strict=False))
    description = json.dumps([kind, family, sample, labels, documentation, multiprocess_mode])
    return description.encode(), kind != 'gauge', multiprocess_mode in MOST_RECENT


def attempt(change: 'Callable[[ModuleType], None]', module: 'ModuleType') -> None:
    """Change a module. A version of the library that cannot be changed must not stop the application."""
    try:
        change(module)
    except Exception as error:
        complain(f"The application's metrics are not merged: this prometheus_client is unknown ({error!r})")


class Finder:
    """Changes modules as soon as they are imported. It is the first finder, and asks the others."""

    def __init__(self, changes: 'dict[str, Callable[[ModuleType], None]]') -> None:
        self.changes = changes

    def find_spec(self, name: str, path: 'Untyped' = None, target: 'Untyped' = None) -> 'ModuleSpec | None':
        change = self.changes.get(name)
        if change is None:
            return None
        for finder in sys.meta_path:
            found = None if finder is self else finder.find_spec(name, path, target)
            if found is not None:
                if found.loader is not None:
                    found.loader = ChangingLoader(found.loader, change)
                return found
        return None


class ChangingLoader(Loader):
    """Loads a module as `loader` does, changes it, and leaves no trace of this."""

    def __init__(self, loader: 'Loader', change: 'Callable[[ModuleType], None]') -> None:
        self.loader = loader
        self.change = change

    def create_module(self, spec: 'ModuleSpec') -> 'ModuleType | None':
        return self.loader.create_module(spec)

    def exec_module(self, module: 'ModuleType') -> None:
        if module.__spec__ is not None:
            module.__spec__.loader = self.loader
        module.__loader__ = self.loader
        self.loader.exec_module(module)
        attempt(self.change, module)
