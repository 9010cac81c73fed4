"""Mapping: which field of the file is what, told by one key a part; beside it the row as it is read by that."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Container

from engine.errors import TamisError
from engine.sources.shapes.map_words import words_for, words_of
from workbench.actions import fields
from workbench.actions.field_lines import choice_of, open_choice
from workbench.actions.first_open import mixture
from workbench.commands.hints import part_hints
from workbench.commands.targets import FIELDS
from workbench.render.fields import FieldLines, question, reading, summary, title
from workbench.state.saved import MAPPING
from workbench.state.session import Tone
from workbench.text.blocks import Styled
from workbench.ui.keymap import bindings_for
from workbench.ui.screens.input_line import InputLineScreen
from workbench.ui.widgets.input_line import Question
from workbench.ui.widgets.line_list import LineList
from workbench.ui.widgets.lines import OneLine, Sentence, columns
from workbench.ui.widgets.reader import Reader


class MappingScreen(InputLineScreen):
    """See the module."""

    NAME = FIELDS
    BINDINGS = bindings_for(FIELDS)

    def __init__(self) -> None:
        super().__init__()
        self._mixed = ""

    def compose_body(self) -> ComposeResult:
        styles = self.host.role_styles
        choice = open_choice(self.session)
        self._mixed = mixture(self.session.project)
        with Container(id="body"):
            yield LineList(styles, FieldLines(choice), id="list")
            with Container(id="reading"):
                yield OneLine(styles, id="title")
                yield Reader(styles, id="reader", digits=len(str(len(self.session.project.rows))))
        yield Sentence(styles, id="reason")
        yield self.input_line()

    # -- what the commands ask for

    def step(self, steps: int) -> None:
        fields.move(self.session, steps)

    def page(self, pages: float) -> None:
        self.step(int(self.query_one(LineList).page_size * pages))

    def scroll_reader(self, pages: float) -> None:
        if not self.query_one(Reader).scroll_pages(pages):
            self.session.say("the end of the text" if pages > 0 else "the beginning of the text")

    def ask_words(self) -> None:
        named = choice_of(self.session).named
        self.ask(
            Question("prompt=question,response=answer", self._take_words, "read it so"),
            words_for(named),
        )

    def _take_words(self, text: str) -> None:
        fields.take_words(self.session, text)
        self.close_line()

    def settle(self) -> None:
        """Take the mapping the words mean, and leave; where they mean none, stay and say why."""
        session = self.session
        try:
            changed = fields.settle(session)
        except TamisError as error:
            session.say(str(error), "refused")
            return
        if changed:
            session.reload()
        self._close(f"rows are read by {words_of(session.project.mapping)}", changed=changed)

    def leave(self) -> None:
        if self.session.project.mapping.fields:
            self._close("rows are read as before", changed=False)
        else:
            # Said as an error: what goes on beside the keys must not take it off.
            self._close("no field is named, so nothing is read of the rows: O names them", changed=False, tone="error")

    def _close(self, sentence: str, *, changed: bool, tone: Tone = "done") -> None:
        session = self.session
        is_first = MAPPING not in session.remembered.asked
        session.proposals.fields = None
        self.app.pop_screen()
        session.say(sentence, tone)
        if is_first:
            self.host.mapping_is_settled()
        elif changed:
            self.host.background.scan_anew()
        self.host.sync_screen()

    # -- painting

    def sync_body(self) -> None:
        choice = self.session.proposals.fields
        if choice is None:
            return
        rows = self.query_one(LineList)
        is_wide = self.has_class("-wide") or self.has_class("-vast")
        rows.no_higher(None if is_wide else len(choice.lines))
        rows.sync()
        project, asked = self.session.project, self.session.remembered.asked
        is_settled = MAPPING in asked and bool(project.mapping.fields)
        is_odd = not is_settled and bool(choice.is_unknown or self._mixed)
        heading = question(choice, self._mixed, is_settled=is_settled)
        role = "refused" if is_odd else "title"
        key = ("fields", choice.shape.number)
        self.query_one(Reader).open(key, lambda: reading(choice, heading, role))
        self.query_one("#title", OneLine).show(title(choice))
        self.query_one("#reason", OneLine).show(summary(choice))

    def sync(self) -> None:
        super().sync()
        if not self.session.message.text and self.session.proposals.fields is not None and self.is_mounted:
            # The keys of the parts stand where the message stands while there is none.
            self.query_one("#message", OneLine).show(self._part_hints())

    def _part_hints(self) -> list[Styled]:
        """Which parts the field under the cursor can be, as many as fit."""
        room = self.size.width - 1
        shown: list[Styled] = [(" ", "hint")]
        for hint in map(self._hint, part_hints(self.session)):
            room -= columns(hint)
            if room < 0:
                break
            shown += hint
        return shown
