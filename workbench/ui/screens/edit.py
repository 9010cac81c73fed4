"""Editing a row in place: one text area a field. Saved with ctrl+s or ctrl+j; esc leaves and keeps what was typed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from textual import events
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Static

from engine.errors import TamisError
from engine.sources.conversation.text_edits import editable_fields
from workbench.actions.edit import draft, edit_fields, keep_draft, save_edit
from workbench.state.saved import FieldPath
from workbench.state.session import Session
from workbench.text.escape import ascii_text, visible_line
from workbench.ui.theme import RoleStyles
from workbench.ui.widgets.key_order import focus_behind_keys
from workbench.ui.widgets.lines import OneLine, Sentence
from workbench.ui.widgets.text_area import SafeArea

# Each is a widget of its own: thousands would take a minute to come up.
MOST_FIELDS = 60
HINTS = (("ctrl+s", "save"), ("tab", "next field"), ("esc", "leave"), ("ctrl+r", "revert"))


class EditScreen(Screen[bool]):
    """Ends with True where a decision was taken."""

    # A field gets the keys once those that came before it are in their order.
    AUTO_FOCUS = ""

    def __init__(
        self,
        session: Session,
        row: int,
        styles: RoleStyles,
        title: str = "",
        texts: Mapping[FieldPath, str] | None = None,
        save: Callable[[dict[FieldPath, str]], bool] | None = None,
        advice: str = "",
    ) -> None:
        """`texts` stand in the fields in place of the row's own, `save` decides in place of an edit of the row;
        `advice` says what is to be done."""
        super().__init__()
        self._advice = advice
        self._title = title or f"editing row {row}"
        self._texts = texts
        self._save = save or (lambda texts: save_edit(session, row, texts))
        self._session = session
        self._row = row
        self._role_styles = styles
        every = edit_fields(session, row)
        # Around the turn in focus; where none is, the last ones.
        middle = len(every) if session.place.turn is None or texts is not None else session.place.turn
        first = max(0, min(middle - MOST_FIELDS // 2, len(every) - MOST_FIELDS))
        self._fields = every[first : first + MOST_FIELDS]
        if len(every) > MOST_FIELDS:
            self._advice = self._advice or f"{MOST_FIELDS} of {len(every):,} texts: those around the turn in focus"
        self._typed_ahead: list[events.Key | events.Paste] = []
        self._leaving = {
            "ctrl+s": self.save,
            "ctrl+j": self.save,
            "escape": self.cancel,
            "ctrl+r": self.revert,
        }

    def compose(self) -> ComposeResult:
        yield OneLine(self._role_styles, ground="status", id="status")
        drafted = draft(self._session, self._row) if self._texts is None else self._texts
        with VerticalScroll(id="fields", can_focus=False):
            for number, field in enumerate(self._fields):
                label = visible_line(field.label)
                yield Static(
                    ascii_text(label) if self._role_styles.ascii else label, classes="field-label", markup=False
                )
                text = drafted.get(field.path, field.text)
                yield SafeArea(
                    text, self._leaving, id=f"field-{number}", classes="field", only_ascii=self._role_styles.ascii
                )
        yield Sentence(self._role_styles, id="message")
        yield OneLine(self._role_styles, id="hints")

    def on_key(self, event: events.Key) -> None:
        """Keys typed before there is a field to type into wait for it."""
        if not self._fields and event.key in self._leaving:
            event.stop()
            self._leaving[event.key]()
        elif self.focused is None:
            event.stop()
            self._typed_ahead.append(event)

    def on_paste(self, event: events.Paste) -> None:
        """So does what was pasted."""
        if self.focused is None:
            event.stop()
            self._typed_ahead.append(event)

    def on_mount(self) -> None:
        # The answer is what is mended most often; it is the last field.
        if self._fields:
            area = self.query_one(f"#field-{len(self._fields) - 1}", SafeArea)
            focus_behind_keys(self, area, self._typed_ahead)
        self.call_after_refresh(self._paint)

    def _paint(self) -> None:
        own = self._texts is None and draft(self._session, self._row)
        drafted = " \u00b7 with the draft you left" if own else ""
        self.query_one("#status", OneLine).show(((f" {self._title}{drafted}", "text"),))
        self.query_one("#message", OneLine).show(((f" {self._advice}", "info"),))
        hints = [(text, role) for key, label in HINTS for text, role in ((key, "key"), (f" {label}  ", "hint"))]
        self.query_one("#hints", OneLine).show(((" ", "hint"), *hints))

    def tell(self, text: str, role: str = "refused") -> None:
        """Say something in the line of the message."""
        self.query_one("#message", OneLine).show(((f" {visible_line(text)}", role),))

    def texts(self) -> dict[FieldPath, str]:
        """What stands in the areas now, by field."""
        return {
            field.path: self.query_one(f"#field-{number}", SafeArea).text for number, field in enumerate(self._fields)
        }

    def save(self) -> None:
        """Decide on the edit and leave; where it is refused, stay and say why."""
        try:
            decided = self._save(self.texts())
        except TamisError as error:
            self.tell(str(error), "error")
            return
        self.dismiss(decided)

    def cancel(self) -> None:
        """Leave without deciding; what was typed stays as a draft."""
        if self._texts is not None:
            self._session.say("left without merging")
            self.dismiss(False)
            return
        keep_draft(self._session, self._row, self.texts())
        kept = bool(draft(self._session, self._row))
        self._session.say(
            "left without saving; the draft is kept, e goes on with it" if kept else "nothing was changed"
        )
        self.dismiss(False)

    def revert(self) -> None:
        """Put the texts back as they stand in the row now."""
        now = {field.path: field.text for field in self._fields}
        rows = self._session.project.rows
        as_read = editable_fields(rows.raw(self._row), rows.mapping_of(self._row))
        words = "as it stands now; ctrl+r again: as it was read"
        if self.texts() == now:
            now, words = {field.path: field.text for field in as_read}, "as it was read, before any edit"
        for number, field in enumerate(self._fields):
            self.query_one(f"#field-{number}", SafeArea).text = now.get(field.path, field.text)
        self.query_one("#message", OneLine).show(((f" {words}", "info"),))
