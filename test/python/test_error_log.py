"""`wsgi.errors` as applications and libraries use it."""

import io
import threading
import unittest
from wsgiref.validate import check_errors

from viaduct_worker.error_log import ErrorLog


class Errors(unittest.TestCase):
    def setUp(self):
        self.log = []
        self.errors = ErrorLog(self.log.append)

    def test_lines_are_logged_when_they_are_complete(self):
        self.assertEqual(self.errors.write('one'), 3)
        self.assertEqual(self.log, [])
        self.errors.write(' line\nand another\nthe next')
        self.errors.flush()
        self.errors.flush()
        self.assertEqual(self.log, ['one line\nand another', 'the next'])

    def test_print_and_writelines_work(self):
        print('a', 1, file=self.errors)
        self.errors.writelines(['b\n', 'c\n'])
        self.assertEqual(self.log, ['a 1', 'b', 'c'])

    def test_threads_do_not_mix(self):
        self.errors.write('of this ')
        thread = threading.Thread(target=lambda: self.errors.write('of another\n'))
        thread.start()
        thread.join()
        self.errors.write('thread\n')
        self.assertEqual(self.log, ['of another', 'of this thread'])

    def test_takes_text_alone_and_its_subclasses(self):
        class Safe(str):
            pass

        self.errors.write(Safe('safe\n'))
        self.assertEqual(self.log, ['safe'])
        for value in (b'bytes', None, 1):
            with self.subTest(value), self.assertRaises(TypeError):
                self.errors.write(value)

    def test_its_buffer_takes_bytes(self):
        self.errors.write('text and ')
        self.assertEqual(self.errors.buffer.write('caf\xe9\n'.encode()), 6)
        self.errors.buffer.write(b'\xff')
        self.errors.buffer.flush()
        self.assertEqual(self.log, ['text and caf\xe9', '\\xff'])
        with io.TextIOWrapper(self.errors.buffer, 'utf-8') as wrapped:
            wrapped.write('wrapped\n')
        self.assertEqual(self.log[2:], ['wrapped'])

    def test_has_what_a_file_has(self):
        errors = self.errors
        self.assertEqual((errors.encoding, errors.errors, errors.mode), ('utf-8', 'backslashreplace', 'w'))
        self.assertEqual(
            (errors.isatty(), errors.writable(), errors.readable(), errors.fileno()), (False, True, False, 2)
        )
        check_errors(errors)

    def test_cannot_be_closed(self):
        with self.errors as errors:
            errors.write('the end')
        self.assertEqual(self.log, ['the end'])
        self.assertFalse(errors.closed)
        errors.write('another\n')
        self.assertEqual(self.log, ['the end', 'another'])


if __name__ == '__main__':
    unittest.main()
