"""Processes that count at random with prometheus_client, the same for the same seed.

Usage: counting_processes.py oracle|shared SEED DIRECTORY. Prints JSON: the process ids, which processes count as ended,
and with `oracle` what the library's own MultiProcessCollector makes of it.
"""

import json
import math
import os
import random
import sys

MODES = (
    "all",
    "liveall",
    "min",
    "livemin",
    "max",
    "livemax",
    "sum",
    "livesum",
    "mostrecent",
    "livemostrecent",
)
TEXTS = (
    "",
    "book",
    'a "quoted" one',
    "back\\slash",
    "two\nlines",
    "Zürich",
    "𝔘nicode",
    "{}",
    "le",
    "__proto__",
)

how, seed, directory = sys.argv[1], int(sys.argv[2]), sys.argv[3]
processes = 1 + seed % 5


def count(number):
    """What one process does. All its numbers are exact, so that their order does not matter."""
    import prometheus_client as library
    import prometheus_client.metrics

    chance = random.Random(seed * 1000 + number)
    # Times of different processes that are the same would make the newest one a matter of chance.
    times = iter(range(1 + number, 10**9, 100))
    prometheus_client.metrics.time.time = lambda: float(next(times))

    def amount():
        return chance.choice((0, 1, 0.5, 3, 1e9, 2**40))

    counters = library.Counter("orders", "Orders", ["kind", "where"])
    plain = library.Counter("visits", 'Visits \\ with "quotes"\nand lines')
    gauges = {
        mode: library.Gauge(f"stock_{mode}", "Stock", ["kind"], multiprocess_mode=mode)
        for mode in MODES
    }
    buckets = chance.choice(((0.125, 1, 5), (0.125, 1, 5), (0.125, 2, 5, 1e6)))
    histogram = library.Histogram("wait_seconds", "Wait", ["kind"], buckets=buckets)
    summary = library.Summary("sent_bytes", "Sent", ["kind"])
    for _ in range(chance.randrange(1, 200)):
        kind = chance.choice(TEXTS)
        what = chance.randrange(6)
        if what == 0:
            counters.labels(kind, chance.choice(TEXTS)).inc(amount())
        elif what == 1:
            plain.inc(amount())
        elif what in (2, 3):
            mode = chance.choice(MODES)
            gauge = gauges[mode].labels(kind)
            gauge.set(
                chance.choice(
                    (-7, -0.25, 0, 1, 2**33, math.inf if "sum" not in mode else 5)
                )
            )
        elif what == 4:
            histogram.labels(kind).observe(
                chance.choice((-1, 0.0625, 0.125, 0.75, 1, 3, 100))
            )
        else:
            summary.labels(kind).observe(amount())


def run(number):
    if how == "shared":
        from viaduct_worker import prometheus
        from viaduct_worker.shared_values import shared

        prometheus.install()
        shared.attach(directory, f"worker-{number}")
    count(number)
    os._exit(0)


if how == "oracle":
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = directory
pids = []
for index in range(processes):
    child = os.fork()
    if child == 0:
        run(index)
    pids.append(child)
    _, status = os.waitpid(child, 0)
    if status != 0:
        sys.exit(f"process {index} failed")
ended = [
    index for index in range(processes) if random.Random(seed + index).random() < 0.5
]
families = []
if how == "oracle":
    from prometheus_client import multiprocess

    for index in ended:
        multiprocess.mark_process_dead(pids[index])
    for metric in multiprocess.MultiProcessCollector(None).collect():
        samples = [
            [
                s.name,
                {
                    **s.labels,
                    **(
                        {"pid": pids.index(int(s.labels["pid"]))}
                        if "pid" in s.labels
                        else {}
                    ),
                },
                repr(s.value),
            ]
            for s in metric.samples
        ]
        families.append([metric.name, metric.type, metric.documentation, samples])
print(json.dumps({"pids": pids, "ended": ended, "families": families}))
