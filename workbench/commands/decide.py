"""The commands that decide: verdicts, groups, edits, undo."""

from __future__ import annotations

from collections.abc import Callable

from workbench.actions import decide, edit_turns, groups, preconditions, proposed
from workbench.commands.command import Command
from workbench.commands.targets import LISTS, OVERVIEW, TRIAGE, CommandTarget
from workbench.state.plans import Verb


def _decide(verb: Verb) -> Callable[[CommandTarget], None]:
    return lambda target: decide.decide_here(target.session, verb)


def _choose(place: int) -> Callable[[CommandTarget], None]:
    return lambda target: groups.keep_at(target.session, place)


DECIDE_COMMANDS = (
    Command("accept", "accept", "accept the row, or every row of the group", ("a",), LISTS,
            _decide("accept"), preconditions.no_verdict, decides=True, asks_twice=True),
    Command("reject", "reject", "reject the row, or every row of the group", ("x",), LISTS,
            _decide("reject"), preconditions.no_verdict, decides=True, asks_twice=True),
    Command("skip", "skip", "leave it for later: counts as decided, is not exported", ("space",), LISTS,
            _decide("skip"), preconditions.no_verdict, decides=True, asks_twice=True),
    Command("keep", "keep", "group: accept the keeper, reject the rest; on a member: keep that one", ("enter",),
            (TRIAGE,),
            lambda target: decide.keep(target.session), preconditions.no_keep, decides=True, asks_twice=True),
    Command("keep-all", "keep one of each", "all duplicates of this line: accept each keeper, reject the rest", ("K",),
            (OVERVIEW,), lambda target: decide.keep_all(target.session), preconditions.no_verdict, decides=True,
            asks_twice=True),
    Command("reset", "reset", "take verdict and edit back: the row is undecided again", ("r",), (TRIAGE,),
            _decide("reset"), preconditions.no_verdict, decides=True, asks_twice=True),
    Command("edit", "edit", "edit the row here", ("e",), (TRIAGE,),
            lambda target: target.edit_row(), preconditions.no_edit, opens_a_line=True),
    Command("edit-external", "$EDITOR", "edit the row, the marked rows or those of the line in $VISUAL or $EDITOR",
            ("ctrl+e",), LISTS, lambda target: target.open_external_editor(), preconditions.no_edit_outside,
            opens_a_line=True),
    Command("turn-cut", "cut rest", "turn in focus: cut off every turn behind it", ("C",), (TRIAGE,),
            lambda target: edit_turns.cut_rest(target.session), preconditions.no_turn_edit, decides=True),
    Command("turn-drop", "drop", "turn in focus: drop it", ("X",), (TRIAGE,),
            lambda target: edit_turns.drop(target.session), preconditions.no_turn_edit, decides=True),
    Command("turn-train", "don't train", "turn in focus: do not train on it, or train on it again", ("W",), (TRIAGE,),
            lambda target: edit_turns.train_or_not(target.session), preconditions.no_turn_edit, decides=True),
    Command("take", "take", "take what is proposed for the row, the group, the marked rows or the line: their verdict, "
            "text or tag", ("plus",), LISTS,
            lambda target: proposed.reply_here(target.session, "take"), proposed.no_proposal, decides=True,
            asks_twice=True),
    Command("decline-proposed", "decline", "decline what is proposed for them: it no longer waits, nothing is decided",
            ("minus",), LISTS,
            lambda target: proposed.reply_here(target.session, "decline"), proposed.no_proposal, decides=True,
            asks_twice=True),
    Command("undo", "undo", "take the last act back; asked first where it is large; an open question: take it back",
            ("u",), LISTS,
            lambda target: target.session.undo(), preconditions.read_only, asks_twice=True, steps_back=True),
    Command("redo", "redo", "do the undone act again", ("ctrl+r",), LISTS,
            lambda target: target.session.redo(), preconditions.read_only, asks_twice=True),
    Command("not-duplicates", "no duplicates", "the group's rows (or its marked ones) are no duplicates",
            ("N",), (TRIAGE,),
            lambda target: groups.not_duplicates(target.session), preconditions.no_verdict, decides=True),
    Command("split", "split off", "split the marked rows off their group", ("S",), (TRIAGE,),
            lambda target: groups.split_off(target.session), preconditions.no_verdict, decides=True),
    Command("both-fine", "both fine", "conflict: the answers are fine beside each other, accept them all",
            ("b",), (TRIAGE,),
            lambda target: groups.both_fine(target.session), preconditions.no_verdict, decides=True),
    Command("drop-both", "drop both", "conflict: no answer is right, reject them all", ("D",), (TRIAGE,),
            lambda target: groups.drop_both(target.session), preconditions.no_verdict, decides=True),
    Command("merge", "merge", "conflict: all answers in one text, to write the right one", ("M",), (TRIAGE,),
            lambda target: target.merge_answers(), preconditions.no_merge, opens_a_line=True),
)  # fmt: skip

CHOOSE_COMMANDS = tuple(
    Command(f"choose-{place}", "keep", f"group: keep the row numbered {place} (to 9), reject the rest",
            (str(place),), (TRIAGE,), _choose(place), preconditions.no_verdict, decides=True)
    for place in range(1, 10)
)  # fmt: skip
