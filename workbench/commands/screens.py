"""The commands that go somewhere, and those of the screens on top of the lists."""

from __future__ import annotations

from workbench.actions import preconditions
from workbench.commands.command import Command
from workbench.commands.targets import (
    COMPARE,
    EXPORT,
    FIELDS,
    HELDOUT,
    HELP,
    JUDGE,
    LISTS,
    OVERVIEW,
    PANES,
    RUNS,
    TRAIN,
    TRIAGE,
    TRY,
)

SCREEN_COMMANDS = (
    Command("overview", "overview", "what can be settled", ("o",), (TRIAGE, *PANES, RUNS),
            lambda target: target.go(OVERVIEW)),
    Command("export", "export", "open the export screen; nothing is written yet", ("E",), LISTS,
            lambda target: target.go(EXPORT)),
    Command("train", "train", "open the training screen; nothing is started yet", ("T",), LISTS,
            lambda target: target.go(TRAIN)),
    Command("runs", "runs", "every run of yours on this machine", ("R",), (*LISTS, TRAIN),
            lambda target: target.go(RUNS)),
    Command("compare", "compare", "open the comparison: what curation bought; nothing is started yet", ("V",),
            (*LISTS, TRAIN),
            lambda target: target.go(COMPARE)),
    Command("help", "help", "all keys", ("question_mark", "f1"),
            (*LISTS, FIELDS, EXPORT, TRAIN, COMPARE, RUNS, TRY, JUDGE),
            lambda target: target.go(HELP)),
    Command("write", "write", "write the export", ("enter",), (EXPORT,), lambda target: target.write_export()),
    Command("reserve", "reserve", "reserve the held-out set that is offered", ("enter", "y"), (HELDOUT,),
            lambda target: target.reserve(), preconditions.read_only),
    Command("decline", "not now", "hold nothing out now", ("n", "escape", "q"), (HELDOUT,),
            lambda target: target.leave()),
    Command("more", "more", "hold out more rows", ("plus",), (HELDOUT,), lambda target: target.change_amount(1.25)),
    Command("fewer", "fewer", "hold out fewer rows", ("minus",), (HELDOUT,), lambda target: target.change_amount(0.8)),
    Command("back", "back", "back to where one came from", ("escape", "q"), (*PANES, RUNS),
            lambda target: target.leave(), steps_back=True),
    Command("cancel", "stop scan", "take the marks off, else stop the job that is running", ("escape",), LISTS,
            lambda target: target.cancel_job(), preconditions.no_cancel, steps_back=True),
    Command("take-over", "take over", "decide here in place of the other window of yours, which then only reads",
            ("ctrl+t",), LISTS, lambda target: target.take_over(), preconditions.no_take_over),
    Command("leave", "leave", "leave; the next start comes back to this row", ("q", "ctrl+q"), LISTS,
            lambda target: target.leave()),
)  # fmt: skip
