"""Plays systemd: binds sockets, receives notifications, and runs a program that it gives both to.

`python service_manager.py '{"sockets": ["web"], "command": ["…"], "abstract": false, "watchdog_usec": 0}'` prints a line
`PORTS …`, then `PID …`, then `NOTIFY {json}` for each datagram, and ends with the program's exit code.
"""

import json
import os
import socket
import struct
import sys
import tempfile
import threading

options = json.loads(sys.argv[1])
sockets = []
for _ in options['sockets']:
    listening = socket.create_server(('127.0.0.1', 0))
    sockets.append(listening)
print('PORTS', *[listening.getsockname()[1] for listening in sockets], flush=True)

notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
directory = tempfile.mkdtemp()
os.chmod(directory, 0o755)
address = f'\0viaduct-test-{os.getpid()}' if options.get('abstract') else f'{directory}/notify'
notify.bind(address)
if not options.get('abstract'):
    os.chmod(address, 0o777)

pid = os.fork()
if not pid:
    for index, listening in enumerate(sockets):
        os.dup2(listening.fileno(), 100 + index)
    for index in range(len(sockets)):
        os.dup2(100 + index, 3 + index)
        os.close(100 + index)
    os.environ['NOTIFY_SOCKET'] = address.replace('\0', '@')
    if sockets:
        os.environ.update(
            LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(sockets)), LISTEN_FDNAMES=':'.join(options['sockets'])
        )
    if options.get('watchdog_usec'):
        os.environ.update(WATCHDOG_PID=str(os.getpid()), WATCHDOG_USEC=str(options['watchdog_usec']))
    os.execvp(options['command'][0], options['command'])
print('PID', pid, flush=True)


def receive():
    while True:
        data, ancillary, _, _ = notify.recvmsg(65536, 1024)
        sender = next(struct.unpack('=iII', value)[0] for _, kind, value in ancillary if kind == socket.SCM_CREDENTIALS)
        sys.stdout.write(f'NOTIFY {json.dumps({"sender": sender, "text": data.decode()})}\n')
        sys.stdout.flush()


threading.Thread(target=receive, daemon=True).start()
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
if not options.get('abstract'):
    os.unlink(address)
os.rmdir(directory)
os._exit(status if status >= 0 else 128 - status)
