"""Triage: groups and rows in a list, the one under the cursor in the reader, its reason always in sight."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable

from textual import on
from textual.app import ComposeResult
from textual.containers import Container

from engine.errors import TamisError
from engine.files import write_atomic
from workbench.actions import tags
from workbench.actions.merge_answers import conflict_here, merge_texts, save_merge
from workbench.actions.order import RELEARN_AFTER, RISK, following, ranking, take_order
from workbench.commands.targets import TRIAGE
from workbench.render.list_lines import EntryLines, reason_line, title_line
from workbench.render.row import paragraphs, raw_paragraphs, turn_paragraphs, why_lines
from workbench.render.side_panel import entry_paragraphs, has_column
from workbench.state.entries import Entry
from workbench.state.queue import GROUPS_FIRST
from workbench.terminal.capabilities import is_old_terminal
from workbench.text.blocks import Block, Styled
from workbench.text.escape import visible_line
from workbench.ui.keymap import bindings_for
from workbench.ui.screens.edit import EditScreen
from workbench.ui.screens.lists import ListScreen
from workbench.ui.widgets.input_line import Question
from workbench.ui.widgets.line_list import LineList
from workbench.ui.widgets.lines import OneLine, Sentence
from workbench.ui.widgets.reader import NARROW_GUTTER, Reader

# Terminals cut longer clipboard texts, or ignore them.
MOST_COPIED = 70_000
MOST_FILTER_SHOWN = 100


class TriageScreen(ListScreen):
    """See the module."""

    NAME = TRIAGE
    BINDINGS = bindings_for(TRIAGE)

    def compose_body(self) -> ComposeResult:
        styles = self.host.role_styles
        with Container(id="body"):
            entries = EntryLines(self.session)
            yield LineList(styles, entries, lit=entries.lit, id="list")
            with Container(id="reading"):
                yield OneLine(styles, id="title")
                yield Reader(styles, id="reader", digits=len(str(len(self.session.project.rows))))
            yield Reader(styles, gutter=NARROW_GUTTER, digits=len(str(len(self.session.project.rows))), id="side")
        yield Sentence(styles, id="reason")
        yield self.input_line()

    @property
    def reader(self) -> Reader:
        return self.query_one("#reader", Reader)

    # -- what commands ask

    def step(self, steps: int) -> None:
        self.session.place.move(steps)

    def page(self, pages: float) -> None:
        session = self.session
        if abs(pages) == float("inf"):
            session.place.move_to(0 if pages < 0 else len(session.place.entries))
        else:
            session.place.move(int(self.query_one(LineList).page_size * pages))

    def scroll_reader(self, pages: float) -> None:
        if not self.reader.scroll_pages(pages):
            self.session.say("the end of the text" if pages > 0 else "the beginning of the text")

    def ask_tags(self) -> None:
        self.ask(Question("tag: one or more words; -word takes a tag off", self._tag, "tag"))

    def _tag(self, text: str) -> None:
        tags.tag(self.session, text)
        self._close_and_save()

    def ask_note(self) -> None:
        entry = self.session.place.entry
        note = self.session.project.note(entry.row) if entry is not None else ""
        self.ask(Question("a note on this row; empty takes it away", self._note, "keep the note"), note)

    def _note(self, text: str) -> None:
        tags.note(self.session, text)
        self._close_and_save()

    def copy_row(self) -> None:
        """The row as it stands, to the clipboard of the terminal and to a file: not every terminal takes it (tmux)."""
        entry = self.session.place.entry
        if entry is None:
            return
        project = self.session.project
        text = json.dumps(dict(project.current_row(entry.row)), ensure_ascii=False, indent=2)
        try:
            write_atomic(project.folder / "copy.txt", (text + "\n").encode("utf-8", "replace"))
        except TamisError as error:
            self.session.say(str(error), "error")
            return
        if is_old_terminal():
            self.session.say(f"row {entry.row} copied to copy.txt; this terminal has no clipboard", "done")
        elif len(text) <= MOST_COPIED:
            self.app.copy_to_clipboard(text)
            self.session.say(f"row {entry.row} copied: to the terminal's clipboard (OSC 52) and to copy.txt", "done")
        else:
            self.session.say(f"row {entry.row} copied to copy.txt; it is too long for the terminal's clipboard", "done")

    def next_order(self) -> None:
        session = self.session
        name = following(session.queue.sorted_by)
        if name == "newest":
            # Reads every row once: not in the thread that answers keys.
            self.host.background.rank(name)
        elif name == RISK:
            take_order(session, name, ranking(session, name))
            self.host.background.learn()
        else:
            take_order(session, name, ranking(session, name))

    def edit_row(self) -> None:
        entry = self.session.place.entry
        if entry is not None:
            self._edit(EditScreen(self.session, entry.row, self.host.role_styles))

    def merge_answers(self) -> None:
        session, cluster = self.session, conflict_here(self.session)
        self._edit(
            EditScreen(
                session,
                cluster.keeper,
                self.host.role_styles,
                f"merging {len(cluster.rows)} answers into row {cluster.keeper}",
                merge_texts(session, cluster),
                lambda texts: save_merge(session, cluster, texts),
                "keep the right answer, take the others and the marks out",
            )
        )

    def _edit(self, screen: EditScreen) -> None:
        self.app.push_screen(screen, lambda _: self.host.sync_screen())

    @on(LineList.Clicked)
    def line_clicked(self, event: LineList.Clicked) -> None:
        self.session.pending = None
        self.session.place.move_to(event.index)
        self.sync()

    # -- painting

    def sync_body(self) -> None:
        session = self.session
        rows = self.query_one(LineList)
        # Above the reader a short list leaves its lines to it.
        rows.no_higher(None if self.has_class("-wide") or self.has_class("-vast") else len(session.place.entries))
        rows.sync()
        entry = session.place.entry
        if entry is None:
            self.reader.open(None, tuple)
            self.query_one("#title", OneLine).show(())
            self.query_one("#reason", OneLine).show(())
            return
        side = self.query_one("#side", Reader)
        aside = self.has_class("-vast") and has_column(entry)
        if side.display != aside:
            side.display = aside
            # The reader gets, or gives, its columns with the layout of the next frame.
            self.call_after_refresh(self.sync)
        self.reader.open((*self._reading(entry), aside), lambda: self._document(entry, aside=aside))
        if aside:
            side.open(("side", *map(str, self._reading(entry)[:4])), lambda: entry_paragraphs(session, entry))
            session.on_screen |= side.seen_rows
        session.on_screen |= self.reader.seen_rows
        more = ((" \u2193 J ", "muted"),) if self.reader.more_below else ()
        self.query_one("#title", OneLine).show(title_line(session, entry), more)
        self.query_one("#reason", OneLine).show(reason_line(session, entry))
        if session.proposals.edit_rule is not None:
            self.host.background.find_fitting()
        if session.queue.sorted_by == RISK and session.queue.verdicts_since_learned >= RELEARN_AFTER:
            self.host.background.learn()

    def _reading(self, entry: Entry) -> tuple[Hashable, ...]:
        """What the reader shows, so that the same again stays where it was scrolled to."""
        session = self.session
        group = entry.cluster.id if entry.cluster else None
        return (entry.row, group, entry.is_header, session.place.why_open, session.place.raw_open, session.place.turn)

    def _document(self, entry: Entry, *, aside: bool) -> Iterable[Block]:
        session = self.session
        if session.place.raw_open and not entry.is_header:
            return raw_paragraphs(session.project, entry.row)
        if session.place.turn is not None and not session.place.why_open:
            return turn_paragraphs(session.project, entry.row, session.place.turn, session.shared_text.prompts)
        learned = why_lines(session, entry.row) if session.place.why_open and not entry.is_header else ()
        return paragraphs(
            session.project,
            entry,
            why=session.place.why_open,
            prompts=session.shared_text.prompts,
            learned=learned,
            aside=aside,
        )

    def status(self) -> tuple[list[Styled], list[Styled]]:
        left, right = super().status()
        session, shown, sorted_by = self.session, len(self.session.place.entries), self.session.queue.sorted_by
        place = f" {session.place.cursor + 1:,}/{shown:,} " if shown else " 0/0 "
        ordered: list[Styled] = [] if sorted_by == GROUPS_FIRST else [(f" s {sorted_by} ", "key")]
        filtered: list[Styled] = (
            # As much of it as there is room for.
            [(f" / {visible_line(session.place.filter_text, MOST_FILTER_SHOWN)} ", "key")]
            if session.place.filter_text
            else []
        )
        return left, [*ordered, *filtered, *right, (place, "status_muted")]
