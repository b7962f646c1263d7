"""The Python part of Viaduct: it loads a WSGI application and runs the application for the server.

Standard library only. One zygote process imports the application and forks the workers (zygote.py). A worker has one
lane, a Unix socket, per thread (worker.py, lane.py). A Call is one request under PEP 3333 (call.py). The server also
runs inspect_project.py, which finds the application, and notify.py, which reports to the service manager.

`TYPE_CHECKING` is a constant in each file, and annotations of names that only type checkers import are quoted. So a
start imports neither `typing` nor messages.py.
"""
