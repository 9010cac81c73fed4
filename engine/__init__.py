"""The engine of tamis: reading, scanning, deciding, exporting, training. It knows no terminal.

`engine.open_project(path, reviewer=…)` is the way in from a script or a notebook; docs/python.md shows the rest. The
names are loaded at their first use, so that importing one room does not import the house.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.errors import TamisError
    from engine.jobs.scan import scan_project
    from engine.model import Act, Cluster, Decision, Example, Findings, Flag, Message
    from engine.project.create import create_project
    from engine.project.project import Project, open_project
    from engine.select import select as select_rows
    from engine.workflows.export import export as export_rows

_HOMES = {
    "TamisError": "engine.errors",
    "export_rows": "engine.workflows.export",
    "scan_project": "engine.jobs.scan",
    "Act": "engine.model",
    "Cluster": "engine.model",
    "Decision": "engine.model",
    "Example": "engine.model",
    "Findings": "engine.model",
    "Flag": "engine.model",
    "Message": "engine.model",
    "create_project": "engine.project.create",
    "Project": "engine.project.project",
    "open_project": "engine.project.project",
    "select_rows": "engine.select",
}

# Short names that are clear in their module and not here.
_OTHER_NAMES = {"export_rows": "export", "select_rows": "select"}

__all__ = [
    "Act",
    "Cluster",
    "Decision",
    "Example",
    "Findings",
    "Flag",
    "Message",
    "Project",
    "TamisError",
    "create_project",
    "export_rows",
    "open_project",
    "scan_project",
    "select_rows",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"engine has no public name {name!r}")
    return getattr(import_module(_HOMES[name]), _OTHER_NAMES.get(name, name))
