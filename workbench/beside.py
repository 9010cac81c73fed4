"""The third column of a wide terminal: beside duplicates their keeper, beside a row what was found about it.

A conflict has none: its answers take the room of both columns.
"""

from __future__ import annotations

from collections.abc import Iterator

from workbench.document_parts import Paragraph
from workbench.group_document import group_sentences, keeper_paragraphs
from workbench.row_document import finding_paragraphs
from workbench.session import Session
from workbench.view import Entry


def has_column(entry: Entry) -> bool:
    """Whether something stands beside the entry."""
    return entry.cluster is None or entry.cluster.kind != "conflict"


def beside(session: Session, entry: Entry) -> Iterator[Paragraph]:
    """What stands beside an entry that has a column: the keeper whole, or everything `w` would say."""
    if entry.cluster is not None and (entry.is_header or entry.row != entry.cluster.keeper):
        yield from keeper_paragraphs(session.project, entry.cluster)
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
