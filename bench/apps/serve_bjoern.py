"""bjoern has no command line: `python serve_bjoern.py MODULE:CALLABLE PORT`."""

import importlib
import sys

import bjoern

module, _, name = sys.argv[1].partition(":")
bjoern.run(getattr(importlib.import_module(module), name), "127.0.0.1", int(sys.argv[2]), listen_backlog=1024)
