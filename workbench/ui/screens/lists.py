"""What overview and triage share: the filter, commands by name, an editor outside, the jobs beside the keys."""

from __future__ import annotations

from engine.errors import UsageError
from workbench.actions import navigate, search, typed_commands
from workbench.commands.registry import BY_ID, COMMANDS
from workbench.commands.targets import TRIAGE
from workbench.ui.external_editor import edit_in_external_editor
from workbench.ui.screens.input_line import InputLineScreen
from workbench.ui.widgets.input_line import Question


class ListScreen(InputLineScreen):
    """See the module."""

    # What stands in the line was asked about once: a second enter does it.
    _asked_about = ""

    def show_rows(self) -> None:
        self.host.go(TRIAGE)

    def open_external_editor(self) -> None:
        edit_in_external_editor(self.app, self.session)

    def rescore(self) -> None:
        self.host.background.rescore()

    def cancel_job(self) -> None:
        if self.session.place.searching is not None:
            search.stop(self.session)
        elif self.session.selection.marked:
            self.session.selection.clear()
            self.session.say("no row is marked")
        else:
            self.host.background.cancel()

    # -- the filter

    def ask_filter(self) -> None:
        question = Question(
            "bucket:drop  flag:refusal  kind:near  is:accepted  row:17-40  turns>4  /regex/  word; empty: all rows",
            self._filter_by,
            "show these rows",
            lambda: self.line.count_soon(self.session),
            self.session.remembered.filters,
        )
        # The overview shows no rows yet, so it has no filter to go on with.
        self.ask(question, self.session.place.filter_text if self.NAME == TRIAGE else "")

    def _filter_by(self, text: str) -> None:
        search.begin(self.session, text)
        self.host.background.search()
        self.session.remembered.add_filter(text)
        self.close_line()
        self.host.place_changed()
        self.show_rows()

    # -- commands by name

    def ask_command(self) -> None:
        self.ask(
            Question(
                "a command, a row number, or a verb with a selector: reject bucket:drop",
                self._do_typed,
                "do it",
                self._suggest,
            )
        )

    def _suggest(self) -> None:
        self._asked_about = ""
        self.line.suggest(self._matching(self.line.value.strip().replace(" ", "-")))

    def _do_typed(self, text: str) -> None:
        """Do what stands behind the `:`; a verb with a selector after a second enter."""
        text = text.strip()
        if text.isdecimal():
            self._jump(int(text))
        elif typed_commands.is_bulk(text):
            if self._asked_about != text:
                self.line.complain(typed_commands.bulk_question(self.session, text))
                self._asked_about = text
                return
            self._asked_about = ""
            typed_commands.do_bulk(self.session, text)
            self._close_and_save()
        elif text:
            self._perform_named(text)
        else:
            self._close_and_save()

    def _jump(self, row: int) -> None:
        if self.NAME != TRIAGE:
            self.session.set_filter("")
        navigate.go_to_row(self.session, row)
        self._close_and_save()
        self.show_rows()

    def _perform_named(self, text: str) -> None:
        named = text.replace(" ", "-")
        if named not in BY_ID or self.NAME not in BY_ID[named].where:
            known = ", ".join(self._matching(text.split("-")[0][:3])[:6])
            raise UsageError(f"no command {text!r} here", "", f"known: {known}" if known else "? lists all keys")
        self.close_line()
        self.action_command(named)

    def _close_and_save(self) -> None:
        self.close_line()
        self.host.place_changed()

    def _matching(self, text: str) -> list[str]:
        """The commands of this screen that begin with, or hold, what is typed."""
        names = [command.id for command in COMMANDS if self.NAME in command.where]
        found = [name for name in names if name.startswith(text)]
        return found + [name for name in names if text in name and name not in found]
