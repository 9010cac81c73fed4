"""What leaves a project: the curated rows, their manifest. Loaded at the first use, so that a part costs that part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.export.write import export, export_paths

__all__ = ["export", "export_paths"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"engine.export has no {name!r}")
    from engine.export import write

    return getattr(write, name)
