"""What all screens share: keys become commands, and after every command the screen is brought up to the session."""

from __future__ import annotations

from typing import Any, cast

from textual import events
from textual.app import ComposeResult
from textual.screen import Screen
from textual.widgets import Static

from engine.phrases import counted
from workbench.commands.command import Command
from workbench.commands.hints import hints_for
from workbench.commands.registry import BY_ID, NOT_DONE, perform
from workbench.commands.targets import LISTS
from workbench.render.parts import HELD_OUT_MARK
from workbench.state.entries import EntryKey
from workbench.state.session import Session
from workbench.text.blocks import Styled
from workbench.text.escape import visible_line
from workbench.ui.host import Host
from workbench.ui.keymap import shown_key
from workbench.ui.widgets.key_order import typed_again
from workbench.ui.widgets.lines import OneLine, Sentence, columns

SMALLEST = (40, 10)
MOST_HINTS = 7
ALWAYS_HINTED = ("help", "back", "board-back", "field-done", "field-leave")
# From here on the counts of the status line are told in words.
ROOM_FOR_WORDS = 110
# What lies on top of a list says what it is.
TITLES = {
    "heldout": "held-out set",
    "offer": "changes",
    "train": "training",
    "compare": "comparison",
    "mapping": "fields",
}
MOST_TYPED_AHEAD = 100


class WorkScreen(Screen[None]):
    """A screen on the session. Subclasses say what stands between the status line and the message."""

    # Nothing takes the focus by itself: keys go to the screen.
    AUTO_FOCUS = ""
    HORIZONTAL_BREAKPOINTS = [(0, "-slim"), (SMALLEST[0], "-narrow"), (100, "-wide"), (140, "-vast")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-tiny"), (SMALLEST[1], "-short"), (20, "-tall")]  # noqa: RUF012
    NAME = ""

    def __init__(self) -> None:
        super().__init__()
        self._ready = False
        self._typed_ahead: list[str] = []
        # Frames: whether the newest one has gone out, and the keys behind a verb that waits for it.
        self._frame_is_out = True
        self._behind_verb: list[str] = []
        self._dropped = 0

    @property
    def host(self) -> Host:
        return cast(Host, self.app)

    @property
    def session(self) -> Session:
        return self.host.session

    def compose(self) -> ComposeResult:
        styles = self.host.role_styles
        yield OneLine(styles, ground="status", id="status")
        yield from self.compose_body()
        yield Sentence(styles, id="message")
        yield OneLine(styles, id="hints")
        yield Static(f"enlarge the terminal to {SMALLEST[0]}x{SMALLEST[1]}", id="too-small", markup=False)

    def compose_body(self) -> ComposeResult:
        """The widgets between the status line and the message."""
        raise NotImplementedError

    def sync_body(self) -> None:
        """Bring those widgets up to the session."""

    def on_mount(self) -> None:
        self._come_to_front()
        self._ready = True
        for command_id in self._typed_ahead:
            self.action_command(command_id)
        self.call_after_refresh(self.sync)

    def _come_to_front(self) -> None:
        # Another screen may lie on top already: what is opened with two at once comes to the front a moment later.
        if self.app.screen is self:
            self.session.place.screen = self.NAME

    def on_screen_resume(self) -> None:
        if not self.is_current:
            # Another screen was gone to by way of this one.
            return
        self._come_to_front()
        self.sync()
        # What was asked for while another screen lay on top never came.
        self._expect_frame()

    def on_resize(self) -> None:
        self.call_after_refresh(self.sync)

    # -- keys

    def on_key(self, event: events.Key) -> None:
        """A key that is no command here; it takes back a question that is open, as any other key does."""
        if self.session.pending is not None and self.focused is None:
            self.session.pending = None
            self.session.say(NOT_DONE, "refused")
            self.sync()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys are commands unless something is being typed into."""
        return self.focused is None if action == "command" else True

    def on_paste(self, event: events.Paste) -> None:
        """What is pasted is text. It is never keys: a paragraph holds every verb there is."""
        if self.focused is not None:
            # The line was opened by a key in the same packet.
            self.focused.post_message(typed_again(event))
        else:
            self.tell("what was pasted is no keys, and nothing takes text here: nothing was done")

    def tell(self, text: str) -> None:
        """Say what became of keys that did nothing."""
        self.session.say(text, "refused")
        self.sync_if_current()

    def action_command(self, command_id: str) -> None:
        """Every key of the table ends here: one command, one handler, one frame."""
        if not self._ready:
            # Typed while the screen was still being built.
            if len(self._typed_ahead) < MOST_TYPED_AHEAD:
                self._typed_ahead.append(command_id)
            else:
                self._dropped += 1
            return
        decides = BY_ID[command_id].decides
        if self._behind_verb and BY_ID[command_id].opens_a_line:
            # What comes next is text and cannot wait: the verb is given up instead.
            others = self._behind_verb[1:]
            self._behind_verb = []
            self._dropped += 1
            for other in (*others, command_id):
                self._perform(other)
        elif self._behind_verb:
            # A verb waits. Keys behind it wait in their order, but for a second verb.
            if decides:
                self._dropped += 1
            elif len(self._behind_verb) < MOST_TYPED_AHEAD:
                self._behind_verb.append(command_id)
            else:
                self._dropped += 1
        elif decides and not self._frame_is_out:
            self._behind_verb.append(command_id)
        else:
            self._perform(command_id)

    def _perform(self, command_id: str) -> None:
        perform(self, BY_ID[command_id])
        if not self._behind_verb:
            self.say_dropped()
        if self.is_current:
            self.sync()
            self._expect_frame()
        self.host.place_changed()

    def go_on_with(self, command_id: str, asked_on: EntryKey | None, sentence: str, *, is_same_list: bool) -> bool:
        """Do the command that waited for an answer, where what it is for is still what it was; whether it was done.
        `sentence` is what came of the answer."""
        self._come_to_front()
        if is_same_list and command_id:
            self._perform(command_id)
        elif command_id:
            self.session.say(f"{shown_key(command_id, self.host.keymap_in_use)} again", "refused")
        self._say_behind(sentence)
        return is_same_list

    def _say_behind(self, sentence: str) -> None:
        """Say what came of the answer behind what the command says; a question of its own stands alone."""
        said = self.session.message
        if self.session.pending is None:
            before, tone = (f"{said.text} \u00b7 ", said.tone) if said.text else ("", "done")
            self.session.say(f"{before}{sentence}", tone)
        self.sync()
        self.host.place_changed()

    def say_dropped(self, more: int = 0) -> None:
        """Say how many keys were dropped, `more` of them by a screen that lay on this one."""
        dropped, self._dropped = self._dropped + more, 0
        if dropped:
            text = (
                f"{self.session.message.text} \u00b7 {counted(dropped, 'key')} typed before the row was shown: dropped"
            )
            self.session.say(text.removeprefix(" \u00b7 "), "refused")

    def _expect_frame(self) -> None:
        self._frame_is_out = False
        self.call_after_refresh(self._frame_was_made)

    def _frame_was_made(self) -> None:
        """The frame is drawn; where the driver holds it back, wait until it goes out."""
        if not self.is_attached:
            # Left while its frame was held back.
            return
        driver = self.host.cell_driver
        if driver is not None and driver.holds_frame:
            driver.when_out(self._frame_was_made)
            return
        self._frame_is_out = True
        while self._behind_verb and self._frame_is_out and self.is_current:
            following = self._behind_verb.pop(0)
            # A movement makes the frame of a verb behind it new again: that verb then waits once more.
            self._perform(following)

    @property
    def frame_is_out(self) -> bool:
        """Whether the newest frame has gone out; a screen that is still being built has none."""
        return self._ready and self._frame_is_out

    # -- what every command may ask

    def go(self, screen: str) -> None:
        self.host.go(screen)

    def leave(self) -> None:
        self.host.leave(self)

    # -- painting

    def sync(self) -> None:
        """Bring every widget up to the session; only lines that changed are sent."""
        if not self.can_paint:
            return
        self.sync_body()
        left, right = self.status()
        self.query_one("#status", OneLine).show(left, right)
        message = self.session.message
        self.query_one("#message", OneLine).show(((f" {visible_line(message.text)}", message.tone),))
        self.query_one("#hints", OneLine).show(self._hints())

    @property
    def can_paint(self) -> bool:
        """Whether it has all of its widgets: a screen that was left loses them one by one."""
        return self.is_mounted and bool(self.size) and not self.host.is_ending and self in self.app.screen_stack

    def sync_if_current(self) -> None:
        """The same, unless another screen lies on this one."""
        if self.is_current:
            self.sync()

    def status(self) -> tuple[list[Styled], list[Styled]]:
        """(left, right) of the status line: what is open and how far it is."""
        session = self.session
        project, tally = session.project, session.progress.tally
        left: list[Styled] = [(f" {visible_line(project.title, 28)} ", "text")]
        counts = (
            ("accepted", "\u2713"),
            ("rejected", "\u2717"),
            ("skipped", "\u2192"),
            ("undecided", "\u00b7"),
        )
        in_words = self.size.width >= ROOM_FOR_WORDS
        for verdict, glyph in counts:
            left.append((f" {glyph}{tally[verdict]:,}", verdict))  # type: ignore[index]
            if in_words and verdict != "undecided":
                left.append((f" {verdict} ", "status_muted"))
        left.append((" left", "status_muted"))
        if project.heldout:
            left.append((f"  {HELD_OUT_MARK}{len(project.heldout):,}", "heldout"))
            left += [(" held out", "status_muted")] if in_words else []
        right: list[Styled] = []
        if session.progress.job:
            right.append((f" {session.progress.job} ", "reason"))
        if project.readonly:
            right.append((" read-only ", "error"))
        if self.NAME not in LISTS:
            right.append((f" {TITLES.get(self.NAME, self.NAME)} ", "title"))
        return left, right

    def _hints(self) -> list[Styled]:
        """As many hints as fit, the most useful first, help and the way back always; what cannot act is dimmed."""
        shown = hints_for(self.session)[:MOST_HINTS]
        room = self.size.width - 1
        out: list[Styled] = [(" ", "hint")]
        last = [self._hint(command) for command in shown if command.id in ALWAYS_HINTED]
        room -= sum(columns(hint) for hint in last)
        for hint in (self._hint(command) for command in shown if command.id not in ALWAYS_HINTED):
            room -= columns(hint)
            if room < 0:
                break
            out += hint
        return [*out, *(part for hint in last for part in hint)]

    def _hint(self, command: Command[Any]) -> list[Styled]:
        key = shown_key(command.id, self.host.keymap_in_use)
        if command.id == "choose-1" and key == "1":
            # One hint stands for all nine.
            key = "1-9"
        enabled = command.precondition(self.session) is None
        return [(key, "key" if enabled else "disabled"), (f" {command.label}  ", "hint" if enabled else "disabled")]
