"""Offered changes as diffs: look through them, take some out, make the rest with one key as one act."""

from __future__ import annotations

from collections.abc import Iterator

from engine.phrases import counted
from workbench.actions import repairs
from workbench.actions.edited_row import fields_of
from workbench.commands.targets import REPAIRS
from workbench.render.parts import diff_styled, split_lines
from workbench.state.proposals import Change, Offer
from workbench.state.session import Session
from workbench.text.blocks import Paragraph, Styled
from workbench.text.escape import visible_line
from workbench.text.worddiff import shortened, word_diff
from workbench.ui.keymap import bindings_for
from workbench.ui.screens.list_detail import ListDetailScreen
from workbench.ui.widgets.line_list import ListSource
from workbench.ui.widgets.reader import Reader

LONGEST_SHOWN = 20_000


class ChangeLines:
    """One line a change: its row, what it does, what differs."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def _offer(self) -> Offer:
        return self._session.proposals.offer or Offer("", "", ())

    def __len__(self) -> int:
        return len(self._offer.changes)

    @property
    def cursor(self) -> int:
        return self._offer.cursor

    def block(self, index: int) -> int:
        return 1

    def line(self, index: int, width: int) -> tuple[Styled, ...]:
        offer = self._offer
        change = offer.changes[index]
        out = index in offer.out
        mark: Styled = ("- ", "muted") if out else ("+ ", "edited")
        digits = len(str(max(1, len(self._session.project.rows) - 1)))
        return (
            mark,
            (f"{change.row:>{digits}} ", "muted"),
            *([("taken out ", "muted")] if out else []),
            (f"{visible_line(change.about, 40)}  ", "text"),
            (visible_line(self._session.shared_text.headline(change.row), width), "muted"),
        )


class RepairsScreen(ListDetailScreen):
    """See the module."""

    NAME = REPAIRS
    BINDINGS = bindings_for(REPAIRS)

    def source(self) -> ListSource:
        return ChangeLines(self.session)

    def move(self, steps: int) -> None:
        repairs.move(self.session, steps)

    @property
    def _here(self) -> Change | None:
        offer = self.session.proposals.offer
        return offer.changes[offer.cursor] if offer is not None and offer.changes else None

    def sync_reader(self, reader: Reader) -> None:
        here = self._here
        if here is None:
            reader.open(None, tuple)
        else:
            reader.open((here.row, here.about), lambda: self._paragraphs(here))

    def _paragraphs(self, change: Change) -> Iterator[Paragraph]:
        """Every field that the change touches, as a word difference; long equal stretches are cut short."""
        project = self.session.project
        before = project.current_row(change.row)
        after = change.apply(before)
        if after is None:
            yield Paragraph((("this change is made already", "muted"),))
            return
        new = {field.path: field.text for field in fields_of(project, change.row, after)}
        for field in fields_of(project, change.row):
            text = new.get(field.path, field.text)
            if text == field.text:
                continue
            yield Paragraph(((visible_line(field.label), "title"),))
            pieces = word_diff(field.text[:LONGEST_SHOWN], text[:LONGEST_SHOWN])
            if pieces is None:
                pieces = [("removed", field.text[:LONGEST_SHOWN]), ("added", text[:LONGEST_SHOWN])]
            elif sum(len(piece) for _, piece in pieces) > LONGEST_SHOWN // 10:
                pieces = shortened(pieces)
            styled = diff_styled(pieces, text)
            if not text.strip():
                styled.append((" \u2192 (empty)", "muted"))
            yield from split_lines(styled, ("", "muted"), change.row)
            yield Paragraph(())

    def heading(self) -> list[Styled]:
        here = self._here
        return [(f" row {here.row} ", "title"), (visible_line(here.about), "muted")] if here is not None else []

    def summary(self) -> list[Styled]:
        offer = self.session.proposals.offer
        if offer is None:
            return []
        rows = len({change.row for change in offer.wanted})
        return [
            (f" {visible_line(offer.title)}: ", "title"),
            (f"enter edits and accepts {counted(rows, 'row')}, u takes it back", "reason"),
        ]
