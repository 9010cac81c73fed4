"""Changes that are offered as diffs: the signals' own repairs, and the change behind an edit for the rows it fits too.

Nothing is changed by itself. What is offered is taken by a key, all at once or one by one, as one journal line. Knows
no terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from engine.errors import UsageError
from engine.model import Flag, Row
from engine.phrases import counted
from engine.project.project import Project
from engine.review.edit_rules import RowRule, derive_row
from engine.sources.conversation.text_edits import with_texts
from workbench.actions.edited_row import can_be_trained_on, fields_of
from workbench.state.plans import plan_edits
from workbench.state.proposals import Change, Offer
from workbench.state.session import Session


@lru_cache(maxsize=1)
def repair_table() -> Mapping[str, Callable[[str], str]]:
    """Signal name -> how it mends a text. The signals are imported when the first repair is asked for: the first paint
    needs none of them."""
    from engine.scan.signals.table import SIGNALS

    return {signal.name: signal.repair for signal in SIGNALS if signal.repair is not None}


def repairs_of(project: Project, row: int) -> Iterator[Change]:
    """The repairs of the signals that flagged a row, in the order of its flags."""
    for flag in project.flags_of(row):
        change = repair_of(project, flag)
        if change is not None and change.apply(project.current_row(row)) is not None:
            yield change


def repair_of(project: Project, flag: Flag) -> Change | None:
    """What a flag's signal would mend, in the fields that make up the turn it marked."""
    mend = repair_table().get(flag.signal)
    if mend is None:
        return None

    def apply(row: Row) -> Row | None:
        turns = project.rows.example(flag.row, row).messages
        marked = turns[flag.span.turn].text if flag.span is not None and flag.span.turn < len(turns) else None
        texts = {}
        for field in fields_of(project, flag.row, row):
            if marked is None or field.text.strip() in marked:
                mended = mend(field.text)
                if mended != field.text:
                    texts[field.path] = mended
        return with_texts(row, texts) if texts else None

    return Change(flag.row, flag.signal, apply)


def offer_row(session: Session, row: int) -> Offer | None:
    """The repairs of one row; None where it has none."""
    changes = tuple(repairs_of(session.project, row))
    return Offer(f"repairs of row {row}", "repair", changes) if changes else None


def offer_signal(session: Session, signal: str) -> Offer | None:
    """One signal's repair for every row it flagged that is still open; None where there is none.

    A repaired row is accepted, so rows in which something else was found are left out, and said to be.
    """
    project = session.project
    flags = project.findings.flags if project.findings is not None else ()
    changes: list[Change] = []
    left = 0
    for flag in flags:
        change = repair_of(project, flag) if flag.signal == signal and _is_free(project, flag.row) else None
        if change is None or change.apply(project.current_row(flag.row)) is None:
            continue
        if _has_more(project, flag.row, signal):
            left += 1
        else:
            changes.append(change)
    kept_out = f" ({counted(left, 'row')} with other findings left out)" if left else ""
    return Offer(f"repair {signal}{kept_out}", f"repair {signal}", tuple(changes)) if changes else None


def rule_behind(project: Project, row: int, before: Row) -> RowRule | None:
    """The mechanical change behind the edit that a row has just got; None where it is none."""
    return derive_row(before, project.current_row(row), repair_table())


def fitting(project: Project, rule: RowRule, rows: Iterable[int]) -> list[int]:
    """The rows among `rows` that the rule would change and that an offer may touch. Reads them all."""
    return [
        row
        for row in rows
        if _is_free(project, row)
        if rule.changed(project.current_row(row)) is not None and not _has_more(project, row)
    ]


def offer_rule(rule: RowRule, rows: Sequence[int]) -> Offer:
    """The change behind an edit for the other rows that it fits."""
    about = rule.rule.about
    return Offer(
        f"the same change: {about}", f"as edited: {about}", tuple(Change(row, about, rule.changed) for row in rows)
    )


def _is_free(project: Project, row: int) -> bool:
    """Whether an offer may touch the row: rejected, disputed and held-out rows are judged by eye alone."""
    return not (project.is_heldout(row) or project.is_disputed(row) or project.verdict(row) in ("rejected", "skipped"))


def _has_more(project: Project, row: int, signal: str = "") -> bool:
    """Whether an undecided row has findings beside `signal` that ask for a look: flags, or rows that look the same."""
    if project.verdict(row) == "accepted":
        return False
    flagged = any(flag.signal != signal and flag.severity in ("drop", "check") for flag in project.flags_of(row))
    grouped = bool(project.clusters_of(row)) and project.bucket(row) in ("drop", "check")
    return flagged or grouped


def move(session: Session, steps: int) -> None:
    """Move the cursor in the list of changes."""
    offer = session.proposals.offer
    if offer is not None:
        session.proposals.offer = replace(offer, cursor=max(0, min(offer.cursor + steps, len(offer.changes) - 1)))


def toggle(session: Session) -> None:
    """Take the change under the cursor out, or put it back in."""
    offer = session.proposals.offer
    if offer is not None:
        session.proposals.offer = replace(offer, out=offer.out ^ {offer.cursor})
        move(session, 1)


def apply_one(session: Session) -> bool:
    """Make the change under the cursor alone; whether the offer is used up then."""
    offer = session.proposals.offer
    if offer is None:
        return True
    _make(session, (offer.changes[offer.cursor],), offer.why)
    rest = tuple(change for place, change in enumerate(offer.changes) if place != offer.cursor)
    out = frozenset(place - (place > offer.cursor) for place in offer.out if place != offer.cursor)
    session.proposals.offer = replace(offer, changes=rest, cursor=min(offer.cursor, max(0, len(rest) - 1)), out=out)
    return not rest


def apply_all(session: Session) -> None:
    """Make every change that was not taken out, as one act. Raises UsageError where none is left."""
    offer = session.proposals.offer
    if offer is None or not offer.wanted:
        raise UsageError("every change was taken out", "", "x puts one back, esc leaves")
    _make(session, offer.wanted, offer.why)
    session.proposals.offer = None


def _make(session: Session, changes: Sequence[Change], why: str) -> None:
    """Write the changes; several of one row are made one after another. An edited row is accepted."""
    project = session.project
    edited: dict[int, Row] = {}
    unfit = 0
    for change in changes:
        new = change.apply(edited.get(change.row, project.current_row(change.row)))
        if new is not None:
            edited[change.row] = new
    for row in list(edited):
        if not can_be_trained_on(project, row, edited[row]):
            unfit += 1
            del edited[row]
    if len(changes) == 1 and changes[0].about not in why:
        why = f"{why} {changes[0].about}"
    session.act(plan_edits(project, edited, why), advance=False)
    left = f"; {counted(unfit, 'row')} would be empty and stayed" if unfit else ""
    if edited:
        what = f"row {next(iter(edited))}" if len(edited) == 1 else counted(len(edited), "row")
        session.say(f"edited and accepted {what}: {why}{left}; u takes it back", "done")
