"""The id of a request in the records of `logging`."""

import logging
import threading
import unittest

from viaduct_worker import request_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class Records(logging.Handler):
    """Keeps `viaduct_request_id` and `request_id` of each record."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[tuple[object, object]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.kept.append((record.__dict__.get('viaduct_request_id'), record.__dict__.get('request_id')))


class RequestIdTest(unittest.TestCase):
    def setUp(self) -> None:
        before = logging.getLogRecordFactory()
        self.addCleanup(logging.setLogRecordFactory, before)
        self.records = Records()
        self.log = logging.getLogger('test_request_id')
        self.log.propagate = False
        self.log.addHandler(self.records)
        self.addCleanup(self.log.removeHandler, self.records)
        self.application = request_id.noting(self.respond)

    def respond(self, environ: 'WSGIEnvironment', start_response: 'StartResponse') -> 'Iterable[bytes]':
        self.log.warning('in the view', extra=environ.get('test.extra'))
        yield request_id.current().encode()

    def call(self, **environ: object) -> bytes:
        return b''.join(self.application(environ, lambda *_: lambda _: None))

    def test_records_of_a_request_have_its_id_also_while_a_generator_runs(self) -> None:
        self.assertEqual(self.call(**{'viaduct.request_id': 'a-1'}), b'a-1')
        self.assertEqual(self.call(**{'viaduct.request_id': 'a-2'}), b'a-2')
        self.assertEqual([one for one, _ in self.records.kept], ['a-1', 'a-2'])

    def test_other_threads_and_requests_without_an_id_have_a_dash(self) -> None:
        self.call(**{'viaduct.request_id': 'a-1'})
        thread = threading.Thread(target=lambda: self.log.warning('elsewhere'))
        thread.start()
        thread.join()
        self.assertEqual(self.call(), b'-')
        self.assertEqual([one for one, _ in self.records.kept], ['a-1', '-', '-'])

    def test_an_application_may_pass_a_request_id_of_its_own(self) -> None:
        self.call(**{'viaduct.request_id': 'a-1', 'test.extra': {'request_id': 'of the shop'}})
        self.assertEqual(self.records.kept, [('a-1', 'of the shop')])
