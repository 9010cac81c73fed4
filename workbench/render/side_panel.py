"""The third column of a wide terminal: beside duplicates their keeper, beside a row what was found about it, beside the
overview the rows of its line. A conflict has none: its answers take the room of both columns."""

from __future__ import annotations

from collections.abc import Iterator

from engine.errors import UsageError
from engine.phrases import counted
from workbench.render.group import group_sentences, keeper_paragraphs
from workbench.render.parts import mark_of
from workbench.render.row import finding_paragraphs
from workbench.state.entries import Entry
from workbench.state.overview import Item
from workbench.state.search import Search
from workbench.state.session import Session
from workbench.text.blocks import Paragraph
from workbench.text.escape import visible_line

MOST_ROWS = 12
# No key waits longer for the rows; where none was found by then the line says how many there are.
SECONDS = 0.01
LONGEST_LINE = 66


def has_column(entry: Entry) -> bool:
    """Whether something stands beside the entry."""
    return entry.cluster is None or entry.cluster.kind != "conflict"


def entry_paragraphs(session: Session, entry: Entry) -> Iterator[Paragraph]:
    """Beside an entry that has a column: the keeper whole, or everything `w` would say."""
    if entry.cluster is not None and (entry.is_header or entry.row != entry.cluster.keeper):
        yield from keeper_paragraphs(session.project, entry.cluster, unfold=session.place.why_open)
        yield Paragraph(())
    if entry.is_header and entry.cluster is not None:
        for number, sentence in enumerate(group_sentences(entry.cluster)):
            if not number:
                yield Paragraph((("Evidence", "title"),))
            yield Paragraph(((sentence, "text"),))
        return
    yield Paragraph((("Why", "title"),))
    # In a group its evidence stands beside the rows it is about.
    for paragraph in finding_paragraphs(session.project, entry.row, of_group=entry.cluster is None):
        yield Paragraph(paragraph.styled)


def item_paragraphs(session: Session, item: Item) -> Iterator[Paragraph]:
    """Beside the overview: what the line under the cursor is, what its keys do, its first rows. They are named by their
    headlines alone, so none counts as seen."""
    yield Paragraph(((visible_line(item.label), "title"),))
    of = f"{item.rows:,} of " if item.of != item.rows else ""
    left = "" if item.section == "decided" else " left to judge"
    yield Paragraph(((f"{of}{counted(item.of, 'row')}{left}", "muted"),))
    yield Paragraph(())
    for key, words in _keys(item):
        yield Paragraph(((f"{key:<6} ", "key"), (words, "text")), hang=7)
    yield Paragraph(())
    rows = first_rows(session, item)
    for row in rows:
        yield Paragraph(
            (
                mark_of(session.project, row),
                (f" {row} ", "muted"),
                (visible_line(session.shared_text.headline(row), LONGEST_LINE), "text"),
            ),
            hang=3,
        )
    if rows and item.of > len(rows):
        yield Paragraph(((f"and {counted(item.of - len(rows), 'row')} more", "muted"),))


def _keys(item: Item) -> Iterator[tuple[str, str]]:
    yield "enter", "opens them"
    if item.section == "proposed":
        yield "+", "takes all of them: each row gets what is proposed for it"
        yield "-", "declines all of them: they no longer wait, nothing is decided"
    if item.keeps:
        yield "K", "keeps one of each group, rejects the others"
    if item.bulk:
        yield "x  a", "rejects or accepts all that is left"
    if item.section == "flags":
        yield "c", "shows the mechanical repair, where there is one"


def first_rows(session: Session, item: Item) -> list[int]:
    """The first rows of a line, as many as are found at once."""
    try:
        search = Search(session.project, item.filter_text)
        search.go_on(SECONDS)
    except UsageError:
        return []
    return search.found[:MOST_ROWS]
