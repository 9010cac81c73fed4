"""The commands of the training screens: the plan, the runs, how a watched run is drawn."""

from __future__ import annotations

from workbench.actions import preconditions
from workbench.commands.command import LISTS, Command, Run

TRAIN, COMPARE, TRY, JUDGE = ("train",), ("compare",), ("try",), ("judge",)

TRAINING: tuple[Command, ...] = (
    Command("start", "start", "start what the plan shows, or attach to the run under the cursor", ("enter",), TRAIN,
            lambda stage: stage.confirm()),
    Command("attach", "watch", "watch the run under the cursor", ("enter",), ("runs",), lambda stage: stage.confirm()),
    Command("settings", "settings", "change the settings of the next run", ("c",), TRAIN,
            lambda stage: stage.ask("settings"), opens_a_line=True),
    Command("override", "override", "start what the plan refuses, with a reason for the manifest",
            ("exclamation_mark",), TRAIN, lambda stage: stage.ask("override"), opens_a_line=True),
    Command("stop-run", "stop", "stop the watched run: it saves and ends within one step; or the plan being made",
            ("s",), TRAIN, lambda stage: stage.stop_run()),
    Command("view", "view", "watched run: curve, answers, events and log", ("v",), TRAIN,
            lambda stage: stage.act("view")),
    Command("log-scale", "log", "curve: logarithmic scale, or plain", ("l",), TRAIN,
            lambda stage: stage.act("log-scale")),
    Command("smooth", "smooth", "curve: smoothed, or as it is", ("z",), TRAIN, lambda stage: stage.act("smooth")),
    Command("overlay", "overlay", "curve: lay the run under the cursor beneath the watched one", ("m",), TRAIN,
            lambda stage: stage.act("overlay")),
    Command("start-compare", "start", "start what would be compared; on a comparison: look at a new one", ("enter",),
            COMPARE, lambda stage: stage.confirm()),
    Command("compare-settings", "choose", "choose arms, seeds, model and settings of a new comparison", ("c",), COMPARE,
            lambda stage: stage.ask("compare"), opens_a_line=True),
    Command("stop-compare", "stop", "stop every run that this comparison started", ("s",), COMPARE,
            lambda stage: stage.stop_run()),
    Command("compare-page", "page", "write the comparison as an HTML page and a Markdown block", ("w",), COMPARE,
            lambda stage: stage.act("page")),
)  # fmt: skip


# The commands about runs' answers and rows: trying a run, judging two, what a run says of single rows.


def _act(what: str) -> Run:
    return lambda stage: stage.act(what)


ANSWERING: tuple[Command, ...] = (
    Command("try-run", "try", "try the run: base and tuned answer side by side", ("t",), TRAIN, _act("try")),
    Command("judge-runs", "judge", "judge the watched run and the one under the cursor, blind", ("b",), TRAIN,
            _act("judge")),
    Command("suspects", "rows", "what the run says of single rows: those worth another look, in triage", ("w",), TRAIN,
            _act("suspects")),
    Command("alert-rows", "batch", "the rows of the step that the latest alert points at, in triage", ("a",), TRAIN,
            _act("batch")),
    Command("rescore", "re-score", "tune on the accepted rows, rank the undecided by surprise; decides nothing",
            ("L",), LISTS, lambda stage: stage.act("rescore"), preconditions.no_verdict),
    Command("answer-again", "ask again", "ask again; start the answering process anew where it is gone", ("enter",),
            TRY, lambda stage: stage.confirm()),
    Command("answer-type", "prompt", "type a prompt of your own, beginning with the one shown", ("t",), TRY,
            _act("type"), opens_a_line=True),
    Command("answer-base", "take base", "make prompt and base answer a new undecided row", ("1",), TRY,
            _act("base"), preconditions.no_verdict),
    Command("answer-tuned", "take tuned", "make prompt and tuned answer a new undecided row", ("2",), TRY,
            _act("tuned"), preconditions.no_verdict),
    Command("answer-edit", "edit", "mend the answer, then make it a new undecided row", ("e",), TRY,
            _act("edit"), preconditions.no_verdict, opens_a_line=True),
    Command("judge-left", "left", "the left answer is better", ("h", "left"), JUDGE, _act("left")),
    Command("judge-right", "right", "the right answer is better", ("l", "right"), JUDGE, _act("right")),
    Command("judge-tie", "tie", "neither answer is better", ("t",), JUDGE, _act("tie")),
    Command("judge-skip", "skip", "no judgement on this pair", ("space",), JUDGE, _act("skip")),
    Command("judge-undo", "undo", "take the last judgement back", ("u",), JUDGE, _act("undo")),
)  # fmt: skip
