"""Slices: rows by year or month, words that die out; ten rows of one to look at, then a verdict on all of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from workbench.actions import slices
from workbench.actions.slices import open_board, show_ten, take_slices
from workbench.render.row import paragraphs
from workbench.state.entries import Entry
from workbench.state.proposals import Bar, SliceBoard
from workbench.state.session import Session
from workbench.text import cells
from workbench.text.blocks import Block, Paragraph, Styled
from workbench.text.escape import visible_line
from workbench.text.phrases import counted
from workbench.ui.jobs import SLICES_MODULE
from workbench.ui.keymap import bindings_for
from workbench.ui.screens.list_detail import WorkedOutScreen
from workbench.ui.widgets.line_list import ListSource
from workbench.ui.widgets.reader import Reader

BAR = 16
WORD, NARROW_WORD, ROOMY = 18, 12, 56


class BarLines:
    """Years or months as a histogram, then the words that died out under a heading of their own."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def _board(self) -> SliceBoard:
        return open_board(self._session)

    def __len__(self) -> int:
        board = self._board
        return len(board.bars) + (2 if board.words else 0)

    @property
    def cursor(self) -> int:
        board = self._board
        return board.cursor + (2 if board.cursor >= len(board.slices) and board.words else 0)

    def block(self, index: int) -> int:
        return 1

    def line(self, index: int, width: int) -> tuple[Styled, ...]:
        board = self._board
        if index < len(board.slices):
            return self._bar_line(board.slices[index], board)
        if index < len(board.slices) + 2:
            return (("" if index == len(board.slices) else " words that die out", "title"),)
        word = board.words[index - len(board.slices) - 2]
        room = WORD if width >= ROOMY else NARROW_WORD
        name = cells.fitted(visible_line(word.name, WORD), room)
        return ((f" {name} ", "text"), (f"{word.rows:>6,} ", "text"), (word.note, "muted"))

    def _bar_line(self, bar: Bar, board: SliceBoard) -> tuple[Styled, ...]:
        most = max(one.rows for one in board.slices)
        filled = cells.bar(bar.rows / most if most else 0, BAR)
        return ((f" {bar.name:<8}", "text"), (f"{bar.rows:>7,} ", "text"), (filled, "bar"))


class SlicesScreen(WorkedOutScreen):
    """See the module."""

    NAME = "slices"
    BINDINGS = bindings_for("slices")
    MODULE, DOING = SLICES_MODULE, "counting"

    def source(self) -> ListSource:
        return BarLines(self.session)

    def move(self, steps: int) -> None:
        slices.move(self.session, steps)

    def act(self, what: str) -> None:
        if what == "ten":
            show_ten(self.session)
            self.go("triage")

    def state(self) -> object:
        return open_board(self.session)

    def is_stale(self) -> bool:
        return open_board(self.session).stale

    def words(self) -> tuple[str, ...]:
        return (open_board(self.session).width,)

    def take(self) -> None:
        take_slices(self.session)

    def give_up(self) -> None:
        self.session.proposals.slices = replace(open_board(self.session), stale=False)

    def sync_reader(self, reader: Reader) -> None:
        board = open_board(self.session)
        reader.open(("slices", board.cursor, board.width, board.stale), lambda: self._paragraphs(board))

    def _paragraphs(self, board: SliceBoard) -> Iterator[Block]:
        here = board.here
        if here is None:
            what = "the rows are being counted \u2026" if board.stale else "no row carries a date in a field of its own"
            yield Paragraph(((what, "muted"),))
            return
        for row in here.ten:
            yield Paragraph(((f"row {row}", "title"),))
            yield from paragraphs(self.session.project, Entry(row, None, False), why=False)
            yield Paragraph(())

    def heading(self) -> list[Styled]:
        here = open_board(self.session).here
        if here is None:
            return []
        return [(f" {visible_line(here.name)} ", "title"), (f" {counted(len(here.ten), 'row')} at random", "muted")]

    def summary(self) -> list[Styled]:
        board = open_board(self.session)
        here = board.here
        if here is None:
            return []
        undated = f"; {counted(board.undated, 'row')} without a date" if board.undated else ""
        return [(f" {counted(here.rows, 'row')} of {visible_line(here.name)}{undated}", "reason")]
