"""Folding one journal file into what it says now: a state per row, and what can be undone and redone.

A fold starts empty, or on a base: the columns of a snapshot that already hold the earlier lines. What lines before
the base replaced is not in memory then; `needs_history` says when an undo would have to know it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple, Protocol

from engine.model import SHAPES, Act, Row, VerdictName
from engine.project.journal import act_from_json
from engine.sources.mapping import Mapping

VERDICT_ACTS: dict[str, VerdictName] = {
    "accept": "accepted",
    "reject": "rejected",
    "skip": "skipped",
    "reset": "undecided",
}
CONSTRAINT_ACTS = ("not_duplicates", "fine_together", "split")


@dataclass(frozen=True, slots=True)
class RowState:
    """What one reviewer's journal says of one row."""

    verdict: VerdictName = "undecided"
    edited: Row | None = None
    why: str = ""
    by: str = ""
    at: str = ""
    tags: frozenset[str] = frozenset()
    note: str = ""
    before_settling: VerdictName | None = None
    """The reviewer's own verdict where a disagreement was settled since; agreement is measured on it."""

    @property
    def settled(self) -> bool:
        return self.before_settling is not None


BLANK = RowState()


@dataclass(frozen=True, slots=True)
class Reversal:
    """What an undo would take back, or a redo do again: which line, in words, how many rows its acts name.

    `is_basic`: it is of the held-out set, or of how rows are read.
    """

    number: int
    words: str
    rows: int
    is_basic: bool


class Base(Protocol):
    """The folded state of the earlier lines of a journal."""

    def get(self, identifier: str) -> RowState | None: ...
    def ids(self) -> Iterator[str]: ...


@dataclass(slots=True)
class _Applied:
    """One line as folded: what its rows were before, so that an undo restores them in one step."""

    acts: tuple[Act, ...]
    line: dict[str, Any]
    before: dict[str, RowState]


@dataclass(slots=True)
class Fold:
    """The folded state of one journal file; it changes only by `apply`."""

    base: Base | None = None
    changed: dict[str, RowState] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    heldout: dict[str, int] = field(default_factory=dict)
    standing: dict[int, list[Act]] = field(default_factory=dict)
    mappings: dict[int, Mapping] = field(default_factory=dict)
    reviewers: set[str] = field(default_factory=set)
    last_number: int = 0
    _done: list[int] = field(default_factory=list)
    _undone: list[int] = field(default_factory=list)
    _applied: dict[int, _Applied] = field(default_factory=dict)

    def state(self, identifier: str) -> RowState | None:
        """What this journal says of a row, or None where it never spoke of it."""
        found = self.changed.get(identifier)
        if found is None and self.base is not None:
            return self.base.get(identifier)
        return found

    def apply(self, line: dict[str, Any]) -> set[str]:
        """Fold one journal line in; the ids whose state it touched. Lines come in order of `n`, each once."""
        number = int(line["n"])
        if number <= self.last_number:
            return set()
        self.last_number = number
        self.reviewers.add(str(line.get("by", "")))
        self.seen.update(line.get("seen", ()))
        if "undo" in line:
            return self._undo(int(line["undo"]))
        if "redo" in line:
            return self._redo(int(line["redo"]))
        acts = tuple(act_from_json(act) for act in line.get("acts", ()))
        self._undone.clear()
        self._done.append(number)
        return self._perform(number, acts, line)

    def needs_history(self, line: dict[str, Any] | None = None) -> bool:
        """Whether the next undo (or this undo or redo line) speaks of a line that only the base knows."""
        if self.base is None:
            return False
        if line is None:
            return not self._done
        number = line.get("undo", line.get("redo"))
        return number is not None and int(number) not in self._applied

    def undo_number(self) -> int | None:
        """The line that an undo would take back."""
        return self._done[-1] if self._done else None

    def redo_number(self) -> int | None:
        """The line that a redo would do again."""
        return self._undone[-1] if self._undone else None

    def reversal(self, verb: Literal["undo", "redo"]) -> Reversal | None:
        """What an undo or a redo would do next; None where there is nothing."""
        number = self.undo_number() if verb == "undo" else self.redo_number()
        if number is None:
            return None
        acts = self._applied[number].acts
        is_basic = any(act.do in ("holdout", "map") for act in acts)
        return Reversal(number, self.describe(number), len(_ids(acts)), is_basic)

    def describe(self, number: int) -> str:
        """A line in words: `reject 12 rows (bucket:drop)`."""
        applied = self._applied[number]
        parts = [_in_words(act) for act in applied.acts]
        why = str(applied.line.get("why", ""))
        return " and ".join(parts) + (f" ({why})" if why not in ("", "by eye") else "")

    @property
    def mapping(self) -> Mapping | None:
        """How this journal says that rows are read: the last correction that stands, or None where there is none."""
        return self.mappings[max(self.mappings)] if self.mappings else None

    def _perform(self, number: int, acts: tuple[Act, ...], line: dict[str, Any]) -> set[str]:
        applied = _Applied(acts, line, {})
        self._applied[number] = applied
        touched: set[str] = set()
        signed = _Signed(str(line.get("by", "")), str(line.get("at", "")), str(line.get("why", "")))
        for act in acts:
            if act.do == "holdout":
                for identifier in act.ids:
                    self.heldout.setdefault(identifier, number)
            if act.do == "map" and (mapping := mapping_of_act(act)) is not None:
                self.mappings[number] = mapping
            elif act.do in CONSTRAINT_ACTS or act.extra.get("changed") or act.extra.get("variants"):
                self.standing.setdefault(number, []).append(act)
            for identifier in act.ids:
                state = self.state(identifier) or BLANK
                after = changed_state(state, act, identifier, signed)
                if after is not state:
                    applied.before.setdefault(identifier, state)
                    self.changed[identifier] = after
            touched.update(act.ids)
        return touched

    def _undo(self, number: int) -> set[str]:
        if not self._done or self._done[-1] != number:
            return set()
        self._undone.append(self._done.pop())
        applied = self._applied[number]
        self.changed.update(applied.before)
        self.standing.pop(number, None)
        self.mappings.pop(number, None)
        if any(act.do == "holdout" for act in applied.acts):
            self.heldout = {key: made for key, made in self.heldout.items() if made != number}
        return _ids(applied.acts)

    def _redo(self, number: int) -> set[str]:
        if not self._undone or self._undone[-1] != number:
            return set()
        self._done.append(self._undone.pop())
        applied = self._applied[number]
        return self._perform(number, applied.acts, applied.line)


def map_act(mapping: Mapping) -> Act:
    """The act that says how rows are read from now on."""
    return Act("map", (), extra={"shape": mapping.shape, "fields": dict(mapping.fields)})


def mapping_of_act(act: Act) -> Mapping | None:
    """The mapping that a `map` act names, or None where it names none that this version knows."""
    shape, fields = act.extra.get("shape"), act.extra.get("fields")
    return Mapping(shape, dict(fields)) if shape in SHAPES and isinstance(fields, dict) else None


def _in_words(act: Act) -> str:
    if act.do == "map" and (mapping := mapping_of_act(act)) is not None:
        return f"read rows as {mapping.describe()}"
    return f"{act.do} {len(act.ids)} row{'s' if len(act.ids) != 1 else ''}"


def _ids(acts: Iterable[Act]) -> set[str]:
    return {identifier for act in acts for identifier in act.ids}


class _Signed(NamedTuple):
    """Who wrote a line, when and why."""

    by: str
    at: str
    why: str


def changed_state(state: RowState, act: Act, identifier: str, signed: _Signed) -> RowState:
    """The state of a row after an act of a line; the same object where the act says nothing of its state."""
    by, at, why = signed
    if act.do in VERDICT_ACTS:
        # A reset also takes the edit back: the row is again as it came. Made whole, not by `replace`: nearly all acts
        # are these.
        edited = None if act.do == "reset" else state.edited
        return RowState(VERDICT_ACTS[act.do], edited, why, by, at, state.tags, state.note)
    if act.do == "edit" and identifier in act.edited:
        return replace(
            state, verdict="accepted", edited=act.edited[identifier], why=why, by=by, at=at, before_settling=None
        )
    if act.do == "settle" and act.extra.get("verdict") in VERDICT_ACTS.values():
        edited = act.edited.get(identifier, state.edited)
        own = state.verdict if state.before_settling is None else state.before_settling
        return replace(state, verdict=act.extra["verdict"], edited=edited, why=why, by=by, at=at, before_settling=own)
    if act.do == "tag":
        gone = frozenset(map(str, act.extra.get("untag", ())))
        return replace(state, tags=(state.tags | frozenset(map(str, act.extra.get("tags", ())))) - gone)
    if act.do == "note":
        return replace(state, note=str(act.extra.get("text", "")))
    return state
