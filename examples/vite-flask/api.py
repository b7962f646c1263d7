"""The API behind a page that Vite serves. It does not know where it is mounted."""

from flask import Flask, jsonify, request, url_for

app = Flask(__name__)
notes = []


@app.get("/notes")
def list_notes():
    return jsonify(notes=notes, add=url_for("add_note"))


@app.post("/notes")
def add_note():
    notes.append(request.get_json()["text"])
    return jsonify(notes=notes), 201
