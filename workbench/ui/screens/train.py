"""Training: the plan of the next run, the runs, and one of them as it goes on. Leaving the screen stops no run."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from textual import work
from textual.app import ComposeResult
from textual.worker import Worker

from engine.errors import TamisError, TrainingError
from engine.training.eval.inference import check_can_answer
from engine.training.eval.pairwise import Judging
from engine.training.runs.follow import FollowedRuns
from engine.training.runs.launch import Run
from engine.training.runs.live import LiveRun
from engine.training.runs.status import RunState, run_folders
from engine.training.runs.status import stop as stop_run
from engine.training.spec.parse import parse_settings
from workbench.commands.targets import TRAIN, TRIAGE
from workbench.render import training_run
from workbench.render.run_lines import run_line
from workbench.text.blocks import Styled
from workbench.text.escape import visible_line
from workbench.ui.keymap import bindings_for
from workbench.ui.next_run import NextRun
from workbench.ui.screens.input_line import InputLineScreen, typed_words
from workbench.ui.screens.judge import JudgeScreen
from workbench.ui.screens.try_run import TryScreen
from workbench.ui.widgets.chart import Chart
from workbench.ui.widgets.input_line import Question
from workbench.ui.widgets.line_list import LineList
from workbench.ui.widgets.lines import OneLine, Sentence
from workbench.ui.widgets.reader import Reader

# Ten looks a second at the end of a file: what is logged is on the screen within 150 ms.
POLL_SECONDS = 0.1
# Whatever else may change: a run that is taken up again elsewhere, a new one.
LOOK_SECONDS = 0.5
TALL, LONG_LIST, SHORT_LIST = 30, 6, 4


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
            role = "error" if following.is_refused else "text"
            return ((" start a new run ", "key"), (visible_line(following.headline), role))
        state = self._screen.runs[index - 1]
        watched = self._screen.watched
        if watched is not None and watched.dir == state.dir:
            return run_line(state, "\u25c9 ")
        return run_line(state, "+ " if state.dir in self._screen.overlaid else "  ")


class TrainScreen(InputLineScreen):
    """See the module. `run_dir`: a run to watch at once."""

    NAME = TRAIN
    BINDINGS = bindings_for(TRAIN)

    def __init__(self, run_dir: Path | None = None) -> None:
        super().__init__()
        self._followed = FollowedRuns(lambda: run_folders(self.runs_dir))
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
        styles = self.host.role_styles
        yield LineList(styles, RunLines(self), id="runs-list")
        yield OneLine(styles, id="title")
        yield Chart(styles, id="chart")
        yield OneLine(styles, id="learning")
        yield OneLine(styles, id="pace")
        yield Reader(styles, gutter=0, id="happenings")
        yield Reader(styles, gutter=14, id="plan")
        yield Sentence(styles, id="reason")
        yield self.input_line()

    @property
    def runs(self) -> tuple[RunState, ...]:
        """The runs of the project, the newest first."""
        return self._followed.states

    @property
    def runs_dir(self) -> Path:
        return self.session.project.folder / "runs"

    def on_mount(self) -> None:
        self._followed.look()
        # A run that is going on is what one came to see.
        wanted = self._asked_for_run or next((run.dir for run in self.runs if run.alive), None)
        if wanted is not None:
            self._watch(wanted)
        else:
            self._make_plan()
        self._fast = self.set_interval(POLL_SECONDS, self._poll, pause=True)
        self.set_interval(LOOK_SECONDS, self._look)
        super().on_mount()

    # -- what commands ask

    def step(self, steps: int) -> None:
        self.cursor = max(0, min(self.cursor + steps, len(self.runs)))
        if self.cursor == 0 and self.following.plan is None and not self.following.making and not self.following.words:
            self._make_plan()

    def scroll_reader(self, pages: float) -> None:
        reader = "#plan" if self.watched is None or self._view != "curve" else "#happenings"
        self.query_one(reader, Reader).scroll_pages(pages)

    def start_or_watch(self) -> None:
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
        elif following.is_refused:
            self.session.say("the plan refuses it: c changes settings, ! starts it with a reason", "refused")
        else:
            self._begin("")

    def ask_settings(self) -> None:
        placeholder = "settings of the next run: model=NAME epochs=2 learning_rate=1e-4 max_length=2048"
        given = " ".join(f"{name}={shlex.quote(str(value))}" for name, value in self.following.settings.items())
        self.ask(Question(placeholder, self._take_settings), given)

    def ask_override(self) -> None:
        if not self.following.is_refused:
            self.session.say("the plan refuses nothing", "refused")
            return
        placeholder = "why it is started all the same; the reason goes into the manifest"
        self.ask(Question(placeholder, self._start_with_reason))

    def stop_run(self) -> None:
        if self.watched is None and self.following.making and self._plan_job is not None:
            self._plan_job.cancel()
            self.following.stopped("the plan was stopped: c changes the settings and makes it anew")
            return
        run = self._watched_run()
        if run is None:
            return
        if not run.state.alive:
            self.session.say("this run has ended", "refused")
        elif self.session.confirms(run.dir.name, f"stop {run.dir.name}? same key again"):
            mode = stop_run(run.dir)
            words = "it saves a checkpoint and ends after this step" if mode == "checkpoint" else "it is ended at once"
            self.session.say(words, "done")

    def next_view(self) -> None:
        if self._watched_run() is not None:
            views = training_run.VIEWS
            self._view = views[(views.index(self._view) + 1) % len(views)]

    def toggle_log_scale(self) -> None:
        if self._watched_run() is not None:
            self._log = not self._log

    def toggle_smoothing(self) -> None:
        if self._watched_run() is not None:
            self._smooth = not self._smooth

    def toggle_overlay(self) -> None:
        folder = self._under_cursor
        if folder is None:
            self.session.say("go to a run (j) to lay its curve under the watched one", "refused")
        elif self.overlaid.pop(folder, None) is None:
            other = LiveRun(folder)
            other.read()
            self.overlaid[folder] = other

    def try_run(self) -> None:
        run = self._chosen()
        if run is not None:
            check_can_answer(run)
            self.app.push_screen(TryScreen(run))

    def judge_runs(self) -> None:
        if self._chosen() is None:
            return
        watched = self.watched.dir if self.watched is not None else None
        under = self._under_cursor
        if watched is None or under is None or watched == under:
            self.session.say("watch one run (enter), then go to the other (j): they are judged blind", "refused")
            return
        self.app.push_screen(JudgeScreen(Judging(watched, under, by=self.session.project.reviewer)))

    def show_suspects(self) -> None:
        run = self._chosen()
        if run is not None:
            self.host.background.find_suspects(run.name)

    def show_alert_rows(self) -> None:
        run = self._watched_run() if self._chosen() is not None else None
        if run is None:
            return
        steps = [int(alert["step"]) for alert in run.alerts if alert.get("step")]
        if not steps:
            self.session.say("no alert of this run points at a step", "refused")
            return
        self.session.set_filter(f"batch:{run.dir.name}/{steps[-1]}")
        self.go(TRIAGE)

    # -- which run

    @property
    def _under_cursor(self) -> Path | None:
        return self.runs[self.cursor - 1].dir if self.cursor > 0 else None

    def _chosen(self) -> Path | None:
        """The run under the cursor, else the watched one; where there is neither, say so."""
        run = self._under_cursor or (self.watched.dir if self.watched is not None else None)
        if run is None:
            self.session.say("no run here: j goes to one", "refused")
        return run

    def _watched_run(self) -> LiveRun | None:
        """The watched run; where there is none, say so."""
        if self.watched is None:
            self.session.say("no run is being watched: enter on one", "refused")
        return self.watched

    # -- the plan, and the start

    def _make_plan(self) -> None:
        self._plan_job = self.run_worker(
            self.following.make(self.session.project, self.sync_if_current), exclusive=True, group="plan"
        )

    def _take_settings(self, text: str) -> None:
        self.following.settings = parse_settings(typed_words(text))
        self.watched = None
        self.cursor = 0
        self._make_plan()
        self.close_line()

    def _start_with_reason(self, why: str) -> None:
        if not why.strip():
            self.line.complain("a reason is needed: it goes into the manifest")
            return
        self._begin(why.strip())
        self.close_line()

    def _begin(self, why: str) -> None:
        if not self._starting:
            self._starting = True
            self.session.say("starting \u2026")
            self._start(why)

    @work(thread=True, exclusive=True, group="start")
    def _start(self, why: str) -> None:
        # Starting waits for the supervisor to take its locks: not in the thread that answers keys.
        try:
            run = self.following.start(self.session.project, why)
        except TamisError as error:
            self.app.call_from_thread(self._started, None, str(error))
            return
        self.app.call_from_thread(self._started, run, "")

    def _started(self, run: Run | None, fault: str) -> None:
        self._starting = False
        if run is None:
            self.session.say(fault, "error")
        else:
            self.session.say(f"started {run.id}; it goes on without this window", "done")
            self._followed.look()
            self._watch(run.dir)
        self.sync_if_current()

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
        self.app.call_from_thread(self._course_read, run)

    def _course_read(self, run: LiveRun) -> None:
        if self.watched is run:
            self._fast.resume()
            self.sync_if_current()

    def _poll(self) -> None:
        """Look at the files of a run that is going on; paint only what changed."""
        run = self.watched
        if run is None or not run.is_read or not run.state.alive or not self.is_current:
            # The slower look sees a run that is taken up again, and the screen that comes to the front.
            self._fast.pause()
        elif self._read_on(run):
            self.sync()

    def _look(self) -> None:
        """Bring the list of runs up to the files, and the watched one where it was taken up again."""
        if not self.is_current:
            return
        at, run = self._under_cursor, self.watched
        changed = self._followed.look()
        if changed:
            places = (place + 1 for place, each in enumerate(self.runs) if each.dir == at)
            self.cursor = next(places, min(self.cursor, len(self.runs)))
        if run is not None and run.is_read:
            changed = self._read_on(run) or changed
            if run.state.alive:
                self._fast.resume()
        if changed:
            self.sync()

    def _read_on(self, run: LiveRun) -> bool:
        """Whether the files of the watched run say anything new."""
        try:
            return run.read()
        except TrainingError as error:
            self.session.tell(str(error), "error")
            self.watched = None
            return True

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
            self.query_one("#title", OneLine).show(((" The plan", "title"), (f"  {self.following.given}", "muted")))
            reader.open("plan", self.following.document)
            self.query_one("#reason", OneLine).show(self._next_step())
            return
        self.query_one("#title", OneLine).show(training_run.title(run))
        self.query_one("#reason", OneLine).show(training_run.most_pressing(run, self._view))
        if not shows_curve:
            reader.open((run.dir, self._view), lambda: training_run.view_document(run, self._view))
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
            self.query_one("#happenings", Reader).open(run.dir, lambda: training_run.view_document(run, "curve"))

    def _next_step(self) -> tuple[Styled, ...]:
        if self.following.is_refused:
            return ((" refused, see above", "error"),)
        can_start = self.following.plan is not None and self.cursor == 0
        return ((" enter starts it, J reads on", "reason"),) if can_start else ()
