"""Writes records of requests that a seed makes: recordings with events in any order, and changed ones.

Each record follows its kind (`r` for a recording as it is, `c` for one with changed values) and its length.
"""

import marshal
import random
import struct
import sys

from viaduct_worker.tracing import exceptions, recorder

TEXTS = ('', 'a', '\udc80', '\x00', '\u202e', 'é' * 300, '__proto__', 'SELECT 1', 'password=x', '\U0001f600')
KINDS = ('wsgi-middleware', 'application', 'phase', 'url', 'view', 'template', 'query', 'cache', 'signal', 'hook')
NUMBERS = (0, -1, 2**31, 2**53, 10**40, 1.5, 1e300, float('nan'), float('inf'))
PASSED = (([('A', 'b')],), ('200 OK', [('A', ' c ')]), ('500 \xff', [], True))


def recorded(pick):
    recording = recorder.Recording('full', 'MainThread')
    recording.environ, recording.shared = {'A': 'b'}, marshal.dumps([('X', 'y', True)])
    started = []
    for _ in range(pick.randrange(80)):
        event = pick.randrange(7)
        attributes = pick.choice((None, {pick.choice(TEXTS): pick.choice((pick.choice(TEXTS), 1, 2.5, True))}))
        if event < 2:
            started.append(recording.begin(pick.choice(KINDS), pick.choice(TEXTS), attributes, ('f.py', 3)))
        elif event == 2:
            started.append(recording.begin_aside(pick.choice(KINDS), pick.choice(TEXTS), attributes, ('', 0)))
        elif event == 3:
            phases = [(pick.choice(('', 'p')), '', 0) for _ in range(2)]
            link = recorder.described('middleware', pick.choice(('', 'M')), ('', 0), *phases)
            started.append(recorder.now())
            recording.log += link, started[-1], None
        elif started:
            # Mostly in order, but also twice, not at all, and those outside before those inside.
            span = pick.choice(started) if pick.random() < 0.2 else started.pop()
            known = pick.choice((attributes, pick.choice(PASSED)))
            (recording.end if event < 6 else recording.put)(span, known)
    if pick.random() < 0.2:
        try:
            raise ValueError(pick.choice(TEXTS))
        except ValueError as error:
            exceptions.record(recording, error)
    return recording.finish()


def changed(value, pick):
    if pick.random() < 0.02:
        return pick.choice((None, b'\xff', pick.choice(TEXTS), pick.choice(NUMBERS), [], (), {}, [value, value]))
    if isinstance(value, (list, tuple)):
        return type(value)(changed(each, pick) for each in value)
    if isinstance(value, dict):
        return {name: changed(each, pick) for name, each in value.items()}
    return value


def main(seed, count):
    pick = random.Random(seed)
    for at in range(count):
        data = recorded(pick)
        if at % 2:
            data = marshal.dumps(changed(marshal.loads(data), pick), recorder.MARSHAL_VERSION)
        sys.stdout.buffer.write(struct.pack('<cI', b'rc'[at % 2 :][:1], len(data)) + data)


main(int(sys.argv[1]), int(sys.argv[2]))
