"""The manifest of a run: where its rows came from, every row it saw, and who passed it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from engine.export.manifest import manifest
from engine.model import TrainingRow
from engine.project.folder import Project


def run_manifest(
    project: Project, rows: Sequence[TrainingRow], run: str, summary: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The content of a run's `tamis-manifest.json`, which is copied beside its adapter."""
    document = manifest(project, {"rows": len(rows), "run": run, **(summary or {})})
    return document | {"rows": rows_seen(project, rows)}


def rows_seen(project: Project, rows: Sequence[TrainingRow]) -> list[dict[str, Any]]:
    """One entry a row: its id, a hash of what the trainer saw, and the decision that passed it.

    `by` is empty for a row that nobody decided on (the raw arms of a comparison), and for one that is not in the
    project (a file from outside).
    """
    numbers = {project.rows.id(number): number for number in range(len(project.rows))}
    seen = []
    for row in rows:
        entry: dict[str, Any] = {"id": row.id, "sha256": content_sha256(row), "by": "", "at": "", "why": ""}
        number = numbers.get(row.id)
        if number is not None and project.verdict(number) == "accepted":
            decision = project.decision(number)
            entry |= {"by": decision.by, "at": decision.at, "why": decision.why or "by eye"}
            entry |= {"edited": project.is_edited(number), "read": project.is_seen(number)}
        seen.append(entry)
    return seen


def content_sha256(row: TrainingRow) -> str:
    """A hash of the messages the trainer saw."""
    content = json.dumps([dict(message) for message in row.messages], sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(content.encode()).hexdigest()[:32]
