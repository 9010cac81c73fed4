"""The engine of tamis: reading, scanning, deciding, exporting, training. It knows no terminal.

`engine.open_project(path, reviewer=…)` is the way in from a script or a notebook.
"""

from __future__ import annotations

from engine.project.create import create_project
from engine.project.folder import Project, open_project

__all__ = ["Project", "create_project", "open_project"]
