"""A group as a document: duplicates as differences from their keeper, a conflict as its answers one after another."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from engine.model import SETTLED_KINDS, Cluster, Example
from engine.project.folder import Project
from workbench.document_parts import (
    Paragraph,
    Styled,
    diff_styled,
    mark_of,
    marked,
    split_lines,
    spoken,
    turns,
)
from workbench.safe_text import visible_line
from workbench.worddiff import shortened, word_diff
from workbench.wording import counted

MOST_MEMBERS = 200
LAST_DIGIT = 9
ABOUT_ROW = re.compile(r"row (?P<row>\d+)(?: is kept)?: (?P<note>.+)")


def group_paragraphs(project: Project, cluster: Cluster) -> Iterator[Paragraph]:
    """The document of a cluster; what stands on the reason line already is not said again."""
    notes, rest = _notes(cluster)
    if cluster.kind in SETTLED_KINDS:
        yield from _sentences(rest)
        yield from _duplicates(project, cluster, notes)
    else:
        # The answers themselves say most; what else there is stands below them.
        yield from _answers(project, cluster)
        yield Paragraph(())
        yield from _sentences(rest)


def _sentences(sentences: list[str]) -> Iterator[Paragraph]:
    for index, sentence in enumerate(sentences):
        yield Paragraph(((sentence, "muted"),), ("why", "reason") if index == 0 else ("", "muted"))


def _notes(cluster: Cluster) -> tuple[dict[int, str], list[str]]:
    """(evidence about one row, by row; the other sentences). The first one stands on the reason line already."""
    notes: dict[int, str] = {}
    rest: list[str] = []
    for sentence in map(visible_line, cluster.evidence[1:]):
        about = ABOUT_ROW.fullmatch(sentence)
        if about is not None and int(about["row"]) in cluster.rows and cluster.kind in SETTLED_KINDS:
            notes[int(about["row"])] = about["note"]
        else:
            rest.append(sentence)
    return notes, rest


def _duplicates(project: Project, cluster: Cluster, notes: dict[int, str]) -> Iterator[Paragraph]:
    """The keeper whole, then each member as what differs from it: as many members as can be on one screen."""
    keeper = project.example(cluster.keeper)
    why = f": {notes[cluster.keeper]}" if cluster.keeper in notes else ""
    yield Paragraph(
        (("1 ", "key"), ("the keeper", "keeper"), (why, "muted"), *_heldout(project, cluster.keeper)),
        _numbered(project, cluster.keeper),
        cluster.keeper,
    )
    yield from (paragraph for paragraph in turns(keeper, (), unfold=False) if paragraph.styled)
    yield Paragraph(())
    for place, row in enumerate(cluster.others[:MOST_MEMBERS], 2):
        yield from _member(project, keeper, row, notes.get(row, ""), place)
    if len(cluster.others) > MOST_MEMBERS:
        yield Paragraph(((f"and {counted(len(cluster.others) - MOST_MEMBERS, 'row')} more", "muted"),))


def _digit(place: int) -> Styled:
    return (f"{place} " if place <= LAST_DIGIT else "  ", "key")


def _numbered(project: Project, row: int) -> Styled:
    """Mark and number of a row, for the gutter."""
    mark, role = mark_of(project, row)
    return f"{mark} {row}", role


def _heldout(project: Project, row: int) -> tuple[Styled, ...]:
    return (("  held out", "heldout"),) if project.is_heldout(row) else ()


def _member(project: Project, keeper: Example, row: int, note: str, place: int) -> Iterator[Paragraph]:
    """One member as what differs from the keeper: what is the same is not shown again."""
    example = project.example(row)
    gutter = _numbered(project, row)
    # The digit that makes it the keeper.
    number = _digit(place)
    head: list[Styled] = [number, (f"{note}: ", "muted")] if note else [number]
    if len(example.turns) != len(keeper.turns):
        more = len(example.turns) - len(keeper.turns)
        words = f"{counted(abs(more), 'turn')} {'more' if more > 0 else 'fewer'} than the keeper"
        yield Paragraph((number, (words, "muted"), *_heldout(project, row)), gutter, row)
        return
    differing = [index for index, turn in enumerate(example.turns) if turn != keeper.turns[index]]
    if not differing:
        yield Paragraph((number, ("the same text", "muted"), *_heldout(project, row)), gutter, row)
        return
    for index in differing:
        turn = example.turns[index]
        if turn.role != "user" or len(differing) > 1:
            head.append((f"{turn.role}: ", turn.role))
        yield from split_lines(
            [*head, *_difference(keeper.turns[index].text, turn.text), *_heldout(project, row)], gutter, row
        )
        gutter, head = ("", "muted"), []


def _difference(old: str, new: str) -> list[Styled]:
    """What differs, with a few words around it; an opening paragraph that both share is left out."""
    opening, blank, rest = new.partition("\n\n")
    if blank and rest.strip() and old.startswith(opening + blank):
        old, new = old[len(opening + blank) :], rest
    pieces = word_diff(old, new)
    return diff_styled(shortened(pieces) if pieces is not None else None, new)


def _answers(project: Project, cluster: Cluster) -> Iterator[Paragraph]:
    """A conflict: the request once, then the answers one after another, the words that set them apart marked."""
    first = project.example(cluster.keeper)
    for turn in first.turns[:-1]:
        yield from spoken(turn, [(turn.text, "text")], cluster.keeper)
    by_answer: dict[str, list[int]] = {}
    places = {row: place for place, row in enumerate((cluster.keeper, *cluster.others), 1)}
    for row in (cluster.keeper, *cluster.others):
        by_answer.setdefault(project.example(row).answer, []).append(row)
    for answer, rows in by_answer.items():
        yield Paragraph(())
        # The first answer is set against the second, every other one against the first.
        styled = marked(answer, first.answer if answer != first.answer else next(islice(by_answer, 1, None), answer))
        row = rows[0]
        shown = [_digit(places[row]), *(styled or [("(empty)", "muted")]), *_heldout(project, row)]
        yield from split_lines(shown, _numbered(project, row), row)
        for row in rows[1 : MOST_MEMBERS + 1]:
            same = (_digit(places[row]), ("the same answer", "muted"), *_heldout(project, row))
            yield Paragraph(same, _numbered(project, row), row)
    if len(by_answer) == 1:
        yield Paragraph((("the closing answers are the same; the difference is earlier: look at the rows", "muted"),))
