"""What happens inside Python while a traced request runs: this package records it, and no line of the project changes.

Nothing here is imported before the first traced request of a worker. `install.py` then puts recorders around functions
of the modules that the application has imported. A request that is not traced passes them with one look at a context
variable. `recorder.py` says how a recording looks when it leaves the worker.
"""
