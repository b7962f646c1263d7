"""The control connection: JSON messages after their length."""

import json
import os
import socket
import tempfile
import threading
import unittest

from viaduct_worker.channel import LENGTH, SO_PEERCRED, Channel, connect, owner_of


class ControlConnection(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        path = os.path.join(self.directory.name, 'socket')
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(path)
        listener.listen()
        self.channel = Channel(path)
        self.server, _ = listener.accept()
        self.server.settimeout(20)
        listener.close()

    def tearDown(self):
        self.channel.close()
        self.server.close()
        self.directory.cleanup()

    def test_receives_a_message_in_pieces(self):
        data = Channel.pack(kind='fork', worker=7, text='\u2713')
        sender = threading.Thread(target=lambda: [self.server.sendall(data[at : at + 1]) for at in range(len(data))])
        sender.start()
        self.assertEqual(self.channel.receive(), {'kind': 'fork', 'worker': 7, 'text': '\u2713'})
        sender.join()

    def test_receives_one_message_at_a_time(self):
        self.server.sendall(Channel.pack(kind='one') + Channel.pack(kind='two'))
        self.assertEqual(self.channel.receive(), {'kind': 'one'})
        self.assertEqual(self.channel.receive(), {'kind': 'two'})

    def test_receives_nothing_when_the_server_is_gone(self):
        self.server.close()
        self.assertIsNone(self.channel.receive())

    def test_receives_nothing_when_the_server_leaves_in_the_middle_of_a_message(self):
        self.server.sendall(Channel.pack(kind='fork')[:6])
        self.server.close()
        self.assertIsNone(self.channel.receive())

    def test_sends_whole_messages_from_many_threads(self):
        text = 'x' * 5000
        threads = [
            threading.Thread(target=lambda n=n: [self.channel.send(kind='log', number=n, text=text) for _ in range(20)])
            for n in range(8)
        ]
        for thread in threads:
            thread.start()
        with self.server.makefile('rb') as stream:
            numbers = []
            for _ in range(160):
                (length,) = LENGTH.unpack(stream.read(4))
                message = json.loads(stream.read(length))
                self.assertEqual(message['text'], text)
                numbers.append(message['number'])
        for thread in threads:
            thread.join()
        self.assertEqual([numbers.count(n) for n in range(8)], [20] * 8)

    def test_sends_text_that_is_not_valid_unicode(self):
        self.channel.send(kind='log', text='half a character: \udc80')
        self.assertIn(b'udc80', self.server.recv(200))


@unittest.skipIf(
    SO_PEERCRED is None or os.geteuid() != 0, 'only Linux tells who listens, and only root can be another user'
)
class Peer(unittest.TestCase):
    def listener_of(self, user: int, path: str) -> socket.socket:
        """Return a socket at `path` that `user` listens on."""
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.addCleanup(listener.close)
        listener.bind(path)
        pid = os.fork()
        if pid == 0:
            os.setuid(user)
            listener.listen()
            os._exit(0)
        os.waitpid(pid, 0)
        return listener

    def test_is_refused_when_another_user_listens(self):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, 'socket')
            self.listener_of(12345, path)
            with self.assertRaisesRegex(PermissionError, 'user 12345 listens at '):
                connect(path)

    def test_is_accepted_when_this_user_or_root_listens(self):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, 'socket')
            self.listener_of(0, path)
            connection = connect(path)
            self.assertEqual(owner_of(connection), 0)
            connection.close()


if __name__ == '__main__':
    unittest.main()
