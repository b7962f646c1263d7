"""The board in Django, in one file. Notes live in this process's memory: run it with one worker."""

import hashlib
import json
from itertools import count
from pathlib import Path

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import FileResponse, HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.template import engines
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods

settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="for an example only",
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
)
django.setup()

PAGE = """<!doctype html>
<html lang="en"><title>Board</title><h1>Board</h1>{% if saved %}<p>Saved.</p>{% endif %}
<ul>{% for note in notes %}<li>{{ note }}</li>{% endfor %}</ul>
<form method="post" action="{% url 'add_note' %}"><input name="text"><button>Add</button></form>
</html>
"""

notes = {}
numbers = count(1)


def index(request):
    context = {"notes": list(notes.values()), "saved": request.COOKIES.get("saved")}
    response = HttpResponse(engines["django"].from_string(PAGE).render(context, request))
    response.delete_cookie("saved")
    return response


@require_http_methods(["POST"])
def add_note(request):
    notes[next(numbers)] = request.POST["text"]
    response = HttpResponse(status=303, headers={"Location": reverse("index")})
    response.set_cookie("saved", "yes")
    response.set_cookie("visitor", "guest", httponly=True)
    return response


@require_http_methods(["GET", "POST"])
def api_notes(request):
    if request.method == "GET":
        listed = [{"id": number, "text": text} for number, text in notes.items()]
        return JsonResponse(listed, safe=False, headers={"X-Notes": str(len(notes))})
    number = next(numbers)
    notes[number] = json.loads(request.body)["text"]
    location = reverse("api_note", args=[number])
    return JsonResponse({"id": number, "text": notes[number]}, status=201, headers={"Location": location})


@require_http_methods(["GET", "DELETE"])
def api_note(request, number):
    if request.method == "DELETE":
        notes.pop(number, None)
        return HttpResponse(status=204)
    if number not in notes:
        return JsonResponse({"error": "no such note"}, status=404)
    return JsonResponse({"id": number, "text": notes[number]})


@require_http_methods(["POST"])
def upload(request):
    file = request.FILES["file"]
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    return JsonResponse({"name": file.name, "size": file.size, "sha256": digest.hexdigest()})


def download(request):
    blocks = (bytes([65 + i % 26]) * 16384 for i in range(64))
    return StreamingHttpResponse(blocks, content_type="application/octet-stream")


def postcard(request):
    return FileResponse((Path(__file__).parent.parent / "postcard.txt").open("rb"), content_type="text/plain")


def events(request):
    return StreamingHttpResponse((f"data: {i}\n\n" for i in range(3)), content_type="text/event-stream")


def hello(request, name):
    return HttpResponse(f"Hello, {name}!", content_type="text/plain; charset=utf-8")


def search(request):
    return JsonResponse({"q": request.GET.get("q", "")})


def whoami(request):
    address, root = request.META["REMOTE_ADDR"], request.META["SCRIPT_NAME"]
    return JsonResponse({"address": address, "scheme": request.scheme, "host": request.get_host(), "root": root})


def old(request):
    return redirect("index", permanent=True)


def broken(request):
    raise RuntimeError("broken on purpose")


urlpatterns = [
    path("", index, name="index"),
    path("notes", add_note, name="add_note"),
    path("api/notes", api_notes),
    path("api/notes/<int:number>", api_note, name="api_note"),
    path("upload", upload),
    path("download", download),
    path("postcard", postcard),
    path("events", events),
    path("hello/<str:name>", hello),
    path("search", search),
    path("whoami", whoami),
    path("old", old),
    path("broken", broken),
]

application = get_wsgi_application()
