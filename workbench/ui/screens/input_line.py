"""The two lists share a line to type into: the filter, a tag, a note. It stands where the message stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.widgets import Input

from engine.errors import TamisError, UsageError
from workbench.actions import navigate, search, tags, typed_commands
from workbench.ui.screens.base import WorkScreen
from workbench.ui.widgets.filter_line import FilterLine
from workbench.ui.widgets.lines import OneLine

if TYPE_CHECKING:
    from workbench.text.blocks import Styled

WHAT_ENTER_DOES = {"filter": "show these rows", "command": "do it", "tag": "tag", "note": "keep the note"}


class AskingScreen(WorkScreen):
    """A screen that yields `self.ask_line()` in its body."""

    def ask_line(self) -> FilterLine:
        return FilterLine(self.answered, self.close_line, id="filter")

    _asked_for = ""

    @property
    def line(self) -> FilterLine:
        return self.query_one(FilterLine)

    def ask(self, purpose: str) -> None:
        """Open the line for `filter`, `tag` or `note`, with what is there already."""
        entry = self.session.place.entry
        text = ""
        if purpose == "filter" and self.NAME == "triage":
            text = self.session.place.filter_text
        elif purpose == "note" and entry is not None:
            text = self.session.project.note(entry.row)
        self.query_one("#message", OneLine).add_class("covered")
        self.line.open(text, purpose, self.session.remembered.filters)

    def answered(self, purpose: str, text: str) -> None:
        """Enter: do what was asked for; where it makes no sense, say so and leave the line open."""
        try:
            if purpose == "filter":
                search.begin(self.session, text)
                self.tamis.background.search()
            elif purpose == "command":
                if not self._command_typed(text.strip()):
                    return
            elif purpose == "tag":
                tags.tag(self.session, text)
            else:
                tags.note(self.session, text)
        except TamisError as error:
            self.line.complain(str(error))
            return
        if purpose == "filter":
            self.session.remembered.add_filter(text)
        self.close_line()
        self.tamis.place_changed()
        if purpose == "filter" and self.NAME != "triage":
            # Not by way of `go`: that would open the overview line under the cursor.
            WorkScreen.go(self, "triage")

    def _command_typed(self, text: str) -> bool:
        """Do what stands behind the `:`; False where the line stays open for a second enter."""
        from workbench.commands.registry import BY_ID

        if text.isdigit():
            if self.NAME != "triage":
                self.session.set_filter("")
            navigate.go_to_row(self.session, int(text))
            if self.NAME != "triage":
                self.close_line()
                WorkScreen.go(self, "triage")
                return False
        elif typed_commands.is_bulk(text):
            if self._asked_for != text:
                self.line.complain(typed_commands.bulk_question(self.session, text))
                self._asked_for = text
                return False
            self._asked_for = ""
            typed_commands.do_bulk(self.session, text)
        elif text:
            named = text.replace(" ", "-")
            if named not in BY_ID or self.NAME not in BY_ID[named].where:
                known = ", ".join(self._matching(text.split("-")[0][:3])[:6])
                raise UsageError(f"no command {text!r} here", "", f"known: {known}" if known else "? lists all keys")
            self.close_line()
            self.action_command(named)
            return False
        return True

    def _matching(self, text: str) -> list[str]:
        """The commands of this screen that begin with, or hold, what is typed."""
        from workbench.commands.registry import COMMANDS

        names = [command.id for command in COMMANDS if self.NAME in command.where]
        found = [name for name in names if name.startswith(text)]
        return found + [name for name in names if text in name and name not in found]

    def _hints(self) -> list[Styled]:
        """While something is typed, what the keys do then."""
        if not self.line.has_class("open"):
            return super()._hints()
        hints = [("enter", WHAT_ENTER_DOES.get(self.line.purpose, "take it")), ("esc", "leave")]
        hints += [("\u2191 \u2193", "earlier filters")] if self.line.purpose == "filter" else []
        return [(" ", "hint"), *(part for key, words in hints for part in ((key, "key"), (f" {words}  ", "hint")))]

    def close_line(self) -> None:
        """Put the message back where the line was."""
        self.line.close()
        self.query_one("#message", OneLine).remove_class("covered")
        self.sync()

    @on(Input.Changed, "#filter")
    def line_typed(self, event: Input.Changed) -> None:
        """Say what a filter would show."""
        event.stop()
        if not self.line.has_class("open"):
            return
        if self.line.purpose == "filter":
            self.line.count_soon(self.session)
        elif self.line.purpose == "command":
            self._asked_for = ""
            self.line.suggest(self._matching(self.line.value.strip().replace(" ", "-")))
