"""The commands about runs' answers and rows: trying a run, judging two, what a run says of single rows."""

from __future__ import annotations

from workbench.commands import why_not
from workbench.commands.command import LISTS, Command, Run


def _act(what: str) -> Run:
    return lambda stage: stage.act(what)


TRY, JUDGE, TRAIN = ("try",), ("judge",), ("train",)

ANSWERING: tuple[Command, ...] = (
    Command("try-run", "try", "try the run: base and tuned answer side by side", ("t",), TRAIN, _act("try")),
    Command("judge-runs", "judge", "judge the watched run and the one under the cursor, blind", ("b",), TRAIN,
            _act("judge")),
    Command("suspects", "rows", "what the run says of single rows: those worth another look, in triage", ("w",), TRAIN,
            _act("suspects")),
    Command("alert-rows", "batch", "the rows of the step that the latest alert points at, in triage", ("a",), TRAIN,
            _act("batch")),
    Command("rescore", "re-score", "tune on the accepted rows, rank the undecided by surprise; decides nothing",
            ("L",), LISTS, lambda stage: stage.act("rescore"), why_not.no_verdict),
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
