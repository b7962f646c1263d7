"""What only running code knows about the application's metrics, for the server that asks at each scrape.

Gauges that ask a function are noted in their cells, in each worker. One worker also reports what has no cells: `Info`,
`Enum`, and collectors of the application's own, which usually read something that all workers share.
"""

import json
import sys
from contextlib import suppress

from viaduct_worker import patches
from viaduct_worker.shared_values import complain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, TypeAlias

    Untyped: TypeAlias = Any  # whatever version of prometheus_client there is
    Family: TypeAlias = dict[str, Any]

WITH_CELLS = ('Counter', 'Gauge', 'Histogram', 'Summary')
OF_ONE_PROCESS = ('ProcessCollector', 'PlatformCollector', 'GCCollector')
"""The library's own collectors: the memory of some worker says nothing about the application."""
ANSWER_MAX = 1_000_000
"""Longest answer, in characters."""


class Collection:
    """Answers one question after the other. `send` sends a message, `start` runs a function in a thread."""

    def __init__(self, send: 'Callable[..., None]', start: 'Callable[[Callable[[], None]], object]') -> None:
        self.send = send
        self.start = start
        self.is_running = False
        self.complains = True

    def answer(self, everything: bool) -> None:
        """Collect in a thread, because code of the application may take long.

        While it runs, further answers are empty. The code would not work in a thread besides the greenlets of gevent.
        """
        collectors = others() if everything else []
        if self.is_running or patches.found() or not (collectors or functions):
            self.send(kind='collected', families=[])
            return
        self.is_running = True
        self.start(lambda: self.run(collectors))

    def run(self, collectors: 'list[Untyped]') -> None:
        try:
            for note in list(functions.values()):
                self.attempt(note)
            families: list[Family] = []
            for collector in collectors:
                self.attempt(families.extend, families_of(collector))  # the generator runs there
            if len(json.dumps(families)) > ANSWER_MAX:
                families = []
                self.complain_once('they are too many')
            with suppress(OSError):
                self.send(kind='collected', families=families)
        finally:
            self.is_running = False

    def attempt(self, step: 'Callable[..., None]', *arguments: object) -> None:
        try:
            step(*arguments)
        except BaseException as error:
            self.complain_once(repr(error))

    def complain_once(self, reason: str) -> None:
        if self.complains:
            self.complains = False
            complain(f"Some of the application's metrics cannot be collected: {reason}")


functions: 'dict[int, Callable[[], None]]' = {}
"""By cell: each one notes what the function of a gauge returns."""


def others() -> 'list[Untyped]':
    """The collectors whose metrics have no cells."""
    library = sys.modules.get('prometheus_client')
    registry: Untyped = getattr(library, 'REGISTRY', None)
    return [
        collector
        for collector in list(getattr(registry, '_collector_to_names', ()))
        if not is_of_library(collector, WITH_CELLS) and not is_of_library(collector, OF_ONE_PROCESS)
    ]


def is_of_library(collector: object, names: tuple[str, ...]) -> bool:
    return any(
        kind.__module__.startswith('prometheus_client.') and kind.__name__ in names for kind in type(collector).__mro__
    )


def families_of(collector: 'Untyped') -> 'Iterator[Family]':
    """The metrics of a collector as JSON. Numbers are texts, because JSON has no infinity."""
    for metric in collector.collect():
        samples = [[sample.name, dict(sample.labels), repr(float(sample.value))] for sample in metric.samples]
        yield {'name': metric.name, 'type': metric.type, 'help': metric.documentation, 'samples': samples}
