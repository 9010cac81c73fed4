"""What leaves a project: the curated rows, their manifest."""

from __future__ import annotations

from engine.export.write import export, export_paths

__all__ = ["export", "export_paths"]
