"""Entry point: `python viaduct_worker '<JSON options>'`, started by the front process only."""

import json
import os
import sys

package = os.path.dirname(os.path.abspath(__file__))
sys.path[0] = os.path.dirname(package)
from viaduct_worker import zygote  # noqa: E402  (the package's parent must be on the path first)

del sys.path[0]
try:
    zygote.main(json.loads(sys.argv[1]))
except ConnectionError:
    os._exit(1)  # the front is gone, and with it everybody who could want to know
