"""A screen with a line to type into, which stands where the message stands."""

from __future__ import annotations

import shlex

from textual import on

from engine.errors import TamisError, UsageError
from workbench.text.blocks import Styled
from workbench.ui.screens.base import WorkScreen
from workbench.ui.widgets.input_line import InputLine, Question
from workbench.ui.widgets.lines import OneLine


class InputLineScreen(WorkScreen):
    """A screen that yields `self.input_line()` in its body and opens it with `ask`."""

    def input_line(self) -> InputLine:
        return InputLine(self._answered, self.close_line, id="filter")

    @property
    def line(self) -> InputLine:
        return self.query_one(InputLine)

    def ask(self, question: Question, text: str = "") -> None:
        """Open the line, with what is there already."""
        self.query_one("#message", OneLine).add_class("covered")
        self.line.open(question, text)

    def close_line(self) -> None:
        """Put the message back where the line was."""
        self.line.close()
        self.query_one("#message", OneLine).remove_class("covered")
        self.sync()

    def tell(self, text: str) -> None:
        """The message is covered while something is typed: the line says it then."""
        if self.line.question is not None:
            self.line.complain(text)
        else:
            super().tell(text)

    def _answered(self, text: str) -> None:
        question = self.line.question
        if question is None:
            return
        try:
            question.answer(text)
        except TamisError as error:
            self.line.complain(str(error))

    @on(InputLine.Changed, "#filter")
    def line_typed(self, event: InputLine.Changed) -> None:
        event.stop()
        question = self.line.question
        if question is not None and question.typed is not None:
            question.typed()

    def _hints(self) -> list[Styled]:
        """While something is typed, what the keys do then."""
        question = self.line.question
        if question is None:
            return super()._hints()
        hints = [("enter", question.enter), ("esc", "leave")]
        hints += [("\u2191 \u2193", "earlier filters")] if question.earlier is not None else []
        return [(" ", "hint"), *(part for key, words in hints for part in ((key, "key"), (f" {words}  ", "hint")))]


def typed_words(text: str) -> list[str]:
    """The words of a line of settings, as a shell parts them. Raises UsageError where a quotation is not closed."""
    try:
        return shlex.split(text)
    except ValueError as error:
        raise UsageError(str(error)) from error
