"""One query of a database as a span, whatever sends it."""

import sys

from viaduct_worker.tracing.places import project_place
from viaduct_worker.tracing.texts import TEXT_MAX, safe_repr

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from viaduct_worker.tracing.recorder import Attributes, Recording, Span

SALT = object()
"""Hashes of parameters are not the same in two processes, so nobody can look for a value by its hash."""
WHOLE_MAX = (1 << 53) - 1
"""JavaScript has whole numbers of 53 bits."""
NAME_MAX = 80


def begin(
    recording: 'Recording', sql: object, parameters: object, vendor: str, many: bool = False, alias: str = ''
) -> 'Span':
    """Start the span of a query. `vendor` is a name of its database. The place is the project's line that led to it."""
    attributes: Attributes = {'vendor': vendor}
    name = 'SQL'
    place = ('', 0)
    try:
        text = sql if type(sql) is str else sql_text(sql)
        name = text if len(text) <= NAME_MAX else text[:NAME_MAX]
        attributes['sql'] = text if len(text) <= TEXT_MAX else text[:TEXT_MAX]
        if alias:
            attributes['alias'] = alias
        if parameters:
            attributes['parameters_hash'] = hash_of(parameters)
            if recording.with_parameters:
                attributes['parameters'] = safe_repr(parameters)
        if many:
            attributes['many'] = True
        place = project_place(sys._getframe(2))
    except Exception:
        recording.note('a query')
    return recording.begin('query', name, attributes, place)


def end(recording: 'Recording', span: 'Span', cursor: 'Any') -> None:
    """End the span of a query. `cursor` knows how many rows it has found or changed; most databases do."""
    try:
        rows = cursor.rowcount
        recording.end(span, {'rows': rows} if type(rows) is int and 0 <= rows <= WHOLE_MAX else None)
    except Exception:
        recording.note('the rows of a query')
        recording.end(span)


def sql_text(sql: object) -> str:
    """SQL that is not a str: bytes, or an object that psycopg composes."""
    return bytes(sql).decode('utf-8', 'replace') if isinstance(sql, (bytes, bytearray)) else str.__str__(str(sql))


def hash_of(parameters: 'Any') -> int:
    try:
        key = tuple(parameters.items()) if isinstance(parameters, dict) else tuple(parameters)
        return hash((SALT, key)) & WHOLE_MAX
    except TypeError:  # a list in it
        return hash((SALT, repr(parameters))) & WHOLE_MAX
