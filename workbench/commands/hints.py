"""The footer: which commands are worth a hint where."""

from __future__ import annotations

from typing import Any

from engine.model import SETTLED_KINDS
from engine.project.proposals import waiting
from engine.sources.shapes.likely import FieldSeen, medium_of
from workbench.commands.command import Command
from workbench.commands.registry import BY_ID, is_barred
from workbench.commands.targets import LISTS
from workbench.state.session import Session

# At most seven hints fit 80 columns; which seven depends on what is under the cursor.
HINTS: dict[str, tuple[str, ...]] = {
    "overview": ("open", "filter", "export", "train", "help"),
    "overview-bulk": ("open", "reject", "accept", "edit-external", "filter", "export", "help"),
    "overview-keeps": ("open", "keep-all", "undo", "filter", "export", "help"),
    "group": ("keep", "reject", "group-next", "undo", "filter", "overview", "help"),
    "conflict": ("choose-1", "both-fine", "merge", "drop-both", "group-next", "undo", "help"),
    "member": ("keep", "accept", "reject", "edit", "undo", "group-next", "help"),
    "row": ("accept", "reject", "skip", "edit", "undo", "filter", "help"),
    "turn": ("turn-next", "turn-previous", "turn-cut", "turn-drop", "turn-train", "undo", "help"),
    "row-proposed": ("take", "decline-proposed", "accept", "reject", "edit", "undo", "help"),
    "overview-proposed": ("open", "take", "decline-proposed", "undo", "filter", "help"),
    "row-fix": ("repair", "accept", "reject", "edit", "undo", "order", "help"),
    "export": ("write", "back"),
    "train": ("start", "settings", "stop-run", "view", "try-run", "suspects", "back"),
    "runs": ("attach", "down", "up", "back"),
    "compare": ("start-compare", "compare-settings", "stop-compare", "compare-page", "down", "back"),
    "try": ("answer-type", "answer-base", "answer-tuned", "answer-edit", "answer-again", "back"),
    "judge": ("judge-left", "judge-right", "judge-tie", "judge-skip", "judge-undo", "read-down", "back"),
    "offer": ("apply-all", "apply-one", "take-out", "board-read", "board-undo", "board-back"),
    "pick": ("lock", "swap", "pick-accept", "pick-more", "pick-fewer", "board-read", "board-back"),
    "slices": ("ten", "slice-reject", "slice-accept", "slice-width", "board-undo", "board-back"),
    "help": ("read-page-down", "back"),
    "tokens": ("read-page-down", "back"),
    "mapping": (*("field-off", "field-row", "field-metadata", "field-undo", "field-done", "help", "field-leave"),),
    "heldout": ("reserve", "decline", "more", "fewer"),
}

# What the field under the cursor can be: a field of the row, one inside of a list, a word that says who speaks.
PART_HINTS: dict[str, tuple[str, ...]] = {
    "text": (
        *("field-prompt", "field-response", "field-system", "field-input", "field-reasoning", "field-chosen"),
        *("field-rejected", "field-further", "field-label", "field-text", "field-messages", "field-words"),
    ),
    "list": (
        *("field-messages", "field-further", "field-tools", "field-history", "field-prompt", "field-response"),
        *("field-rejected", "field-media", "field-system", "field-chosen", "field-words"),
    ),
    "number": ("field-label", "field-best", "field-prompt", "field-response", "field-words"),
    "medium": ("field-media", "field-prompt", "field-input", "field-response", "field-words"),
    "inside": (
        *("field-messages", "field-role", "field-prompt", "field-response", "field-best", "field-chosen"),
        *("field-rejected", "field-further", "field-history", "field-tools", "field-media", "field-words"),
    ),
    "word": ("field-prompt", "field-response", "field-system", "field-tools", "field-words"),
}


def part_hints(session: Session) -> list[Command[Any]]:
    """The keys that say what the field under the cursor is, the most useful first."""
    line = session.proposals.fields.here if session.proposals.fields is not None else None
    kind = "text" if line is None else "word" if line.word else _kind_of(line.field)
    return [BY_ID[name] for name in PART_HINTS[kind]]


def _kind_of(field: FieldSeen) -> str:
    """What a field holds, in the words of PART_HINTS."""
    if medium_of(field):
        return "medium"
    if field.in_list is not None:
        return "inside"
    value = field.values[0]
    if field.is_list or field.is_object or (isinstance(value, str) and value.count("\n") > 1):
        return "list"
    return "number" if isinstance(value, bool | int | float) else "text"


def hints_for(session: Session) -> list[Command[Any]]:
    """The commands worth a hint on the screen in front, most useful first; a window that only reads offers none that
    decides."""
    where = session.place.screen
    item = session.overview.item if where == "overview" else None
    if item is not None:
        where = "overview-bulk" if item.bulk else "overview-keeps" if item.keeps else where
        where = "overview-proposed" if item.section == "proposed" else where
    elif where == "triage":
        entry = session.place.entry
        where = "turn" if session.place.turn is not None else "row"
        if where == "row" and entry is not None and not entry.is_header and waiting(session.project, entry.row):
            return _named(session, "row-proposed")
        if entry is not None and entry.cluster is not None:
            header = "group" if entry.cluster.kind in SETTLED_KINDS else "conflict"
            where = header if entry.is_header else "member"
    return _named(session, where)


def _named(session: Session, where: str) -> list[Command[Any]]:
    names = HINTS.get(where, ())
    if session.project.is_locked_out and session.place.screen in LISTS:
        names = ("take-over", *names)
    return [BY_ID[name] for name in names if not is_barred(BY_ID[name], session)]
