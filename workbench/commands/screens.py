"""The commands that go somewhere, and those of the screens on top of the lists."""

from __future__ import annotations

from workbench.actions import preconditions
from workbench.commands.command import LISTS, OFFER, PANES, Command

PLACES: tuple[Command, ...] = (
    Command("overview", "overview", "what can be settled", ("o",), ("triage", *PANES, "runs"),
            lambda stage: stage.go("overview")),
    Command("export", "export", "open the export screen; nothing is written yet", ("E",), LISTS,
            lambda stage: stage.go("export")),
    Command("train", "train", "open the training screen; nothing is started yet", ("T",), LISTS,
            lambda stage: stage.go("train")),
    Command("runs", "runs", "every run of yours on this machine", ("R",), (*LISTS, "train"),
            lambda stage: stage.go("runs")),
    Command("compare", "compare", "open the comparison: what curation bought; nothing is started yet", ("V",),
            (*LISTS, "train"),
            lambda stage: stage.go("compare")),
    Command("help", "help", "all keys", ("question_mark", "f1"),
            (*LISTS, "export", "train", "compare", "runs", "try", "judge"),
            lambda stage: stage.go("help")),
    Command("write", "write", "write the export", ("enter",), ("export",), lambda stage: stage.confirm()),
    Command("reserve", "reserve", "reserve the held-out set that is offered", ("y",), OFFER,
            lambda stage: stage.reserve()),
    Command("decline", "not now", "hold nothing out now", ("n", "escape", "q"), OFFER, lambda stage: stage.leave()),
    Command("more", "more", "hold out more rows", ("plus",), OFFER, lambda stage: stage.change_amount(1.25)),
    Command("fewer", "fewer", "hold out fewer rows", ("minus",), OFFER, lambda stage: stage.change_amount(0.8)),
    Command("back", "back", "back to where one came from", ("escape", "q"), (*PANES, "runs"),
            lambda stage: stage.leave()),
    Command("cancel", "stop scan", "take the marks off, else stop the job that is running", ("escape",), LISTS,
            lambda stage: stage.cancel_job(), preconditions.no_cancel),
    Command("leave", "leave", "leave; the next start comes back to this row", ("q", "ctrl+q"), LISTS,
            lambda stage: stage.leave()),
)  # fmt: skip
