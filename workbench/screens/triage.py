"""Triage: groups and rows in a list, the one under the cursor in the reader, its reason always in sight."""

from __future__ import annotations

import json

from textual import on
from textual.app import ComposeResult
from textual.containers import Container

from engine.errors import TamisError
from engine.files import write_atomic
from workbench.document import Styled, paragraphs
from workbench.entry_lines import EntryLines
from workbench.entry_words import reason_line, title_line
from workbench.keymap import bindings_for
from workbench.outside import edit_outside
from workbench.safe_text import visible_line
from workbench.screens.asking import AskingScreen
from workbench.widgets.line_list import LineList
from workbench.widgets.lines import OneLine
from workbench.widgets.reader import Reader

# Terminals cut longer clipboard texts, or ignore them.
MOST_COPIED = 70_000


class TriageScreen(AskingScreen):
    """See the module."""

    NAME = "triage"
    BINDINGS = bindings_for("triage")

    def compose_body(self) -> ComposeResult:
        styles = self.tamis.role_styles
        with Container(id="body"):
            yield LineList(styles, EntryLines(self.session), id="list")
            with Container(id="reading"):
                yield OneLine(styles, id="title")
                yield Reader(styles, id="reader")
        yield OneLine(styles, id="reason")
        yield self.ask_line()

    @property
    def reader(self) -> Reader:
        return self.query_one(Reader)

    # -- what commands ask

    def step(self, steps: int) -> None:
        self.session.move(steps)

    def page(self, pages: float) -> None:
        session = self.session
        if abs(pages) == float("inf"):
            session.move_to(0 if pages < 0 else len(session.view))
        else:
            session.move(int(self.query_one(LineList).page_size * pages))

    def scroll_reader(self, pages: float) -> None:
        if not self.reader.scroll_pages(pages):
            self.session.say("the end of the text" if pages > 0 else "the beginning of the text")

    def copy(self) -> None:
        """The row as it stands, to the clipboard of the terminal and to a file: not every terminal takes it (tmux)."""
        entry = self.session.entry
        if entry is None:
            return
        project = self.session.project
        text = json.dumps(dict(project.current_row(entry.row)), ensure_ascii=False, indent=2)
        try:
            write_atomic(project.folder / "copy.txt", (text + "\n").encode("utf-8", "replace"))
        except TamisError as error:
            self.session.say(str(error), "error")
            return
        if len(text) <= MOST_COPIED:
            self.tamis.copy_to_clipboard(text)
            self.session.say(f"row {entry.row} copied: to the terminal's clipboard (OSC 52) and to copy.txt", "done")
        else:
            self.session.say(f"row {entry.row} copied to copy.txt; it is too long for the terminal's clipboard", "done")

    def open_editor(self, *, external: bool) -> None:
        entry = self.session.entry
        if external:
            edit_outside(self.tamis)
        elif entry is not None:
            self.tamis.edit_here(entry.row)

    @on(LineList.Clicked)
    def line_clicked(self, event: LineList.Clicked) -> None:
        self.session.pending = None
        self.session.move_to(event.index)
        self.sync()

    # -- painting

    def sync_body(self) -> None:
        session = self.session
        self.query_one(LineList).sync()
        entry = session.entry
        if entry is None:
            self.reader.open(None, tuple)
            self.query_one("#title", OneLine).show(())
            self.query_one("#reason", OneLine).show(())
            return
        key = (entry.row, entry.cluster.id if entry.cluster else None, entry.is_header, session.why_open)
        self.reader.open(key, lambda: paragraphs(session.project, entry, why=session.why_open))
        session.on_screen |= self.reader.seen_rows
        more = (("\u2193 J ", "muted"),) if self.reader.more_below else ()
        self.query_one("#title", OneLine).show(title_line(session, entry), more)
        self.query_one("#reason", OneLine).show(reason_line(session, entry))

    def status(self) -> tuple[list[Styled], list[Styled]]:
        left, right = super().status()
        session = self.session
        place = f" {session.cursor + 1:,}/{len(session.view):,} " if len(session.view) else " 0/0 "
        filtered: list[Styled] = (
            [(f" / {visible_line(session.filter_text, 30)} ", "key")] if session.filter_text else []
        )
        return left, [*filtered, *right, (place, "status_muted")]
