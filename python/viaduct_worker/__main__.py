"""Entry point: `python viaduct_worker '<JSON options>'`. Only the server starts it."""

import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from viaduct_worker import zygote

del sys.path[:2]  # the second entry is the directory of this file, which Python added
try:
    zygote.main(json.loads(sys.argv[1]))
except ConnectionError:
    os._exit(1)  # the server is gone, so nobody is left who could read a report
