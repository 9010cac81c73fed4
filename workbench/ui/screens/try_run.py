"""Trying a run: base and tuned answer side by side, with the reference; an answer becomes a new undecided row by a key.

The models live in a process of their own (`engine.training.eval.inference`); this screen only reads what it says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from textual.app import ComposeResult

from engine.errors import TamisError
from engine.project.new_row import add_row
from engine.training.eval.heldout_outputs import heldout_rows
from engine.training.eval.inference import longest_answer
from engine.training.runs.data_files import spoken
from workbench.commands.targets import TRY, AnswerSide
from workbench.render.parts import split_lines
from workbench.text.blocks import Paragraph, Styled
from workbench.text.escape import visible_line
from workbench.ui.inference_thread import AnsweringThread, Said
from workbench.ui.keymap import bindings_for
from workbench.ui.screens.base import WorkScreen
from workbench.ui.screens.text_modal import TextModal
from workbench.ui.widgets.columns import Column, Columns
from workbench.ui.widgets.line_list import LineList
from workbench.ui.widgets.lines import OneLine, Sentence
from workbench.ui.widgets.reader import Reader

SIDES: tuple[AnswerSide, ...] = ("base", "tuned")


@dataclass(slots=True)
class Tried:
    """A prompt and what is known of it: `id` and `reference` of a held-out row, "" for a prompt typed here."""

    messages: tuple[Mapping[str, Any], ...]
    reference: str = ""
    id: str = ""
    tools: tuple[str, ...] = ()
    answers: dict[str, tuple[str, bool]] = field(default_factory=dict)
    fault: str = ""
    asked: bool = False
    draft: str = ""
    key: int = field(default_factory=count().__next__)
    """Under which answers come back: its place in the list may change meanwhile."""

    @property
    def request(self) -> str:
        """The last thing the user says."""
        return next((turn["content"] for turn in reversed(self.messages) if turn["role"] == "user"), "")


class PromptLines:
    """The prompts, one line each."""

    def __init__(self, screen: TryScreen) -> None:
        self._screen = screen

    def __len__(self) -> int:
        return len(self._screen.prompts)

    @property
    def cursor(self) -> int:
        return self._screen.cursor

    def block(self, index: int) -> int:
        return 1

    def line(self, index: int, width: int) -> tuple[Styled, ...]:
        tried = self._screen.prompts[index]
        number = self._screen.session.project.rows.number(tried.id) if tried.id else None
        place = f"row {number}" if number is not None else "held out" if tried.id else "typed"
        tuned = tried.answers.get("tuned")
        mark: Styled = ("  ", "text")
        if tuned is not None and tried.id:
            right = tuned[0].strip() == tried.reference.strip()
            mark = ("= ", "accepted") if right else ("\u2260 ", "rejected")
        words = tried.request.rpartition("\n\n")[2]  # what stands first is often the same for all
        return (mark, (f"{place:<10}", "heldout" if tried.id else "key"), (visible_line(words, width), "text"))


class TryScreen(WorkScreen):
    """See the module."""

    NAME = TRY
    BINDINGS = bindings_for(TRY)

    def __init__(self, run_dir: Path) -> None:
        super().__init__()
        self.run_dir = run_dir
        self.prompts: list[Tried] = []
        self.cursor = 0
        self.answering: AnsweringThread | None = None
        self._state = "loading the models \u2026"
        self._loaded = False
        self._model = ""

    def compose_body(self) -> ComposeResult:
        styles = self.host.role_styles
        yield LineList(styles, PromptLines(self), id="prompts")
        yield OneLine(styles, id="title")
        yield Reader(styles, id="asked")
        yield Columns(styles, id="answers")
        yield Sentence(styles, id="reason")

    def on_mount(self) -> None:
        try:
            self.prompts = [Tried(row.prompt, row.reference, row.id, row.tools) for row in heldout_rows(self.run_dir)]
        except TamisError as fault:
            self.session.say(str(fault), "error")
        self._start()
        super().on_mount()

    def on_unmount(self) -> None:
        if self.answering is not None:
            self.answering.close()

    # -- the answering process

    def _start(self) -> None:
        if self.answering is not None:
            self.answering.close()
        self._loaded, self._state = False, "loading the models \u2026"
        for tried in self.prompts:
            tried.asked = bool(tried.answers)

        def tell(said: Said) -> None:
            # From the thread to the screen's own; a screen that is closing takes nothing any more.
            if self.is_running and thread is self.answering:
                self.app.call_from_thread(self._take, said)

        thread = self.answering = AnsweringThread(self.run_dir, longest_answer(self.run_dir), tell)
        thread.start()

    def _take(self, said: Said) -> None:
        if said.kind == "loading" and said.detail:
            self._state = f"making the built-in model {said.detail['done']}/{said.detail['of']} \u2026"
        elif said.kind == "ready" and said.detail:
            self._loaded, self._state = True, ""
            self._model = str(said.detail["model"])
        elif said.kind == "gone":
            self._loaded, self._state = False, said.text
            self.session.say(f"{said.text}; enter starts it anew", "error")
        else:
            tried = next(tried for tried in self.prompts if tried.key == said.key)
            if said.kind == "answer":
                tried.answers[said.side] = (said.text, said.cut)
            else:
                tried.fault = said.text
        self.sync_if_current()

    def _ask_here(self) -> None:
        """Ask for the prompt under the cursor, once."""
        tried = self.here
        if tried is not None and self._loaded and not tried.asked and self.answering is not None:
            tried.asked = True
            # What was asked for on the way and has no answer yet is given up by the thread: it may be asked again.
            for other in self.prompts:
                other.asked = other is tried or len(other.answers) == len(SIDES) or bool(other.fault)
            self.answering.want(tried.key, tried.messages, tried.tools)

    @property
    def here(self) -> Tried | None:
        """The prompt under the cursor."""
        return self.prompts[self.cursor] if self.prompts else None

    # -- what commands ask

    def step(self, steps: int) -> None:
        self.cursor = max(0, min(self.cursor + steps, len(self.prompts) - 1))

    def scroll_reader(self, pages: float) -> None:
        if not self.query_one(Columns).scroll_pages(pages) and not self.query_one("#asked", Reader).scroll_pages(pages):
            self.session.say("the end of the text" if pages > 0 else "the beginning of the text")

    def ask_again(self) -> None:
        """Start the process anew where it is gone."""
        if self.answering is None or not self._loaded:
            if self._state.startswith("loading") or self._state.startswith("making"):
                self.session.say(self._state)
            else:
                self._start()
        elif self.here is not None:
            self.here.answers.clear()
            self.here.fault, self.here.asked = "", False

    def write_prompt(self) -> None:
        text = self.here.request if self.here is not None else ""
        self._write("a prompt of your own", text, "ask it", self._typed)

    def edit_answer(self) -> None:
        tried = self.here
        if tried is None:
            self.session.say("no prompt here: t types one", "refused")
            return
        text = tried.draft or tried.answers.get("tuned", tried.answers.get("base", (tried.reference, False)))[0]
        self._write("the answer, as it should be", text, "make it a row", self._edited)

    def take_answer(self, side: AnswerSide) -> None:
        tried = self.here
        if tried is None or side not in tried.answers:
            self.session.say(f"there is no {side} answer here yet", "refused")
            return
        text, cut = tried.answers[side]
        if cut:
            self.session.say("this answer was cut off: e finishes it first", "refused")
            return
        self._add(text, side)

    # -- new rows

    def _write(self, title: str, text: str, taking: str, then: Callable[[str | None], None]) -> None:
        self.app.push_screen(TextModal(title, text, taking, self.host.role_styles), then)

    def _typed(self, text: str | None) -> None:
        if text is not None:
            system = [turn for turn in (self.here.messages if self.here else ()) if turn["role"] == "system"]
            self.prompts.insert(0, Tried((*system, {"role": "user", "content": text})))
            self.cursor = 0
        self.sync()

    def _edited(self, text: str | None) -> None:
        if text is not None and self.here is not None:
            self.here.draft = text
            self._add(text, "edited")
        self.sync()

    def _add(self, answer: str, side: str) -> None:
        """A new undecided row of the project; a held-out prompt is asked about: as a training row it would leak."""
        session, tried = self.session, self.here
        if tried is None:
            return
        heldout = next((other.id for other in self.prompts if other.id and other.request == tried.request), "")
        again = "same key again" if side in SIDES else "e and ctrl+s again"
        question = f"this prompt is held out: as a training row it leaks and no export takes it; {again}"
        if heldout and not session.confirms(answer, question):
            return
        like_number = session.project.rows.number(tried.id) if tried.id else None
        like_number = like_number if like_number is not None else self._example_number()
        like = session.project.rows.raw(like_number) if like_number is not None else None
        extra = {"run": self.run_dir.name, "answer": side, **({"heldout": heldout} if heldout else {})}
        try:
            messages = (*tried.messages, {"role": "assistant", "content": answer})
            number = add_row(session.project, messages, like=like, extra=extra)
        except TamisError as fault:
            session.say(str(fault), "error")
            return
        session.reload(findings=False)
        session.say(f"row {number}: undecided, from the {side} answer; / row:{number} shows it", "done")
        self.host.background.scan_anew()

    def _example_number(self) -> int | None:
        """A held-out row of the project, to split a typed prompt into fields as the others are."""
        project = self.session.project
        numbers = (project.rows.number(tried.id) for tried in self.prompts if tried.id)
        return next((number for number in numbers if number is not None), 0 if len(project.rows) else None)

    # -- painting

    def sync_body(self) -> None:
        self._ask_here()
        self.query_one("#prompts", LineList).sync()
        tried = self.here
        of = f"{self.cursor + 1}/{len(self.prompts)}" if self.prompts else "no held-out rows"
        model = f" \u00b7 {visible_line(self._model, 60)}" if self._model else ""
        title: tuple[Styled, ...] = ((f" {visible_line(self.run_dir.name)} ", "title"), (f"{of}{model}", "muted"))
        self.query_one("#title", OneLine).show(title)
        key = (self.cursor, len(self.prompts))
        self.query_one("#asked", Reader).open(key, lambda: _asked(tried))
        columns = self.query_one(Columns)
        columns.show(self._columns(tried))
        more = (("\u2193 J ", "muted"),) if columns.more_below else ()
        self.query_one("#reason", OneLine).show(((f" {visible_line(self._reason(tried))}", "reason"),), more)

    def _columns(self, tried: Tried | None) -> Iterator[Column]:
        for side in SIDES if tried is not None else ():
            text, cut = tried.answers.get(side, ("", False)) if tried is not None else ("", False)
            note = " (cut off)" if cut else ""
            if tried is not None and side not in tried.answers:
                note = " \u2026" if self._loaded and not tried.fault else " -"
            elif not text.strip():
                note = " (empty)"
            yield Column(f"{side}{note}", "assistant" if side == "tuned" else "muted", text)
        if tried is not None and tried.id:
            yield Column("reference", "keeper", tried.reference)

    def _reason(self, tried: Tried | None) -> str:
        if self._state:
            return self._state
        if tried is None:
            return "this run held nothing out: t types a prompt"
        if tried.fault:
            return tried.fault
        if len(tried.answers) < len(SIDES):
            return "answering \u2026"
        if tried.id:
            right = tried.answers["tuned"][0].strip() == tried.reference.strip()
            return "tuned answers as the reference" if right else "tuned answers otherwise than the reference"
        return "1 or 2 makes an answer a new undecided row; e mends it first"


def _asked(tried: Tried | None) -> Iterator[Paragraph]:
    """The prompt."""
    if tried is None:
        yield Paragraph((("no prompt yet", "muted"),))
        return
    for turn in tried.messages:
        yield from split_lines([(spoken(turn), "text")], (turn["role"], turn["role"]), None)
