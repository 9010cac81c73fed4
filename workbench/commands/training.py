"""The commands of the training screens: the plan, the runs, comparisons; what runs answer and say of rows."""

from __future__ import annotations

from workbench.actions import preconditions
from workbench.commands.command import Command
from workbench.commands.targets import COMPARE, JUDGE, LISTS, RUNS, TRAIN, TRY

TRAINING_COMMANDS = (
    Command("start", "start", "start what the plan shows, or attach to the run under the cursor", ("enter",), (TRAIN,),
            lambda target: target.start_or_watch()),
    Command("attach", "watch", "watch the run under the cursor", ("enter",), (RUNS,),
            lambda target: target.watch_run()),
    Command("settings", "settings", "change the settings of the next run", ("c",), (TRAIN,),
            lambda target: target.ask_settings(), opens_a_line=True),
    Command("override", "override", "start what the plan refuses, with a reason for the manifest",
            ("exclamation_mark",), (TRAIN,), lambda target: target.ask_override(), opens_a_line=True),
    Command("stop-run", "stop", "stop the watched run: it saves and ends within one step; or the plan being made",
            ("s",), (TRAIN,), lambda target: target.stop_run(), asks_twice=True),
    Command("view", "view", "watched run: curve, answers, events and log", ("v",), (TRAIN,),
            lambda target: target.next_view()),
    Command("log-scale", "log", "curve: logarithmic scale, or plain", ("l",), (TRAIN,),
            lambda target: target.toggle_log_scale()),
    Command("smooth", "smooth", "curve: smoothed, or as it is", ("z",), (TRAIN,),
            lambda target: target.toggle_smoothing()),
    Command("overlay", "overlay", "curve: lay the run under the cursor beneath the watched one", ("m",), (TRAIN,),
            lambda target: target.toggle_overlay()),
    Command("start-compare", "start", "start what would be compared; on a comparison: look at a new one", ("enter",),
            (COMPARE,), lambda target: target.start_comparison()),
    Command("compare-settings", "choose", "choose arms, seeds, model and settings of a new comparison", ("c",),
            (COMPARE,), lambda target: target.ask_settings(), opens_a_line=True),
    Command("stop-compare", "stop", "stop every run that this comparison started", ("s",), (COMPARE,),
            lambda target: target.stop_runs(), asks_twice=True),
    Command("compare-page", "page", "write the comparison as an HTML page and a Markdown block", ("w",), (COMPARE,),
            lambda target: target.write_page()),
)  # fmt: skip

ANSWER_COMMANDS = (
    Command("try-run", "try", "try the run: base and tuned answer side by side", ("t",), (TRAIN,),
            lambda target: target.try_run()),
    Command("judge-runs", "judge", "judge the watched run and the one under the cursor, blind", ("b",), (TRAIN,),
            lambda target: target.judge_runs()),
    Command("suspects", "rows", "what the run says of single rows: those worth another look, in triage", ("w",),
            (TRAIN,), lambda target: target.show_suspects()),
    Command("alert-rows", "batch", "the rows of the step that the latest alert points at, in triage", ("a",), (TRAIN,),
            lambda target: target.show_alert_rows()),
    Command("rescore", "re-score", "tune on the accepted rows, rank the undecided by surprise; decides nothing",
            ("L",), LISTS, lambda target: target.rescore(), preconditions.no_verdict),
    Command("answer-again", "ask again", "ask again; start the answering process anew where it is gone", ("enter",),
            (TRY,), lambda target: target.ask_again()),
    Command("answer-type", "prompt", "type a prompt of your own, beginning with the one shown", ("t",), (TRY,),
            lambda target: target.write_prompt(), opens_a_line=True),
    Command("answer-base", "take base", "make prompt and base answer a new undecided row", ("1",), (TRY,),
            lambda target: target.take_answer("base"), preconditions.no_verdict, asks_twice=True),
    Command("answer-tuned", "take tuned", "make prompt and tuned answer a new undecided row", ("2",), (TRY,),
            lambda target: target.take_answer("tuned"), preconditions.no_verdict, asks_twice=True),
    Command("answer-edit", "edit", "mend the answer, then make it a new undecided row", ("e",), (TRY,),
            lambda target: target.edit_answer(), preconditions.no_verdict, opens_a_line=True, asks_twice=True),
    Command("judge-left", "left", "the left answer is better", ("h", "left"), (JUDGE,),
            lambda target: target.choose("left")),
    Command("judge-right", "right", "the right answer is better", ("l", "right"), (JUDGE,),
            lambda target: target.choose("right")),
    Command("judge-tie", "tie", "neither answer is better", ("t",), (JUDGE,), lambda target: target.choose("tie")),
    Command("judge-skip", "skip", "no judgement on this pair", ("space",), (JUDGE,),
            lambda target: target.choose("skip")),
    Command("judge-undo", "undo", "take the last judgement back", ("u",), (JUDGE,),
            lambda target: target.undo_choice(), steps_back=True),
)  # fmt: skip
