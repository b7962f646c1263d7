"""Runs a suite's applications inside the suite's own process, behind the real server.

The server starts its Python processes as always. What it starts here is `interpreter.py`, which only hands the options
over to the suite's process: there the real `viaduct_worker` runs in a thread, with the WSGI callable that the suite gives.
"""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(1, str(ROOT / 'python'))
