"""Entry point. Only the server starts it: `python viaduct_worker '<JSON options>'` is a zygote.

With `--wait '<JSON target>' [DESCRIPTOR]` it first finds the project, as inspect_project.py does, and then waits, with
everything imported, for the options of its zygote. Meanwhile the server loads its own code. The descriptor becomes
standard error as soon as signals have no effect.
"""

import json
import os
import sys

if sys.version_info < (3, 10):
    os._exit(1)  # the server asks again with inspect_project.py, and reports the version

# The compiled files of this package are its own: PYTHONDONTWRITEBYTECODE is for those of the project.
writes_none = sys.dont_write_bytecode
sys.dont_write_bytecode = False
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
if sys.argv[1] == '--wait':
    from viaduct_worker import waiting

    errors = int(sys.argv[3]) if len(sys.argv) > 3 else None
    inspector = waiting.start_inspector(json.loads(sys.argv[2]), writes_none, errors)
    from viaduct_worker import interface, zygote

    options = waiting.wait(inspector)
else:
    from viaduct_worker import interface, zygote

    options = json.loads(sys.argv[1])
interface.install()
interface.process.is_running = True
del sys.path[:2]  # the second entry is the directory of this file, which Python added
sys.dont_write_bytecode = writes_none
try:
    zygote.main(options)
except ConnectionError:
    os._exit(1)  # the server is gone, so nobody is left who could read a report
