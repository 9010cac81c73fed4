"""What all journals of a project say together: one verdict a row, kept in columns, brought up to date act by act."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import compress
from pathlib import Path
from typing import Any

from engine.model import SETTLED_KINDS, VERDICTS, Act, Cluster, Decision, Findings, VerdictName
from engine.project.fold import BLANK, CONSTRAINT_ACTS, Fold, RowState, in_words, mapping_of_act
from engine.project.journal import act_to_json
from engine.project.reviewers import DECIDED, agreement, together
from engine.project.rows import RowStore
from engine.project.snapshot import CODE, Columns
from engine.project.waiting_lines import WAITS, YES_TO
from engine.sources.mapping import Mapping as RowMapping
from engine.trust import Waiting

MERGED_ACT = "merged act"


@dataclass(frozen=True, slots=True)
class WaitingActs:
    """The acts of a line that a merge brought into the file `journal`: they count when somebody here says yes."""

    journal: str
    line_hash: str
    acts: tuple[Act, ...]

    @property
    def sentence(self) -> str:
        """Whose they are, and what they would do."""
        return f"{self.journal}: {' and '.join(in_words(self.acts))}"

    @property
    def plain_acts(self) -> list[Act]:
        """The acts as they stand in the file."""
        return [replace(act, extra={k: v for k, v in act.extra.items() if k not in (WAITS, YES_TO)})
                for act in self.acts]  # fmt: skip

    def waiting(self, folder: Path) -> Waiting:
        """What a person is asked about them."""
        plain = [act_to_json(act) for act in self.plain_acts]
        shown = [{**act, "ids": f"{len(act['ids']):,} rows"} if act.get("ids") else act for act in plain]
        content, told = (json.dumps(acts, ensure_ascii=False, indent=1) for acts in (plain, shown))
        place = folder / "decisions" / self.journal
        return Waiting(MERGED_ACT, self.sentence, place, content.encode("utf-8", "surrogatepass"), told)


class States:
    """The folds of all journal files, and what follows from them for every row number.

    With `blind` only the fold at `own` counts, but for rows whose disagreement was settled: what another reviewer
    decided stays hidden until then.
    """

    def __init__(self, rows: RowStore, folds: dict[Path, Fold], own: Path | None, blind: bool) -> None:
        self.rows = rows
        self.folds = folds
        self.own = own
        self.blind = blind and own is not None
        self.codes = bytearray(len(rows))
        self.disputed: set[int] = set()
        self.edited: set[int] = set()
        self.heldout: set[int] = set()
        self._changed_from: dict[str, str] | None = None
        self._declined: dict[str, set[str]] | None = None
        self.recompute()

    def recompute(self) -> None:
        """Compute every row anew from all folds: what stands in columns at once, what came since row by row."""
        folds = list(self.folds.values())
        bases = {path: fold.base for path, fold in self.folds.items() if isinstance(fold.base, Columns)}
        self.codes[:], self.disputed, self.edited = bytes(len(self.codes)), set(), set()
        again = {key for fold in folds for key in fold.changed}
        if len(folds) == 1 and bases:
            (base,) = bases.values()
            self.codes[:] = base.codes
            self.edited = set(base.edited)
        elif bases:
            self._merge_columns(bases)
            # Verdicts alone do not say what these come to.
            sparse = {number for base in bases.values() for number in (*base.edited, *base.marks)}
            again |= set(map(self.rows.id, sparse)).union(*(base.vanished for base in bases.values()))
        self.refresh(again)
        heldout = [identifier for fold in folds for identifier in fold.heldout]
        self.heldout = {number for number in self.rows.numbers(heldout) if number is not None}

    def _merge_columns(self, bases: Mapping[Path, Columns]) -> None:
        self.codes[:], self.disputed = together(list(bases.values()))
        if self.blind:
            own = bases.get(self.own) if self.own is not None else None
            self.codes[:] = own.codes if own is not None else bytes(len(self.codes))
            # A disagreement shows only to somebody who has decided the row.
            self.disputed = {number for number in self.disputed if self.codes[number] in DECIDED}

    def refresh(self, identifiers: Iterable[str] | None) -> None:
        """Bring these rows, or all of them where it is not known which, up to what the folds say."""
        self._changed_from = self._declined = None
        if identifiers is None:
            self.recompute()
            return
        listed = tuple(identifiers)
        heldout = [fold.heldout for fold in self.folds.values() if fold.heldout]
        for identifier, number in zip(listed, self.rows.numbers(listed), strict=True):
            if number is None:
                continue
            state, disputed = self._together(identifier)
            self.codes[number] = CODE[state.verdict]
            _mark(self.edited, number, state.edited is not None)
            _mark(self.disputed, number, disputed)
            _mark(self.heldout, number, any(identifier in held for held in heldout))

    def grow(self, rows: RowStore) -> None:
        """Take in rows that were added since; the journals may have spoken of some of them before."""
        for fold in self.folds.values():
            if isinstance(fold.base, Columns):
                fold.base.grow(rows)
        self.codes.extend(bytes(len(rows) - len(self.codes)))
        self.rows = rows
        self.recompute()

    def state(self, number: int) -> RowState:
        """What the journals together say of a row."""
        return self._together(self.rows.id(number))[0]

    def _together(self, identifier: str) -> tuple[RowState, bool]:
        if len(self.folds) == 1:
            # A journal alone does not differ from itself.
            (fold,) = self.folds.values()
            return fold.state(identifier) or BLANK, False
        states = {path: state for path, fold in self.folds.items() if (state := fold.state(identifier)) is not None}
        state, disputed = combined(list(states.values()))
        if not self.blind or state.settled:
            return state, disputed
        own = states.get(self.own) if self.own is not None else None
        # A disagreement shows only to somebody who has decided the row.
        return own or BLANK, disputed and own is not None and own.verdict in ("accepted", "rejected")

    def voices(self, number: int) -> tuple[Decision, ...]:
        """Each journal's own verdict on a row (the one before it was settled), of those that decided it."""
        identifier = self.rows.id(number)
        hidden = self.blind and number not in self.disputed and not self.state(number).settled
        said: list[Decision] = []
        for path, fold in self.folds.items():
            state = fold.state(identifier)
            if state is None or (hidden and path != self.own):
                continue
            verdict = state.before_settling or state.verdict
            if verdict != "undecided":
                said.append(Decision(verdict, state.edited, state.why, state.by, state.at))
        return tuple(said)

    def is_seen(self, number: int) -> bool:
        """Whether the row was on the screen when a decision was taken on it."""
        folds = self.folds.values()
        if any(fold.base.seen[number] for fold in folds if isinstance(fold.base, Columns)):
            return True
        identifier = self.rows.id(number)
        return any(identifier in fold.seen for fold in folds)

    def seen_decided(self) -> set[int]:
        """The accepted and rejected rows that were on the screen when something was decided, as against in bulk."""
        seen: set[int] = set()
        for fold in self.folds.values():
            if isinstance(fold.base, Columns):
                seen.update(number for number, mark in enumerate(fold.base.seen) if mark)
            seen.update(number for identifier in fold.seen if (number := self.rows.number(identifier)) is not None)
        return {number for number in seen if self.codes[number] in DECIDED}

    def is_open(self, cluster: Cluster) -> bool:
        """Whether a cluster still asks for a decision: some member is undecided and nothing said it is fine."""
        if all(self.codes[row] for row in cluster.rows):
            return False
        constraints = self.constraints()
        if not constraints:
            return True
        identifiers = {self.rows.id(row) for row in cluster.rows}
        return not any(identifiers <= set(act.ids) for act in constraints if act.do != "split")

    def open_counts(self, findings: Findings | None) -> dict[str, int | None]:
        """How many clusters ask for a decision; None where no scan fits: that is not the same as nothing open."""
        if findings is None:
            return {"clusters_open": None, "conflicts_open": None}
        kinds = [cluster.kind for cluster in findings.clusters if self.is_open(cluster)]
        settled = sum(kind in SETTLED_KINDS for kind in kinds)
        return {"clusters_open": settled, "conflicts_open": kinds.count("conflict")}

    def constraints(self) -> list[Act]:
        """The standing `not_duplicates`, `fine_together` and `split` acts."""
        return [act for act in self._standing() if act.do in CONSTRAINT_ACTS]

    def _standing(self) -> Iterable[Act]:
        return (act for fold in self.folds.values() for acts in fold.standing.values() for act in acts)

    @property
    def mapping(self) -> RowMapping | None:
        """How a person says that rows are read: this reviewer's word, else the first other one's by journal name."""
        own = self.folds[self.own].mapping if self.own is not None else None
        others = (fold.mapping for _, fold in sorted(self.folds.items()))
        return own or next((mapping for mapping in others if mapping is not None), None)

    def heldout_variants(self) -> list[list[int]]:
        """Row numbers of the families of variants that the held-out set was cut through."""
        families = (ids for act in self._standing() if _is_reserved(act) for ids in act.extra.get("variants", ()))
        found = ([self.rows.number(identifier) for identifier in ids] for ids in families)
        return [[number for number in rows if number is not None] for rows in found]

    def waiting(self, mapping: RowMapping) -> list[WaitingActs]:
        """What merges brought that waits for a yes; what holds already, or was said yes to, does not. `mapping` is how
        rows are read now."""
        answered = {act.extra[YES_TO] for act in self._standing() if YES_TO in act.extra and WAITS not in act.extra}
        held = {identifier for fold in self.folds.values() for identifier in fold.heldout}
        found: dict[str, tuple[str, list[Act]]] = {}
        for path, fold in sorted(self.folds.items()):
            for act in (act for acts in fold.standing.values() for act in acts if WAITS in act.extra):
                holds = mapping_of_act(act) == mapping if act.do == "map" else held.issuperset(act.ids)
                mark = str(act.extra[WAITS])
                if mark not in answered and not holds and found.setdefault(mark, (path.name, []))[0] == path.name:
                    found[mark][1].append(act)
        return [WaitingActs(journal, mark, tuple(acts)) for mark, (journal, acts) in found.items()]

    def changed_from(self, number: int) -> str | None:
        """The id of the row that this one is a new version of, or None."""
        if self._changed_from is None:
            self._changed_from = {}
            for act in self._standing():
                self._changed_from.update(act.extra.get("changed", {}))
        return self._changed_from.get(self.rows.id(number))

    def declined(self) -> Mapping[str, set[str]]:
        """The proposals that a person has declined, by the id of the row."""
        if self._declined is None:
            self._declined = {}
            for act in self._standing():
                for identifier in act.ids if "declined" in act.extra else ():
                    self._declined.setdefault(identifier, set()).add(act.extra["declined"])
        return self._declined

    def unknown_ids(self) -> int:
        """How many ids the journals speak of that no row here has: vanished rows, or rows of another copy."""
        spoken = tuple({key for fold in self.folds.values() for key in fold.changed})
        missing = {key for key, number in zip(spoken, self.rows.numbers(spoken), strict=True) if number is None}
        for fold in self.folds.values():
            if isinstance(fold.base, Columns):
                missing |= fold.base.vanished.keys()
        return len(missing)

    def agreement(self) -> dict[str, Any] | None:
        """Cohen's kappa of the reviewers over each one's own verdicts, or None where no row was decided by two."""
        if len(self.folds) < 2:
            return None
        verdicts: dict[str, dict[str | int, str]] = {}
        for fold in self.folds.values():
            for by, own in self._own_verdicts(fold):
                verdicts.setdefault(by, {}).update(own)
        return agreement(verdicts)

    def _own_verdicts(self, fold: Fold) -> Iterator[tuple[str, dict[str | int, str]]]:
        """(reviewer, accepted and rejected by row number, or by id where the row is gone) as one journal says it.

        Where a disagreement was settled since, what was said before.
        """
        base = fold.base if isinstance(fold.base, Columns) else None
        again = set(fold.changed)
        if base is not None:
            # Nearly all rows, by columns; those of which more than a verdict is said, one by one.
            again.update(base.vanished, map(self.rows.id, base.marks))
            known = set(self.rows.numbers(tuple(again)))
            found: dict[str, dict[str | int, str]] = {by: {} for _, by in base.table}
            names = [by for _, by in base.table]
            for number in compress(range(len(base.codes)), base.codes):
                if base.codes[number] in DECIDED and number not in known:
                    found[names[base.reasons[number]]][number] = VERDICTS[base.codes[number]]
            yield from found.items()
        listed = tuple(again)
        for identifier, row in zip(listed, self.rows.numbers(listed), strict=True):
            state = fold.state(identifier)
            own = "" if state is None else state.before_settling or state.verdict
            if state is not None and own in ("accepted", "rejected"):
                yield state.by, {identifier if row is None else row: own}

    def reviewers(self) -> list[str]:
        """Everybody who wrote a line, by name."""
        return sorted({name for fold in self.folds.values() for name in fold.reviewers if name})

    def counts(self) -> dict[str, Any]:
        """How many rows have which verdict and mark, and who decided: what the contract's `status` says of journals."""
        verdicts = self.verdict_counts()
        return {
            "accepted": verdicts["accepted"],
            "edited": sum(1 for number in self.edited if self.codes[number] == CODE["accepted"]),
            "rejected": verdicts["rejected"],
            "skipped": verdicts["skipped"],
            "undecided": verdicts["undecided"],
            "disputed": len(self.disputed),
            "heldout": len(self.heldout),
            "seen": len(self.seen_decided()),
            "agreement": self.agreement(),
            "reviewers": self.reviewers(),
        }

    def verdict_counts(self) -> dict[VerdictName, int]:
        """How many rows have which verdict."""
        return {verdict: self.codes.count(code) for code, verdict in enumerate(VERDICTS)}


def _is_reserved(act: Act) -> bool:
    return act.do == "holdout" and WAITS not in act.extra


def _mark(numbers: set[int], number: int, belongs: bool) -> None:
    (numbers.add if belongs else numbers.discard)(number)


def combined(states: list[RowState]) -> tuple[RowState, bool]:
    """(what several journals say together, whether they differ).

    A settled state outweighs all, the latest settled one first; a decided one outweighs an undecided one.
    """
    settled = [state for state in states if state.settled]
    if settled:
        return max(settled, key=lambda state: state.at), False
    decided = [state for state in states if state.verdict in ("accepted", "rejected")]
    if len(decided) > 1:
        first = decided[0]
        if any(state.verdict != first.verdict or state.edited != first.edited for state in decided[1:]):
            return RowState(by=", ".join(sorted({state.by for state in decided})), why="reviewers differ"), True
    if decided:
        return decided[0], False
    return (states[-1], False) if states else (BLANK, False)
