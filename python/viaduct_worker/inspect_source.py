"""Reads what discovery must know from Python source without running it."""

import ast
import os

CALLABLES = ('application', 'app')
FACTORIES = ('create_app', 'make_app')
ASGI = ('fastapi', 'starlette', 'litestar', 'quart')


class Failure(Exception):
    """What discovery is to tell the user: a sentence, and what to do."""


def module_path(root, module):
    """The file of a dotted module below `root`, or None."""
    base = os.path.join(root, *module.split('.'))
    for path in (base + '.py', os.path.join(base, '__init__.py')):
        if os.path.isfile(path):
            return path
    return None


def parse(path):
    """The syntax tree of a file, or None when it has none: whoever imports it shows what is wrong."""
    try:
        with open(path, 'rb') as file:
            return ast.parse(file.read(), path)
    except (OSError, SyntaxError, ValueError):
        return None


def is_django_manage(path):
    """Whether this is a manage.py of Django: other tools have one too."""
    try:
        with open(path, 'rb') as file:
            return b'django' in file.read().lower()
    except OSError:
        return False


def settings_named_in(path):
    """The default that manage.py or wsgi.py gives DJANGO_SETTINGS_MODULE, or None."""
    tree = path and parse(path)
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.Call):
            texts = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
            key, value = node.targets[0].slice, node.value
            texts = [part.value for part in (key, value) if isinstance(part, ast.Constant)]
        else:
            continue
        if len(texts) == 2 and texts[0] == 'DJANGO_SETTINGS_MODULE' and isinstance(texts[1], str):
            return texts[1]
    return None


class Module:
    """What a file binds at its top level."""

    def __init__(self, path):
        tree = parse(path)
        self.path = path
        self.is_readable = tree is not None
        self.names = set()
        self.imports = set()
        self.asgi = set()
        self.demanding = set()  # functions that cannot be called without arguments
        self._origins = {}
        if tree:
            self._read_imports(tree)
            self._read_block(tree.body)

    @property
    def kind(self):
        return 'flask' if 'flask' in self.imports else 'wsgi'

    def find_callable(self):
        """(name, is a factory) of the WSGI application, or None. Raises Failure for what cannot be served."""
        for name in CALLABLES:
            if name in self.asgi:
                raise Failure(f'Cannot serve "{self.path}": {name} is an ASGI application, and only WSGI is supported',
                              'Use an ASGI server for it, such as uvicorn or granian.')
            if name in self.names:
                return name, False
        for name in FACTORIES:
            if name in self.demanding:
                raise Failure(f'Cannot serve "{self.path}": {name} needs arguments',
                              f'Write a wsgi.py that calls it: application = {name}(...).')
            if name in self.names:
                return name, True
        return None

    def _read_imports(self, tree):
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                self.imports.update(alias.name.split('.')[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                package = node.module.split('.')[0]
                self.imports.add(package)
                self._origins.update({alias.asname or alias.name: package for alias in node.names})

    def _read_block(self, body):
        for node in body:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                self.names.add(node.name)
                if isinstance(node, ast.AsyncFunctionDef):
                    self.asgi.add(node.name)
                if needs_arguments(node.args):
                    self.demanding.add(node.name)
            elif isinstance(node, ast.ClassDef):
                self.names.add(node.name)
            elif isinstance(node, ast.ImportFrom):
                self.names.update(alias.asname or alias.name for alias in node.names)
            elif isinstance(node, (ast.Assign, ast.AnnAssign)):
                self._read_assignment(node)
            elif isinstance(node, (ast.If, ast.Try, ast.With)):
                for block in ('body', 'orelse', 'finalbody'):
                    self._read_block(getattr(node, block, ()))

    def _read_assignment(self, node):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        bound = {target.id for target in targets if isinstance(target, ast.Name)}
        self.names |= bound
        if isinstance(node.value, ast.Call) and self._maker(node.value.func) in ASGI:
            self.asgi |= bound

    def _maker(self, function):
        """The package that a called name comes from."""
        while isinstance(function, ast.Attribute):
            function = function.value
        name = function.id if isinstance(function, ast.Name) else ''
        return self._origins.get(name, name)


def needs_arguments(arguments):
    positional = len(arguments.posonlyargs) + len(arguments.args) - len(arguments.defaults)
    return positional > 0 or None in arguments.kw_defaults
