"""Reads from Python source, without running it, what discovery must know."""

import ast
import os
import sys

from viaduct_worker import asgi
from viaduct_worker.scripts import SCRIPT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from viaduct_worker.messages import Kind

CALLABLES = ('application', 'app')
FACTORIES = ('create_app', 'make_app')


class DiscoveryError(Exception):
    """What discovery reports to the user: `message` says what is wrong, `advice` what to do."""

    def __init__(self, message: str, advice: str) -> None:
        super().__init__(message, advice)
        self.message = message
        self.advice = advice


def module_path(root: str, module: str) -> str | None:
    """The file of a dotted module below `root`, or None. A package comes before a module, as with Python's import."""
    base = os.path.join(root, *module.split('.'))
    for path in (os.path.join(base, '__init__.py'), base + '.py', base + SCRIPT):
        if os.path.isfile(path):
            return path
    return None


def find_module(directory: str, module: str) -> tuple[str, str] | None:
    """(root, file) of a dotted module: in `directory`, in its `src`, or where Python imports from; or None."""
    for root in (directory, os.path.join(directory, 'src'), *sys.path):
        path = module_path(root, module)
        if path:
            return root, path
    return None


def parse(path: str) -> ast.Module | None:
    """The syntax tree of a file, or None if the file cannot be parsed. Its import then shows what is wrong.

    A file that a program wrote may have expressions that are too deep for the parser.
    """
    try:
        with open(path, 'rb') as file:
            return ast.parse(file.read(), path)
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def is_django_manage(path: str) -> bool:
    """Whether this is a manage.py of Django. Other tools have a manage.py too."""
    try:
        with open(path, 'rb') as file:
            return b'django' in file.read().lower()
    except OSError:
        return False


def settings_named_in(path: str | None) -> str | None:
    """The default that manage.py or wsgi.py gives DJANGO_SETTINGS_MODULE, or None."""
    tree = parse(path) if path else None
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.Call):
            parts = node.args
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
            parts = [node.targets[0].slice, node.value]
        else:
            continue
        texts = [part.value for part in parts if isinstance(part, ast.Constant)]
        if len(texts) == 2 and texts[0] == 'DJANGO_SETTINGS_MODULE' and isinstance(texts[1], str):
            return texts[1]
    return None


class Module:
    """What a file binds at its top level."""

    def __init__(self, path: str) -> None:
        tree = parse(path)
        self.path = path
        self.is_readable = tree is not None
        self.names: set[str] = set()
        self.imports: set[str] = set()
        self.asgi: dict[str, str] = {}
        """The package that makes each ASGI application; '' for one of the module itself."""
        self.functions: set[str] = set()
        self.replaces_process = False
        """Whether it calls a function such as os.execl, as a passenger_wsgi.py may do to run under another Python."""
        self.demanding: set[str] = set()
        """Functions that need arguments."""
        self._origins: dict[str, str] = {}
        if tree:
            self._read_imports(tree)
            self._read_block(tree.body)

    @property
    def is_django(self) -> bool:
        """Whether this module makes the WSGI application of a Django project."""
        return self._origins.get('get_wsgi_application') == 'django' or settings_named_in(self.path) is not None

    @property
    def kind(self) -> 'Kind':
        return 'flask' if 'flask' in self.imports else 'wsgi'

    def find_callable(self) -> tuple[str, bool] | None:
        """Return (name, is a factory) of the WSGI application, or None. Raises DiscoveryError for an unsuitable one."""
        for name in CALLABLES:
            if name in self.asgi:
                raise DiscoveryError(
                    f'Cannot serve "{self.path}": {name} is an ASGI application, and only WSGI is supported',
                    asgi.advice(self.asgi[name]),
                )
            if name in self.names:
                return name, False
        for name in FACTORIES:
            if name in self.demanding:
                raise DiscoveryError(
                    f'Cannot serve "{self.path}": {name} needs arguments',
                    f'Write its arguments, if they are literals: viaduct "MODULE:{name}(\'production\')". Or write a '
                    f'wsgi.py that calls it: application = {name}(...).',
                )
            if name in self.names:
                return name, True
        return None

    def _read_imports(self, tree: ast.Module) -> None:
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                self.imports.update(alias.name.split('.')[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                package = node.module.split('.')[0]
                self.imports.add(package)
                self._origins.update({alias.asname or alias.name: package for alias in node.names})
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == 'os':
                self.replaces_process |= node.attr.startswith('exec')

    def _read_block(self, body: 'Iterable[ast.stmt]') -> None:
        for node in body:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                self.names.add(node.name)
                self.functions.add(node.name)
                if isinstance(node, ast.AsyncFunctionDef):
                    self.asgi[node.name] = ''
                if needs_arguments(node.args):
                    self.demanding.add(node.name)
            elif isinstance(node, ast.ClassDef):
                self.names.add(node.name)
            elif isinstance(node, ast.ImportFrom):
                self.names.update(
                    alias.asname or alias.name for alias in node.names if not self._is_sibling(node, alias)
                )
            elif isinstance(node, (ast.Assign, ast.AnnAssign)):
                self._read_assignment(node)
            elif isinstance(node, (ast.If, ast.Try, ast.With)):
                for block in ('body', 'orelse', 'finalbody'):
                    self._read_block(getattr(node, block, ()))

    def _read_assignment(self, node: ast.Assign | ast.AnnAssign) -> None:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        bound = {target.id for target in targets if isinstance(target, ast.Name)}
        self.names |= bound
        package = self._maker(node.value.func) if isinstance(node.value, ast.Call) else ''
        if package in asgi.FRAMEWORKS:
            self.asgi.update(dict.fromkeys(bound, package))

    def _is_sibling(self, node: ast.ImportFrom, alias: ast.alias) -> bool:
        """Whether `from . import NAME` binds a module, which is not an application."""
        if node.level != 1 or node.module:
            return False
        return module_path(os.path.dirname(self.path), alias.name) is not None

    def _maker(self, function: ast.expr) -> str:
        """The package that a called name comes from."""
        while isinstance(function, ast.Attribute):
            function = function.value
        name = function.id if isinstance(function, ast.Name) else ''
        return self._origins.get(name, name)


def needs_arguments(arguments: ast.arguments) -> bool:
    positional = len(arguments.posonlyargs) + len(arguments.args) - len(arguments.defaults)
    return positional > 0 or None in arguments.kw_defaults
