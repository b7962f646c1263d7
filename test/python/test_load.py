"""Finding the callable that discovery named."""

import marshal
import os
import subprocess
import sys
import tempfile
import unittest
from binascii import a2b_base64

from viaduct_worker import load

MODULE = """
class Site:
    class Inner:
        def __call__(self, environ, start_response): ...
    site = Inner()

def application(environ, start_response): ...
def make(): return application
def needs(argument): ...
number = 5
"""

ASGI = """
import functools

async def function(scope, receive, send): ...

class Application:
    async def __call__(self, scope, receive, send): ...
    async def handle(self, scope, receive, send): ...

class Version2:
    def __init__(self, scope): ...
    async def __call__(self, receive, send): ...

class Quart(Application):
    __module__ = 'quart.app'

class Wsgi:
    def __init__(self, environ, start_response): ...
    def __iter__(self): ...

instance = Application()
partial = functools.partial(function, None)
method = instance.handle
quart = Quart()
def make(): return instance
def wsgi(environ, start_response): ...
"""


class Load(unittest.TestCase):
    number = 0

    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        sys.path.insert(0, self.directory.name)
        Load.number += 1
        self.name = f'loaded_by_test_{Load.number}'

    def tearDown(self):
        sys.path.remove(self.directory.name)
        self.directory.cleanup()

    def write(self, text, name=None):
        with open(os.path.join(self.directory.name, f'{name or self.name}.py'), 'w', encoding='utf-8') as file:
            file.write(text)

    def load(self, target='application', factory=False, arguments=''):
        options = {'module': self.name, 'callable': target, 'factory': factory, 'arguments': arguments}
        options['directory'] = self.directory.name
        return load.load({**options, 'middleware': []})

    def reason(self, **options):
        try:
            self.load(**options)
        except BaseException as error:
            of_ours = error.__traceback__.tb_next.tb_next
            return load.report(error.with_traceback(of_ours))
        raise AssertionError('nothing was raised')

    def failure(self, text, describes=True):
        self.write(text)
        try:
            self.load()
        except BaseException as error:
            found = load.failure(error, describes)
        return found, found['exception'] and marshal.loads(a2b_base64(found['exception']))

    def test_describes_a_failed_import_with_its_source(self):
        found, exception = self.failure("near = 1\nsecret = {}\nsecret['host']\n")
        self.assertEqual(found['reason'], "KeyError: 'host'")
        frame = exception['frames'][-1]
        self.assertEqual(frame[1:4], (3, '<module>', ['near = 1', 'secret = {}', "secret['host']"]))
        self.assertEqual(frame[5], [('near', '1'), ('secret', '{}')])

    def test_describes_source_that_cannot_be_compiled(self):
        for line in ('other = (2 +* 3)', "oth = ('é' +* 3)", "o = ('日本本' +* 3)"):
            self.name += 'x'
            _, exception = self.failure(f'near = 1\n{line}\n')
            frame = exception['frames'][-1]
            from_column, to_column = frame[7]
            self.assertEqual((frame[1], frame[2], line[from_column:to_column]), (2, '', '*'))

    def test_describes_nothing_that_nobody_asks_for_or_that_the_reason_says(self):
        self.assertEqual(self.failure('1 / 0', describes=False)[1], '')
        self.name += '_without'
        self.assertEqual(self.failure('number = 5')[1], '')

    def test_finds_names_and_attributes_of_names(self):
        self.write(MODULE)
        self.assertEqual(self.load().__name__, 'application')
        self.assertEqual(type(self.load('Site.site')).__name__, 'Inner')

    def test_calls_a_factory(self):
        self.write(MODULE)
        self.assertEqual(self.load('make', factory=True).__name__, 'application')

    def test_calls_a_factory_with_literals(self):
        self.write(
            'def make(*args, **kwargs):\n    def made(environ, start_response): return args, kwargs\n    return made'
        )
        made = self.load('make', factory=True, arguments="'a)', -1, key=[None, {'b': True}]")
        self.assertEqual(made({}, None), (('a)', -1), {'key': [None, {'b': True}]}))

    def test_finds_the_application_in_a_submodule_of_the_same_name(self):
        package = os.path.join(self.directory.name, self.name)
        os.mkdir(package)
        for name, text in (('__init__', 'from . import app'), ('app', MODULE), ('other', MODULE)):
            self.write(text, os.path.join(self.name, name))
        self.assertEqual(self.load('app').__name__, 'application')
        self.assertEqual(self.load('').__name__, 'application')
        self.assertIn(f'write {self.name}.other:NAME', self.reason(target='other')[1])

    def test_prefers_a_callable_to_a_submodule(self):
        os.mkdir(os.path.join(self.directory.name, self.name))
        self.write('from . import app\ndef create_app():\n    return made\ndef made(): ...', f'{self.name}/__init__')
        self.write('app = None', f'{self.name}/app')
        self.assertEqual(self.load('').__name__, 'made')

    def test_refuses_asgi_applications_and_says_what_is_for_wsgi(self):
        self.write(ASGI)
        for target in ('function', 'instance', 'partial', 'method', 'Version2', 'quart'):
            traceback, reason = self.reason(target=target)
            self.assertEqual(traceback, '', target)
            self.assertIn('it is an ASGI application, and only WSGI is supported. ', reason)
        self.assertIn('uvicorn', self.reason(target='function')[1])
        self.assertIn('Flask is the same framework for WSGI', self.reason(target='quart')[1])
        self.assertIn('its factory is a coroutine function', self.reason(target='function', factory=True)[1])
        self.assertIn('it is an ASGI application', self.reason(target='make', factory=True)[1])
        for target in ('wsgi', 'Wsgi'):
            self.assertTrue(callable(self.load(target)))

    def test_finds_the_usual_names_in_their_order(self):
        self.write('app = create_app = None\ndef application(environ, start_response): ...')
        self.assertEqual(self.load('').__name__, 'application')
        self.name += '_factory'
        self.write('def create_app():\n    def made(environ, start_response): ...\n    return made')
        self.assertEqual(self.load('').__name__, 'made')

    def test_says_in_a_sentence_what_is_missing(self):
        self.write(MODULE)
        for target in ('missing', 'Site.missing', 'number'):
            traceback, reason = self.reason(target=target)
            self.assertEqual(traceback, '', target)
            self.assertNotIn('Traceback', reason)
        self.assertIn('missing', self.reason(target='missing')[1])
        self.assertIn('int', self.reason(target='number')[1])
        self.assertEqual(self.reason(target='number', factory=True), ('', 'it is a int, which cannot be called'))
        self.name = 'no_such_module_of_ours'
        self.assertEqual(self.reason()[0], '')
        self.assertIn('no_such_module_of_ours', self.reason()[1])

    def test_says_in_a_sentence_that_a_module_has_no_application(self):
        self.write('nothing = 1')
        traceback, reason = self.reason(target='')
        self.assertEqual(traceback, '')
        self.assertIn(self.name, reason)

    def test_shows_the_traceback_when_the_module_itself_fails(self):
        for text, last in (
            ('import missing_dependency_of_ours', 'ModuleNotFoundError'),
            ('raise SystemExit(3)', 'SystemExit'),
            ('1 / 0', 'ZeroDivisionError'),
            ('def', 'SyntaxError'),
        ):
            with self.subTest(last):
                self.name += '_x'
                self.write(text)
                traceback, reason = self.reason()
                self.assertIn(last, reason)
                self.assertIn(f'{self.name}.py', traceback)

    def test_starts_the_traceback_in_the_application(self):
        self.write('def broken():\n    raise RuntimeError("in the application")\n\nbroken()\n')
        traceback, _ = self.reason()
        self.assertNotIn('importlib', traceback)
        self.assertNotIn('viaduct_worker', traceback)
        self.assertIn('in broken', traceback)

    def test_shows_only_the_line_of_a_syntax_error(self):
        self.write('x = (\n')
        traceback, _ = self.reason()
        self.assertNotIn('importlib', traceback)
        self.assertNotIn('viaduct_worker', traceback)
        self.assertIn(f'{self.name}.py", line 1', traceback)

    def test_shows_the_traceback_when_a_factory_fails(self):
        self.write('def make():\n    raise RuntimeError("in the factory")')
        traceback, reason = self.reason(target='make', factory=True)
        self.assertIn('in the factory', reason)
        self.assertIn('in make', traceback)


class Prepare(unittest.TestCase):
    def test_makes_the_process_look_like_one_of_the_project(self):
        with tempfile.TemporaryDirectory() as directory:
            code = (
                'import os, sys; from viaduct_worker import load;'
                f'load.prepare({{"directory": {directory!r}, "module": "site.wsgi"}});'
                'print(os.getcwd(), sys.path[0], sys.argv)'
            )
            output = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True).stdout
            real = os.path.realpath(directory)
            self.assertEqual(output.strip(), f"{real} {directory} ['site.wsgi']")


if __name__ == '__main__':
    unittest.main()
