"""The application's own view of its metrics: it is the same with and without the server that reads them."""

import importlib.util
import os
import subprocess
import sys
import tempfile
import unittest

PATIENCE_SECONDS = 20
SHARED = """
import sys
from viaduct_worker import prometheus
from viaduct_worker.shared_values import shared
prometheus.install()
shared.attach(sys.argv[1], 'worker-1')
"""
APPLICATION = """
import gc, importlib, inspect, pkgutil
import prometheus_client as p
from prometheus_client.openmetrics.exposition import generate_latest
p.disable_created_metrics()
registry = p.CollectorRegistry()
counter = p.Counter('shop_orders', 'Orders', ['kind', 'where'], registry=registry)
counter.labels('book', 'a "b"\\n\\\\').inc()
counter.labels('disc', 'Zürich').inc(2.5, exemplar={'trace_id': '7'})
counter.labels('disc', 'Zürich').reset()
counter.labels('disc', 'Zürich').inc()
gauge = p.Gauge('shop_stock', 'Stock', ['kind'], registry=registry, multiprocess_mode='livesum')
gauge.labels('book').set(5)
gauge.labels('book').dec()
gauge.labels('gone').set(7)
gauge.remove('gone')
p.Gauge('shop_newest', 'Newest', registry=registry, multiprocess_mode='mostrecent').set(3)
p.Gauge('shop_asked', 'Asked', registry=registry).set_function(lambda: 42)
histogram = p.Histogram('shop_seconds', 'Time', registry=registry, buckets=(1, 2))
histogram.observe(1.5, {'trace_id': '8'})
with histogram.time(): pass
summary = p.Summary('shop_bytes', 'Size', registry=registry)
summary.observe(9)
p.Info('shop_build', 'Build', registry=registry).info({'version': '7'})
p.Enum('shop_state', 'State', registry=registry, states=['open', 'closed']).state('closed')
for line in generate_latest(registry).decode().splitlines():
    if '_sum' not in line:
        print(line.split(' # ')[0] if 'trace_id' in line else line)
print(counter.labels('disc', 'Zürich')._value.get_exemplar().labels)
print(p.values.__loader__ is p.values.__spec__.loader, inspect.getsource(p.values) != '')
print(type(counter.labels('book', 'x')._value).__name__)
"""


@unittest.skipIf(importlib.util.find_spec('prometheus_client') is None, 'prometheus_client is not installed')
class AnApplication(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = directory.name

    def run_code(self, code, **environment):
        command = [sys.executable, '-W', 'error::UserWarning', '-c', code, self.directory]
        env = {**os.environ, **environment}
        result = subprocess.run(command, capture_output=True, text=True, env=env, timeout=PATIENCE_SECONDS, check=False)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result

    def series(self):
        with open(os.path.join(self.directory, 'worker-1.series'), encoding='ascii') as file:
            return file.read()

    def test_sees_no_difference(self):
        self.maxDiff = None
        plain = self.run_code(APPLICATION)
        shared = self.run_code(SHARED + APPLICATION)
        self.assertEqual(shared.stdout, plain.stdout)
        self.assertEqual(shared.stderr, plain.stderr)
        self.assertIn('["counter", "shop_orders", "shop_orders_total", {"kind": "book"', self.series())

    def test_may_have_imported_the_library_before(self):
        self.run_code(f'import prometheus_client\n{SHARED}{APPLICATION}')
        self.assertIn('shop_orders', self.series())

    def test_with_a_multiprocess_directory_of_its_own_is_left_alone_and_told(self):
        result = self.run_code(f'{SHARED}import prometheus_client', PROMETHEUS_MULTIPROC_DIR=self.directory)
        self.assertIn('PROMETHEUS_MULTIPROC_DIR is set', result.stderr)
        self.assertFalse(os.path.exists(os.path.join(self.directory, 'worker-1.series')))

    def test_works_with_a_version_of_the_library_that_is_unknown(self):
        module = os.path.join(self.directory, 'prometheus_client')
        os.mkdir(module)
        for name, text in (('__init__', 'from . import values'), ('values', 'Number = float')):
            with open(os.path.join(module, f'{name}.py'), 'w', encoding='ascii') as file:
                file.write(text)
        code = (
            f'sys.path.insert(0, {self.directory!r})\nimport prometheus_client\nprint(prometheus_client.values.Number)'
        )
        result = self.run_code(SHARED + code)
        self.assertEqual(result.stdout, "<class 'float'>\n")
        self.assertEqual(result.stderr.count('this prometheus_client is unknown'), 1)

    def test_that_forks_a_process_of_its_own_counts_only_what_it_counts_itself(self):
        code = """
import os, struct, prometheus_client
counter = prometheus_client.Counter('jobs', 'Jobs')
counter.inc()
pid = os.fork()
if pid == 0:
    counter.inc(5)
    os._exit(0)
os.waitpid(pid, 0)
with open(sys.argv[1] + '/worker-1.values', 'rb') as file:
    print(struct.unpack_from('d', file.read(), 8)[0])
"""
        self.assertEqual(self.run_code(SHARED + code).stdout, '1.0\n')
