"""Triage: groups and rows in a list, the one under the cursor in the reader, its reason always in sight."""

from __future__ import annotations

import json

from textual import on
from textual.app import ComposeResult
from textual.containers import Container

from engine.errors import TamisError
from engine.files import write_atomic
from engine.model import Cluster
from workbench.document import GROUP_NAMES, Styled, decision_sentence, mark_of, paragraphs
from workbench.keymap import bindings_for
from workbench.outside import edit_outside
from workbench.safe_text import visible_line
from workbench.screens.asking import AskingScreen
from workbench.screens.base import HELD_OUT_MARK
from workbench.session import Session
from workbench.verdicts import counted
from workbench.view import Entry
from workbench.widgets.line_list import LineList
from workbench.widgets.lines import OneLine
from workbench.widgets.reader import Reader

TAG_WIDTH = 11
# Terminals cut longer clipboard texts, or ignore them.
MOST_COPIED = 70_000


class EntryLines:
    """The session's view, one line an entry."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def __len__(self) -> int:
        return len(self._session.view)

    @property
    def cursor(self) -> int:
        return self._session.cursor

    def line(self, index: int, width: int) -> tuple[Styled, ...]:
        entry = self._session.view.entry(index)
        if entry.is_header and entry.cluster is not None:
            return self._group_line(entry.cluster, width)
        return self._row_line(entry, width)

    def block(self, index: int) -> int:
        entry = self._session.view.entry(index)
        return len(entry.cluster.rows) + 1 if entry.is_header and entry.cluster is not None else 1

    def _group_line(self, cluster: Cluster, width: int) -> tuple[Styled, ...]:
        project = self._session.project
        left = sum(1 for row in cluster.rows if project.verdict(row) == "undecided")
        role = "conflict" if cluster.kind == "conflict" else "group"
        if left and not project.is_open(cluster):
            return (("\u2260 ", "muted"), (f"{cluster.kind} \u00d7{len(cluster.rows)}  set apart ", "muted"),
                    (self._headline(cluster.keeper, width), "text"))  # fmt: skip
        state: Styled = ("\u2713 ", "accepted") if left == 0 else ("\u25be ", role)
        asks = " ?" if cluster.alternatives else ""
        head = f"{cluster.kind}{asks} \u00d7{len(cluster.rows)}"
        note = f" {left} left" if 0 < left < len(cluster.rows) else ""
        return (state, (f"{head:<11}", role), (note, "muted"), (f" {self._headline(cluster.keeper, width)}", "text"))

    def _row_line(self, entry: Entry, width: int) -> tuple[Styled, ...]:
        project, row = self._session.project, entry.row
        digits = len(str(max(1, len(project.rows) - 1)))
        held = (HELD_OUT_MARK, "heldout") if project.is_heldout(row) else (" ", "text")
        if row in self._session.marked:
            held = ("\u25cf", "key")
        tag, role = self._tag(entry)
        indent: tuple[Styled, ...] = (("  ", "text"),) if entry.cluster is not None else ()
        return (
            *indent,
            mark_of(project, row),
            held,
            (f"{row:>{digits}} ", "muted"),
            (f"{tag:<{TAG_WIDTH}.{TAG_WIDTH}} ", role),
            (self._headline(row, width, answer=entry.cluster is not None and entry.cluster.kind == "conflict"), "text"),
        )

    def _tag(self, entry: Entry) -> Styled:
        project = self._session.project
        if entry.cluster is not None:
            if entry.row == entry.cluster.keeper and entry.cluster.kind != "conflict":
                return "keeper", "keeper"
            return self._likeness(entry.cluster, entry.row), "muted"
        if project.findings is None:
            return "not scanned", "muted"
        bucket = project.findings.buckets[entry.row]
        names = [flag.signal for flag in project.flags_of(entry.row)]
        names += [cluster.kind for cluster in project.clusters_of(entry.row)]
        return (names[0] if names else bucket), bucket

    def _likeness(self, cluster: Cluster, row: int) -> str:
        if cluster.kind == "conflict":
            return "answer"
        if cluster.kind == "near" and cluster.scores:
            return f"{cluster.scores[cluster.rows.index(row)]:.0f} %"
        return "copy" if cluster.kind == "exact" else "beginning"

    def _headline(self, row: int, width: int, *, answer: bool = False) -> str:
        # In a conflict the requests are the same: the answers tell the rows apart.
        text = self._session.project.example(row).answer if answer else self._session.headline(row)
        return visible_line(text, width)


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
        self.query_one("#title", OneLine).show(_title(session, entry), more)
        self.query_one("#reason", OneLine).show(_reason(session, entry))

    def status(self) -> tuple[list[Styled], list[Styled]]:
        left, right = super().status()
        session = self.session
        place = f" {session.cursor + 1:,}/{len(session.view):,} " if len(session.view) else " 0/0 "
        filtered: list[Styled] = (
            [(f" / {visible_line(session.filter_text, 30)} ", "key")] if session.filter_text else []
        )
        return left, [*filtered, *right, (place, "status_muted")]


def _title(session: Session, entry: Entry) -> list[Styled]:
    project = session.project
    if entry.is_header and entry.cluster is not None:
        cluster = entry.cluster
        what = GROUP_NAMES[cluster.kind]
        keeper = "" if cluster.kind == "conflict" else f" \u00b7 keeper row {cluster.keeper}"
        return [(f" {cluster.id} ", "title"), (f" {counted(len(cluster.rows), 'row')}: {what}{keeper}", "muted")]
    example = project.example(entry.row)
    words = sum(len(turn.text.split()) for turn in example.turns)
    title: list[Styled] = [
        (f" row {entry.row} ", "title"),
        (f" line {example.line} \u00b7 {counted(len(example.turns), 'turn')} \u00b7 {counted(words, 'word')}", "muted"),
    ]
    if project.is_heldout(entry.row):
        title.append((" \u00b7 held out", "heldout"))
    if tags := sorted(project.tags(entry.row)):
        title.append((f" \u00b7 {visible_line(' '.join(f'#{tag}' for tag in tags))}", "key"))
    decided = decision_sentence(project.decision(entry.row))
    if decided:
        verdict, _, rest = decided.partition(" ")
        title += [(f" \u00b7 {verdict}", mark_of(project, entry.row)[1]), (f" {visible_line(rest)}", "muted")]
    return title


def _reason(session: Session, entry: Entry) -> list[Styled]:
    """Why this entry is where it is: its top finding in one line."""
    project = session.project
    if entry.is_header and entry.cluster is not None:
        sentence = entry.cluster.evidence[0] if entry.cluster.evidence else GROUP_NAMES[entry.cluster.kind]
        role = "conflict" if entry.cluster.kind == "conflict" else "group"
        return [(f" {entry.cluster.kind} ", role), (visible_line(sentence), "reason")]
    flags = project.flags_of(entry.row)
    clusters = project.clusters_of(entry.row)
    more = len(flags) + len(clusters) - 1
    rest: list[Styled] = [(f"  (+{more}: w)", "muted")] if more > 0 else []
    if entry.cluster is not None or (clusters and not flags):
        cluster = entry.cluster or clusters[0]
        role = "conflict" if cluster.kind == "conflict" else "group"
        words = _place_in(cluster, entry.row) if entry.cluster is not None else _place_outside(cluster, entry.row)
        return [(f" {cluster.kind} ", role), (words, "reason"), *rest]
    if flags:
        bucket = project.findings.buckets[entry.row] if project.findings is not None else "check"
        return [(f" {bucket} ", bucket), (f"{flags[0].signal}: {visible_line(flags[0].reason)}", "reason"), *rest]
    if project.findings is None:
        return [(" not scanned yet", "muted")]
    return [(" no issue found", "clean")]


def _place_in(cluster: Cluster, row: int) -> str:
    """What a member is in the group it is shown in, and what enter would do."""
    if cluster.kind == "conflict":
        return f"{len(cluster.rows)} answers disagree: enter keeps this one, rejects the rest"
    if row == cluster.keeper:
        return f"the keeper of {counted(len(cluster.rows), 'row')}: enter keeps it, rejects the rest"
    return f"keeper is row {cluster.keeper}: enter keeps this one instead, rejects the rest"


def _place_outside(cluster: Cluster, row: int) -> str:
    """The same for a row whose group the filter does not show."""
    if cluster.kind == "variant":
        return f"one of {len(cluster.rows)} that differ in a key word or number: judge each by itself"
    if cluster.kind == "conflict":
        return f"one of {len(cluster.rows)} answers that disagree; / cluster:{cluster.id} shows them"
    kept = "the keeper" if row == cluster.keeper else f"row {cluster.keeper} is the keeper"
    return f"{kept} of {len(cluster.rows)}; / cluster:{cluster.id} shows the group"
