"""The board in Flask. Notes live in this process's memory: run it with one worker."""

import hashlib
from itertools import count
from pathlib import Path

from flask import Flask, Response, jsonify, make_response, redirect, render_template_string, request, send_file, url_for

PAGE = """<!doctype html>
<html lang="en"><title>Board</title><h1>Board</h1>{% if saved %}<p>Saved.</p>{% endif %}
<ul>{% for note in notes %}<li>{{ note }}</li>{% endfor %}</ul>
<form method="post" action="{{ url_for('add_note') }}"><input name="text"><button>Add</button></form>
</html>
"""

app = Flask(__name__)
notes = {}
numbers = count(1)


@app.get("/")
def index():
    response = make_response(render_template_string(PAGE, notes=notes.values(), saved=request.cookies.get("saved")))
    response.delete_cookie("saved")
    return response


@app.post("/notes")
def add_note():
    notes[next(numbers)] = request.form["text"]
    response = redirect(url_for("index"), 303)
    response.set_cookie("saved", "yes")
    response.set_cookie("visitor", "guest", httponly=True)
    return response


@app.get("/api/notes")
def list_notes():
    listed = jsonify([{"id": number, "text": text} for number, text in notes.items()])
    return listed, {"X-Notes": str(len(notes))}


@app.post("/api/notes")
def create_note():
    number = next(numbers)
    notes[number] = request.json["text"]
    answer = jsonify(id=number, text=notes[number])
    return answer, 201, {"Location": url_for("show_note", number=number)}


@app.get("/api/notes/<int:number>")
def show_note(number):
    if number not in notes:
        return jsonify(error="no such note"), 404
    return jsonify(id=number, text=notes[number])


@app.delete("/api/notes/<int:number>")
def delete_note(number):
    notes.pop(number, None)
    return "", 204


@app.post("/upload")
def upload():
    file = request.files["file"]
    content = file.read()
    return jsonify(name=file.filename, size=len(content), sha256=hashlib.sha256(content).hexdigest())


@app.get("/download")
def download():
    blocks = (bytes([65 + i % 26]) * 16384 for i in range(64))
    return Response(blocks, mimetype="application/octet-stream")


@app.get("/postcard")
def postcard():
    return send_file(Path(__file__).parent.parent / "postcard.txt", mimetype="text/plain")


@app.get("/events")
def events():
    return Response((f"data: {i}\n\n" for i in range(3)), mimetype="text/event-stream")


@app.get("/hello/<name>")
def hello(name):
    return Response(f"Hello, {name}!", mimetype="text/plain")


@app.get("/search")
def search():
    return jsonify(q=request.args.get("q", ""))


@app.get("/whoami")
def whoami():
    return jsonify(address=request.remote_addr, scheme=request.scheme, host=request.host, root=request.root_path)


@app.get("/old")
def old():
    return redirect(url_for("index"), 301)


@app.get("/broken")
def broken():
    raise RuntimeError("broken on purpose")
