"""What overview and triage share: the filter, commands by name, an editor outside, the jobs beside the keys."""

from __future__ import annotations

from dataclasses import replace

from engine.errors import UsageError
from engine.numerals import whole_number
from workbench.actions import decide, first_open, navigate, search, typed_commands
from workbench.actions.preconditions import read_only
from workbench.commands.registry import BY_ID, COMMANDS, is_barred, perform
from workbench.commands.targets import TRIAGE
from workbench.state.entries import EntryKey
from workbench.state.plans import Verb
from workbench.ui.external_editor import edit_in_external_editor
from workbench.ui.keymap import shown_key
from workbench.ui.screens.input_line import InputLineScreen
from workbench.ui.widgets.input_line import Question

# They decide nothing about what is trained on.
NO_VERDICT = ("reset", "later")
# They decide by way of a text, or of changes to look through.
LEAD_TO_VERDICTS = ("edit", "edit-external", "merge", "accept-rest", "repair", "fix-all")
VERBS: dict[str, Verb] = {"accept": "accept", "reject": "reject", "skip": "skip"}


class ListScreen(InputLineScreen):
    """See the module."""

    # What stands in the line was asked about once: a second enter does it.
    _asked_about = ""

    def _perform(self, command_id: str) -> None:
        command = BY_ID[command_id]
        decides = (command.decides and command_id not in NO_VERDICT) or command_id in LEAD_TO_VERDICTS
        if first_open.asks_heldout(self.session, decides and command.precondition(self.session) is None):
            self.host.ask_heldout(command_id)
        else:
            super()._perform(command_id)

    def go_on_with(self, command_id: str, asked_on: EntryKey | None, sentence: str, *, is_same_list: bool) -> bool:
        """Where the list is another one since, a verdict on a row is for that row wherever it stands now, and one on a
        group or a line is asked for again: it may be another one."""
        self._come_to_front()
        session = self.session
        if not is_same_list:
            # Keys behind the verb were meant for the rows as they stood.
            self._dropped += len(self._behind_verb)
            self._behind_verb = []
        if self.line.question is not None:
            # A line that decides: what is typed stands there still.
            self.line.focus()
            self.call_after_refresh(self.line.complain, sentence)
            return is_same_list
        if command_id and (is_same_list or session.selection.marked):
            super()._perform(command_id)
        elif command_id in VERBS and self.NAME == TRIAGE and asked_on is not None and not asked_on.is_header:
            verb, row = VERBS[command_id], asked_on.row
            here = replace(
                BY_ID[command_id], run=lambda _: decide.decide_row(session, verb, row), precondition=read_only
            )
            perform(self, here)
            self.sync()
            self._expect_frame()
        elif command_id:
            again = shown_key(command_id, self.host.keymap_in_use)
            session.say(f"{again} again once the groups are found anew", "refused")
        self._say_behind(sentence)
        return is_same_list

    def show_rows(self) -> None:
        self.host.go(TRIAGE)

    def open_external_editor(self) -> None:
        edit_in_external_editor(self.app, self.session)

    def rescore(self) -> None:
        self.host.background.rescore()

    def take_over(self) -> None:
        self.session.take_over()
        self.host.background.read_and_scan()

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
        refused, names = read_only(self.session), self._matching(self.line.value.strip().replace(" ", "-"))
        able = [name for name in names if not is_barred(BY_ID[name], self.session)]
        if refused is not None and not able:
            self.line.complain(refused)
        else:
            self.line.suggest(able)

    def _do_typed(self, text: str) -> None:
        """Do what stands behind the `:`; a verb with a selector after a second enter."""
        text = text.strip()
        row = whole_number(text)
        if row is not None:
            self._jump(row)
        elif typed_commands.is_bulk(text):
            if self._asked_about != text:
                question = typed_commands.bulk_question(self.session, text)
                if first_open.asks_heldout(self.session, typed_commands.decides(text)):
                    self.host.ask_heldout("")
                    return
                self.line.complain(question)
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
            raise UsageError(f"no command {text[:40]!r} here", "", f"known: {known}" if known else "? lists all keys")
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
