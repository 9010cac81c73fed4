"""Folding one journal file into what it says now: a state per row, and what can be undone and redone.

A fold starts empty, or on a base: the columns of a snapshot that already hold the earlier lines. What lines before
the base replaced is not in memory then; `needs_history` says when an undo would have to know it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple, Protocol

from engine.model import SHAPES, Act, Row, VerdictName
from engine.project.journal import MOST_TOLD, NOTHING_READ, End, JournalPart, LeftOut, act_from_json, unread
from engine.project.waiting_lines import WAITS, YES_TO
from engine.sources.mapping import Mapping

VERDICT_ACTS: dict[str, VerdictName] = {
    "accept": "accepted",
    "reject": "rejected",
    "skip": "skipped",
    "reset": "undecided",
}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CONSTRAINT_ACTS = ("not_duplicates", "fine_together", "split")
STANDING_KEYS = ("changed", "variants", "declined", WAITS, YES_TO)
# What a person reads of these: their names in the file are no words.
ACT_WORDS = {
    "not_duplicates": "no duplicates:",
    "fine_together": "both fine:",
    "split": "split off",
    "holdout": "hold out",
}


def act_word(act: dict[str, Any]) -> str:
    """What a person reads of an act of a line."""
    return "decline what is proposed for" if act.get("declined") else ACT_WORDS.get(act["do"], act["do"])


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


Key = int | tuple[int, int]
"""A line within its journal: its number `n`; where a file repeats one, (n, which of them, from 2 on); a negative number
for what comes from a snapshot."""


@dataclass(slots=True)
class _Applied:
    """One line as folded: what its rows were before, so that an undo restores them in one step."""

    acts: tuple[Act, ...]
    line: dict[str, Any]
    before: dict[str, RowState]
    stands: bool = True


@dataclass(slots=True)
class Fold:
    """The folded state of one journal file; it changes only by `apply` and `take`.

    `end` is how far the file is folded in, `notes` say what of it was left out, and `is_waiting` that this includes a
    line whose side file is away: nothing that is made of such a fold may be kept.

    Acts are written and taken back like a stack, and folded so. Where a line takes back an act that is not the topmost
    here (a line between them could not be read when it was written, and can now), the acts that stand are done anew in
    their order: what was acknowledged counts.
    """

    base: Base | None = None
    changed: dict[str, RowState] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    heldout: dict[str, Key] = field(default_factory=dict)
    standing: dict[Key, list[Act]] = field(default_factory=dict)
    mappings: dict[Key, Mapping] = field(default_factory=dict)
    reviewers: set[str] = field(default_factory=set)
    last_number: int = 0
    end: End = NOTHING_READ
    notes: list[str] = field(default_factory=list)
    is_waiting: bool = False
    _done: dict[Key, None] = field(default_factory=dict)
    _undone: dict[Key, None] = field(default_factory=dict)
    _applied: dict[Key, _Applied] = field(default_factory=dict)
    _repeats: dict[int, dict[bool, list[Key]]] = field(default_factory=dict)
    """Of numbers that are there more than once: lines that stand (True) and those taken back, the latest last."""
    _is_stale: bool = False

    def state(self, identifier: str) -> RowState | None:
        """What this journal says of a row, or None where it never spoke of it."""
        found = self.changed.get(identifier)
        if found is None and self.base is not None:
            return self.base.get(identifier)
        return found

    def take(self, part: JournalPart) -> set[str]:
        """Fold in what was read of the journal; the ids whose state it touched. A line that cannot be is left out."""
        touched: set[str] = set()
        notes = [*part.complaints, *part.not_applied, *part.remarks]
        for place, line in zip(part.places, part.lines, strict=True):
            try:
                touched |= self._apply(line)
            except ValueError as error:
                notes.append(unread(part.name, LeftOut(place, str(error))))
        self._catch_up()
        self.last_number = max(self.last_number, part.highest)
        self.end = part.end
        self.is_waiting = self.is_waiting or any(one.is_away for one in part.left_out)
        self.notes += notes[:MOST_TOLD]
        if len(notes) > MOST_TOLD:
            self.notes.append(f"{part.name}: and {len(notes) - MOST_TOLD:,} more")
        return touched

    def can_take(self, part: JournalPart) -> bool:
        """Whether what was read can be folded in on top: else only the whole journal says what it comes to."""
        if self.base is None:
            return not part.lines or part.lines[0]["n"] > self.last_number
        return all(line["n"] > self.last_number and not self.needs_history(line) for line in part.lines)

    def apply(self, line: dict[str, Any]) -> set[str]:
        """Fold in one line that follows; the ids whose state it touched.

        Raises ValueError where it takes back (or does again) what is not there to be; nothing is changed then.
        """
        touched = self._apply(line)
        self._catch_up()
        return touched

    def _apply(self, line: dict[str, Any]) -> set[str]:
        number = line["n"]
        if "undo" in line:
            touched = self._undo(line["undo"])
        elif "redo" in line:
            touched = self._redo(line["redo"])
        else:
            key = self._key_for(number)
            acts = tuple(act_from_json(act) for act in line["acts"])
            self._undone.clear()
            self._applied[key] = _Applied(acts, line, {})
            touched = self._perform(key)
        if number > self.last_number:
            self.last_number = number
        self.reviewers.add(line.get("by", ""))
        self.seen.update(line.get("seen", ()))
        return touched

    def _key_for(self, number: int) -> Key:
        if number not in self._applied:
            return number
        if number not in self._repeats:
            first = self._applied[number].stands
            self._repeats[number] = {first: [number], not first: []}
        keys = self._repeats[number]
        key = (number, len(keys[True]) + len(keys[False]) + 1)
        keys[True].append(key)
        return key

    def needs_history(self, line: dict[str, Any] | None = None) -> bool:
        """Whether the next undo (or this undo or redo line) speaks of a line that only the base knows."""
        if self.base is None:
            return False
        if line is None:
            return not self._done
        number = line.get("undo", line.get("redo"))
        return number is not None and number not in self._applied

    def _number(self, key: Key | None) -> int | None:
        return key[0] if isinstance(key, tuple) else key

    def reversal(self, verb: Literal["undo", "redo"]) -> Reversal | None:
        """What an undo or a redo would do next; None where there is nothing."""
        key = next(reversed(self._done if verb == "undo" else self._undone), None)
        number = self._number(key)
        if key is None or number is None:
            return None
        acts = self._applied[key].acts
        is_basic = any(act.do in ("holdout", "map") for act in acts)
        return Reversal(number, self.describe(number), len(_ids(acts)), is_basic)

    def describe(self, number: int) -> str:
        """The line that an undo or a redo of this number means, in words: `reject 12 rows (bucket:drop)`."""
        tops = (next(reversed(self._done), None), next(reversed(self._undone), None))
        key = next((key for key in tops if key is not None and self._number(key) == number), number)
        applied = self._applied[key]
        parts = in_words(applied.acts)
        why = str(applied.line.get("why", ""))
        # The reason of a held-out set says the same again.
        says_more = why not in ("", "by eye") and all(act.do != "holdout" for act in applied.acts)
        return " and ".join(parts) + (f" ({why})" if says_more else "")

    @property
    def mapping(self) -> Mapping | None:
        """How this journal says that rows are read: the last correction that stands, or None where there is none."""
        return next(reversed(self.mappings.values()), None)

    def _perform(self, key: Key) -> set[str]:
        applied = self._applied[key]
        self._done[key] = None
        if self._is_stale:
            return _ids(applied.acts)
        applied.before.clear()
        line = applied.line
        touched: set[str] = set()
        signed = _Signed(line.get("by", ""), canonical_time(line.get("at", "")), line.get("why", ""))
        for act in applied.acts:
            counts = WAITS not in act.extra
            if act.do == "holdout" and counts:
                for identifier in act.ids:
                    self.heldout.setdefault(identifier, key)
            if act.do == "map" and counts and (mapping := mapping_of_act(act)) is not None:
                self.mappings[key] = mapping
            if act.do in CONSTRAINT_ACTS or any(map(act.extra.get, STANDING_KEYS)):
                self.standing.setdefault(key, []).append(act)
            for identifier in act.ids:
                state = self.state(identifier) or BLANK
                after = changed_state(state, act, identifier, signed)
                if after is not state:
                    applied.before.setdefault(identifier, state)
                    self.changed[identifier] = after
            touched.update(act.ids)
        return touched

    def _undo(self, number: int) -> set[str]:
        key = self._latest(number, stands=True)
        if key is None:
            raise ValueError(f"it takes back line {number}, and no such act stands before it")
        applied = self._applied[key]
        is_top = key == next(reversed(self._done))
        del self._done[key]
        self._undone[key] = None
        self._move(number, key, stands=False)
        if not is_top or self._is_stale:
            self._is_stale = True
            return _ids(applied.acts)
        self.changed.update(applied.before)
        self.standing.pop(key, None)
        self.mappings.pop(key, None)
        if any(act.do == "holdout" for act in applied.acts):
            self.heldout = {identifier: made for identifier, made in self.heldout.items() if made != key}
        return _ids(applied.acts)

    def _redo(self, number: int) -> set[str]:
        key = self._latest(number, stands=False)
        if key is None:
            raise ValueError(f"it does line {number} again, and no such act was taken back before it")
        self._undone.pop(key, None)
        self._move(number, key, stands=True)
        return self._perform(key)

    def _move(self, number: int, key: Key, *, stands: bool) -> None:
        self._applied[key].stands = stands
        if number in self._repeats:
            self._repeats[number][not stands].pop()
            self._repeats[number][stands].append(key)

    def _latest(self, number: int, *, stands: bool) -> Key | None:
        """The last line of this number that stands, or that was taken back."""
        if number in self._repeats:
            return next(reversed(self._repeats[number][stands]), None)
        return number if number in self._applied and self._applied[number].stands is stands else None

    def _catch_up(self) -> None:
        """Do anew what stands, in order, after something was taken back from below the top."""
        if not self._is_stale:
            return
        self._is_stale = False
        self.changed.clear()
        self.heldout = {identifier: key for identifier, key in self.heldout.items() if _is_of_base(key)}
        self.standing = {key: acts for key, acts in self.standing.items() if _is_of_base(key)}
        self.mappings = {key: mapping for key, mapping in self.mappings.items() if _is_of_base(key)}
        for key in self._done:
            self._perform(key)


def _is_of_base(key: Key) -> bool:
    return isinstance(key, int) and key < 0


def map_act(mapping: Mapping) -> Act:
    """The act that says how rows are read from now on."""
    return Act("map", (), extra={"shape": mapping.shape, "fields": dict(mapping.fields)})


def mapping_of_act(act: Act) -> Mapping | None:
    """The mapping that a `map` act names, or None where it names none that this version knows."""
    shape, fields = act.extra.get("shape"), act.extra.get("fields")
    return Mapping(shape, dict(fields)) if shape in SHAPES and isinstance(fields, dict) else None


def in_words(acts: Iterable[Act]) -> list[str]:
    """`reject 12 rows`; acts of one kind (a proposal each) are counted together."""
    words: list[str] = []
    rows: Counter[str] = Counter()
    for act in acts:
        if act.do == "map" and (mapping := mapping_of_act(act)) is not None:
            words.append(f"read rows as {mapping.describe()}")
        else:
            rows[act_word({"do": act.do, **act.extra})] += len(act.ids)
    return [*words, *(f"{word} {number:,} row{'s' if number != 1 else ''}" for word, number in rows.items())]


def _ids(acts: Iterable[Act]) -> set[str]:
    return {identifier for act in acts for identifier in act.ids}


def canonical_time(stamp: str) -> str:
    """A time as snapshots keep it, in UTC to the second; nearly all are written so."""
    if len(stamp) == 20 and stamp[7] == "-" and stamp[10] == "T" and stamp[19] == "Z":
        return stamp
    if not stamp:
        return ""
    found = datetime.fromisoformat(stamp)
    found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    return max(found, EPOCH).strftime("%Y-%m-%dT%H:%M:%SZ")


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
        tags = (state.tags | frozenset(map(str, act.extra.get("tags", ())))) - gone
        # A proposal that is declined is a tag act without a tag: earlier versions fold it, too.
        return state if tags == state.tags else replace(state, tags=tags)
    if act.do == "note":
        return replace(state, note=str(act.extra.get("text", "")))
    return state
