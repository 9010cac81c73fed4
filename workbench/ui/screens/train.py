"""Training: the plan of the next run, the runs, and one of them as it goes on. Leaving the screen stops no run."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from textual import work
from textual.app import ComposeResult
from textual.worker import Worker

from engine.errors import TamisError, TrainingError
from engine.training.eval.inference import check_can_answer
from engine.training.eval.pairwise import Judging
from engine.training.runs.launch import Run
from engine.training.runs.live import LiveRun
from engine.training.runs.status import RunState, list_runs
from engine.training.runs.status import stop as stop_run
from engine.training.spec.parse import parse_settings
from engine.workflows.train import start_run
from workbench.render import training_run
from workbench.render.training_plan import plan_paragraphs
from workbench.render.training_run import sentence
from workbench.text.blocks import Paragraph, Styled
from workbench.text.escape import visible_line
from workbench.ui.background import look_again, show_rows
from workbench.ui.keymap import bindings_for
from workbench.ui.plan_job import NextRun
from workbench.ui.screens.input_line import AskingScreen
from workbench.ui.widgets.chart import Chart
from workbench.ui.widgets.line_list import LineList
from workbench.ui.widgets.lines import OneLine
from workbench.ui.widgets.reader import Reader

# What the keys of the training screen do with a run that has a model or rows: try it, judge it, look at its rows.

WHAT = ("try", "judge", "suspects", "batch")


def act(screen: TrainScreen, what: str) -> None:
    """One of `WHAT`, on the run under the cursor, else on the watched one. Raises TrainingError."""
    session = screen.session
    watched = screen.watched.dir if screen.watched is not None else None
    under = screen.runs[screen.cursor - 1].dir if screen.cursor > 0 else None
    run = under or watched
    if run is None:
        session.say("no run here: j goes to one", "refused")
    elif what == "try":
        from workbench.ui.screens.try_run import TryScreen

        check_can_answer(run)
        screen.tamis.push_screen(TryScreen(run))
    elif what == "judge":
        _judge(screen, watched, under)
    elif what == "suspects":
        look_again(screen.tamis, run.name)
    else:
        _batch(screen)


def _judge(screen: TrainScreen, watched: Path | None, under: Path | None) -> None:
    from workbench.ui.screens.judge import JudgeScreen

    if watched is None or under is None or watched == under:
        screen.session.say("watch one run (enter), then go to the other (j): they are judged blind", "refused")
        return
    screen.tamis.push_screen(JudgeScreen(Judging(watched, under, by=screen.session.project.reviewer)))


def _batch(screen: TrainScreen) -> None:
    """The rows of the step that the latest alert of the watched run points at."""
    run = screen.watched
    steps = [int(alert["step"]) for alert in run.alerts if alert.get("step")] if run is not None else []
    if run is None:
        screen.session.say("no run is being watched: enter on one", "refused")
    elif not steps:
        screen.session.say("no alert of this run points at a step", "refused")
    else:
        show_rows(screen.tamis, f"batch:{run.dir.name}/{steps[-1]}")


# Ten looks a second at the end of a file: what is logged is on the screen within 150 ms.
POLL_SECONDS = 0.1
TALL, LONG_LIST, SHORT_LIST = 30, 6, 4
MAKING = "What the run will learn, need and take, worked out with the trainer's own libraries; s stops it."


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
            following = self._screen.following
            refused = following.plan is not None and following.plan["refusals"]
            return ((" start a new run ", "key"), (visible_line(following.headline), "error" if refused else "text"))
        state = self._screen.runs[index - 1]
        steps = f"{state.step}/{state.max_steps}" if state.max_steps else str(state.step)
        watched = self._screen.watched
        mark = "\u25c9 " if watched is not None and watched.dir == state.dir else "  "
        mark = "+ " if state.dir in self._screen.overlaid and mark == "  " else mark
        words = "frozen" if state.frozen else state.state
        return (
            (f" {mark}", "title"),
            (f"{words:<9} ", training_run.STATE_ROLES.get(words, "error")),
            (f"{steps:>9}  ", "text"),
            (visible_line(f"{state.id}  {training_run.model_name(state.model)}"), "muted"),
        )


class TrainScreen(AskingScreen):
    """See the module. `run_dir`: a run to watch at once."""

    NAME = "train"
    BINDINGS = bindings_for("train")

    def __init__(self, run_dir: Path | None = None) -> None:
        super().__init__()
        self.runs: tuple[RunState, ...] = ()
        self.cursor = 0
        self.following = NextRun()
        self.watched: LiveRun | None = None
        self.overlaid: dict[Path, LiveRun] = {}
        self._asked_for_run = run_dir
        self._plan_job: Worker[None] | None = None
        self._starting = False
        self._view = training_run.VIEWS[0]
        self._log = self._smooth = False
        self._happened: tuple[Any, ...] = ()

    def compose_body(self) -> ComposeResult:
        styles = self.tamis.role_styles
        yield LineList(styles, RunLines(self), id="runs-list")
        yield OneLine(styles, id="title")
        yield Chart(styles, id="chart")
        yield OneLine(styles, id="learning")
        yield OneLine(styles, id="pace")
        yield Reader(styles, gutter=0, id="happenings")
        yield Reader(styles, gutter=14, id="plan")
        yield OneLine(styles, id="reason")
        yield self.ask_line()

    @property
    def runs_dir(self) -> Path:
        return self.session.project.folder / "runs"

    def on_mount(self) -> None:
        self.runs = list_runs(self.runs_dir)
        # A run that is going on is what one came to see.
        wanted = self._asked_for_run or next((run.dir for run in self.runs if run.alive), None)
        if wanted is not None:
            self._watch(wanted)
        else:
            self._make_plan()
        self.set_interval(POLL_SECONDS, self._poll)
        super().on_mount()

    # -- the plan

    def _make_plan(self) -> None:
        self._plan_job = self.run_worker(
            self.following.make(self.session.project, self._plan_changed), exclusive=True, group="plan"
        )

    def _plan_changed(self) -> None:
        if self.is_current:
            self.sync()

    def ask(self, purpose: str) -> None:
        if purpose == "override":
            refusals = self.following.plan["refusals"] if self.following.plan else ()
            if not refusals:
                self.session.say("the plan refuses nothing", "refused")
                return
        self.query_one("#message", OneLine).add_class("covered")
        given = " ".join(f"{name}={shlex.quote(str(value))}" for name, value in self.following.settings.items())
        self.line.open(given if purpose == "settings" else "", purpose)

    def answered(self, purpose: str, text: str) -> None:
        try:
            if purpose == "override":
                if not text.strip():
                    self.line.complain("a reason is needed: it goes into the manifest")
                    return
                self._begin(text.strip())
            else:
                self.following.settings = parse_settings(shlex.split(text))
                self.watched = None
                self.cursor = 0
                self._make_plan()
        except (TamisError, ValueError) as error:
            self.line.complain(str(error))
            return
        self.close_line()

    # -- what commands ask

    def step(self, steps: int) -> None:
        self.cursor = max(0, min(self.cursor + steps, len(self.runs)))
        if self.cursor == 0 and self.following.plan is None and not self.following.making and not self.following.words:
            self._make_plan()

    def scroll_reader(self, pages: float) -> None:
        reader = "#plan" if self.watched is None or self._view != "curve" else "#happenings"
        self.query_one(reader, Reader).scroll_pages(pages)

    def confirm(self) -> None:
        following = self.following
        if self.cursor > 0:
            self._watch(self.runs[self.cursor - 1].dir)
        elif self.watched is not None:
            # First the plan is looked at, then the run is started.
            self.watched = None
            if following.plan is None and not following.making:
                self._make_plan()
        elif following.plan is None:
            self.session.say(following.words or "there is no plan yet", "refused")
        elif following.plan["refusals"]:
            self.session.say("the plan refuses it: c changes settings, ! starts it with a reason", "refused")
        elif not self._starting:
            self._begin("")

    def _begin(self, why: str) -> None:
        if not self._starting:
            self._starting = True
            self.session.say("starting \u2026")
            self._start(why)

    def stop_run(self) -> None:
        if self.watched is None and self.following.making and self._plan_job is not None:
            self._plan_job.cancel()
            self.following.stopped("the plan was stopped: c changes the settings and makes it anew")
        elif self.watched is None:
            self.session.say("no run is being watched: enter on one", "refused")
        elif not self.watched.state.alive:
            self.session.say("this run has ended", "refused")
        elif self.session.pending == ("stop-run", self.watched.dir.name):
            self.session.pending = None
            mode = stop_run(self.watched.dir)
            words = "it saves a checkpoint and ends after this step" if mode == "checkpoint" else "it is ended at once"
            self.session.say(words, "done")
        else:
            self.session.pending = ("stop-run", self.watched.dir.name)
            self.session.say(f"stop {self.watched.dir.name}? same key again", "refused")

    def act(self, what: str) -> None:
        """Change how the watched run is shown, or go from a run to its answers and rows."""
        if what in WHAT:
            act(self, what)
        elif what == "overlay":
            self._overlay()
        elif self.watched is None:
            self.session.say("no run is being watched: enter on one", "refused")
        elif what == "log-scale":
            self._log = not self._log
        elif what == "smooth":
            self._smooth = not self._smooth
        else:
            views = training_run.VIEWS
            self._view = views[(views.index(self._view) + 1) % len(views)]

    def _overlay(self) -> None:
        if self.cursor == 0:
            self.session.say("go to a run (j) to lay its curve under the watched one", "refused")
            return
        folder = self.runs[self.cursor - 1].dir
        if self.overlaid.pop(folder, None) is None:
            other = LiveRun(folder)
            other.read()
            self.overlaid[folder] = other

    @work(thread=True, exclusive=True, group="start")
    def _start(self, why: str) -> None:
        # Starting waits for the supervisor to take its locks: not in the thread that answers keys.
        following = self.following
        try:
            run = start_run(
                self.session.project,
                settings=following.settings,
                overridden=following.override(why) if why else None,
                facts=following.facts,
            )
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
            self._watch(run.dir)
        if self.is_current:
            self.sync()

    # -- watching

    def _watch(self, run_dir: Path) -> None:
        """Read the whole course of a run, beside the keys: a long one takes a moment."""
        self.cursor = next((place + 1 for place, run in enumerate(self.runs) if run.dir == run_dir), self.cursor)
        self._view = training_run.VIEWS[0]
        try:
            self.watched = LiveRun(run_dir)
        except TrainingError as error:
            self.session.say(str(error), "error")
            return
        self._read_course(self.watched)

    @work(thread=True, exclusive=True, group="attach")
    def _read_course(self, run: LiveRun) -> None:
        run.read()
        self.tamis.call_from_thread(self._course_read, run)

    def _course_read(self, run: LiveRun) -> None:
        if self.watched is run and self.is_current:
            self.sync()

    def _poll(self) -> None:
        """Look at the files of the run; paint only what changed."""
        run = self.watched
        if run is None or not run.is_read or not self.is_current or not run.state.alive:
            return
        try:
            changed = run.read()
        except TrainingError as error:
            self.session.say(str(error), "error")
            self.watched = None
            changed = True
        if changed:
            self.runs = tuple(run.state if each.dir == run.dir else each for each in self.runs)
            self.sync()

    # -- painting

    def sync_body(self) -> None:
        runs = self.query_one("#runs-list", LineList)
        runs.styles.height = min(LONG_LIST if self.size.height >= TALL else SHORT_LIST, len(self.runs) + 1)
        runs.sync()
        run = self.watched
        shows_curve = run is not None and self._view == "curve"
        for name in ("#chart", "#learning", "#pace", "#happenings"):
            self.query_one(name).display = shows_curve
        reader = self.query_one("#plan", Reader)
        reader.display = not shows_curve
        if run is None:
            self.query_one("#title", OneLine).show(((" The plan", "title"), *self._given()))
            reader.open("plan", self._plan_document)
            self.query_one("#reason", OneLine).show(self._next_step())
            return
        self.query_one("#title", OneLine).show(training_run.title(run))
        self.query_one("#reason", OneLine).show(self._most_pressing(run))
        if not shows_curve:
            reader.open((run.dir, self._view), self._view_document)
            return
        others = [other for folder, other in self.overlaid.items() if folder != run.dir]
        last_step = max([run.state.max_steps, *(other.state.max_steps for other in others)])
        curves = training_run.curves(run, others, smooth=self._smooth)
        self.query_one(Chart).show(curves, last_step, log=self._log)
        self.query_one("#learning", OneLine).show(training_run.learning(run))
        self.query_one("#pace", OneLine).show(training_run.pace(run))
        happened = (run.dir, len(run.told), run.told[-1]["t"] if run.told else 0, run.state.state)
        if happened != self._happened:  # a step alone is nothing that this pane tells
            self._happened = happened
            self.query_one("#happenings", Reader).open(run.dir, self._happenings)

    def _given(self) -> tuple[Styled, ...]:
        given = "  ".join(f"{name} = {value}" for name, value in self.following.settings.items())
        return ((f"  {visible_line(given)}", "muted"),)

    def _next_step(self) -> tuple[Styled, ...]:
        plan = self.following.plan
        if plan is None:
            return ()
        if plan["refusals"]:
            return ((" refused, see above", "error"),)
        return ((" enter starts it, J reads on", "reason"),) if self.cursor == 0 else ()

    def _most_pressing(self, run: LiveRun) -> tuple[Styled, ...]:
        if run.state.error:
            return ((f" {visible_line(run.state.error)}", "error"),)
        if run.alerts:
            return ((f" {visible_line(sentence(run.alerts[-1]))}", "refused"),)
        last = sentence(run.told[-1]) if run.told and self._view != "curve" else ""
        return ((f" {visible_line(last)}", "reason"),)

    def _plan_document(self) -> Iterator[Paragraph]:
        if self.following.plan is None:
            # How far it is stands in the first line of the list.
            words = MAKING if self.following.making else visible_line(self.following.words)
            yield Paragraph(((words, "muted"),))
        else:
            yield from plan_paragraphs(self.following.plan)

    def _view_document(self) -> Iterator[Paragraph]:
        run = self.watched
        if run is None:
            return
        if self._view == "answers":
            yield from training_run.answers(run)
            return
        yield from training_run.happenings(run)
        yield Paragraph(())
        yield from training_run.log_tail(run.dir)

    def _happenings(self) -> Iterator[Paragraph]:
        if self.watched is not None:
            yield from training_run.ended(self.watched)
            yield from training_run.happenings(self.watched)
