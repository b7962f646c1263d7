"""Puts a recorder around a function of a module or class that others wrote.

A recorder has a local variable `__traceback_hide__`: it keeps the frame out of the pages that Django and Werkzeug show
for an exception.
"""

from functools import update_wrapper

from viaduct_worker.patches import Lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias

    Function: TypeAlias = Callable[..., Any]

replacing = Lock()
"""Held while something is replaced that several threads may find at the same time."""


def replace(owner: object, name: str, make: 'Callable[[Function], Function]') -> None:
    """Replace `owner.name` by what `make` returns for it, unless the owner has none or only inherits it."""
    original = vars(owner).get(name)
    if callable(original):
        setattr(owner, name, update_wrapper(make(original), original))
