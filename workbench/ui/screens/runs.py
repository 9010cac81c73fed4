"""Every run of this person on this machine, whatever project it belongs to; enter watches one."""

from __future__ import annotations

from textual import work
from textual.app import ComposeResult

from engine.phrases import counted
from engine.training.runs.follow import FollowedRuns
from engine.training.runs.registry import registered_folders
from engine.training.runs.status import RunState
from workbench.commands.targets import RUNS
from workbench.render.run_lines import run_line_anywhere
from workbench.text.blocks import Styled
from workbench.text.escape import visible_line
from workbench.ui.keymap import bindings_for
from workbench.ui.screens.base import WorkScreen
from workbench.ui.screens.train import TrainScreen
from workbench.ui.widgets.line_list import LineList
from workbench.ui.widgets.lines import OneLine, Sentence

POLL_SECONDS = 0.5


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
        return run_line_anywhere(self._screen.runs[index])


class RunsScreen(WorkScreen):
    """See the module."""

    NAME = RUNS
    BINDINGS = bindings_for(RUNS)

    def __init__(self) -> None:
        super().__init__()
        self._followed = FollowedRuns(registered_folders)
        self.cursor = 0
        self._is_read = False

    def compose_body(self) -> ComposeResult:
        styles = self.host.role_styles
        yield OneLine(styles, id="title")
        yield LineList(styles, RunLines(self), id="pane")
        yield Sentence(styles, id="reason")

    def on_mount(self) -> None:
        self._read_all()
        super().on_mount()

    @property
    def runs(self) -> tuple[RunState, ...]:
        """The newest first; none before all were read once."""
        return self._followed.states if self._is_read else ()

    @work(thread=True, exclusive=True, group="runs")
    def _read_all(self) -> None:
        # A few files a run: not in the thread that answers keys. Later looks read what has changed.
        self._followed.look()
        self.app.call_from_thread(self._all_read)

    def _all_read(self) -> None:
        self._is_read = True
        self.set_interval(POLL_SECONDS, self._look)
        self.sync_if_current()

    def _look(self) -> None:
        """Bring the list up to the files; the cursor stays on its run."""
        at = self.runs[self.cursor].dir if self.cursor < len(self.runs) else None
        if self.is_current and self._followed.look():
            last = max(0, len(self.runs) - 1)
            self.cursor = next((place for place, run in enumerate(self.runs) if run.dir == at), min(self.cursor, last))
            self.sync()

    def step(self, steps: int) -> None:
        self.cursor = max(0, min(self.cursor + steps, len(self.runs) - 1))

    def watch_run(self) -> None:
        if self.cursor < len(self.runs):
            self.app.push_screen(TrainScreen(self.runs[self.cursor].dir))
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
