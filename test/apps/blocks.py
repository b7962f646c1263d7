"""Answers with N blocks of 64 KiB: `/blocks?generator+N` one after another, `/blocks?list+N` as one block.

`/blocks?produced` answers with the number of blocks that all generators have made, `/blocks?hello` with a word.
"""

BLOCK = bytes(range(256)) * 256
produced = 0


def application(environ, start_response):
    kind, _, number = environ['QUERY_STRING'].partition('+')
    start_response('200 OK', [('Content-Type', 'application/octet-stream')])
    if kind == 'generator':
        return generate(int(number))
    if kind == 'list':
        return [BLOCK * int(number)]
    return [str(produced).encode() if kind == 'produced' else b'hello']


def generate(number):
    global produced
    for _ in range(number):
        produced += 1
        yield BLOCK
