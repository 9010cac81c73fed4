"""Modules that the first paint does not need are imported when something of them is first asked for.

    if TYPE_CHECKING:
        from workbench import grouping
    else:
        grouping = later("workbench.grouping")

and `grouping.split_off(…)` where it is used. What a person is about to need is imported between the keys after the
first paint (`workbench/soon.py`), so that no key waits for it.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any


class _Later:
    """Stands for a module of this name."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(import_module(self._name), attribute)


def later(name: str) -> Any:
    """What stands for the module `name` until something of it is asked for."""
    return _Later(name)
