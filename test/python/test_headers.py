"""What `start_response` may pass to the server."""

import unittest

from viaduct_worker.headers import encode_headers, encode_status


class Status(unittest.TestCase):
    def test_usual_reason_is_left_to_the_server(self):
        self.assertEqual(encode_status('200 OK'), (200, ''))
        self.assertEqual(encode_status('404 Not Found'), (404, ''))

    def test_other_reasons_are_kept(self):
        self.assertEqual(encode_status('404 Nothing Here'), (404, 'Nothing Here\r\n'))
        self.assertEqual(encode_status('299 Own'), (299, 'Own\r\n'))

    def test_returns_the_same_when_asked_again(self):
        for _ in range(2):
            self.assertEqual(encode_status('200 Gut'), (200, 'Gut\r\n'))

    def test_caches_a_bounded_number(self):
        for number in range(5000):
            self.assertEqual(encode_status(f'200 Reason {number}'), (200, f'Reason {number}\r\n'))

    def test_refuses_what_is_not_a_final_status(self):
        for status in (
            '',
            'OK',
            '20 OK',
            '100 Continue',
            '2000 OK',
            '200OK',
            '\u0662\u0660\u0660 OK',
            '200\tOK',
            ' 200 OK',
        ):
            with self.subTest(status), self.assertRaises(ValueError):
                encode_status(status)

    def test_refuses_what_would_split_the_response(self):
        for status in ('200 OK\r\nSet-Cookie: a=1', '200 O\nK', '200 O\0K', '200 O\x7fK', '200 \u2713'):
            with self.subTest(status), self.assertRaises(ValueError):
                encode_status(status)

    def test_refuses_other_types(self):
        for status in (200, b'200 OK', None, ['200 OK']):
            with self.subTest(status), self.assertRaises(TypeError):
                encode_status(status)


class Headers(unittest.TestCase):
    def test_encodes_in_order_as_given(self):
        lines, length = encode_headers([('Set-Cookie', 'a=1'), ('x-lower', 'J\xf6rg'), ('Set-Cookie', 'b=2')])
        self.assertEqual(lines, b'Set-Cookie: a=1\r\nx-lower: J\xf6rg\r\nSet-Cookie: b=2\r\n')
        self.assertEqual(length, -1)

    def test_finds_the_declared_length(self):
        for _ in range(2):
            self.assertEqual(encode_headers([('CONTENT-length', '007'), ('date', 'x')])[1], 7)
            self.assertEqual(encode_headers([('Content-Length', '0')])[1], 0)

    def test_distinguishes_cached_names_by_case(self):
        self.assertEqual(encode_headers([('X-A', 'b')])[0], b'X-A: b\r\n')
        self.assertEqual(encode_headers([('x-a', 'b')])[0], b'x-a: b\r\n')

    def test_caches_a_bounded_number(self):
        for number in range(5000):
            self.assertEqual(encode_headers([('X-Number', str(number))])[0], f'X-Number: {number}\r\n'.encode())

    def test_allows_tabs_and_empty_values(self):
        self.assertEqual(encode_headers([('X-A', 'a\tb'), ('X-B', '')])[0], b'X-A: a\tb\r\nX-B: \r\n')

    def test_refuses_what_would_split_the_response(self):
        for number in (*range(0x09), *range(0x0A, 0x20), 0x7F):
            with self.subTest(number), self.assertRaises(ValueError):
                encode_headers([('X-A', f'a{chr(number)}b')])
        for name in ('', 'X A', 'X-A:', 'X-A\r\nB', 'X-A\n', 'X\0', 'X-\xe9', '(X)'):
            with self.subTest(name), self.assertRaises(ValueError):
                encode_headers([(name, 'b')])

    def test_refuses_an_error_again_when_it_is_repeated(self):
        for _ in range(3):
            with self.assertRaises(ValueError):
                encode_headers([('X-A', 'a\nb')])

    def test_refuses_text_outside_latin_1(self):
        with self.assertRaises(ValueError):
            encode_headers([('X-A', '\u2713')])

    def test_refuses_hop_by_hop_fields_in_any_case(self):
        names = (
            'Connection',
            'keep-alive',
            'TE',
            'Trailer',
            'Trailers',
            'TRANSFER-ENCODING',
            'Upgrade',
            'Proxy-Connection',
        )
        for name in (*names, 'Proxy-Authenticate', 'Proxy-Authorization'):
            with self.subTest(name), self.assertRaises(ValueError):
                encode_headers([(name, 'x')])

    def test_refuses_a_content_length_that_is_not_a_number(self):
        for value in ('', '-1', '+1', '1,1', '1 ', '0x1', '1.0', '\u0661', '1' * 16):
            with self.subTest(value), self.assertRaises(ValueError):
                encode_headers([('Content-Length', value)])
        with self.assertRaises(ValueError):
            encode_headers([('Content-Length', '1'), ('content-length', '1')])

    def test_refuses_other_types(self):
        for headers in ((('X-A', 'b'),), {'X-A': 'b'}, None, 'X-A: b', iter([('X-A', 'b')])):
            with self.subTest(headers), self.assertRaises(TypeError):
                encode_headers(headers)
        for header in (
            ['X-A', 'b'],
            ('X-A',),
            ('X-A', 'b', 'c'),
            ('X-A', b'b'),
            (b'X-A', 'b'),
            ('X-A', 1),
            ('X-A', None),
            'ab',
        ):
            with self.subTest(header), self.assertRaises(TypeError):
                encode_headers([header])


if __name__ == '__main__':
    unittest.main()
