"""The board in Pyramid. Notes live in this process's memory: run it with one worker."""

import hashlib
from html import escape
from itertools import count
from pathlib import Path

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPMethodNotAllowed, HTTPMovedPermanently, HTTPSeeOther
from pyramid.response import FileResponse, Response
from pyramid.view import view_config

PAGE = """<!doctype html>
<html lang="en"><title>Board</title><h1>Board</h1>{saved}
<ul>{notes}</ul>
<form method="post" action="{action}"><input name="text"><button>Add</button></form>
</html>
"""

notes = {}
numbers = count(1)


@view_config(route_name="index")
def index(request):
    items = "".join(f"<li>{escape(note)}</li>" for note in notes.values())
    saved = "<p>Saved.</p>" if request.cookies.get("saved") else ""
    response = Response(PAGE.format(saved=saved, notes=items, action=request.route_path("form")))
    response.delete_cookie("saved")
    return response


@view_config(route_name="form", request_method="POST")
def add_note(request):
    notes[next(numbers)] = request.POST["text"]
    response = HTTPSeeOther(request.route_path("index"))
    response.set_cookie("saved", "yes")
    response.set_cookie("visitor", "guest", httponly=True)
    return response


@view_config(route_name="notes", request_method="GET", renderer="json")
def list_notes(request):
    request.response.headers["X-Notes"] = str(len(notes))
    return [{"id": number, "text": text} for number, text in notes.items()]


@view_config(route_name="notes", request_method="POST", renderer="json")
def create_note(request):
    number = next(numbers)
    notes[number] = request.json_body["text"]
    request.response.status = 201
    request.response.location = request.route_path("note", number=number)
    return {"id": number, "text": notes[number]}


@view_config(route_name="notes")
def refuse(request):
    return HTTPMethodNotAllowed(headers={"Allow": "GET, POST"})


@view_config(route_name="note", request_method="GET", renderer="json")
def show_note(request):
    number = int(request.matchdict["number"])
    if number not in notes:
        request.response.status = 404
        return {"error": "no such note"}
    return {"id": number, "text": notes[number]}


@view_config(route_name="note", request_method="DELETE")
def delete_note(request):
    notes.pop(int(request.matchdict["number"]), None)
    return Response(status=204)


@view_config(route_name="upload", request_method="POST", renderer="json")
def upload(request):
    field = request.POST["file"]
    content = field.file.read()
    return {"name": field.filename, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


@view_config(route_name="download")
def download(request):
    blocks = (bytes([65 + i % 26]) * 16384 for i in range(64))
    return Response(app_iter=blocks, content_type="application/octet-stream")


@view_config(route_name="postcard")
def postcard(request):
    path = Path(__file__).parent.parent / "postcard.txt"
    return FileResponse(path, request=request, content_type="text/plain")


@view_config(route_name="events")
def events(request):
    blocks = (f"data: {i}\n\n".encode() for i in range(3))
    return Response(app_iter=blocks, content_type="text/event-stream")


@view_config(route_name="hello")
def hello(request):
    return Response(f"Hello, {request.matchdict['name']}!", content_type="text/plain", charset="utf-8")


@view_config(route_name="search", renderer="json")
def search(request):
    return {"q": request.GET.get("q", "")}


@view_config(route_name="whoami", renderer="json")
def whoami(request):
    root = request.script_name
    return {"address": request.remote_addr, "scheme": request.scheme, "host": request.host, "root": root}


@view_config(route_name="old")
def old(request):
    return HTTPMovedPermanently(request.route_path("index"))


@view_config(route_name="broken")
def broken(request):
    raise RuntimeError("broken on purpose")


def make_app():
    with Configurator() as config:
        config.add_route("index", "/")
        config.add_route("form", "/notes")
        config.add_route("notes", "/api/notes")
        config.add_route("note", r"/api/notes/{number:\d+}")
        config.add_route("hello", "/hello/{name}")
        for name in ("upload", "download", "postcard", "events", "search", "whoami", "old", "broken"):
            config.add_route(name, f"/{name}")
        config.scan("app")
        return config.make_wsgi_app()


application = make_app()
