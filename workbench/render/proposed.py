"""What others propose for a row: who, what and why, and which key answers; a mended text as a difference."""

from __future__ import annotations

from collections.abc import Iterator

from engine.model import Example
from engine.project.project import Project
from engine.project.proposals import Proposal, waiting
from workbench.text.blocks import Paragraph, Styled
from workbench.text.escape import visible_line

ROLES = {"accept": "accepted", "reject": "rejected", "skip": "skipped", "edit": "edited", "tag": "key"}
WORDS = {"edit": "this text", "tag": "the tag"}


def proposal_paragraphs(project: Project, row: int) -> Iterator[Paragraph]:
    """A line for each proposal that waits, the keys behind the last."""
    found = waiting(project, row)
    for place, one in enumerate(found):
        keys: tuple[Styled, ...] = ()
        if place == len(found) - 1:
            keys = ((" \u00b7 ", "muted"), ("+", "key"), (" takes, ", "muted"), ("-", "key"), (" declines", "muted"))
        yield Paragraph((*_proposed(one, "proposes"), *keys), ("proposed", "key") if not place else ("", "muted"), row)
    if found:
        yield Paragraph(())


def proposal_lines(project: Project, row: int) -> list[list[Styled]]:
    """All that was ever proposed for a row, whether it waits or not."""
    waits = {one.id for one in waiting(project, row)}
    return [
        _proposed(one, "proposes" if one.id in waits else "proposed")
        for one in project.proposals.of(project.rows.id(row))
    ]


def _proposed(one: Proposal, verb: str) -> list[Styled]:
    what = f"{WORDS.get(one.kind, one.kind)}{f' {one.tag}' if one.tag else ''}"
    why = f": {visible_line(one.why)}" if one.why else ""
    return [(visible_line(one.by), "key"), (f" {verb} ", "muted"), (visible_line(what), ROLES[one.kind]), (why, "text")]


def proposed_example(project: Project, row: int) -> Example | None:
    """The row as a text that waits would make it; None where none does, or several."""
    edits = [one for one in waiting(project, row) if one.kind == "edit"]
    text = edits[0].edited(project.rows.id(row)) if len(edits) == 1 else None
    return project.rows.example(row, text) if text is not None else None
