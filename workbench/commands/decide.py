"""The commands that decide: verdicts, groups, edits, undo."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.actions import decide, edit_turns, groups, preconditions
from workbench.commands.command import LISTS, TRIAGE, Command, Run

if TYPE_CHECKING:
    from workbench.state.plans import Verb


def _judge(verb: Verb) -> Run:
    return lambda stage: decide.decide_here(stage.session, verb)


def _choose(place: int) -> Run:
    return lambda stage: groups.keep_at(stage.session, place)


DECIDING: tuple[Command, ...] = (
    Command("accept", "accept", "accept the row, or every row of the group", ("a",), LISTS,
            _judge("accept"), preconditions.no_verdict, decides=True),
    Command("reject", "reject", "reject the row, or every row of the group", ("x",), LISTS,
            _judge("reject"), preconditions.no_verdict, decides=True),
    Command("skip", "skip", "leave it for later: counts as decided, is not exported", ("space",), LISTS,
            _judge("skip"), preconditions.no_verdict, decides=True),
    Command("keep", "keep", "group: accept the keeper, reject the rest; on a member: keep that one", ("enter",), TRIAGE,
            lambda stage: decide.keep(stage.session), preconditions.no_keep, decides=True),
    Command("keep-all", "keep one of each", "all duplicates of this line: accept each keeper, reject the rest", ("K",),
            ("overview",), lambda stage: decide.keep_all(stage.session), preconditions.no_verdict, decides=True),
    Command("reset", "reset", "take verdict and edit back: the row is undecided again", ("r",), TRIAGE,
            _judge("reset"), preconditions.no_verdict, decides=True),
    Command("edit", "edit", "edit the row here", ("e",), TRIAGE,
            lambda stage: stage.open_editor(external=False), preconditions.no_edit, opens_a_line=True),
    Command("edit-external", "$EDITOR", "edit the row, the marked rows or those of the line in $VISUAL or $EDITOR",
            ("ctrl+e",), LISTS, lambda stage: stage.open_editor(external=True), preconditions.no_edit_outside,
            opens_a_line=True),
    Command("turn-cut", "cut rest", "turn in focus: cut off every turn behind it", ("C",), TRIAGE,
            lambda stage: edit_turns.cut_rest(stage.session), preconditions.no_turn_edit, decides=True),
    Command("turn-drop", "drop", "turn in focus: drop it", ("X",), TRIAGE,
            lambda stage: edit_turns.drop(stage.session), preconditions.no_turn_edit, decides=True),
    Command("turn-train", "don't train", "turn in focus: do not train on it, or train on it again", ("W",), TRIAGE,
            lambda stage: edit_turns.train_or_not(stage.session), preconditions.no_turn_edit, decides=True),
    Command("undo", "undo", "take the last act back, whatever its size", ("u",), LISTS,
            lambda stage: stage.session.undo(), preconditions.no_verdict),
    Command("redo", "redo", "do the undone act again", ("ctrl+r",), LISTS,
            lambda stage: stage.session.redo(), preconditions.no_verdict),
    Command("not-duplicates", "no duplicates", "the group's rows (or its marked ones) are no duplicates",
            ("N",), TRIAGE,
            lambda stage: groups.not_duplicates(stage.session), preconditions.no_verdict, decides=True),
    Command("split", "split off", "split the marked rows off their group", ("S",), TRIAGE,
            lambda stage: groups.split_off(stage.session), preconditions.no_verdict, decides=True),
    Command("both-fine", "both fine", "conflict: the answers are fine beside each other, accept them all",
            ("b",), TRIAGE,
            lambda stage: groups.both_fine(stage.session), preconditions.no_verdict, decides=True),
    Command("drop-both", "drop both", "conflict: no answer is right, reject them all", ("D",), TRIAGE,
            lambda stage: groups.drop_both(stage.session), preconditions.no_verdict, decides=True),
    Command("merge", "merge", "conflict: all answers in one text, to write the right one", ("M",), TRIAGE,
            lambda stage: stage.merge(), preconditions.no_merge, opens_a_line=True),
    *(Command(f"choose-{place}", "keep", f"group: keep the row numbered {place} (to 9), reject the rest",
              (str(place),), TRIAGE, _choose(place), preconditions.no_verdict,
              decides=True) for place in range(1, 10)),
)  # fmt: skip
