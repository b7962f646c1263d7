"""The board without a framework. Notes live in this process's memory: run it with one worker."""

import hashlib
import json
import re
from email.parser import BytesParser
from html import escape
from http import HTTPStatus
from http.cookies import SimpleCookie
from itertools import count
from pathlib import Path
from urllib.parse import parse_qs

PAGE = """<!doctype html>
<html lang="en"><title>Board</title><h1>Board</h1>{saved}
<ul>{notes}</ul>
<form method="post" action="{root}/notes"><input name="text"><button>Add</button></form>
</html>
"""

notes = {}
numbers = count(1)


def text(body, kind="text/plain", status=200, headers=()):
    return status, [("Content-Type", f"{kind}; charset=utf-8"), *headers], [body.encode()]


def as_json(value, status=200, headers=()):
    return status, [("Content-Type", "application/json"), *headers], [json.dumps(value).encode()]


def index(environ):
    items = "".join(f"<li>{escape(note)}</li>" for note in notes.values())
    saved = "<p>Saved.</p>" if "saved" in SimpleCookie(environ.get("HTTP_COOKIE", "")) else ""
    page = PAGE.format(saved=saved, notes=items, root=environ["SCRIPT_NAME"])
    return text(page, "text/html", headers=[("Set-Cookie", "saved=; Max-Age=0; Path=/")])


def add_note(environ):
    notes[next(numbers)] = parse_qs(environ["wsgi.input"].read().decode())["text"][0]
    cookies = [("Set-Cookie", "saved=yes; Path=/"), ("Set-Cookie", "visitor=guest; HttpOnly; Path=/")]
    return 303, [("Location", environ["SCRIPT_NAME"] + "/"), *cookies], []


def list_notes(environ):
    listed = [{"id": number, "text": note} for number, note in notes.items()]
    return as_json(listed, headers=[("X-Notes", str(len(notes)))])


def create_note(environ):
    number = next(numbers)
    notes[number] = json.load(environ["wsgi.input"])["text"]
    location = f"{environ['SCRIPT_NAME']}/api/notes/{number}"
    return as_json({"id": number, "text": notes[number]}, 201, [("Location", location)])


def show_note(environ, number):
    if int(number) not in notes:
        return as_json({"error": "no such note"}, 404)
    return as_json({"id": int(number), "text": notes[int(number)]})


def delete_note(environ, number):
    notes.pop(int(number), None)
    return 204, [], []


def upload(environ):
    head = f"Content-Type: {environ['CONTENT_TYPE']}\r\n\r\n".encode()
    form = BytesParser().parsebytes(head + environ["wsgi.input"].read())
    part = form.get_payload()[0]
    content = part.get_payload(decode=True)
    return as_json({"name": part.get_filename(), "size": len(content), "sha256": hashlib.sha256(content).hexdigest()})


def download(environ):
    blocks = (bytes([65 + i % 26]) * 16384 for i in range(64))
    return 200, [("Content-Type", "application/octet-stream")], blocks


def postcard(environ):
    file = (Path(__file__).parent.parent / "postcard.txt").open("rb")
    return 200, [("Content-Type", "text/plain")], environ["wsgi.file_wrapper"](file)


def events(environ):
    return 200, [("Content-Type", "text/event-stream")], (f"data: {i}\n\n".encode() for i in range(3))


def hello(environ, name):
    return text(f"Hello, {name}!")


def search(environ):
    return as_json({"q": parse_qs(environ["QUERY_STRING"]).get("q", [""])[0]})


def whoami(environ):
    keys = {"address": "REMOTE_ADDR", "scheme": "wsgi.url_scheme", "host": "HTTP_HOST", "root": "SCRIPT_NAME"}
    return as_json({name: environ[key] for name, key in keys.items()})


def old(environ):
    return 301, [("Location", environ["SCRIPT_NAME"] + "/")], []


def broken(environ):
    raise RuntimeError("broken on purpose")


ROUTES = [
    (r"/", {"GET": index}),
    (r"/notes", {"POST": add_note}),
    (r"/api/notes", {"GET": list_notes, "POST": create_note}),
    (r"/api/notes/(\d+)", {"GET": show_note, "DELETE": delete_note}),
    (r"/upload", {"POST": upload}),
    (r"/hello/([^/]+)", {"GET": hello}),
    *((f"/{view.__name__}", {"GET": view}) for view in (download, postcard, events, search, whoami, old, broken)),
]


def application(environ, start_response):
    path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace") or "/"
    method = "GET" if environ["REQUEST_METHOD"] == "HEAD" else environ["REQUEST_METHOD"]
    status, headers, body = text("Not Found\n", status=404)
    for pattern, methods in ROUTES:
        match = re.fullmatch(pattern, path)
        if match is None:
            continue
        if method in methods:
            status, headers, body = methods[method](environ, *match.groups())
        else:
            status, headers, body = text("Method Not Allowed\n", status=405, headers=[("Allow", ", ".join(methods))])
        break
    start_response(f"{status} {HTTPStatus(status).phrase}", headers)
    return body
