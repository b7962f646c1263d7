"""`python serve.py SERVER HOST PORT`: runs `probe:application` in one of the servers that a project may come from."""

import os
import shutil
import sys
from collections.abc import Callable

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
os.environ["PYTHONPATH"] = HERE
HOST = sys.argv[2] if __name__ == "__main__" else ""
TARGET = "probe:application"

CONFIGURATION = """
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule wsgi_module /usr/lib/apache2/modules/mod_wsgi.so
ServerRoot {directory}
DefaultRuntimeDir {directory}
PidFile {directory}/pid
ErrorLog {directory}/error.log
ServerName localhost
Listen {host}:{port}
{identity}
WSGISocketPrefix {directory}/wsgi
WSGIDaemonProcess probe processes=1 threads=4 python-path={directory}
WSGIProcessGroup probe
WSGIApplicationGroup %{{GLOBAL}}
WSGIScriptAlias / {directory}/probe.py
<Directory {directory}>
  Require all granted
</Directory>
"""


def _run(*command: str) -> Callable[[int], None]:
    """A server with a command of its own; `PORT` and `ADDRESS` stand for where it listens."""

    def start(port: int) -> None:
        words = [
            word.replace("ADDRESS", f"{HOST}:{port}")
            .replace("PORT", str(port))
            .replace("HOST", HOST)
            for word in command
        ]
        program = os.path.join(os.path.dirname(sys.executable), words[0])
        os.execv(program, words)

    return start


def _mod_wsgi(port: int) -> None:
    directory = os.environ["SERVE_DIRECTORY"]
    identity = "User www-data\nGroup www-data" if os.getuid() == 0 else ""
    path = os.path.join(directory, "apache.conf")
    shutil.copy(os.path.join(HERE, "probe.py"), directory)
    with open(path, "w") as file:
        file.write(
            CONFIGURATION.format(
                directory=directory, host=HOST, port=port, identity=identity
            )
        )
    os.execv("/usr/sbin/apache2", ["apache2", "-D", "FOREGROUND", "-f", path])


def _bjoern(port: int) -> None:
    import bjoern
    import probe

    bjoern.run(probe.application, HOST, port)


def _cheroot(port: int) -> None:
    import probe
    from cheroot.wsgi import Server

    Server((HOST, port), probe.application).start()


def _gevent(port: int) -> None:
    import probe
    from gevent.pywsgi import WSGIServer

    WSGIServer((HOST, port), probe.application, log=None).serve_forever()


def _wsgiref(port: int) -> None:
    from wsgiref.simple_server import make_server

    import probe

    make_server(HOST, port, probe.application).serve_forever()


def _werkzeug(port: int) -> None:
    import probe
    from werkzeug.serving import run_simple

    run_simple(HOST, port, probe.application, threaded=True)


def _django(port: int) -> None:
    import django
    from django.conf import settings
    from django.core.management import call_command

    settings.configure(
        WSGI_APPLICATION="probe.application", ALLOWED_HOSTS=["*"], ROOT_URLCONF="probe"
    )
    django.setup()
    call_command("runserver", f"{HOST}:{port}", use_reloader=False, skip_checks=True)


def _tornado(port: int) -> None:
    import asyncio

    import probe
    from tornado.httpserver import HTTPServer
    from tornado.wsgi import WSGIContainer

    async def main() -> None:
        HTTPServer(WSGIContainer(probe.application)).listen(port, HOST)
        await asyncio.Event().wait()

    asyncio.run(main())


def _a2wsgi(port: int) -> None:
    import probe
    import uvicorn
    from a2wsgi import WSGIMiddleware

    uvicorn.run(
        WSGIMiddleware(probe.application), host=HOST, port=port, log_level="warning"
    )


SERVERS: dict[str, Callable[[int], None]] = {
    "gunicorn": _run("gunicorn", "--bind", "ADDRESS", TARGET),
    "gunicorn-gthread": _run("gunicorn", "--bind", "ADDRESS", "--threads", "4", TARGET),
    "granian": _run(
        "granian", "--interface", "wsgi", "--host", "HOST", "--port", "PORT", TARGET
    ),
    "uwsgi": _run(
        "uwsgi",
        "--http-socket",
        "ADDRESS",
        "--master",
        "--threads",
        "4",
        "--need-app",
        "--module",
        TARGET,
    ),
    "uwsgi-http": _run(
        "uwsgi",
        "--http",
        "ADDRESS",
        "--master",
        "--threads",
        "4",
        "--need-app",
        "--module",
        TARGET,
    ),
    "mod_wsgi": _mod_wsgi,
    "waitress": _run("waitress-serve", "--listen", "ADDRESS", TARGET),
    "bjoern": _bjoern,
    "cheroot": _cheroot,
    "gevent": _gevent,
    "wsgiref": _wsgiref,
    "werkzeug": _werkzeug,
    "django": _django,
    "twisted": _run(
        "twist",
        "web",
        "--listen",
        "tcp:PORT:interface=HOST",
        "--wsgi",
        "probe.application",
    ),
    "tornado": _tornado,
    "a2wsgi": _a2wsgi,
    "hypercorn": _run("hypercorn", "--bind", "ADDRESS", f"wsgi:{TARGET}"),
}

if __name__ == "__main__":
    SERVERS[sys.argv[1]](int(sys.argv[3]))
