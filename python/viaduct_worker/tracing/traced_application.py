"""Replaces an application of the chain, in the middleware that calls it."""

from viaduct_worker.tracing.recorder import running

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed.wsgi import WSGIApplication

    from viaduct_worker.tracing.wsgi import Layer


class TracedApplication:
    """Looks like the application. `stand_in` makes a class of it that also has the operators of the application."""

    __slots__ = ('__weakref__', '_viaduct_application', '_viaduct_layer')

    _viaduct_application: 'WSGIApplication'
    _viaduct_layer: 'Layer'

    def __init__(self, application: 'WSGIApplication', layer: 'Layer') -> None:
        object.__setattr__(self, '_viaduct_application', application)
        object.__setattr__(self, '_viaduct_layer', layer)

    def __call__(self, *args: object, **kwargs: object) -> object:
        recording = running()
        if recording is None or len(args) != 2 or kwargs or type(args[0]) is not dict or not callable(args[1]):
            # Whatever the arguments are, the application gets them.
            return self._viaduct_application(*args, **kwargs)  # type: ignore[arg-type]
        __traceback_hide__ = True
        # Two arguments, as was tested above.
        return self._viaduct_layer.run(recording, self._viaduct_application, *args)  # type: ignore[arg-type]

    @property  # type: ignore[misc]  # so that isinstance() says what it says of the application
    def __class__(self) -> type:
        return self._viaduct_application.__class__

    def __getattr__(self, name: str) -> object:
        return getattr(self._viaduct_application, name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self._viaduct_application, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._viaduct_application, name)

    def __eq__(self, other: object) -> bool:
        return self is other or self._viaduct_application == other

    def __hash__(self) -> int:
        return hash(self._viaduct_application)

    def __repr__(self) -> str:
        return repr(self._viaduct_application)

    def __copy__(self) -> object:
        from copy import copy

        return copy(self._viaduct_application)

    def __deepcopy__(self, memo: dict[int, object]) -> object:
        from copy import deepcopy

        return deepcopy(self._viaduct_application, memo)

    def __reduce_ex__(self, _: object) -> tuple[object, ...]:
        """Pickled, it is the application."""
        from copy import copy

        return copy, (self._viaduct_application,)


OWN = frozenset(
    (
        *vars(TracedApplication),
        *('__class_getitem__', '__del__', '__getattribute__', '__getstate__', '__init_subclass__', '__new__'),
        *('__reduce__', '__setstate__', '__subclasshook__'),
    )
)
_classes: 'dict[type, type[TracedApplication]]' = {}


def stand_in(application: 'WSGIApplication', layer: 'Layer') -> TracedApplication:
    """What to put in the place of the application. Operators such as `[]` count only if the class has them."""
    kind = type(application)
    known = _classes.get(kind)
    if known is None:
        names: dict[str, object] = {
            name: operator(kind, name)
            for each in kind.__mro__[:-1]
            for name, value in vars(each).items()
            if name.startswith('__') and name.endswith('__') and name not in OWN and callable(value)
        }
        names |= {'__slots__': (), '__doc__': text('__doc__'), '__module__': text('__module__')}
        known = _classes[kind] = type(kind.__name__, (TracedApplication,), names)
    return known(application, layer)


def operator(kind: type, name: str) -> 'Callable[..., object]':
    def operate(self: TracedApplication, *args: object, **kwargs: object) -> object:
        return getattr(kind, name)(self._viaduct_application, *args, **kwargs)

    return operate


def text(name: str) -> property:
    return property(lambda self: getattr(self._viaduct_application, name))
