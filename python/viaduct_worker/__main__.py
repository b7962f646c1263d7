"""Entry point. Only the server starts it: `python viaduct_worker '<JSON options>' [DESCRIPTOR]` is a zygote.

With `--wait '<JSON target>' [DESCRIPTOR]` it first finds the project, as inspect_project.py does, and then waits, with
everything imported, for the options of its zygote. Meanwhile the server loads its own code. The descriptor becomes
standard error as soon as signals have no effect.

This package is imported at once, also where the user makes all imports lazy (PEP 810): the application could replace
what a later import would find.
"""

import json
import os
import sys

if sys.version_info < (3, 10):
    os._exit(1)  # the server asks again with inspect_project.py, and reports the version

# The compiled files of this package are its own: PYTHONDONTWRITEBYTECODE is for those of the project.
writes_none = sys.dont_write_bytecode
sys.dont_write_bytecode = False
own = os.path.dirname(os.path.abspath(__file__))
sys.path[:] = [os.path.dirname(own), *(path for path in sys.path if path != own)]
set_laziness = getattr(sys, 'set_lazy_imports', str)  # before Python 3.15, nothing is lazy
laziness = getattr(sys, 'get_lazy_imports', str)()
set_laziness('normal')
from viaduct_worker import early_patches  # noqa: E402  # it is found only now

early_patches.undo()
from viaduct_worker import waiting  # noqa: E402  # it imports what undo has put back

errors = int(sys.argv[-1]) if sys.argv[-1].isdigit() else None
if sys.argv[1] == '--wait':
    inspector = waiting.start_inspector(json.loads(sys.argv[2]), writes_none, errors)
    from viaduct_worker import interface, zygote

    options = waiting.wait(inspector)
else:
    waiting.take_signals(errors)
    from viaduct_worker import interface, zygote

    options = json.loads(sys.argv[1])
early_patches.redo()
interface.install()
interface.process.is_running = True
del sys.path[0]
set_laziness(laziness)
sys.dont_write_bytecode = writes_none
try:
    zygote.main(options)
except ConnectionError:
    os._exit(1)  # the server is gone, so nobody is left who could read a report
