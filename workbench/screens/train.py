"""Training: the plan, the runs, and the live loss of one of them. Leaving the screen does not stop it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textual import work
from textual.app import ComposeResult

from engine.errors import TamisError, TrainingError
from engine.project.start_run import planned_run, start_run, steps_of
from engine.training.launch import Run
from engine.training.runs import RunState, list_runs, read_run, tail_events
from engine.training.runs import stop as stop_run
from workbench.document import Paragraph, Styled
from workbench.keymap import bindings_for
from workbench.safe_text import visible_line
from workbench.screens.base import WorkScreen
from workbench.verdicts import counted
from workbench.widgets.chart import Chart, Point
from workbench.widgets.line_list import LineList
from workbench.widgets.lines import OneLine
from workbench.widgets.reader import Reader

# Twice a second is as live as a loss needs to be, and all a slow link should carry.
POLL_SECONDS = 0.5
PHASES = {
    "import": "starting the trainer",
    "load": "loading the model",
    "data": "reading the rows",
    "train": "training",
    "eval": "measuring on the held-out rows",
    "save": "saving",
}
STATE_ROLES = {"running": "key", "queued": "muted", "finished": "done", "stopped": "skipped"}


@dataclass(slots=True)
class Watched:
    """The run being watched: how far its events were read, and what they said."""

    dir: Path
    state: RunState
    points: list[Point]
    offset: int = 0
    last: str = ""
    measured: str = ""


class RunLines:
    """The runs as lines, the first line being the run that is not there yet."""

    def __init__(self, screen: TrainScreen) -> None:
        self._screen = screen

    def __len__(self) -> int:
        return len(self._screen.runs) + 1

    @property
    def cursor(self) -> int:
        return self._screen.cursor

    def block(self, index: int) -> int:
        return 1

    def line(self, index: int, width: int) -> tuple[Styled, ...]:
        if index == 0:
            return ((" start a new run ", "key"), (self._screen.plan_line, "text"))
        state = self._screen.runs[index - 1]
        steps = f"{state.step}/{state.max_steps}" if state.max_steps else str(state.step)
        watched = self._screen.watched
        mark = "\u25c9 " if watched is not None and watched.dir == state.dir else "  "
        words = "frozen" if state.frozen else state.state
        return (
            (f" {mark}", "title"),
            (f"{words:<9} ", STATE_ROLES.get(words, "error")),
            (f"{steps:>9}  ", "text"),
            (visible_line(f"{state.id}  {state.model}"), "muted"),
        )


class TrainScreen(WorkScreen):
    """See the module."""

    NAME = "train"
    BINDINGS = bindings_for("train")

    def __init__(self) -> None:
        super().__init__()
        self.runs: tuple[RunState, ...] = ()
        self.cursor = 0
        self.plan_line = ""
        self.watched: Watched | None = None
        self._plan: list[tuple[str, str, str]] = []
        self._starting = False

    def compose_body(self) -> ComposeResult:
        styles = self.tamis.role_styles
        yield LineList(styles, RunLines(self), id="runs-list")
        yield OneLine(styles, id="title")
        yield Chart(styles, id="chart")
        yield Reader(styles, gutter=15, id="plan")
        yield OneLine(styles, id="reason")

    @property
    def runs_dir(self) -> Path:
        return self.session.project.folder / "runs"

    def on_mount(self) -> None:
        self._make_plan()
        self.runs = list_runs(self.runs_dir)
        live = next((index for index, run in enumerate(self.runs) if run.alive), None)
        if live is not None:
            # A run that is going on is what one came to see.
            self.cursor = live + 1
            self._watch(self.runs[live].dir)
        self.set_interval(POLL_SECONDS, self._poll)
        super().on_mount()

    def _make_plan(self) -> None:
        try:
            job = planned_run(self.session.project)
        except TamisError as error:
            self.plan_line = str(error)
            self._plan = []
            return
        spec = job.spec
        self.plan_line = f"{counted(len(job.train), 'row')}, {spec.model.value}, {counted(steps_of(job), 'step')}"
        self._plan = [
            ("rows", f"{len(job.train):,}", "accepted, not held out, ending on an answer"),
            ("held out", f"{len(job.heldout):,}", "accepted held-out rows, to measure with"),
            *(
                (name.replace("_", " "), str(chosen.value), chosen.reason)
                for name, chosen in (
                    ("model", spec.model),
                    ("method", spec.method),
                    ("steps", spec.steps if spec.steps.value else spec.epochs),
                    ("batch", spec.batch),
                    ("learning_rate", spec.learning_rate),
                    ("seed", spec.seed),
                )
            ),
        ]

    # -- what commands ask

    def step(self, steps: int) -> None:
        self.cursor = max(0, min(self.cursor + steps, len(self.runs)))

    def scroll_reader(self, pages: float) -> None:
        self.query_one(Reader).scroll_pages(pages)

    def confirm(self) -> None:
        if self.cursor > 0:
            self._watch(self.runs[self.cursor - 1].dir)
        elif not self._plan:
            self.session.say(self.plan_line, "refused")
        elif not self._starting:
            self._starting = True
            self.session.say("starting \u2026")
            self._start()

    def stop_run(self) -> None:
        if self.watched is None:
            self.session.say("no run is being watched: enter on one", "refused")
        elif self.session.pending == ("stop-run", self.watched.dir.name):
            self.session.pending = None
            mode = stop_run(self.watched.dir)
            words = "it saves a checkpoint and ends after this step" if mode == "checkpoint" else "it is ended at once"
            self.session.say(words, "done")
        elif not self.watched.state.alive:
            self.session.say("this run has ended", "refused")
        else:
            self.session.pending = ("stop-run", self.watched.dir.name)
            self.session.say(f"stop {self.watched.dir.name}? same key again", "refused")

    @work(thread=True, exclusive=True, group="start")
    def _start(self) -> None:
        # Starting waits for the supervisor to take its locks: not in the thread that answers keys.
        try:
            run = start_run(self.session.project)
        except TamisError as error:
            self.tamis.call_from_thread(self._started, None, str(error))
            return
        self.tamis.call_from_thread(self._started, run, "")

    def _started(self, run: Run | None, fault: str) -> None:
        self._starting = False
        if run is None:
            self.session.say(fault, "error")
        else:
            self.session.say(f"started {run.id}; it goes on without this window", "done")
            self.runs = list_runs(self.runs_dir)
            self.cursor = next((index + 1 for index, state in enumerate(self.runs) if state.id == run.id), 0)
            self._watch(run.dir)
        if self.is_current:
            self.sync()

    # -- watching

    def _watch(self, run_dir: Path) -> None:
        try:
            self.watched = Watched(run_dir, read_run(run_dir), [])
        except TrainingError as error:
            self.session.say(str(error), "error")
            return
        self._read_events()

    def _poll(self) -> None:
        """Look at the files of the run; paint only what changed."""
        if self.watched is None or not self.is_current:
            return
        was_alive = self.watched.state.alive
        if not was_alive:
            return
        self._read_events()
        self.runs = tuple(self.watched.state if run.dir == self.watched.dir else run for run in self.runs)
        self.sync()

    def _read_events(self) -> None:
        watched = self.watched
        assert watched is not None
        # The state before the events: an end seen here has all its events in the file already.
        try:
            watched.state = read_run(watched.dir)
        except TrainingError as error:
            self.session.say(str(error), "error")
            self.watched = None
            return
        events, watched.offset = tail_events(watched.dir, watched.offset)
        for event in events:
            self._take(watched, event)

    def _take(self, watched: Watched, event: dict[str, Any]) -> None:
        loss, step = event.get("loss"), event.get("step")
        if event["ev"] == "retry":
            # The run begins anew with smaller steps: so does the curve.
            watched.points.clear()
        if event["ev"] == "log" and isinstance(loss, int | float) and isinstance(step, int | float):
            watched.points.append((float(step), float(loss)))
        if event["ev"] == "exit" and event.get("outcome") == "finished" and watched.measured:
            watched.last = watched.measured
        elif event["ev"] in ("eval", "alert", "error", "retry", "exit", "phase", "ckpt"):
            watched.last = event_sentence(event)
        if event["ev"] == "eval":
            watched.measured = watched.last

    # -- painting

    def sync_body(self) -> None:
        runs = self.query_one("#runs-list", LineList)
        runs.styles.height = min(6, len(self.runs) + 1)
        runs.sync()
        watched = self.watched
        chart, plan = self.query_one(Chart), self.query_one(Reader)
        chart.display, plan.display = watched is not None, watched is None
        if watched is None:
            self.query_one("#title", OneLine).show(((" The plan", "title"),))
            plan.open("plan", self._paragraphs)
            self.query_one("#reason", OneLine).show(
                ((" enter on the first line starts it", "reason"),) if self._plan else ()
            )
            return
        state = watched.state
        chart.show(watched.points, state.max_steps)
        loss = f"  loss {watched.points[-1][1]:.3g}" if watched.points else ""
        title = f"{state.state}  step {state.step}/{state.max_steps or '?'}{loss}"
        self.query_one("#title", OneLine).show(((f" {visible_line(state.id)} ", "title"), (f" {title}", "text")))
        last = state.error if state.error else watched.last
        self.query_one("#reason", OneLine).show(((f" {visible_line(last)}", "error" if state.error else "reason"),))

    def _paragraphs(self) -> Iterator[Paragraph]:
        for name, value, reason in self._plan or [("", self.plan_line, "")]:
            yield Paragraph(((f"{visible_line(value):<22} ", "text"), (reason, "muted")), (name, "key"), hang=23)
        yield Paragraph(())
        note = "Other values: tamis train PROJECT --model NAME --steps N, or [training] in your settings"
        yield Paragraph(((note, "muted"),))


def event_sentence(event: dict[str, Any]) -> str:
    """An event in words, for the line under the curve."""
    kind = event["ev"]
    if kind == "eval":
        parts = [f"held-out NLL {_short(event.get('nll'))}"]
        if event.get("exact") is not None:
            parts.append(f"exact match {_short(event['exact'])}")
        return f"step {event.get('step')}: {', '.join(parts)} on {event.get('rows')} rows"
    if kind == "phase":
        phase = str(event.get("phase"))
        return f"{PHASES.get(phase, phase)} \u2026"
    if kind == "ckpt":
        return f"step {event.get('step')}: checkpoint saved"
    words = event.get("msg") or event.get("detail") or event.get("reason") or event.get("outcome") or ""
    return f"{kind}: {words}" if words else str(kind)


def _short(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)
