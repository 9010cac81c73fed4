"""The commands of the queue: orders, repairs, the same fix for all, when to stop, second looks, pick and slices."""

from __future__ import annotations

from workbench.actions import decide, pick, preconditions, repairs, slices
from workbench.commands.command import Command
from workbench.commands.targets import (
    LIST_DETAILS,
    LISTS,
    PICK,
    REPAIRS,
    SLICES,
    TRIAGE,
    CommandTarget,
    ListDetailTarget,
    ListTarget,
)
from workbench.state.proposals import Offer
from workbench.state.session import Session


def _show_repairs(target: CommandTarget, offer: Offer | None) -> None:
    if offer is not None:
        target.session.proposals.offer = offer
        target.go(REPAIRS)


def _repair(target: CommandTarget) -> None:
    session = target.session
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
    _show_repairs(target, offer)


def _fix_all(target: CommandTarget) -> None:
    session = target.session
    if session.proposals.fits is not None:
        rule, rows = session.proposals.fits
        _show_repairs(target, repairs.offer_rule(rule, rows))


def _no_fits(session: Session) -> str | None:
    refused = preconditions.no_verdict(session)
    return refused or (None if session.proposals.fits else "no edit whose change would fit other rows: e edits a row")


def _second_look(target: ListTarget) -> None:
    decide.start_recheck(target.session)
    target.show_rows()


def _apply_all(target: ListDetailTarget) -> None:
    repairs.apply_all(target.session)
    _leave_saying_so(target)


def _apply_one(target: ListDetailTarget) -> None:
    if repairs.apply_one(target.session):
        _leave_saying_so(target)


def _leave_saying_so(target: CommandTarget) -> None:
    """Back to the list, what was done still in the message."""
    done = target.session.message
    target.leave()
    target.session.message = done


def _show_ten(target: CommandTarget) -> None:
    slices.show_ten(target.session)
    target.go(TRIAGE)


REVIEW_COMMANDS = (
    Command("order", "order", "next order: groups first, file, cluster, bucket, length, newest, learnt risk, surprise",
            ("s",), (TRIAGE,), lambda target: target.next_order()),
    Command("repair", "repair", "the mechanical repairs of the row, or of every row of a flag's line, as diffs",
            ("c",), LISTS, _repair, preconditions.no_verdict),
    Command("fix-all", "fix all", "the change of the last edit for every other row it fits, as diffs",
            ("F",), (TRIAGE,), _fix_all, _no_fits),
    Command("accept-rest", "accept the rest", "accept what is left here, where the advice to stop stands",
            ("A",), (TRIAGE,), lambda target: decide.accept_rest(target.session), preconditions.no_verdict,
            asks_twice=True),
    Command("recheck", "second look", "judge some rows again, blind, and see how often you agree with yourself",
            ("B",), LISTS, _second_look, preconditions.no_verdict),
    Command("pick", "pick", "propose a diverse few hundred of what is left; nothing is accepted",
            ("P",), LISTS, lambda target: target.go(PICK)),
    Command("slices", "slices", "rows by year or month, and the words that die out", ("H",), LISTS,
            lambda target: target.go(SLICES)),
    Command("apply-all", "apply all", "make every change that was not taken out, as one act", ("enter",), (REPAIRS,),
            _apply_all, preconditions.no_verdict),
    Command("apply-one", "apply this", "make the change under the cursor alone", ("a",), (REPAIRS,),
            _apply_one, preconditions.no_verdict, decides=True),
    Command("take-out", "take out", "take the change under the cursor out, or put it back", ("x",), (REPAIRS,),
            lambda target: repairs.toggle(target.session)),
    Command("lock", "lock", "keep this row in the pick, whatever is swapped; again: let it go", ("l",), (PICK,),
            lambda target: pick.toggle_lock(target.session), pick.why_no_row),
    Command("swap", "swap", "put another row in the place of this one", ("x",), (PICK,),
            lambda target: pick.swap(target.session), pick.why_no_row),
    Command("pick-more", "more", "pick more rows", ("plus",), (PICK,),
            lambda target: pick.change_wanted(target.session, 1.25)),
    Command("pick-fewer", "fewer", "pick fewer rows", ("minus",), (PICK,),
            lambda target: pick.change_wanted(target.session, 0.8)),
    Command("pick-accept", "accept these", "accept the rows of the pick; asked first", ("a",), (PICK,),
            lambda target: pick.accept_pick(target.session), preconditions.no_verdict, asks_twice=True),
    Command("ten", "show ten", "ten rows of the slice, drawn at random", ("enter",), (SLICES,),
            _show_ten, slices.why_no_slice),
    Command("slice-reject", "reject", "reject the undecided rows of the slice; asked first", ("x",), (SLICES,),
            lambda target: slices.decide_slice(target.session, "reject"), slices.why_no_verdict, asks_twice=True),
    Command("slice-accept", "accept", "accept the undecided rows of the slice; asked first", ("a",), (SLICES,),
            lambda target: slices.decide_slice(target.session, "accept"), slices.why_no_verdict, asks_twice=True),
    Command("slice-width", "year, month", "count by year, or by month", ("m",), (SLICES,),
            lambda target: slices.other_width(target.session)),
    Command("board-undo", "undo", "take the last act back", ("u",), LIST_DETAILS,
            lambda target: target.session.undo(), preconditions.read_only, asks_twice=True, steps_back=True),
    Command("board-down", "down", "next line", ("j", "down"), LIST_DETAILS, lambda target: target.step(1)),
    Command("board-up", "up", "previous line", ("k", "up"), LIST_DETAILS, lambda target: target.step(-1)),
    Command("board-page", "page", "list: a page down", ("ctrl+f",), LIST_DETAILS, lambda target: target.page(1)),
    Command("board-page-up", "page up", "list: a page up", ("ctrl+b",), LIST_DETAILS, lambda target: target.page(-1)),
    Command("board-read", "read on", "reader: half a page down", ("J",), LIST_DETAILS,
            lambda target: target.scroll_reader(0.5)),
    Command("board-read-up", "read back", "reader: half a page up", ("K",), LIST_DETAILS,
            lambda target: target.scroll_reader(-0.5)),
    Command("board-back", "back", "back to where one came from", ("escape", "q"), LIST_DETAILS,
            lambda target: target.leave(), steps_back=True),
)  # fmt: skip
