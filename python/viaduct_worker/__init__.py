"""The Python half of Viaduct: loads a WSGI application and runs it for the front process.

Standard library only. One zygote process imports the application and forks the workers (zygote.py); a worker has one
lane, a Unix socket, per thread (worker.py, lane.py); an Exchange is one request under PEP 3333 (exchange.py).
"""
