"""Comparing arms: what it would take, the arms while they train, then intervals, verdict and slices.

Leaving the screen stops no run. Older comparisons are a key away.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from textual.app import ComposeResult

from engine.errors import TamisError, UsageError
from engine.files import write_atomic
from engine.numerals import whole_number
from engine.phrases import counted
from engine.places import signed_page
from engine.training.compare.live import LiveComparison
from engine.training.compare.store import Comparison, comparison_names, list_comparisons
from engine.training.runs.run_queue import ask_to_stop
from engine.training.spec.parse import parse_settings
from workbench.commands.targets import COMPARE
from workbench.render.comparison import comparison_paragraphs, look_paragraphs
from workbench.render.comparison_page import html_page, markdown
from workbench.render.training_run import model_name
from workbench.text.blocks import Paragraph
from workbench.text.escape import visible_line
from workbench.ui.jobs import COMPARE_MODULE, run_job
from workbench.ui.keymap import bindings_for
from workbench.ui.screens.input_line import InputLineScreen, typed_words
from workbench.ui.widgets.input_line import Question
from workbench.ui.widgets.lines import OneLine, Sentence
from workbench.ui.widgets.reader import Reader

POLL_SECONDS = 0.5
ROOMY = 80


class CompareScreen(InputLineScreen):
    """See the module. The first line of the list of comparisons is the one that is not there yet."""

    NAME = COMPARE
    BINDINGS = bindings_for(COMPARE)

    def __init__(self) -> None:
        super().__init__()
        self.comparisons: tuple[Comparison, ...] = ()
        self.place = 0
        """0: what would be compared; n: the n-th comparison, the newest first."""
        self.live: LiveComparison | None = None
        self.look: Mapping[str, Any] | None = None
        self.words = ""
        self.wishes: dict[str, Any] = {}
        self._busy = False

    def compose_body(self) -> ComposeResult:
        styles = self.host.role_styles
        yield OneLine(styles, id="title")
        yield Reader(styles, gutter=0, id="plan")
        yield Sentence(styles, id="reason")
        yield self.input_line()

    def on_mount(self) -> None:
        self._list()
        self._show(1 if self.comparisons else 0)
        self.set_interval(POLL_SECONDS, self._poll)
        super().on_mount()

    @property
    def folder(self) -> Path:
        return self.session.project.folder

    def _list(self) -> None:
        self.comparisons = list_comparisons(self.folder / "runs")

    def _show(self, place: int) -> None:
        self.place = max(0, min(place, len(self.comparisons)))
        self.live = None
        if self.place:
            self.live = LiveComparison(self.comparisons[self.place - 1].dir)
            self.live.read()
            self._conclude_if_ready()
        elif self.look is None and not self._busy:
            self.run_worker(self._look(), exclusive=True, group="compare")

    # -- what commands ask

    def ask_settings(self) -> None:
        placeholder = "arms=base,raw,random,curated  seeds=3  model=NAME  steps=300  budget=45m  price_per_hour=2"
        self.ask(Question(placeholder, self._take_settings), wishes_in_words(self.wishes))

    def _take_settings(self, text: str) -> None:
        self.wishes = wishes_of(text)
        self.look = None
        self._show(0)
        self.close_line()

    def step(self, steps: int) -> None:
        self._show(self.place + steps)

    def scroll_reader(self, pages: float) -> None:
        self.query_one(Reader).scroll_pages(pages)

    def start_comparison(self) -> None:
        if self._busy:
            self.session.say("in a moment: it is still being worked out", "refused")
        elif self.place:
            self._show(0)
        elif self.look is None:
            # What was missing may be there by now: decided elsewhere, or on another screen.
            self.session.say("")
            self.run_worker(self._look(), exclusive=True, group="compare")
        else:
            self.run_worker(self._start(), exclusive=True, group="compare")

    def stop_runs(self) -> None:
        live = self.live
        if live is None or not live.is_going_on:
            self.session.say("no run of it is going on", "refused")
        elif self.session.confirms(live.comparison.id, "stop every run of this comparison? same key again"):
            own = [live.comparison.run_dir(trial) for trial in live.comparison.trials if not trial.reused]
            stopped = ask_to_stop(own)
            self.session.say(
                f"{counted(stopped, 'run')} asked to save and end; enter twice goes on, with finished runs",
                "done",
            )

    def write_page(self) -> None:
        """Write the page and the Markdown block beside the comparison."""
        if self.live is None or self.live.result is None:
            self.session.say("there is no verdict to write yet", "refused")
            return
        result, folder = dict(self.live.result), self.live.comparison.dir
        page = html_page(result, folder.parent, with_text=False)
        write_atomic(folder / "comparison.html", signed_page(page))
        write_atomic(folder / "comparison.md", markdown(result).encode("utf-8", "replace"))
        self.session.say(f"written: {folder / 'comparison.html'} and comparison.md beside it", "done")

    # -- jobs

    async def _look(self) -> None:
        self._busy, self.words = True, "looking at the arms \u2026"
        self.sync_if_current()
        try:
            self.look = await run_job(COMPARE_MODULE, self.folder, lambda *_: None, "look", json.dumps(self.wishes))
            self.words = ""
        except TamisError as error:
            self.words = error.message or str(error)  # the reason; that a job ended early is no news here
        self._busy = False
        self.sync_if_current()

    async def _start(self) -> None:
        self._busy = True
        self.session.say("starting \u2026")
        self.sync_if_current()
        try:
            await run_job(COMPARE_MODULE, self.folder, lambda *_: None, "start", json.dumps(self.wishes))
        except TamisError as error:
            self.session.say(error.message or str(error), "error")
        else:
            self.session.say("started; it goes on without this window", "done")
            self.look = None
            self._list()
            self._show(1)
        self._busy = False
        self.sync_if_current()

    async def _conclude(self, live: LiveComparison) -> None:
        self._busy = True
        try:
            await run_job(COMPARE_MODULE, self.folder, lambda *_: None, "conclude", live.comparison.id)
            live.read()
        except TamisError as error:
            self.session.say(str(error), "error")
        self._busy = False
        self.sync_if_current()

    def _conclude_if_ready(self) -> None:
        live = self.live
        if live is not None and live.result is None and live.is_ready and not self._busy:
            self.run_worker(self._conclude(live), exclusive=True, group="compare")

    def _poll(self) -> None:
        """Look at the files of the runs, and for comparisons that were started elsewhere; paint only what changed."""
        if not self.is_current:
            return
        live, changed = self.live, self._look_for_others()
        if live is not None and live.result is None and live.read():
            self._conclude_if_ready()
            changed = True
        if changed:
            self.sync()

    def _look_for_others(self) -> bool:
        """Whether the folder holds other comparisons than before; what is shown stays."""
        names = comparison_names(self.folder / "runs")
        if names == [comparison.id for comparison in self.comparisons]:
            return False
        self._list()
        if self.live is not None:
            shown = self.live.comparison.id
            self.place = next((n for n, each in enumerate(self.comparisons, 1) if each.id == shown), self.place)
        return True

    # -- painting

    def sync_body(self) -> None:
        reader, live = self.query_one(Reader), self.live
        if self.line.question is None:
            self.query_one("#reason", OneLine).show(())
        if live is None:
            self.query_one("#title", OneLine).show(((" A new comparison", "title"), (self._where(), "muted")))
            reader.open("look", self._look_document)
            return
        comparison = live.comparison
        seeds = f"{comparison.seeds} seed{'s' if comparison.seeds > 1 else ', no seed variance'}"
        words = visible_line(f"{model_name(comparison.model)}, {comparison.steps:,} steps, {seeds}")
        self.query_one("#title", OneLine).show(
            ((f" {visible_line(comparison.id)}  ", "title"), (words, "text"), (self._where(), "muted"))
        )
        narrow = self.size.width < ROOMY
        reader.open((comparison.id, narrow), lambda: comparison_paragraphs(live, narrow=narrow))

    def _where(self) -> str:
        known = len(self.comparisons)
        if self.place:
            return f"  {self.place} of {known}" if known > 1 else ""
        return f"  {counted(known, 'earlier one')}: j shows {'it' if known == 1 else 'them'}" if known else ""

    def _look_document(self) -> Iterator[Paragraph]:
        if self.look is None:
            yield Paragraph(((visible_line(self.words), "text"),))
            return
        yield from look_paragraphs(self.look)
        yield Paragraph(())
        words = "enter starts it; c chooses: arms=base,random,curated seeds=3 model=M steps=300 price_per_hour=2"
        yield Paragraph(((words, "reason"),))


def wishes_of(text: str) -> dict[str, Any]:
    """`arms=base,curated seeds=1 model=M steps=100` as the job takes it. Raises UsageError."""
    wishes: dict[str, Any] = {}
    others: list[str] = []
    for word in typed_words(text):
        name, _, value = word.partition("=")
        if name == "arms":
            wishes["arms"] = [arm for arm in value.split(",") if arm]
        elif name == "seeds":
            seeds = whole_number(value)
            if not seeds:
                raise UsageError("seeds is a number from 1 up", "", "for example seeds=3")
            wishes["seeds"] = seeds
        elif name == "model":
            wishes["model"] = value
        else:
            others.append(word)
    return wishes | ({"settings": parse_settings(others)} if others else {})


def wishes_in_words(wishes: Mapping[str, Any]) -> str:
    """The same as it was typed."""
    words = {name: str(wishes[name]) for name in ("seeds", "model") if name in wishes}
    if "arms" in wishes:
        words = {"arms": ",".join(wishes["arms"])} | words
    words |= {name: str(value) for name, value in wishes.get("settings", {}).items()}
    return " ".join(f"{name}={shlex.quote(value)}" for name, value in words.items())
