"""Which files the server may send by itself."""

import io
import os
import tempfile
import unittest

from viaduct_worker.files import FileWrapper, regular_file


class Reading:
    """Reads what its attribute `file` reads, like Django's files, or something else."""

    def __init__(self, file, read=None):
        self.file = file
        self.read = read or file.read


class RegularFile(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.directory.name, 'file')
        with open(self.path, 'wb') as file:
            file.write(b'0123456789')

    def tearDown(self):
        self.directory.cleanup()

    def found(self, file):
        with file:
            result = regular_file(FileWrapper(file))
        return result and result[1:]

    def test_accepts_what_open_returns(self):
        for arguments in (('rb',), ('r+b',), ('rb', 0)):
            with self.subTest(arguments):
                self.assertEqual(self.found(open(self.path, *arguments)), (0, 10))

    def test_starts_at_the_position_of_the_file(self):
        file = open(self.path, 'rb')
        file.read(3)
        self.assertEqual(self.found(file), (3, 10))

    def test_is_empty_when_the_position_is_past_the_end(self):
        file = open(self.path, 'rb')
        file.seek(50)
        self.assertEqual(self.found(file), (50, 50))

    def test_accepts_files_of_tempfile(self):
        with tempfile.NamedTemporaryFile(dir=self.directory.name) as file:
            file.write(b'abc')
            file.seek(0)
            self.assertEqual(regular_file(FileWrapper(file))[1:], (0, 3))

    def test_accepts_an_object_that_reads_as_its_file_does(self):
        with open(self.path, 'rb') as file:
            self.assertEqual(regular_file(FileWrapper(Reading(file)))[1:], (0, 10))

    def test_rejects_an_object_that_reads_something_else(self):
        class Decoding(io.FileIO):
            pass

        with open(self.path, 'rb') as file:
            self.assertIsNone(regular_file(FileWrapper(Reading(file, lambda size: b'else'))))
            self.assertIsNone(regular_file(FileWrapper(Reading(io.BytesIO(b'abc')))))
            holder = Reading(file)
            del holder.read
            self.assertIsNone(regular_file(FileWrapper(holder)))
        with Decoding(self.path) as file:
            self.assertIsNone(regular_file(FileWrapper(file)))

    def test_rejects_what_is_not_a_regular_binary_file(self):
        reader, writer = os.pipe()
        os.close(writer)
        for file in (open(self.path), io.BytesIO(b'abc'), open(reader, 'rb'), open('/dev/null', 'rb')):
            with self.subTest(file):
                self.assertIsNone(self.found(file))

    def test_rejects_a_closed_file(self):
        file = open(self.path, 'rb')
        file.close()
        self.assertIsNone(regular_file(FileWrapper(file)))


class Wrapper(unittest.TestCase):
    def test_iterates_in_blocks(self):
        self.assertEqual(list(FileWrapper(io.BytesIO(b'0123456789'), 4)), [b'0123', b'4567', b'89'])

    def test_closes_what_can_be_closed(self):
        file = io.BytesIO()
        FileWrapper(file).close()
        self.assertTrue(file.closed)
        self.assertFalse(hasattr(FileWrapper(Reading(io.BytesIO())), 'close'))


if __name__ == '__main__':
    unittest.main()
