"""What the import of an application leaves: threads, connections, event loops and files."""

import _thread
import asyncio
import contextlib
import fcntl
import logging
import logging.handlers
import os
import queue
import socket
import tempfile
import threading
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from unittest import mock

from viaduct_worker import fork_safety
from viaduct_worker.fork_safety import Snapshot


class Poller(threading.Thread):
    def __init__(self, end):
        super().__init__(name='poller', daemon=True)
        self.end = end

    def run(self):
        self.end.wait()


def wait_for(end):
    end.wait()


def until(condition):
    """Return whether the condition becomes true in 20 seconds."""
    end = time.monotonic() + 20
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()


class ForkSafetyTest(unittest.TestCase):
    def setUp(self):
        self.before = Snapshot('/nonexistent')
        self.end = threading.Event()
        self.addCleanup(self.end.set)

    def open(self, family, address=('127.0.0.1', 0), kind=socket.SOCK_STREAM):
        """Return a listener, which the snapshot has, and its address."""
        listener = socket.socket(family, kind)
        self.addCleanup(listener.close)
        listener.bind(address)
        if kind != socket.SOCK_DGRAM:
            listener.listen()
        self.before = Snapshot('/nonexistent')
        return listener, listener.getsockname()

    def connect(self, family, address, kind=socket.SOCK_STREAM):
        connection = socket.socket(family, kind)
        self.addCleanup(connection.close)
        connection.connect(address)
        return connection

    def assert_found(self, *expected):
        self.assertEqual(self.before.findings(), list(expected))


class Threads(ForkSafetyTest):
    def test_do_not_exist_in_a_plain_process(self):
        self.assert_found()

    def test_are_described_by_name_and_function(self):
        threading.Thread(target=self.end.wait, name='refresh', daemon=True).start()
        self.assert_found('thread refresh (threading:Event.wait)')

    def test_are_found_if_threading_does_not_list_them(self):
        _thread.start_new_thread(wait_for, (self.end,))
        self.assertTrue(until(self.before.findings))
        self.assert_found(f'a thread ({__name__}:wait_for)')
        self.before = Snapshot('/nonexistent')
        self.assert_found()

    def test_are_described_by_class_if_it_has_a_method_run(self):
        Poller(self.end).start()
        self.assert_found(f'thread poller ({__name__}:Poller.run)')

    def test_of_a_log_listener_are_found(self):
        listener = logging.handlers.QueueListener(queue.Queue())
        listener.start()
        self.addCleanup(listener.stop)
        (found,) = self.before.findings()
        self.assertRegex(found, r'^thread \S+.* \(logging\.handlers:QueueListener\._monitor\)$')

    def test_of_an_executor_are_found_while_they_wait_for_work(self):
        with ThreadPoolExecutor(1, thread_name_prefix='prices') as pool:
            pool.submit(int).result()
            self.assert_found('thread prices_0 (concurrent.futures.thread:_worker)')
        self.assert_found()

    def test_that_were_there_before_do_not_count(self):
        Poller(self.end).start()
        Snapshot('/nonexistent').findings()
        self.before = Snapshot('/nonexistent')
        self.assert_found()

    def test_beyond_the_limit_are_counted(self):
        for _ in range(fork_safety.FINDINGS_MAX + 3):
            Poller(self.end).start()
        found = self.before.findings()
        self.assertEqual((len(found), found[-1]), (fork_safety.FINDINGS_MAX + 1, '3 others'))

    def test_with_a_long_name_are_cut_off(self):
        threading.Thread(target=self.end.wait, name='n' * 5000, daemon=True).start()
        (found,) = self.before.findings()
        self.assertEqual(len(found), fork_safety.TEXT_MAX)

    def test_are_not_looked_for_if_they_are_greenlets_and_neither_is_their_event_loop(self):
        _, (host, port) = self.open(socket.AF_INET)
        Poller(self.end).start()
        self.connect(socket.AF_INET, (host, port))
        with (
            contextlib.closing(asyncio.new_event_loop()),
            mock.patch('viaduct_worker.patches.found', return_value=['threads']),
        ):
            self.assert_found(f'a connection to {host}:{port}')


class Connections(ForkSafetyTest):
    def test_are_described_by_the_address_of_the_other_end(self):
        listener, (host, port) = self.open(socket.AF_INET)
        self.connect(socket.AF_INET, (host, port))
        self.assert_found(f'a connection to {host}:{port}')
        accepted, peer = listener.accept()
        self.addCleanup(accepted.close)
        self.assert_found(f'a connection to {host}:{port}', f'a connection to {peer[0]}:{peer[1]}')

    def test_to_the_same_server_are_listed_once(self):
        _, address = self.open(socket.AF_INET)
        for _ in range(3):
            self.connect(socket.AF_INET, address)
        self.assert_found(f'a connection to {address[0]}:{address[1]}')

    def test_over_ipv6_are_found(self):
        try:
            _, address = self.open(socket.AF_INET6, ('::1', 0))
        except OSError:
            return  # this machine has no IPv6
        self.connect(socket.AF_INET6, address)
        self.assert_found(f'a connection to [::1]:{address[1]}')

    def test_over_a_unix_socket_are_found(self):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, 'redis.sock')
            self.open(socket.AF_UNIX, path)
            self.connect(socket.AF_UNIX, path)
            self.assert_found(f'a connection to {path}')

    def test_that_only_c_code_knows_are_found(self):
        _, address = self.open(socket.AF_INET)
        descriptor = self.connect(socket.AF_INET, address).detach()
        self.addCleanup(os.close, descriptor)
        self.assert_found(f'a connection to {address[0]}:{address[1]}')

    def test_keep_their_mode_if_the_application_has_set_a_default_timeout(self):
        _, address = self.open(socket.AF_INET)
        connection = self.connect(socket.AF_INET, address)
        self.addCleanup(socket.setdefaulttimeout, None)
        socket.setdefaulttimeout(5)
        self.assertEqual(len(self.before.findings()), 1)
        self.assertEqual((os.get_blocking(connection.fileno()), socket.getdefaulttimeout()), (True, 5))

    def test_that_nobody_refers_to_any_more_do_not_count(self):
        _, address = self.open(socket.AF_INET)
        cycle = [socket.create_connection(address)]
        cycle.append(cycle)
        del cycle
        with self.assertWarns(ResourceWarning):
            self.assert_found()

    def test_do_not_include_listeners_datagram_sockets_and_pairs(self):
        _, address = self.open(socket.AF_INET, kind=socket.SOCK_DGRAM)
        self.connect(socket.AF_INET, address, socket.SOCK_DGRAM)
        listener = socket.create_server(('127.0.0.1', 0))
        self.addCleanup(listener.close)
        for end in socket.socketpair():
            self.addCleanup(end.close)
        self.assert_found()

    def test_that_were_there_before_do_not_count(self):
        _, address = self.open(socket.AF_INET)
        self.connect(socket.AF_INET, address)
        self.before = Snapshot('/nonexistent')
        self.assert_found()

    def test_count_if_they_have_the_descriptor_of_a_closed_one(self):
        _, address = self.open(socket.AF_INET)
        old = self.connect(socket.AF_INET, address)
        self.before = Snapshot('/nonexistent')
        number = old.fileno()
        old.close()
        self.assertEqual(self.connect(socket.AF_INET, address).fileno(), number)
        self.assertEqual(len(self.before.findings()), 1)


class EventLoops(ForkSafetyTest):
    @unittest.skipUnless(os.path.exists('/proc/self/fd'), 'only Linux shows what a descriptor is')
    def test_are_found(self):
        with contextlib.closing(asyncio.new_event_loop()):
            self.assert_found('an event loop')
        self.assert_found()


@unittest.skipUnless(os.path.exists('/proc/self/fdinfo'), 'only Linux shows which files are open')
class Files(ForkSafetyTest):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = os.path.realpath(directory.name)
        self.path = os.path.join(self.directory, 'data')
        super().setUp()

    def open_file(self, mode):
        file = open(self.path, mode)  # it stays open during the test
        self.addCleanup(file.close)
        return file

    def test_that_can_be_read_and_written_are_found(self):
        self.open_file('w+b')
        self.assert_found(f'the writable file {self.path}')

    def test_that_are_only_written_read_or_added_to_are_not(self):
        for mode in ('w', 'r', 'a', 'a+b'):
            with self.subTest(mode=mode):
                self.open_file(mode)
                self.assert_found()

    def test_without_a_name_are_not_found(self):
        with tempfile.TemporaryFile(dir=self.directory):
            self.assert_found()

    def test_of_the_server_are_not_found(self):
        self.before = Snapshot(self.directory)
        self.open_file('w+b')
        self.assert_found()

    def test_with_a_lock_are_found_whatever_their_mode(self):
        for lock in (fcntl.flock, fcntl.lockf):
            with self.subTest(lock=lock.__name__), open(self.path, 'a') as file:
                lock(file, fcntl.LOCK_EX)
                self.assert_found(f'a lock on {self.path}')


if __name__ == '__main__':
    unittest.main()
