"""The commands of the queue: orders, repairs, the same fix for all, when to stop, second looks, pick and slices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.actions import decide, pick, preconditions, repairs, slices
from workbench.commands.command import LISTS, TRIAGE, Command, Stage

if TYPE_CHECKING:
    from workbench.state.proposals import Offer
    from workbench.state.session import Session

OFFERS, PICK, SLICES = ("offer",), ("pick",), ("slices",)
BOARDS = (*OFFERS, *PICK, *SLICES)


def _show_offer(stage: Stage, offer: Offer | None) -> None:
    if offer is not None:
        stage.session.proposals.offer = offer
        stage.go("offer")


def _repair(stage: Stage) -> None:
    session = stage.session
    if session.place.screen == "overview":
        item = session.overview.item
        signal = item.label if item is not None and item.section == "flags" else ""
        offer = repairs.offer_signal(session, signal) if signal in repairs.repair_table() else None
        refused = "no row with this flag alone has a mechanical repair: enter opens them" if signal else (
            "repairs are offered on a line of the flags: ] goes there")  # fmt: skip
        session.say("" if offer else refused, "info" if offer else "refused")
    else:
        entry = session.place.entry
        offer = repairs.offer_row(session, entry.row) if entry is not None else None
        session.say("" if offer else "no mechanical repair for this row: e edits it", "info" if offer else "refused")
    _show_offer(stage, offer)


def _fix_all(stage: Stage) -> None:
    session = stage.session
    if session.proposals.fits is not None:
        rule, rows = session.proposals.fits
        _show_offer(stage, repairs.offer_rule(rule, rows))


def _no_fits(session: Session) -> str | None:
    refused = preconditions.no_verdict(session)
    return refused or (None if session.proposals.fits else "no edit whose change would fit other rows: e edits a row")


def _second_look(stage: Stage) -> None:
    decide.start_recheck(stage.session)
    if stage.session.place.screen != "triage":
        stage.act("rows")


def _apply_all(stage: Stage) -> None:
    repairs.apply_all(stage.session)
    _leave_saying_so(stage)


def _apply_one(stage: Stage) -> None:
    if repairs.apply_one(stage.session):
        _leave_saying_so(stage)


def _leave_saying_so(stage: Stage) -> None:
    """Back to the list, what was done still in the message."""
    done = stage.session.message
    stage.leave()
    stage.session.message = done


def _no_pick(session: Session) -> str | None:
    return pick.why_no_row(session)


def _no_slice_verdict(session: Session) -> str | None:
    return slices.why_no_verdict(session)


QUEUEING: tuple[Command, ...] = (
    Command("order", "order", "next order: groups first, file, cluster, bucket, length, newest, learnt risk",
            ("s",), TRIAGE, lambda stage: stage.act("order")),
    Command("repair", "repair", "the mechanical repairs of the row, or of every row of a flag's line, as diffs",
            ("c",), LISTS, _repair, preconditions.no_verdict),
    Command("fix-all", "fix all", "the change of the last edit for every other row it fits, as diffs",
            ("F",), TRIAGE, _fix_all, _no_fits),
    Command("accept-rest", "accept the rest", "accept what is left here, where the advice to stop stands",
            ("A",), TRIAGE, lambda stage: decide.accept_rest(stage.session), preconditions.no_verdict),
    Command("recheck", "second look", "judge some rows again, blind, and see how often you agree with yourself",
            ("B",), LISTS, _second_look, preconditions.no_verdict),
    Command("pick", "pick", "propose a diverse few hundred of what is left; nothing is accepted",
            ("P",), LISTS, lambda stage: stage.go("pick")),
    Command("slices", "slices", "rows by year or month, and the words that die out", ("H",), LISTS,
            lambda stage: stage.go("slices")),
    Command("apply-all", "apply all", "make every change that was not taken out, as one act", ("enter",), OFFERS,
            _apply_all, preconditions.no_verdict),
    Command("apply-one", "apply this", "make the change under the cursor alone", ("a",), OFFERS,
            _apply_one, preconditions.no_verdict, decides=True),
    Command("take-out", "take out", "take the change under the cursor out, or put it back", ("x",), OFFERS,
            lambda stage: repairs.toggle(stage.session)),
    Command("lock", "lock", "keep this row in the pick, whatever is swapped; again: let it go", ("l",), PICK,
            lambda stage: pick.toggle_lock(stage.session), _no_pick),
    Command("swap", "swap", "put another row in the place of this one", ("x",), PICK,
            lambda stage: pick.swap(stage.session), _no_pick),
    Command("pick-more", "more", "pick more rows", ("plus",), PICK,
            lambda stage: pick.change_wanted(stage.session, 1.25)),
    Command("pick-fewer", "fewer", "pick fewer rows", ("minus",), PICK,
            lambda stage: pick.change_wanted(stage.session, 0.8)),
    Command("pick-accept", "accept these", "accept the rows of the pick; asked first", ("a",), PICK,
            lambda stage: pick.accept_pick(stage.session), preconditions.no_verdict),
    Command("ten", "show ten", "ten rows of the slice, drawn at random", ("enter",), SLICES,
            lambda stage: stage.act("ten"), lambda session: slices.why_no_slice(session)),
    Command("slice-reject", "reject", "reject the undecided rows of the slice; asked first", ("x",), SLICES,
            lambda stage: slices.decide_slice(stage.session, "reject"), _no_slice_verdict),
    Command("slice-accept", "accept", "accept the undecided rows of the slice; asked first", ("a",), SLICES,
            lambda stage: slices.decide_slice(stage.session, "accept"), _no_slice_verdict),
    Command("slice-width", "year, month", "count by year, or by month", ("m",), SLICES,
            lambda stage: slices.other_width(stage.session)),
    Command("board-undo", "undo", "take the last act back", ("u",), BOARDS,
            lambda stage: stage.session.undo(), preconditions.no_verdict),
    Command("board-down", "down", "next line", ("j", "down"), BOARDS, lambda stage: stage.step(1)),
    Command("board-up", "up", "previous line", ("k", "up"), BOARDS, lambda stage: stage.step(-1)),
    Command("board-page", "page", "list: a page down", ("ctrl+f",), BOARDS, lambda stage: stage.page(1)),
    Command("board-page-up", "page up", "list: a page up", ("ctrl+b",), BOARDS, lambda stage: stage.page(-1)),
    Command("board-read", "read on", "reader: half a page down", ("J",), BOARDS,
            lambda stage: stage.scroll_reader(0.5)),
    Command("board-read-up", "read back", "reader: half a page up", ("K",), BOARDS,
            lambda stage: stage.scroll_reader(-0.5)),
    Command("board-back", "back", "back to where one came from", ("escape", "q"), BOARDS, lambda stage: stage.leave()),
)  # fmt: skip
