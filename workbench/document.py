"""What the reader shows, as paragraphs of styled text. Knows no terminal.

Everything is a generator: a paragraph is made when the reader gets to it, so that a megabyte of conversation costs what
is shown of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from engine.project.folder import Project
from workbench.document_parts import NOT_COUNTED, Block, Paragraph, Styled, mark_of
from workbench.group_document import group_paragraphs
from workbench.row_document import decision_sentence, decision_words, row_paragraphs
from workbench.view import Entry

GROUP_NAMES = {
    "exact": "exact duplicates",
    "near": "near duplicates",
    "prefix": "conversations that begin the same",
    "conflict": "answers that disagree",
    "variant": "a family of variants",
}


def paragraphs(
    project: Project,
    entry: Entry,
    *,
    why: bool,
    prompts: Mapping[int, int] = NOT_COUNTED,
    learnt: Sequence[list[Styled]] = (),
    aside: bool = False,
) -> Iterator[Block]:
    """The document of an entry. `why` unfolds every finding with its evidence, and what was `learnt` of the row;
    `prompts` are rows by system prompt; with `aside` the keeper of duplicates stands in a column of its own."""
    if entry.is_header and entry.cluster is not None:
        yield from group_paragraphs(project, entry.cluster, aside=aside)
    else:
        yield from row_paragraphs(project, entry.row, entry.cluster, why, prompts, learnt)


__all__ = [
    "GROUP_NAMES",
    "Block",
    "Paragraph",
    "Styled",
    "decision_sentence",
    "decision_words",
    "mark_of",
    "paragraphs",
]
