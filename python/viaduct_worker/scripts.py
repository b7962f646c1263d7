"""Scripts of mod_wsgi: modules whose files end in `.wsgi`, which Python's import does not look for."""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import ModuleType

SCRIPT = '.wsgi'


def offer(directory: str, module: str) -> None:
    """Let `module` be imported from `directory` if its file is a script. What Python finds by itself comes first."""
    path = os.path.join(directory, *module.split('.')) + SCRIPT
    if os.path.isfile(path):
        sys.meta_path.append(ScriptFinder(module, path))


class ScriptFinder:
    """Finds one script (the protocol of `importlib.abc.MetaPathFinder`)."""

    def __init__(self, module: str, path: str) -> None:
        self.module = module
        self.path = path

    def find_spec(self, name: str, _path: object = None, _target: 'ModuleType | None' = None) -> 'ModuleSpec | None':
        if name != self.module:
            return None
        from importlib.machinery import SourceFileLoader
        from importlib.util import spec_from_file_location

        return spec_from_file_location(name, self.path, loader=SourceFileLoader(name, self.path))
