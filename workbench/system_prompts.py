"""How many rows share a system prompt. Reads every row, so never in the thread that answers keys."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from engine.project.folder import Project
from engine.sources.shapes import turns_of
from workbench.document_parts import FOLDED_SYSTEM

LOOKED_AT_FIRST = 50


def shared_prompts(project: Project, cancelled: Callable[[], bool] = lambda: False) -> Mapping[int, int]:
    """Rows by the hash of their system prompt, long ones only; empty where none of the first rows has one."""
    found: Counter[int] = Counter()
    for row in range(len(project.rows)):
        if cancelled() or (row == LOOKED_AT_FIRST and not found):
            return {}
        try:
            turns = turns_of(project.rows.raw(row), project.mapping)
        except OSError:
            # The project was closed while this ran in a thread: nobody waits for the count any more.
            return {}
        if turns and turns[0].role == "system" and len(turns[0].text) > FOLDED_SYSTEM:
            found[hash(turns[0].text)] += 1
    return found
