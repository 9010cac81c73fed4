"""What a plan says of rows that the chat template refuses or cuts down, with what would help, and of rows that are
changed for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from engine.phrases import counted
from engine.training.plan.parts import Note

LOST = {
    "system": "the system prompt",
    "reasoning": "the reasoning",
    "history": "the reasoning before the last request",
    "unlearnt history": "the reasoning before the last request, which is not learnt",
    "calls": "the tool calls",
    "arguments": "the arguments of tool calls",
    "tools": "the tools",
    "call text": "the form of tool calls",
    "names": "the names of speakers",
}
LOST_KINDS = {kind: f"lost_{kind.replace(' ', '_')}" for kind in LOST}
TURNS = "lost_turns"
WARNED = ("lost_names", "lost_unlearnt_history", "lost_call_text")
REFUSED = frozenset({"template", TURNS, *LOST_KINDS.values()} - {*WARNED})
"""Kinds of notes that stand against a run: what is learnt, or learnt behind, would be another conversation."""
OTHER_WAY = {
    "reasoning": 'set reasoning="left out" to train without it',
    "history": 'set reasoning="left out" to train without it',
    "calls": "choose a model whose template writes them, or reject these rows",
    "arguments": "choose a model whose template writes them, or reject these rows",
    "tools": "choose a model whose template writes them, or reject these rows",
}
NO_HELP = "edit or reject them, or choose another model"
MOST_NOTES = 5


def template_notes(rows: int, answer: Mapping[str, Any]) -> Iterator[Note]:
    """One note for each kind of loss or refusal and what would help against it. `rows`: how many there are."""
    yield from _refused(rows, answer["refused_rows"], answer["proposed"])
    for kind, ids in answer["lost"].items():
        yield from _lost(rows, kind, ids, answer["proposed"])
    if held := answer["refused_heldout"]:
        words = f"the chat template refuses {counted(len(held), 'held-out row')}, not measured"
        yield Note("template_heldout", f"{words}: {next(iter(held.values()))}", tuple(held))
    if ids := answer["changed"]:
        words = f"{len(ids)} of {rows} rows are changed for the chat template, as you set it"
        yield Note("changed", f"{words}: the model is to be asked in the same form", tuple(ids))


def _refused(rows: int, reasons: Mapping[str, str], proposed: Mapping[str, Mapping[str, str]]) -> Iterator[Note]:
    groups: dict[tuple[str, str], list[str]] = {}
    for row, reason in reasons.items():
        # A reason may name what stands in the row: beyond a few they are told by what would help alone.
        key = (reason, in_words(proposed[row]))
        if key not in groups and len(groups) >= MOST_NOTES:
            key = next((known for known in groups if known[1] == key[1]), key)
        groups.setdefault(key, []).append(row)
    for (reason, help_), ids in groups.items():
        words = f"the chat template refuses {len(ids)} of {rows} rows: {reason}"
        yield Note("template", f"{words}: {help_ or NO_HELP}", tuple(ids))


def _lost(rows: int, kind: str, ids: Sequence[str], proposed: Mapping[str, Mapping[str, str]]) -> Iterator[Note]:
    code = LOST_KINDS.get(kind, TURNS)
    groups: dict[str, list[str]] = {}
    for row in ids:
        groups.setdefault(in_words(proposed.get(row, {})), []).append(row)
    for proposal, of_it in groups.items():
        words = f"the chat template leaves out {LOST.get(kind, kind)} in {len(of_it)} of {rows} rows"
        if kind == "call text":
            words = (
                f"{len(of_it)} of {rows} rows hold tool calls as text, in a form that is not the chat template's own"
            )
        help_ = ", or ".join(filter(None, (proposal, OTHER_WAY.get(kind, "" if proposal else NO_HELP))))
        yield Note(code, words if code in WARNED else f"{words}: {help_}", tuple(of_it))


def told_lost(kind: str) -> str:
    """What was left out, in words."""
    return LOST.get(kind, kind)


def in_words(settings: Mapping[str, str]) -> str:
    """Settings as they are typed behind --set and on the training screen: `set a="b c" and d=e`."""
    typed = [f'{name}="{value}"' if " " in value else f"{name}={value}" for name, value in settings.items()]
    return f"set {' and '.join(typed)}" if typed else ""
