"""Asked once, at the first key that decides: hold some rows out to measure with? Two lines over the list; the key that
was pressed waits for the answer and then does what it was pressed for, on the row it was pressed on."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType

from engine.errors import TamisError
from engine.phrases import counted
from workbench.actions.first_open import changed_proposal, proposed_rows, reserve
from workbench.commands.registry import BY_ID
from workbench.commands.targets import HELDOUT
from workbench.state.entries import EntryKey
from workbench.state.saved import HELDOUT as ASKED_HELDOUT
from workbench.text.blocks import Styled
from workbench.ui.keymap import keys_of, shown_key
from workbench.ui.screens.base import MOST_TYPED_AHEAD, WorkScreen
from workbench.ui.widgets.key_order import typed_again
from workbench.ui.widgets.lines import OneLine, Sentence

ANSWERS = ("reserve", "decline", "more", "fewer")


class HeldoutScreen(WorkScreen):
    """See the module. `command_id` is the command that waits; without one nothing is done after the answer."""

    NAME = HELDOUT
    # Keys are taken in `on_key`, all of them: those of the list must not overtake those that answer.
    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(self, command_id: str = "", asked_on: EntryKey | None = None) -> None:
        super().__init__()
        self._frame_is_out = False
        self._command_id, self._asked_on = command_id, asked_on
        self._wanted = 0
        self._said = ""
        # Typed before the question was on the screen: no answers to it.
        self._typed_before: list[events.Key] = []
        self._is_answered = False

    def compose(self) -> ComposeResult:
        yield Sentence(self.host.role_styles, id="message")
        yield OneLine(self.host.role_styles, id="hints")

    def on_mount(self) -> None:
        self._wanted = proposed_rows(len(self.session.project.rows))
        super().on_mount()
        self.call_after_refresh(self._expect_frame)

    # -- keys

    def on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        if self._is_answered:
            self.app.post_message(typed_again(event))
        elif not self.frame_is_out:
            self._typed_before.append(event)
        else:
            named = (name for name in ANSWERS if event.key in keys_of(name, self.host.keymap_in_use))
            command = BY_ID.get(next(named, ""))
            self._said = ""
            refused = command.precondition(self.session) if command is not None else None
            if command is not None and refused is None:
                # Not by `perform`: what waits may ask a question of its own, and that one stays open.
                command.run(self)
            elif refused is not None:
                self.tell(refused)
            else:
                self.tell(f"{self._key('reserve')} or {self._key('decline')} first: that key did nothing")
            self.sync_if_current()

    def tell(self, text: str) -> None:
        self._said = text
        self.sync_if_current()

    def change_amount(self, factor: float) -> None:
        self._wanted = changed_proposal(len(self.session.project.rows), self._wanted, factor)

    def reserve(self) -> None:
        try:
            drawn, cut = reserve(self.session.project, self._wanted)
        except TamisError as error:
            self.tell(str(error))
            return
        variants = f" ({counted(cut, 'family of variants', 'families of variants')} on both sides)" if cut else ""
        self._close()
        # What was found holds no more: the list is another one, and groups are found anew.
        self.session.reload()
        self.session.proposals.pick = self.session.proposals.slices = None
        self.session.place.go_to(self._asked_on)
        self.host.background.scan_anew()
        self._go_on(
            f"{counted(drawn, 'row')} held out{variants}, marked H; u takes that back behind the key",
            is_same_list=False,
        )

    def leave(self) -> None:
        self._close()
        self._go_on(f"nothing is held out; later: tamis holdout PROJECT {self._wanted}", is_same_list=True)

    def _close(self) -> None:
        self._is_answered = True
        self.session.remembered.asked.add(ASKED_HELDOUT)
        self.app.pop_screen()

    def _go_on(self, sentence: str, *, is_same_list: bool) -> None:
        """Do what the waiting key was pressed for, then hand back the keys behind it. They were typed for the rows as
        they stood: where the list is another one they are dropped, as a key that was held is, and that is said."""
        keys = self._typed_before
        goes_on = self.host.go_on_with(self._command_id, self._asked_on, sentence, is_same_list=is_same_list)
        if goes_on and len(keys) <= MOST_TYPED_AHEAD:
            for event in keys:
                self.app.post_message(typed_again(event))
        elif isinstance(self.app.screen, WorkScreen):
            self.app.screen.say_dropped(len(keys))
            self.app.screen.sync()

    # -- painting

    def sync(self) -> None:
        if self.can_paint:
            self.query_one("#message", OneLine).show(((f" {self._said or self._question()}", self._tone()),))
            self.query_one("#hints", OneLine).show(self._hints())

    def _tone(self) -> str:
        return "refused" if self._said else "heldout"

    def _question(self) -> str:
        rows = len(self.session.project.rows)
        return f"hold out {self._wanted:,} of {rows:,} rows to measure with, before you decide?"

    def _hints(self) -> list[Styled]:
        hints: list[Styled] = [(" ", "hint")]
        for name, word in zip(ANSWERS, ("yes", "no", "more", "fewer"), strict=True):
            hints += [(self._key(name), "key"), (f" {word}  ", "hint")]
        if self._command_id:
            label = BY_ID[self._command_id].label
            hints += [("then ", "hint"), (self._key(self._command_id), "key"), (f" {label}", "hint")]
        return hints

    def _key(self, name: str) -> str:
        return shown_key(name, self.host.keymap_in_use)
