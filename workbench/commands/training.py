"""The commands of the training screens: the plan, the runs, how a watched run is drawn."""

from __future__ import annotations

from workbench.commands.command import Command

TRAIN, COMPARE = ("train",), ("compare",)

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
