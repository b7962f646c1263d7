"""Finds things in the recording of a traced request, for tests."""


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
