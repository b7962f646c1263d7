#!/usr/bin/env bash
# hpack 4.2.0 (Python): a field that is marked as never indexed leaves as an index if an equal field without the mark came before.
#
# Guess: NeverIndexedHeaderTuple always becomes a literal of the form "never indexed" (RFC 7541 section 6.2.3), because this form is all
# that the mark is for.
# Behaviour: the encoder looks for name and value in its tables before it looks at the mark. If it finds them, it writes the index, and the
# next recipient does not learn that the field is sensitive.
# Why it surprises: the same call gives another form, depending on what was sent earlier on the connection.
# What to do: mark a field whenever it is sent, from the first time on; or decide by the field's name, so that no call can forget the mark.
#
# Prints the version and the octets; fails if the behaviour changes.
set -euo pipefail

directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"

python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check hpack==4.2.0
venv/bin/python - <<'PY'
import hpack

NEVER_INDEXED = 0x10
INDEXED = 0x80
alone = hpack.Encoder().encode([hpack.NeverIndexedHeaderTuple('x-token', 'abc')])
encoder = hpack.Encoder()
encoder.encode([('x-token', 'abc')])
after = encoder.encode([hpack.NeverIndexedHeaderTuple('x-token', 'abc')])
print(f'hpack {hpack.__version__}: marked field alone: {alone.hex()}; after an equal field without the mark: {after.hex()}')
raise SystemExit(0 if alone[0] & 0xF0 == NEVER_INDEXED and after[0] & INDEXED else 1)
PY
