"""The module `viaduct`, which the application can import although it is not on `sys.path`."""

import sys
from importlib.machinery import ModuleSpec

import viaduct as viaduct  # for the other files of this package, whatever `viaduct` the application has

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.abc import Loader
    from types import ModuleType
else:
    Loader = object  # its module takes memory

process = viaduct._process
RequestTimeout = viaduct.RequestTimeout


def install() -> None:
    """Make `import viaduct` find this package's module if the application has none of this name."""
    del sys.modules['viaduct']
    sys.meta_path.append(_Finder())


class _Finder(Loader):
    """The last finder of an import, and the loader of a module that was loaded before."""

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> 'ModuleSpec | None':
        return ModuleSpec(name, self, origin=viaduct.__file__, is_package=True) if name == 'viaduct' else None

    def create_module(self, _spec: 'ModuleSpec') -> 'ModuleType':
        return viaduct

    def exec_module(self, _module: 'ModuleType') -> None:
        pass
