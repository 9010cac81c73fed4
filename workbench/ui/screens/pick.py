"""Pick: a proposal of the best few hundred, row by row with its reason, beside how much of the set it covers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from workbench.actions import pick
from workbench.actions.pick import open_board, take_pick
from workbench.commands.targets import PICK
from workbench.render.parts import mark_of
from workbench.render.row import paragraphs
from workbench.state.entries import Entry
from workbench.state.proposals import Board, TopicBar
from workbench.state.session import Session
from workbench.text.blocks import Block, Paragraph, Styled
from workbench.text.cells import bar
from workbench.text.escape import visible_line
from workbench.ui.jobs import PICK_MODULE
from workbench.ui.keymap import bindings_for
from workbench.ui.screens.list_detail import JobListScreen
from workbench.ui.widgets.line_list import ListSource
from workbench.ui.widgets.reader import Reader

BAR = 12
NARROW_BAR = 3
ROOMY = 80
TOPIC_BAR = 6
TOPICS_SHOWN = 40


class PickLines:
    """One line a picked row."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def __len__(self) -> int:
        return len(open_board(self._session).rows)

    @property
    def cursor(self) -> int:
        return open_board(self._session).cursor

    def block(self, index: int) -> int:
        return 1

    def line(self, index: int, width: int) -> tuple[Styled, ...]:
        session = self._session
        one = open_board(session).rows[index]
        digits = len(str(max(1, len(session.project.rows) - 1)))
        lock: Styled = ("L", "key") if one.locked else (" ", "text")
        return (
            mark_of(session.project, one.row),
            lock,
            (f"{one.row:>{digits}} ", "muted"),
            (visible_line(session.shared_text.headline(one.row), width), "text"),
        )


class PickScreen(JobListScreen):
    """See the module."""

    NAME = PICK
    BINDINGS = bindings_for(PICK)
    MODULE, DOING = PICK_MODULE, "picking"

    def source(self) -> ListSource:
        return PickLines(self.session)

    def move(self, steps: int) -> None:
        pick.move(self.session, steps)

    def state(self) -> object:
        return open_board(self.session)

    def is_stale(self) -> bool:
        return open_board(self.session).stale

    def words(self) -> tuple[str, ...]:
        board = open_board(self.session)
        return str(board.wanted), ",".join(map(str, board.locked)), ",".join(map(str, sorted(board.refused)))

    def take(self) -> None:
        take_pick(self.session)

    def give_up(self) -> None:
        self.session.proposals.pick = replace(open_board(self.session), stale=False)

    def sync_reader(self, reader: Reader) -> None:
        board = open_board(self.session)
        here = board.here
        key = ("pick", here.row if here is not None else None, board.stale, len(board.rows))
        reader.open(key, lambda: self._paragraphs(board))

    def _paragraphs(self, board: Board) -> Iterator[Block]:
        here = board.here
        if here is None:
            yield Paragraph((("the pick is being worked out \u2026" if board.stale else "nothing to pick", "muted"),))
            return
        yield Paragraph(((visible_line(here.reason), "reason"),), ("why", "reason"))
        yield Paragraph(())
        yield from paragraphs(self.session.project, Entry(here.row, None, False), why=False)
        yield Paragraph(())
        yield Paragraph((("Topics: picked rows of all, picked tokens of all", "title"),))
        for place, topic in enumerate(board.topics[:TOPICS_SHOWN]):
            yield Paragraph(_gauge(topic, here is not None and topic_of(board, place)))
        left = len(board.topics) - TOPICS_SHOWN
        if left > 0:
            yield Paragraph(((f"and {left} smaller topics", "muted"),))
        if board.sources:
            yield Paragraph(())
            yield Paragraph((("Files: picked rows of all", "title"),))
        for name, picked, rows in board.sources[:TOPICS_SHOWN]:
            yield Paragraph(
                (
                    *_gauge_bar(picked, rows, TOPIC_BAR),
                    (f" {picked:>3}/{rows:<6,}", "text"),
                    (visible_line(name), "text"),
                )
            )

    def heading(self) -> list[Styled]:
        here = open_board(self.session).here
        return [(f" row {here.row} ", "title"), (" locked" if here.locked else "", "key")] if here is not None else []

    def summary(self) -> list[Styled]:
        board = open_board(self.session)
        if not board.rows:
            return []
        tokens, picked = sum(one.tokens for one in board.topics), sum(one.tokens_picked for one in board.topics)
        covered = sum(one.picked > 0 for one in board.topics)
        width = BAR if self.size.width >= ROOMY else NARROW_BAR
        return [
            (f" {len(board.rows):,} rows ", "title"),
            *_gauge_bar(covered, len(board.topics), width),
            (f" {covered} of {len(board.topics)} topics  ", "text"),
            *_gauge_bar(picked, tokens, width),
            (f" {picked:,} of {tokens:,} tokens", "text"),
        ]


def topic_of(board: Board, place: int) -> bool:
    """Whether the row under the cursor stands in the topic of this bar (bars carry words, not numbers)."""
    here = board.here
    return here is not None and here.reason.startswith(f"topic {board.topics[place].words or 'no common words'} (")


def _gauge(topic: TopicBar, here: bool) -> tuple[Styled, ...]:
    return (
        ("\u25b8" if here else " ", "key"),
        *_gauge_bar(topic.picked, topic.rows, TOPIC_BAR),
        (f" {topic.picked:>3}/{topic.rows:<5,}", "text"),
        (f"{topic.tokens_picked:>6,}/{topic.tokens:<7,} ", "muted"),
        (visible_line(topic.words or "no common words", 26), "text"),
    )


def _gauge_bar(part: float, whole: float, width: int) -> tuple[Styled, ...]:
    filled = bar(part / whole if whole else 0, width).rstrip()
    return (filled, "bar"), ("\u2500" * (width - len(filled)), "line")
