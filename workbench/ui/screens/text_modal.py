"""A text to write or mend on a screen of its own: a prompt, an answer. ctrl+s or ctrl+j takes it, esc leaves it."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.screen import Screen

from workbench.text.escape import visible_line
from workbench.ui.theme import RoleStyles
from workbench.ui.widgets.key_order import focus_behind_keys
from workbench.ui.widgets.lines import OneLine, Sentence
from workbench.ui.widgets.text_area import SafeArea


class TextModal(Screen[str | None]):
    """Ends with the text, or None where it was left."""

    # A field gets the keys once those that came before it are in their order.
    AUTO_FOCUS = ""

    def __init__(self, title: str, text: str, taking: str, styles: RoleStyles) -> None:
        super().__init__()
        self._title_text, self._text, self._taking = title, text, taking
        self._role_styles = styles
        self._typed_ahead: list[events.Key | events.Paste] = []

    def compose(self) -> ComposeResult:
        yield OneLine(self._role_styles, ground="status", id="status")
        leaving = {"ctrl+s": self.take, "ctrl+j": self.take, "escape": self.leave_it}
        with VerticalScroll(id="fields", can_focus=False):
            yield SafeArea(self._text, leaving, id="field-0", classes="field", only_ascii=self._role_styles.ascii)
        yield Sentence(self._role_styles, id="message")
        yield OneLine(self._role_styles, id="hints")

    def on_key(self, event: events.Key) -> None:
        """Keys typed before there is a field to type into wait for it."""
        if self.focused is None:
            event.stop()
            self._typed_ahead.append(event)

    def on_paste(self, event: events.Paste) -> None:
        """So does what was pasted."""
        if self.focused is None:
            event.stop()
            self._typed_ahead.append(event)

    def on_mount(self) -> None:
        area = self.query_one("#field-0", SafeArea)
        area.move_cursor(area.document.end)
        focus_behind_keys(self, area, self._typed_ahead)
        self.call_after_refresh(self._paint)

    def _paint(self) -> None:
        self.query_one("#status", OneLine).show(((f" {visible_line(self._title_text)}", "text"),))
        hints = ((" ", "hint"), ("ctrl+s", "key"), (f" {self._taking}  ", "hint"), ("esc", "key"), (" leave", "hint"))
        self.query_one("#hints", OneLine).show(hints)

    def take(self) -> None:
        """End with the text; an empty one is not taken."""
        text = self.query_one("#field-0", SafeArea).text
        if not text.strip():
            self.tell("nothing is written here yet")
            return
        self.dismiss(text)

    def tell(self, text: str) -> None:
        """Say something in the line of the message."""
        self.query_one("#message", OneLine).show(((f" {visible_line(text)}", "refused"),))

    def leave_it(self) -> None:
        self.dismiss(None)
