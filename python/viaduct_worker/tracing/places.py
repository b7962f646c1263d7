"""Names and places of code: what a callable is called, where it is written, and whether a file is the project's."""

import os
import sys
from functools import partial
from types import CodeType, FunctionType, MethodType

from viaduct_worker.tracing.recorder import NOWHERE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

    from viaduct_worker.tracing.recorder import Place

UNWRAPPED_MAX = 20
PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
HERE = os.path.dirname(os.path.abspath(__file__)) + os.sep
LIBRARY = os.path.dirname(os.path.abspath(os.__file__)) + os.sep
"""Where the standard library is."""
INSTALLED = (f'{os.sep}site-packages{os.sep}', f'{os.sep}dist-packages{os.sep}')

TEMPLATE_NODE = 'render_annotated'
"""The method in which Django renders each node of a template."""

_is_project: dict[str, bool] = {}
_places: 'dict[type, Place]' = {}


def is_project(file: str) -> bool:
    """Whether a file belongs to the project: not to the standard library, nor to an installed package, nor to us."""
    known = _is_project.get(file)
    if known is None:
        path = os.path.abspath(file)
        known = not (
            file.startswith('<')
            or path.startswith((LIBRARY, PACKAGE))
            or any(directory in path for directory in INSTALLED)
        )
        _is_project[file] = known
    return known


def project_place(frame: 'FrameType | None') -> 'Place':
    """The innermost line of the project that led to `frame`, of code or of a template; `NOWHERE` if there is none."""
    known = _is_project
    while frame is not None:
        code = frame.f_code
        if code.co_name == TEMPLATE_NODE:
            place = template_place(frame)
            if place is not NOWHERE:
                return place
        file = code.co_filename
        project = known.get(file)
        if project is None:
            project = is_project(file)
        if project:
            return file, frame.f_lineno
        frame = frame.f_back
    return NOWHERE


def template_place(frame: 'FrameType') -> 'Place':
    """The line of the template whose node this frame of Django renders; `NOWHERE` unless it belongs to the project."""
    node = frame.f_locals.get('self')
    file = getattr(getattr(node, 'origin', None), 'name', None)
    line = getattr(getattr(node, 'token', None), 'lineno', None)
    return (file, line) if type(file) is str and type(line) is int and is_project(file) else NOWHERE


def unwrapped(target: object) -> object:
    """The function behind decorators that say what they wrap, and behind `functools.partial`."""
    for _ in range(UNWRAPPED_MAX):
        if isinstance(target, partial):
            target = target.func
        elif isinstance(target, (FunctionType, MethodType)):
            inner = getattr(target, 'view_class', None) or getattr(target, '__wrapped__', None)
            if inner is None:
                break
            target = inner
        else:
            break
    return target


def describe(target: object) -> 'tuple[str, Place]':
    """The name `module.qualname` of a callable, or of the class of an object that is called, and its place."""
    target = unwrapped(target)
    if isinstance(target, MethodType):
        function = target.__func__
        code = getattr(function, '__code__', None)
        name = f'{type(target.__self__).__module__}.{getattr(function, "__qualname__", "")}'
        return name, place_of(code)
    if isinstance(target, FunctionType):
        return f'{target.__module__}.{target.__qualname__}', place_of(target.__code__)
    kind = target if isinstance(target, type) else type(target)
    return f'{kind.__module__}.{kind.__qualname__}', place_of_class(kind)


def place_of(code: object) -> 'Place':
    return (code.co_filename, code.co_firstlineno) if isinstance(code, CodeType) else NOWHERE


def place_of_class(kind: type) -> 'Place':
    """The file of a class, and its first line; before Python 3.13 that of its first method."""
    place = _places.get(kind)
    if place is None:
        module = sys.modules.get(kind.__module__)
        file = getattr(module, '__file__', None) or ''
        methods = [value.__code__ for value in vars(kind).values() if isinstance(value, FunctionType)]
        lines = [code.co_firstlineno for code in methods if code.co_filename == file]
        first = vars(kind).get('__firstlineno__') or min(lines, default=0)
        place = _places[kind] = (file, first) if file else NOWHERE
    return place
