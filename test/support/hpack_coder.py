"""Encodes and decodes stories, which are sequences of field sections over one table, with the package `hpack`.

Each line of standard input is a story in JSON, each line of standard output its answer, in the same order:

    {"encode": [{"fields": [[name, value, never_indexed], …], "huffman": true, "tableBytes": 100}, …]}  ->  [hex, …]
    {"decode": [{"octets": hex, "tableBytes": 100}, …]}  ->  [[[name, value, never_indexed], …], …]

`tableBytes` is what the decoder allows from that section on. Each character of a string is an octet. Where a section is wrong, its answer is
a string with the reason, and the story ends there.
"""

import json
import sys
from typing import Any

from hpack import Decoder, Encoder, HeaderTuple, HPACKError, NeverIndexedHeaderTuple

Section = dict[str, Any]


def encode(sections: list[Section]) -> list[str]:
    encoder = Encoder()
    answers = []
    for section in sections:
        if 'tableBytes' in section:
            encoder.header_table_size = section['tableBytes']
        fields = [
            (NeverIndexedHeaderTuple if never_indexed else HeaderTuple)(name.encode('latin-1'), value.encode('latin-1'))
            for name, value, never_indexed in section['fields']
        ]
        answers.append(encoder.encode(fields, section['huffman']).hex())
    return answers


def decode(sections: list[Section]) -> list[Any]:
    decoder = Decoder(max_header_list_size=1 << 24)
    answers: list[Any] = []
    for section in sections:
        if 'tableBytes' in section:
            decoder.max_allowed_table_size = section['tableBytes']
        try:
            fields = list(decoder.decode(bytes.fromhex(section['octets']), raw=True))
        except HPACKError as error:
            answers.append(f'{type(error).__name__}: {error}')
            break
        answers.append(
            [[bytes(f[0]).decode('latin-1'), bytes(f[1]).decode('latin-1'), not f.indexable] for f in fields],
        )
    return answers


for line in sys.stdin:
    story = json.loads(line)
    print(json.dumps(encode(story['encode']) if 'encode' in story else decode(story['decode'])), flush=True)
