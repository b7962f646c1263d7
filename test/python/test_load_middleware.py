"""Putting configured middleware around the application (PEP 3333, "Middleware: Components that Play Both Sides")."""

import os
import sys
import tempfile
import unittest

from viaduct_worker import load

APPLICATION = """
def application(environ, start_response):
    return ['application']
def make():
    return application
"""
MIDDLEWARE = """
class Named:
    def __init__(self, application, name='', **options):
        self.application = application
        self.name = name
        self.options = options
    def __call__(self, environ, start_response):
        return [self.name] + self.application(environ, start_response)
class Holder:
    inner = Named
def function(application, *, name='function'):
    return Named(application, name)
def strict(application, root): return application
def forgets(application): pass
def raises(application): raise RuntimeError('in the middleware')
def leaves(application): raise SystemExit(3)
number = 5
"""


class Middleware(unittest.TestCase):
    count = 0

    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        sys.path.insert(0, self.directory.name)
        Middleware.count += 1
        self.module = f'wrapped_by_test_{Middleware.count}'
        self.around = f'around_by_test_{Middleware.count}'
        self.write(self.module, APPLICATION)
        self.write(self.around, MIDDLEWARE)

    def tearDown(self):
        sys.path.remove(self.directory.name)
        self.directory.cleanup()

    def write(self, name, text):
        with open(os.path.join(self.directory.name, f'{name}.py'), 'w') as file:
            file.write(text)

    def load(self, *entries, target='application', factory=False, arguments=''):
        middleware = [{'path': path, 'options': options} for path, options in entries]
        options = {'module': self.module, 'callable': target, 'factory': factory, 'arguments': arguments}
        options['directory'] = self.directory.name
        return load.load({**options, 'middleware': middleware})

    def entry(self, attribute, **options):
        return f'{self.around}:{attribute}', options

    def reason(self, *entries):
        try:
            self.load(*entries)
        except BaseException as error:
            of_ours = error.__traceback__.tb_next
            return load.report(error.with_traceback(of_ours))
        raise AssertionError('nothing was raised')

    def test_puts_the_first_outermost_and_the_last_next_to_the_application(self):
        application = self.load(self.entry('Named', name='first'), self.entry('Named', name='last'))
        self.assertEqual(application({}, None), ['first', 'last', 'application'])

    def test_passes_options_as_keyword_arguments_unchanged(self):
        options = {'text': 'a', 'flag': True, 'half': 0.5, 'none': None, 'list': [1, 'b'], 'table': {'c': [2]}}
        self.assertEqual(self.load(self.entry('Named', **options)).options, options)

    def test_accepts_functions_and_attributes_of_attributes(self):
        application = self.load(self.entry('function'), self.entry('Holder.inner', name='inner'))
        self.assertEqual(application({}, None), ['function', 'inner', 'application'])

    def test_is_around_what_a_factory_returns(self):
        application = self.load(self.entry('function'), target='make', factory=True)
        self.assertEqual(application({}, None), ['function', 'application'])

    def test_leaves_the_application_alone_when_there_is_none(self):
        self.assertEqual(self.load()({}, None), ['application'])

    def test_says_in_a_sentence_which_one_is_missing(self):
        for path, part in (
            ('no_such_package_of_ours:Named', 'there is no module no_such_package_of_ours'),
            (f'{self.around}.deeper:Named', f'no module {self.around}.deeper'),
            (f'{self.around}:named', f'module {self.around} has no named'),
            (f'{self.around}:Holder.outer', f'module {self.around} has no outer'),
            (f'{self.around}:number', 'int, which cannot be called'),
            (f'{self.around}:forgets', 'returns is a NoneType, which cannot be called'),
        ):
            with self.subTest(path):
                traceback, reason = self.reason((path, {}))
                self.assertEqual(traceback, '')
                self.assertIn(f'middleware {path} ', reason)
                self.assertIn(part, reason)
                self.assertNotIn('\n', reason)

    def test_says_in_a_sentence_which_argument_does_not_fit(self):
        for path, options, part in (
            ('function', {'nam': 'x'}, "unexpected keyword argument 'nam'"),
            ('Named', {'application': 'x'}, "multiple values for argument 'application'"),
            ('strict', {}, "required positional argument: 'root'"),
        ):
            with self.subTest(path):
                traceback, reason = self.reason(self.entry(path, **options))
                self.assertEqual(traceback, '')
                self.assertIn(f'middleware {self.around}:{path} ', reason)
                self.assertIn('TypeError', reason)
                self.assertIn(part, reason)

    def test_shows_the_traceback_of_one_that_raises_from_its_own_frames(self):
        for name, part in (('raises', 'RuntimeError: in the middleware'), ('leaves', 'SystemExit: 3')):
            with self.subTest(name):
                traceback, reason = self.reason(self.entry(name))
                self.assertIn(f'middleware {self.around}:{name} ', reason)
                self.assertIn(part, reason)
                self.assertIn(f'{self.around}.py', traceback)
                self.assertNotIn('viaduct_worker', traceback)

    def test_shows_the_traceback_of_a_module_that_fails(self):
        for text, part in (('import missing_dependency_of_ours', 'missing_dependency_of_ours'), ('def', 'SyntaxError')):
            with self.subTest(part):
                self.around += '_x'
                self.write(self.around, text)
                traceback, reason = self.reason(self.entry('Named'))
                self.assertIn(f'middleware {self.around}:Named cannot be imported', reason)
                self.assertIn(part, reason)
                self.assertIn(f'{self.around}.py', traceback)

    def test_does_not_blame_it_for_a_broken_application(self):
        self.module += '_x'
        self.write(self.module, '1 / 0')
        self.assertEqual(self.reason(self.entry('Named'))[1], 'ZeroDivisionError: division by zero')


if __name__ == '__main__':
    unittest.main()
