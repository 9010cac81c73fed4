"""The third column of a wide terminal: what was found about the row in front, who decided what, who is in its group."""

from __future__ import annotations

from collections.abc import Iterator

from workbench.document_parts import Paragraph, mark_of
from workbench.row_document import finding_paragraphs
from workbench.safe_text import visible_line
from workbench.session import Session
from workbench.view import Entry

MOST_MEMBERS = 60


def beside(session: Session, entry: Entry) -> Iterator[Paragraph]:
    """Everything `w` would say, and the members of the group. No text of a row stands here, so none counts as seen."""
    project = session.project
    if entry.is_header and entry.cluster is not None:
        yield Paragraph((("Evidence", "title"),))
        for sentence in entry.cluster.evidence:
            yield Paragraph(((visible_line(sentence), "text"),))
    else:
        yield Paragraph((("Why", "title"),))
        for paragraph in finding_paragraphs(project, entry.row):
            yield Paragraph(paragraph.styled)
    if entry.cluster is None:
        return
    yield Paragraph(())
    yield Paragraph((("Group", "title"), (f" {entry.cluster.id}", "muted")))
    for row in (entry.cluster.keeper, *entry.cluster.others)[:MOST_MEMBERS]:
        here = "\u258c" if row == entry.row and not entry.is_header else " "
        kept = "  keeper" if row == entry.cluster.keeper and entry.cluster.kind != "conflict" else ""
        yield Paragraph(((here, "title"), mark_of(project, row), (f" row {row}", "text"), (kept, "keeper")))
