"""The board in Falcon. Notes live in this process's memory: run it with one worker."""

import hashlib
from html import escape
from itertools import count
from pathlib import Path

import falcon

PAGE = """<!doctype html>
<html lang="en"><title>Board</title><h1>Board</h1>{saved}
<ul>{notes}</ul>
<form method="post" action="{root}/notes"><input name="text"><button>Add</button></form>
</html>
"""

notes = {}
numbers = count(1)


class Index:
    def on_get(self, request, response):
        items = "".join(f"<li>{escape(note)}</li>" for note in notes.values())
        saved = "<p>Saved.</p>" if request.cookies.get("saved") else ""
        response.unset_cookie("saved")
        response.content_type = falcon.MEDIA_HTML
        response.text = PAGE.format(saved=saved, notes=items, root=request.root_path)


class Form:
    def on_post(self, request, response):
        notes[next(numbers)] = request.get_media()["text"]
        response.set_cookie("saved", "yes", secure=False)
        response.set_cookie("visitor", "guest", secure=False, http_only=True)
        response.status = falcon.HTTP_303
        response.location = f"{request.root_path}/"


class Notes:
    def on_get(self, request, response):
        response.set_header("X-Notes", str(len(notes)))
        response.media = [{"id": number, "text": text} for number, text in notes.items()]

    def on_post(self, request, response):
        number = next(numbers)
        notes[number] = request.get_media()["text"]
        response.status = falcon.HTTP_201
        response.location = f"{request.root_path}/api/notes/{number}"
        response.media = {"id": number, "text": notes[number]}


class Note:
    def on_get(self, request, response, number):
        if number in notes:
            response.media = {"id": number, "text": notes[number]}
        else:
            response.status = falcon.HTTP_404
            response.media = {"error": "no such note"}

    def on_delete(self, request, response, number):
        notes.pop(number, None)
        response.status = falcon.HTTP_204


class Upload:
    def on_post(self, request, response):
        for part in request.get_media():
            content = part.stream.read()
            digest = hashlib.sha256(content).hexdigest()
            response.media = {"name": part.filename, "size": len(content), "sha256": digest}


class Download:
    def on_get(self, request, response):
        response.content_type = "application/octet-stream"
        response.stream = (bytes([65 + i % 26]) * 16384 for i in range(64))


class Postcard:
    def on_get(self, request, response):
        path = Path(__file__).parent.parent / "postcard.txt"
        response.content_type = falcon.MEDIA_TEXT
        response.set_stream(path.open("rb"), path.stat().st_size)


class Events:
    def on_get(self, request, response):
        response.content_type = "text/event-stream"
        response.stream = (f"data: {i}\n\n".encode() for i in range(3))


class Hello:
    def on_get(self, request, response, name):
        response.content_type = falcon.MEDIA_TEXT
        response.text = f"Hello, {name}!"


class Search:
    def on_get(self, request, response):
        response.media = {"q": request.get_param("q", default="")}


class WhoAmI:
    def on_get(self, request, response):
        response.media = {
            "address": request.remote_addr,
            "scheme": request.scheme,
            "host": request.netloc,
            "root": request.root_path,
        }


class Old:
    def on_get(self, request, response):
        raise falcon.HTTPMovedPermanently(f"{request.root_path}/")


class Broken:
    def on_get(self, request, response):
        raise RuntimeError("broken on purpose")


application = falcon.App()
application.req_options.strip_url_path_trailing_slash = False
application.add_route("/", Index())
application.add_route("/notes", Form())
application.add_route("/api/notes", Notes())
application.add_route("/api/notes/{number:int}", Note())
application.add_route("/upload", Upload())
application.add_route("/download", Download())
application.add_route("/postcard", Postcard())
application.add_route("/events", Events())
application.add_route("/hello/{name}", Hello())
application.add_route("/search", Search())
application.add_route("/whoami", WhoAmI())
application.add_route("/old", Old())
application.add_route("/broken", Broken())
