"""The module `viaduct`, and the hooks of an application."""

import subprocess
import sys
import types
import unittest
from unittest import mock

from viaduct_worker import hooks, load
from viaduct_worker.interface import process, viaduct

NONE = {'after_fork': [], 'before_exit': [], 'on_ready': [], 'on_reload': []}
INSTALLED = """
import os, sys
from viaduct_worker import interface
sys.path[:] = [path for path in sys.path if not os.path.exists(os.path.join(path, 'viaduct'))]
interface.install()
{code}
"""


def run(code):
    """Run `code` in a process in which only the finder knows the module."""
    return subprocess.run(
        [sys.executable, '-c', INSTALLED.format(code=code)], capture_output=True, text=True, timeout=20, check=False
    )


class ModuleTest(unittest.TestCase):
    def setUp(self):
        fresh = {'after_fork': [], 'before_exit': [], 'worker': 0, 'has_started': False, 'is_running': False}
        patch = mock.patch.multiple(process, **fresh)
        patch.start()
        self.addCleanup(patch.stop)
        self.calls = []

    def calling(self, name, error=None):
        def function():
            self.calls.append(name)
            if error is not None:
                raise error

        return function


class TheModuleOutsideOfTheServer(ModuleTest):
    def test_registers_functions_that_nothing_calls(self):
        function = self.calling('x')
        self.assertIs(viaduct.postfork(function), function)
        self.assertIs(viaduct.before_exit(function), function)
        self.assertEqual((self.calls, viaduct.is_running(), viaduct.worker_id()), ([], False, 0))

    def test_has_an_exception_that_no_handler_for_exceptions_catches(self):
        self.assertFalse(issubclass(viaduct.RequestTimeout, Exception))
        self.assertEqual(viaduct.RequestTimeout.__module__, 'viaduct')


class TheModuleInTheServer(ModuleTest):
    def test_is_imported_by_its_name_and_is_the_same_one(self):
        result = run('import viaduct\nassert viaduct is interface.viaduct\nimport viaduct\nprint(viaduct.worker_id())')
        self.assertEqual((result.stdout, result.stderr), ('0\n', ''))

    def test_can_be_imported_again_and_has_no_other_modules(self):
        code = (
            'import importlib, viaduct\n'
            'importlib.reload(viaduct)\n'
            'assert viaduct is interface.viaduct\n'
            'try: import viaduct.worker\n'
            'except ModuleNotFoundError as error: print(error.name)'
        )
        result = run(code)
        self.assertEqual((result.stdout, result.stderr), ('viaduct.worker\n', ''))

    def test_gives_way_to_one_of_the_application(self):
        code = (
            'import tempfile, os\n'
            'directory = tempfile.mkdtemp()\n'
            'open(os.path.join(directory, "viaduct.py"), "w").close()\n'
            'sys.path.insert(0, directory)\n'
            'import viaduct\n'
            'assert viaduct is not interface.viaduct\n'
            'import shutil; shutil.rmtree(directory)\n'
            'print(interface.viaduct.RequestTimeout.__name__)'
        )
        result = run(code)
        self.assertEqual((result.stdout, result.stderr), ('RequestTimeout\n', ''))


class Hooks(ModuleTest):
    def setUp(self):
        super().setUp()
        self.module = types.ModuleType('example_hooks')
        modules = mock.patch.dict(sys.modules, {'example_hooks': self.module})
        modules.start()
        self.addCleanup(modules.stop)

    def hooks(self, **paths):
        return hooks.Hooks({**NONE, **paths}, '/project')

    def test_run_in_the_order_of_the_list_before_what_is_registered(self):
        self.module.first, self.module.second = self.calling('first'), self.calling('second')
        viaduct.postfork(self.calling('registered'))
        self.hooks(after_fork=['example_hooks:second', 'example_hooks:first']).after_fork()
        self.assertEqual(self.calls, ['second', 'first', 'registered'])

    def test_run_at_once_what_is_registered_later(self):
        self.hooks().after_fork()
        viaduct.postfork(self.calling('late'))
        self.assertEqual(self.calls, ['late'])

    def test_run_what_a_registered_function_registers(self):
        viaduct.postfork(lambda: viaduct.postfork(self.calling('inner')))
        self.hooks().after_fork()
        self.assertEqual(self.calls, ['inner'])

    def test_stop_at_the_first_failure_after_a_fork(self):
        self.module.fails, self.module.other = self.calling('fails', KeyError('x')), self.calling('other')
        both = self.hooks(after_fork=['example_hooks:fails', 'example_hooks:other'])
        with self.assertRaises(load.PartError) as caught:
            both.after_fork()
        traceback, reason = load.report(caught.exception)
        self.assertEqual(reason, "its hook after_fork example_hooks:fails failed: KeyError: 'x'")
        self.assertRegex(traceback, r'(?s)^Traceback .*test_hooks\.py.*KeyError')
        self.assertEqual(self.calls, ['fails'])

    def test_go_on_after_a_failure_before_the_exit(self):
        self.module.fails = self.calling('fails', SystemExit(1))
        viaduct.before_exit(self.calling('raises', ValueError('y')))
        viaduct.before_exit(self.calling('last'))
        log = []
        self.hooks(before_exit=['example_hooks:fails']).before_exit(log.append)
        self.assertEqual(self.calls, ['fails', 'raises', 'last'])
        self.assertEqual(len(log), 2)
        self.assertRegex(log[0], r'^The hook before_exit example_hooks:fails failed: SystemExit: 1\nTraceback')
        self.assertRegex(
            log[1], r'^The function \S+calling\S+, registered by viaduct.before_exit, failed: ValueError: y'
        )

    def test_that_cannot_be_imported_are_named(self):
        self.module.number = 5
        for path, reason in (
            ('example_hooks:missing', 'module example_hooks has no missing'),
            ('example_hooks:number', 'it is a int, which cannot be called'),
            ('no_such_module:x', 'there is no module no_such_module in /project'),
        ):
            with self.subTest(path=path), self.assertRaises(load.PartError) as caught:
                self.hooks(on_reload=[path])
            expected = f'its hook on_reload {path} cannot be imported: {reason}'
            self.assertEqual(load.report(caught.exception), ('', expected))

    def test_may_be_attributes_of_attributes(self):
        self.module.jobs = types.SimpleNamespace(start=self.calling('start'))
        self.hooks(on_ready=['example_hooks:jobs.start']).run('on_ready')
        self.assertEqual(self.calls, ['start'])


if __name__ == '__main__':
    unittest.main()
