"""Mapping: at first open, which field of the file is what, as it was guessed, on three rows; corrected in words."""

from __future__ import annotations

from collections.abc import Iterator

from textual import events, on
from textual.app import ComposeResult
from textual.widgets import Input

from engine.errors import TamisError, UsageError
from engine.sources.map_words import words_of
from engine.sources.mapping import Mapping
from workbench.actions.first_open import correct_mapping, known_words, mapping_of, mixture, preview
from workbench.render.messages import role_name
from workbench.text.blocks import Paragraph, Styled
from workbench.text.escape import visible_line
from workbench.ui.keymap import bindings_for
from workbench.ui.screens.base import WorkScreen
from workbench.ui.widgets.input_line import ACTIONS
from workbench.ui.widgets.key_order import STEADY_CURSOR, act_now
from workbench.ui.widgets.reader import Reader
from workbench.ui.widgets.safe_input import SafeInput, ShownSafely

# Three rows are to fit 80x24.
SHOWN_CHARACTERS = 130


class WordsLine(SafeInput):
    """The line with the words. Enter and escape go to the screen, in the order they were typed."""

    cursor_blink = STEADY_CURSOR

    async def on_key(self, event: events.Key) -> None:
        if event.key in ("enter", "escape"):
            event.stop()
            event.prevent_default()
            screen = self.screen
            assert isinstance(screen, MappingScreen)
            screen.settle_on(self.value if event.key == "enter" else words_of(screen.session.project.mapping))
        else:
            await act_now(self, event, ACTIONS)


class MappingScreen(WorkScreen):
    """See the module."""

    NAME = "mapping"
    BINDINGS = bindings_for("mapping")

    def __init__(self) -> None:
        super().__init__()
        self._fault = ""
        self._mixed = ""

    def compose_body(self) -> ComposeResult:
        yield Reader(self.host.role_styles, id="pane")
        # What is there is mended, not typed anew: the first key must not replace it.
        words = words_of(self.session.project.mapping)
        yield WordsLine(words, id="words", compact=True, select_on_focus=False, highlighter=ShownSafely())

    def on_mount(self) -> None:
        self._mixed = mixture(self.session.project)
        super().on_mount()
        line = self.query_one(WordsLine)
        self.set_focus(line)
        line.cursor_position = len(line.value)

    @on(Input.Changed, "#words")
    def words_typed(self, event: Input.Changed) -> None:
        event.stop()
        self.sync()

    def settle_on(self, words: str) -> None:
        """Take the mapping the words mean, and leave; where they mean none, stay and say why."""
        session = self.session
        try:
            changed = correct_mapping(session.project, mapping_of(words, session.project.mapping))
        except TamisError as error:
            self._fault = str(error)
            self.sync()
            return
        if changed:
            session.reload()
        session.say(f"rows are read as {session.project.mapping.describe()}", "done")
        self.app.pop_screen()
        self.host.mapping_is_settled()

    def _mapping(self) -> Mapping | None:
        try:
            return mapping_of(self.query_one(WordsLine).value, self.session.project.mapping)
        except UsageError as error:
            self._fault = str(error)
            return None

    def sync_body(self) -> None:
        self._fault = ""
        mapping = self._mapping()
        self.query_one(Reader).open(("mapping", mapping.describe() if mapping else None), lambda: self._shown(mapping))
        if self._fault:
            self.session.say(self._fault, "refused")
        else:
            # Those that stand in the line already need not be named.
            here = self.query_one(WordsLine).value
            others = " ".join(word for word in known_words().split() if f"{word}=" not in here)
            self.session.say(f"other parts: {others}")

    def _shown(self, mapping: Mapping | None) -> Iterator[Paragraph]:
        yield Paragraph((("Which field is what? The names are unusual: this is a guess.", "title"),))
        if self._mixed:
            yield Paragraph(((visible_line(self._mixed), "refused"),))
        fields = ", ".join(list(self.session.project.rows.raw(0))[:12])
        yield Paragraph(((visible_line(fields), "text"),), ("fields", "muted"))
        yield Paragraph(())
        if mapping is None:
            return
        for number, turns in preview(self.session.project, mapping):
            yield Paragraph(((f"row {number}", "key"),))
            if not any(text.strip() for _, text in turns):
                yield Paragraph((("nothing is found in these fields", "refused"),))
            for role, text in turns:
                words = visible_line(text, SHOWN_CHARACTERS) or "(empty)"
                words += "\u2026" if len(words) == SHOWN_CHARACTERS else ""
                yield Paragraph(((words, "text"),), role_name(role))
            yield Paragraph(())

    def _hints(self) -> list[Styled]:
        return [
            (" enter", "key"),
            (" read the rows so  ", "hint"),
            ("esc", "key"),
            (" leave it as it was guessed", "hint"),
        ]
