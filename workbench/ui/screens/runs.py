"""Every run of this person on this machine, whatever project it belongs to; enter watches one."""

from __future__ import annotations

import time

from textual import work
from textual.app import ComposeResult

from engine.phrases import duration
from engine.training.runs.registry import all_runs
from engine.training.runs.status import RunState
from workbench.render.training_run import STATE_ROLES, model_name
from workbench.text.blocks import Styled
from workbench.text.escape import visible_line
from workbench.text.phrases import counted
from workbench.ui.keymap import bindings_for
from workbench.ui.screens.base import WorkScreen
from workbench.ui.screens.train import TrainScreen
from workbench.ui.widgets.line_list import LineList
from workbench.ui.widgets.lines import OneLine

POLL_SECONDS = 2.0


class RunLines:
    """One line a run, the newest first."""

    def __init__(self, screen: RunsScreen) -> None:
        self._screen = screen

    def __len__(self) -> int:
        return len(self._screen.runs)

    @property
    def cursor(self) -> int:
        return self._screen.cursor

    def block(self, index: int) -> int:
        return 1

    def line(self, index: int, width: int) -> tuple[Styled, ...]:
        state = self._screen.runs[index]
        steps = f"{state.step}/{state.max_steps}" if state.max_steps else str(state.step)
        words = "frozen" if state.frozen else state.state
        nll = state.result.get("nll")
        measured = f"{nll:>7.3f}" if isinstance(nll, float) else " " * 7
        where = state.dir.parent.parent.name
        return (
            (f" {words:<9} ", STATE_ROLES.get(words, "error")),
            (f"{steps:>11} ", "text"),
            (f"{measured} ", "heldout"),
            (f"{age(state):>10}  ", "muted"),
            (visible_line(f"{where}  {model_name(state.model)}  {state.id}"), "text"),
        )


def age(state: RunState) -> str:
    """How long ago the run ended, or was last heard of."""
    ended = state.result.get("ended")
    seconds = time.time() - ended if isinstance(ended, int | float) else state.heard
    return "" if seconds is None else duration(max(0.0, seconds))


class RunsScreen(WorkScreen):
    """See the module."""

    NAME = "runs"
    BINDINGS = bindings_for("runs")

    def __init__(self) -> None:
        super().__init__()
        self.runs: tuple[RunState, ...] = ()
        self.cursor = 0
        self._is_read = False

    def compose_body(self) -> ComposeResult:
        styles = self.tamis.role_styles
        yield OneLine(styles, id="title")
        yield LineList(styles, RunLines(self), id="pane")
        yield OneLine(styles, id="reason")

    def on_mount(self) -> None:
        self._look()
        self.set_interval(POLL_SECONDS, self._look)
        super().on_mount()

    @work(thread=True, exclusive=True, group="runs")
    def _look(self) -> None:
        # A few files a run: not in the thread that answers keys.
        if self.is_current or not self._is_read:
            self.tamis.call_from_thread(self._seen, all_runs())

    def _seen(self, runs: tuple[RunState, ...]) -> None:
        at = self.runs[self.cursor].dir if self.cursor < len(self.runs) else None
        self.runs, self._is_read = runs, True
        self.cursor = next((place for place, run in enumerate(runs) if run.dir == at), min(self.cursor, len(runs)))
        if self.is_current:
            self.sync()

    def step(self, steps: int) -> None:
        self.cursor = max(0, min(self.cursor + steps, len(self.runs) - 1))

    def confirm(self) -> None:
        if self.cursor < len(self.runs):
            self.tamis.push_screen(TrainScreen(self.runs[self.cursor].dir))
        else:
            self.session.say("no run yet: T plans one", "refused")

    def sync_body(self) -> None:
        alive = sum(run.alive for run in self.runs)
        going_on = f", {alive} going on" if alive else ""
        words = f" {counted(len(self.runs), 'run')} of yours on this machine{going_on}" if self.runs else " No run yet"
        words = words if self._is_read else " looking \u2026"
        self.query_one("#title", OneLine).show(((words, "title"),))
        self.query_one(LineList).sync()
        run = self.runs[self.cursor] if self.cursor < len(self.runs) else None
        nothing = "runs of every project show here; T plans one" if self._is_read else ""
        told = (run.error or str(run.dir)) if run else nothing
        self.query_one("#reason", OneLine).show(
            ((f" {visible_line(told)}", "error" if run and run.error else "muted"),)
        )
