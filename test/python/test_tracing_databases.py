"""What a traced request records of databases outside of Django, and of requests that it sends by http.client."""

import asyncio
import glob
import http.client
import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer

from fake_server import FakeServer
from traces import check, span, spans

try:
    import sqlalchemy
except ImportError:
    sqlalchemy = None
try:
    import psycopg
except ImportError:
    psycopg = None

POSTGRES = sorted(glob.glob('/usr/lib/postgresql/*/bin'))[-1:]
"""The directory of the programs of the newest PostgreSQL."""


def calling(function):
    """An application that calls `function` and answers with its result."""

    def application(environ, start_response):
        result = function()
        start_response('200 OK', [])
        return [str(result).encode()]

    return application


def trace(case, function, options='full'):
    with FakeServer(calling(function)) as server:
        frames, recording = server.trace(options=options)
    check(case, recording)
    return b''.join(frame.body for frame in frames).decode(), recording


class Sqlite(unittest.TestCase):
    def test_has_the_queries_of_connections_that_it_makes(self):
        def run():
            with sqlite3.connect(':memory:') as connection:
                connection.execute('CREATE TABLE things (number)')
                cursor = connection.cursor()
                cursor.executemany('INSERT INTO things VALUES (?)', [(1,), (2,)])
                found = cursor.execute('SELECT number FROM things WHERE number > ?', (1,)).fetchall()
            connection.close()
            return found

        body, recording = trace(self, run)
        self.assertEqual(body, '[(2,)]')
        found = [each for each in recording['spans'] if each[0] == 'query']
        self.assertEqual(
            [each[5]['sql'] for each in found if each[5]['vendor'] == 'sqlite'],
            [
                'CREATE TABLE things (number)',
                'INSERT INTO things VALUES (?)',
                'SELECT number FROM things WHERE number > ?',
            ],
        )
        self.assertEqual(found[1][5]['rows'], 2)
        self.assertEqual({each[6] for each in found}, {__file__})
        self.assertEqual(len({each[7] for each in found}), 3)

    def test_keeps_the_types_that_the_caller_names(self):
        class Connection(sqlite3.Connection):
            pass

        def run():
            own = sqlite3.connect(':memory:', factory=Connection)
            usual = sqlite3.connect(':memory:')
            usual.row_factory = sqlite3.Row
            row = usual.execute('SELECT 1 AS a').fetchone()
            kinds = type(own) is Connection, isinstance(usual, sqlite3.Connection), type(row) is sqlite3.Row
            own.close()
            usual.close()
            return kinds

        body, _ = trace(self, run)
        self.assertEqual(body, '(True, True, True)')

    def test_has_the_error_of_a_query(self):
        def run():
            connection = sqlite3.connect(':memory:')
            try:
                connection.execute('SELECT * FROM nowhere')
            except sqlite3.OperationalError as error:
                return error
            finally:
                connection.close()

        _, recording = trace(self, run)
        self.assertEqual(span(recording, 'query')['attributes']['error'], 'OperationalError: no such table: nowhere')


@unittest.skipIf(sqlalchemy is None, 'SQLAlchemy is not installed')
class SqlAlchemy(unittest.TestCase):
    def test_has_each_query_once(self):
        def run():
            engine = sqlalchemy.create_engine('sqlite://')
            with engine.connect() as connection:
                connection.execute(sqlalchemy.text('SELECT :a'), {'a': 5}).fetchall()
                try:
                    connection.execute(sqlalchemy.text('SELECT * FROM nowhere'))
                except sqlalchemy.exc.OperationalError:
                    found = connection.execute(sqlalchemy.text('SELECT 2')).scalar()
            engine.dispose()
            return found

        body, recording = trace(self, run, 'full sql_parameters')
        self.assertEqual(body, '2')
        found = [each for each in recording['spans'] if each[0] == 'query' and not each[5]['sql'].startswith('PRAGMA')]
        self.assertEqual([each[5]['sql'] for each in found], ['SELECT ?', 'SELECT * FROM nowhere', 'SELECT 2'])
        self.assertEqual({each[5]['vendor'] for each in found}, {'sqlite'})
        self.assertEqual(found[0][5]['parameters'], '(5,)')
        self.assertIn('no such table', found[1][5]['error'])
        self.assertEqual({each[6] for each in found}, {__file__})


@unittest.skipIf(psycopg is None, 'psycopg is not installed')
@unittest.skipIf(not POSTGRES, 'PostgreSQL is not installed')
class Psycopg(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        # PostgreSQL refuses root.
        user = {'user': 'postgres', 'group': 'postgres', 'extra_groups': ()} if os.getuid() == 0 else {}
        if user:
            shutil.chown(directory.name, 'postgres', 'postgres')
        data = f'{directory.name}/data'
        init = [f'{POSTGRES[0]}/initdb', '-D', data, '-U', 'test', '-A', 'trust', '--no-sync']
        subprocess.run(init, check=True, stdout=subprocess.DEVNULL, **user)
        command = [f'{POSTGRES[0]}/postgres', '-D', data, '-k', directory.name, '-c', 'listen_addresses=', '-F']
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **user)
        cls.addClassCleanup(server.wait)
        cls.addClassCleanup(server.send_signal, signal.SIGINT)
        cls.address = f'host={directory.name} user=test dbname=postgres'
        until = time.monotonic() + 20
        while time.monotonic() < until:
            try:
                psycopg.connect(cls.address).close()
                return
            except psycopg.OperationalError:
                time.sleep(0.05)

    def test_has_the_queries(self):
        def run():
            with psycopg.connect(self.address) as connection, connection.cursor() as cursor:
                cursor.execute('SELECT generate_series(1, %s)', (3,))
                rows = len(cursor.fetchall())
                cursor.execute(psycopg.sql.SQL('SELECT {}').format(psycopg.sql.Literal('x')))
                return rows

        body, recording = trace(self, run)
        self.assertEqual(body, '3')
        found = [(each[5]['sql'], each[5]['rows']) for each in recording['spans'] if each[0] == 'query']
        self.assertEqual(found[0], ('SELECT generate_series(1, %s)', 3))
        self.assertEqual(found[1][1], 1)

    def test_has_the_queries_of_asynchronous_cursors(self):
        async def ask():
            async with await psycopg.AsyncConnection.connect(self.address) as connection:
                async with connection.cursor() as cursor:
                    await cursor.execute('SELECT generate_series(1, %s)', (3,))
                    rows = len(await cursor.fetchall())
                    await cursor.executemany('SELECT %s', [(1,), (2,)])
                try:
                    await connection.execute('SELECT nothing')
                except psycopg.Error:
                    return rows

        body, recording = trace(self, lambda: asyncio.run(ask()))
        self.assertEqual(body, '3')
        found = [each for each in recording['spans'] if each[0] == 'query']
        self.assertEqual(
            [each[5]['sql'] for each in found if each[5]['vendor'] == 'postgresql'],
            ['SELECT generate_series(1, %s)', 'SELECT %s', 'SELECT nothing'],
        )
        self.assertEqual((found[0][5]['rows'], found[1][5]['many']), (3, True))
        self.assertIn('UndefinedColumn', found[2][5]['error'])
        self.assertEqual({each[6] for each in found}, {__file__})


class Handler(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def do_GET(self):
        self.send_response(404 if self.path == '/none' else 200)
        self.send_header('Content-Length', '1')
        self.end_headers()
        self.wfile.write(b'x')

    def log_message(self, *_):
        pass


class HttpClient(unittest.TestCase):
    def setUp(self):
        self.server = HTTPServer(('127.0.0.1', 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def tearDown(self):
        self.server.shutdown()
        self.server.server_close()

    def test_has_requests_with_their_answers(self):
        def run():
            with urllib.request.urlopen(f'http://127.0.0.1:{self.port}/a?b=c') as response:
                response.read()
            connection = http.client.HTTPConnection('127.0.0.1', self.port)
            statuses = []
            for path in ('/none', '/d'):
                connection.request('GET', path)
                response = connection.getresponse()
                response.read()
                statuses.append(response.status)
            connection.close()
            return statuses

        body, recording = trace(self, run)
        self.assertEqual(body, '[404, 200]')
        found = [each for each in recording['spans'] if each[0] == 'http-client']
        self.assertEqual(
            [(each[1], each[5]['url'], each[5]['status']) for each in found],
            [
                (f'GET 127.0.0.1:{self.port}', f'http://127.0.0.1:{self.port}{path}', status)
                for path, status in (('/a?b=c', 200), ('/none', 404), ('/d', 200))
            ],
        )
        self.assertEqual({(each[4], each[6]) for each in found}, {(0, __file__)})

    def test_has_requests_that_fail(self):
        self.server.shutdown()
        self.server.server_close()

        def run():
            try:
                urllib.request.urlopen(f'http://127.0.0.1:{self.port}/')
            except OSError as error:
                return type(error).__name__

        body, recording = trace(self, run)
        self.assertEqual(body, 'URLError')
        self.assertIn('ConnectionRefusedError', span(recording, 'http-client')['attributes']['error'])
        self.assertEqual(spans(recording)[-1][0], 'body')


if __name__ == '__main__':
    unittest.main()
