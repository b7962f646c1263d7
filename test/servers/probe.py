"""What an application says to its server, and what it sees: the field `X-Do` of a request names what it does."""

import json
import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any

Environ = dict[str, Any]
StartResponse = Callable[..., Callable[[bytes], object]]
TEXT = [("Content-Type", "text/plain")]


def _shown(value: object) -> object:
    """A value as JSON can hold it; an object is shown by its type."""
    if isinstance(value, (str, bool, int, float, type(None))):
        return value
    if isinstance(value, (tuple, list)):
        return [_shown(item) for item in value]
    kind = type(value)
    return f"<{kind.__module__}.{kind.__qualname__}>"


def _report(
    environ: Environ, start_response: StartResponse, content: object = None
) -> list[bytes]:
    seen = {
        key: _shown(value)
        for key, value in environ.items()
        if os.environ.get(key) != value
    }
    if len(seen) < len(environ):
        seen["(environment)"] = "the variables of its process"
    block = json.dumps(
        {"environ": seen, "type": type(environ).__name__, "content": content}
    ).encode()
    start_response(
        "200 OK",
        [("Content-Type", "application/json"), ("Content-Length", str(len(block)))],
    )
    return [block]


def _read_length(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    length = environ.get("CONTENT_LENGTH")
    content = environ["wsgi.input"].read(int(length)).decode() if length else None
    return _report(environ, start_response, content)


def _read_all(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    return _report(environ, start_response, environ["wsgi.input"].read().decode())


def _read_lines(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    return _report(
        environ, start_response, [line.decode() for line in environ["wsgi.input"]]
    )


def _answer(
    body: Iterable[bytes] | Callable[[], Iterable[bytes]],
    fields: list[tuple[str, str]] | None = None,
    status: str = "200 OK",
) -> Callable[[Environ, StartResponse], Iterable[bytes]]:
    def run(_environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response(status, TEXT if fields is None else fields)
        return body() if callable(body) else body

    return run


def _three() -> Iterator[bytes]:
    yield b"one"
    yield b"two"
    yield b"three"


def _raising() -> Iterator[bytes]:
    yield b"part"
    raise RuntimeError("in the middle")


def _raise(_environ: Environ, _start_response: StartResponse) -> Iterable[bytes]:
    raise RuntimeError("at once")


def _late(_environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
    start_response("201 Created", TEXT)
    yield b"late"


def _write(_environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    write = start_response("200 OK", TEXT)
    write(b"w1")
    write(b"w2")
    return [b"returned"]


def _hint(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    send = environ.get("wsgi.early_hints")
    if send is not None:
        send([("Link", "</style.css>; rel=preload")])
    start_response("200 OK", [*TEXT, ("Content-Length", "2")])
    return [b"ok"]


def _send_file(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", TEXT)
    file = open(__file__, "rb")
    wrapper = environ.get("wsgi.file_wrapper")
    return [file.read()] if wrapper is None else wrapper(file)


def _with(*fields: tuple[str, str]) -> list[tuple[str, str]]:
    return [*TEXT, ("Content-Length", "2"), *fields]


ACTIONS: dict[str, Callable[[Environ, StartResponse], Iterable[bytes]]] = {
    "report": _report,
    "read-length": _read_length,
    "read-all": _read_all,
    "read-lines": _read_lines,
    "three": _answer(_three),
    "one": _answer([b"ok"]),
    "two": _answer([b"ab", b"cd"]),
    "tuple": _answer((b"ab",)),
    "empty": _answer([]),
    "empty-blocks": _answer([b"", b"ab", b"", b"cd"]),
    "bytearray": _answer([bytearray(b"ab")]),
    "str": _answer(["text"]),  # an error that applications make
    "bytes": _answer(b"bytes"),  # iterating over bytes gives numbers
    "no-type": _answer([b"ok"], []),
    "204-content": _answer([b"x"], [], "204 No Content"),
    "204-length": _answer([], [("Content-Length", "0")], "204 No Content"),
    "304-length": _answer(
        [], [("Content-Length", "5"), ("ETag", '"a"')], "304 Not Modified"
    ),
    "5-for-3": _answer([b"abcde"], [*TEXT, ("Content-Length", "3")]),
    "5-for-3-blocks": _answer(
        lambda: iter([b"ab", b"cde"]), [*TEXT, ("Content-Length", "3")]
    ),
    "3-for-5": _answer([b"abc"], [*TEXT, ("Content-Length", "5")]),
    "no-reason": _answer([b"ok"], _with(), "200"),
    "space-for-reason": _answer([b"ok"], _with(), "200 "),
    "unknown-status": _answer([b"ok"], _with(), "299 Weird"),
    "latin-reason": _answer([b"ok"], _with(), "200 caf\xe9"),
    "latin-field": _answer([b"ok"], _with(("X-Latin", "caf\xe9"))),
    "empty-field": _answer([b"ok"], _with(("X-Empty", ""))),
    "own-fields": _answer(
        [b"ok"], _with(("Server", "mine"), ("Date", "Thu, 01 Jan 1970 00:00:00 GMT"))
    ),
    "close": _answer([b"ok"], _with(("Connection", "close"))),
    "keep-alive": _answer([b"ok"], _with(("Connection", "keep-alive"))),
    "raise": _raise,
    "raise-later": _answer(_raising),
    "late": _late,
    "write": _write,
    "hint": _hint,
    "file": _send_file,
}


def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    return ACTIONS[environ.get("HTTP_X_DO", "report")](environ, start_response)
