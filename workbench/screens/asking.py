"""The two lists share a line to type into: the filter, a tag, a note. It stands where the message stands."""

from __future__ import annotations

from textual import on
from textual.widgets import Input

from engine.errors import TamisError
from workbench import remarks
from workbench.screens.base import WorkScreen
from workbench.widgets.filter_line import FilterLine
from workbench.widgets.lines import OneLine


class AskingScreen(WorkScreen):
    """A screen that yields `self.ask_line()` in its body."""

    def ask_line(self) -> FilterLine:
        return FilterLine(self.answered, self.close_line, id="filter")

    @property
    def line(self) -> FilterLine:
        return self.query_one(FilterLine)

    def ask(self, purpose: str) -> None:
        """Open the line for `filter`, `tag` or `note`, with what is there already."""
        entry = self.session.entry
        text = ""
        if purpose == "filter" and self.NAME == "triage":
            text = self.session.filter_text
        elif purpose == "note" and entry is not None:
            text = self.session.project.note(entry.row)
        self.query_one("#message", OneLine).add_class("covered")
        self.line.open(text, purpose, self.session.filters)

    def answered(self, purpose: str, text: str) -> None:
        """Enter: do what was asked for; where it makes no sense, say so and leave the line open."""
        try:
            if purpose == "filter":
                self.session.set_filter(text)
            elif purpose == "tag":
                remarks.tag(self.session, text)
            else:
                remarks.note(self.session, text)
        except TamisError as error:
            self.line.complain(str(error))
            return
        if purpose == "filter":
            self.session.remember_filter(text)
        self.close_line()
        self.tamis.place_changed()
        if purpose == "filter" and self.NAME != "triage":
            # Not by way of `go`: that would open the overview line under the cursor.
            WorkScreen.go(self, "triage")

    def close_line(self) -> None:
        """Put the message back where the line was."""
        self.line.close()
        self.query_one("#message", OneLine).remove_class("covered")
        self.sync()

    @on(Input.Changed, "#filter")
    def line_typed(self, event: Input.Changed) -> None:
        """Say what a filter would show."""
        event.stop()
        if self.line.has_class("open") and self.line.purpose == "filter":
            self.line.count_soon(self.session)
