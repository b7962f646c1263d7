"""The board in Bottle. Notes live in this process's memory: run it with one worker."""

import hashlib
import json
from itertools import count
from pathlib import Path

import bottle
from bottle import HTTPResponse, redirect, request, response, static_file, template

PAGE = """<!doctype html>
<html lang="en"><title>Board</title><h1>Board</h1>
% if saved:
<p>Saved.</p>
% end
<ul>\\\\
% for note in notes:
<li>{{note}}</li>\\\\
% end
</ul>
<form method="post" action="{{root}}/notes"><input name="text"><button>Add</button></form>
</html>
"""

application = bottle.Bottle()
notes = {}
numbers = count(1)


def root():
    return request.script_name.rstrip("/")


def as_json(value, status=200, **headers):
    return HTTPResponse(json.dumps(value), status, {"Content-Type": "application/json", **headers})


@application.get("/")
def index():
    response.delete_cookie("saved")
    return template(PAGE, notes=list(notes.values()), saved=request.get_cookie("saved"), root=root())


@application.post("/notes")
def add_note():
    notes[next(numbers)] = request.forms.text
    response.set_cookie("saved", "yes")
    response.set_cookie("visitor", "guest", httponly=True)
    redirect(f"{root()}/", 303)


@application.get("/api/notes")
def list_notes():
    listed = [{"id": number, "text": text} for number, text in notes.items()]
    return as_json(listed, **{"X-Notes": str(len(notes))})


@application.post("/api/notes")
def create_note():
    number = next(numbers)
    notes[number] = request.json["text"]
    return as_json({"id": number, "text": notes[number]}, 201, Location=f"{root()}/api/notes/{number}")


@application.get("/api/notes/<number:int>")
def show_note(number):
    if number not in notes:
        return as_json({"error": "no such note"}, 404)
    return as_json({"id": number, "text": notes[number]})


@application.delete("/api/notes/<number:int>")
def delete_note(number):
    notes.pop(number, None)
    return HTTPResponse(status=204)


@application.post("/upload")
def upload():
    file = request.files.file
    content = file.file.read()
    return {"name": file.raw_filename, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


@application.get("/download")
def download():
    response.content_type = "application/octet-stream"
    return (bytes([65 + i % 26]) * 16384 for i in range(64))


@application.get("/postcard")
def postcard():
    return static_file("postcard.txt", root=Path(__file__).parent.parent, mimetype="text/plain")


@application.get("/events")
def events():
    response.content_type = "text/event-stream"
    return (f"data: {i}\n\n".encode() for i in range(3))


@application.get("/hello/<name>")
def hello(name):
    response.content_type = "text/plain; charset=utf-8"
    return f"Hello, {name}!"


@application.get("/search")
def search():
    return {"q": request.query.q}


@application.get("/whoami")
def whoami():
    parts = request.urlparts
    return {"address": request.remote_addr, "scheme": parts.scheme, "host": parts.netloc, "root": root()}


@application.get("/old")
def old():
    redirect(f"{root()}/", 301)


@application.get("/broken")
def broken():
    raise RuntimeError("broken on purpose")
