"""Calls `start_response` with the values of the query, which is percent-encoded JSON: [status, headers, blocks].

`headers` is a list of pairs; other values are passed on unchanged. If a fourth item is true, the blocks come from a generator.
"""

import json
from urllib.parse import unquote


def application(environ, start_response):
    status, headers, blocks, *lazily = json.loads(unquote(environ['QUERY_STRING']))
    pairs = [tuple(pair) if type(pair) is list else pair for pair in headers] if type(headers) is list else headers
    start_response(status, pairs)
    body = [block.encode() for block in blocks]
    return (block for block in body) if lazily else body
