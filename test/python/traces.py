"""Reads the recording of a traced request, and finds things in it, for tests."""

import marshal

REQUEST, RESPONSE, START_RESPONSE = 1, 2, 3
"""What a tuple of so many items says of a span."""


def recording_of(payload):
    """What a worker sent, as a dict: its log as spans, hops and calls of `start_response`."""
    version, start, end, thread, shared, environ, log, more = marshal.loads(payload)
    assert version == 3
    rare = {'exception': None, 'profile': None, 'dropped': 0, 'notes': []}
    parts = {'start': ns(start), 'end': ns(end), 'thread': thread, 'shared': shared, 'environ': environ}
    return parts | rare | (more or {}) | Log(log).parts


def ns(seconds):
    return int(seconds * 1e9)


class Log:
    """Follows the log. A span is a list: kind, name, start, end, parent, attributes, file, line."""

    def __init__(self, log):
        self.spans, self.hops, self.calls, self.started = [], [], [], {}
        self.current = self.phase = -1
        self.links = [('',)]
        self.last = None
        for at in range(0, len(log), 3):
            what, time, known = log[at : at + 3]
            if type(what) is bytes:
                what = marshal.loads(what)
            start, time = time, ns(time)
            if type(what) is not float:
                self.start(start, time, known, *what)
            elif time:
                self.end(what, time, known)
            else:
                self.know(self.started[what][0], known)
        self.parts = {'spans': self.spans, 'hops': self.hops, 'start_response': self.calls}

    def add(self, kind, name, time, file, line):
        parent = self.current
        while parent >= 0 and self.spans[parent][3]:
            parent = self.spans[parent][4]
        self.spans.append([kind, name, time, 0, parent, None, file, line])
        return len(self.spans) - 1

    def start(self, at, time, known, kind, name, file, line, more=None, response=('',)):
        if kind == 'middleware':
            self.end_phase(time)
            self.links.append(response)
        span = self.add(kind, name, time, file, line) if name or kind != 'middleware' else -1
        if more is not True and span >= 0:
            self.current = span
        self.started[at] = span, more is True, kind == 'middleware'
        if type(more) is str:
            self.know(span, {'phase': more})
        elif type(more) is tuple:
            self.start_phase('request', more, time)
        self.know(span, known)

    def end(self, at, time, known):
        span, is_aside, is_link = self.started[at]
        if is_link:
            self.end_phase(time)
            self.links.pop()
        if span >= 0:
            self.know(span, known)
            self.spans[span][3] = time
            if not is_aside:
                self.current = self.spans[span][4]
        if is_link:
            self.start_phase('response', self.links[-1], time)

    def start_phase(self, phase, description, time):
        if description[0]:
            self.phase = self.current = self.add('phase', description[0], time, *description[1:])
            self.know(self.phase, {'phase': phase})

    def end_phase(self, time):
        if self.phase >= 0:
            self.spans[self.phase][3] = time
            self.current = self.spans[self.phase][4]
        self.phase = -1

    def know(self, span, known):
        if known is None or span < 0:
            return
        kind, name = self.spans[span][:2]
        if type(known) is dict:
            self.spans[span][5] = {**(self.spans[span][5] or {}), **known}
            if kind == 'url' and 'pattern' in known:
                self.spans[span][1] = known['pattern'] or 'the empty pattern'
            return
        prefix = {'middleware': 'middleware ', 'view': 'view ', 'hook': 'after_request '}.get(kind)
        passer = name.rpartition('.')[2] if prefix is None else prefix + name
        if len(known) == REQUEST:
            self.hops.append((span, 'request', passer, '', known[0]))
            return
        status, fields = known[:2]
        if len(known) == START_RESPONSE:
            self.calls.append((passer, status, fields, known[2]))
        response = status, [(field, value.strip()) for field, value in fields]
        if response != self.last:
            self.last = response
            self.hops.append((span, 'response', passer, *response))


def spans(recording, kind=None):
    """Pairs of kind and name, in order; of one kind only its names."""
    if kind is None:
        return [(span[0], span[1]) for span in recording['spans']]
    return [span[1] for span in recording['spans'] if span[0] == kind]


def span(recording, kind, name=None):
    """The first span of this kind and name, as a dict."""
    for index, each in enumerate(recording['spans']):
        if each[0] == kind and name in (None, each[1]):
            keys = ('kind', 'name', 'start', 'end', 'parent', 'attributes', 'file', 'line')
            return {**dict(zip(keys, each, strict=True)), 'index': index, 'attributes': each[5] or {}}
    raise AssertionError(f'no span {kind} {name} in {spans(recording)}')


def path_to(recording, found):
    """The names of the spans that a span is in, the outermost first."""
    names = []
    while found['parent'] >= 0:
        parent = recording['spans'][found['parent']]
        names.insert(0, parent[1])
        found = {'parent': parent[4]}
    return names


def hops(recording, direction):
    """The name of each hop, and its fields."""
    found = [(name, fields) for _, way, name, _, fields in recording['hops'] if way == direction]
    return [(name, [tuple(field) for field in fields]) for name, fields in found]


def check(case, recording):
    """What is true of every recording."""
    case.assertEqual(recording['notes'], [])
    case.assertLessEqual(recording['start'], recording['end'])
    for index, (_, _, start, end, parent, _, file, line) in enumerate(recording['spans']):
        case.assertLess(parent, index)
        case.assertTrue(recording['start'] <= start <= end <= recording['end'], recording['spans'][index])
        if parent >= 0:
            case.assertLessEqual(recording['spans'][parent][2], start)
        case.assertIs(type(file), str)
        case.assertIs(type(line), int)
    for index, *_ in recording['hops']:
        case.assertLess(index, len(recording['spans']))
