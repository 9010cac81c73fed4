"""The commands about runs' answers and rows: trying a run, judging two, what a run says of single rows."""

from __future__ import annotations

from workbench.commands import why_not
from workbench.commands.command import Command, Run


def _act(what: str) -> Run:
    return lambda stage: stage.act(what)


TRY, JUDGE = ("try",), ("judge",)

ANSWERING: tuple[Command, ...] = (
    Command("answer-again", "ask again", "ask again; start the answering process anew where it is gone", ("enter",),
            TRY, lambda stage: stage.confirm()),
    Command("answer-type", "prompt", "type a prompt of your own, beginning with the one shown", ("t",), TRY,
            _act("type"), opens_a_line=True),
    Command("answer-base", "take base", "make prompt and base answer a new undecided row", ("1",), TRY,
            _act("base"), why_not.no_verdict),
    Command("answer-tuned", "take tuned", "make prompt and tuned answer a new undecided row", ("2",), TRY,
            _act("tuned"), why_not.no_verdict),
    Command("answer-edit", "edit", "mend the answer, then make it a new undecided row", ("e",), TRY,
            _act("edit"), why_not.no_verdict, opens_a_line=True),
    Command("judge-left", "left", "the left answer is better", ("h", "left"), JUDGE, _act("left")),
    Command("judge-right", "right", "the right answer is better", ("l", "right"), JUDGE, _act("right")),
    Command("judge-tie", "tie", "neither answer is better", ("t",), JUDGE, _act("tie")),
    Command("judge-skip", "skip", "no judgement on this pair", ("space",), JUDGE, _act("skip")),
    Command("judge-undo", "undo", "take the last judgement back", ("u",), JUDGE, _act("undo")),
)  # fmt: skip
