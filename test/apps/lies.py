"""Says to the server what no worker says.

`/lane?HEX` writes bytes on the lane that runs the request, and `/control?HEX` on the control connection. `IIIIIIII` in
the hexadecimal digits is the id of the request. Then the application answers. `/silent?HEX` writes on the lane and never
answers. `/scoreboard?HEX` writes bytes on the scoreboard and dies. Any other path answers with the pid.
"""

import os
import signal
import struct
import sys
import time


def application(environ, start_response):
    action = environ['PATH_INFO'][1:]
    call = start_response.__self__
    lane = running_lane()
    data = bytes.fromhex(environ['QUERY_STRING'].replace('IIIIIIII', struct.pack('<I', call.id).hex()))
    if action in ('lane', 'silent'):
        lane.socket.sendall(data)
    elif action == 'control':
        lane.log.__self__.channel.socket.sendall(data)
    elif action == 'scoreboard':
        lane.copies[: len(data)] = data
        lane.noted[1] = 1 << 40
        os.kill(os.getpid(), signal.SIGKILL)
    if action == 'silent':
        time.sleep(600)
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [str(os.getpid()).encode()]


def running_lane():
    frame = sys._getframe()
    while type(frame.f_locals.get('self')).__name__ != 'Lane':
        frame = frame.f_back
    return frame.f_locals['self']
