"""A group as a document: duplicates as differences from their keeper, a conflict as its answers side by side."""

from __future__ import annotations

import re
from collections.abc import Iterator

from engine.model import SETTLED_KINDS, Cluster, Example
from engine.phrases import counted
from engine.project.project import Project
from workbench.render.parts import diff_styled, mark_of, marked, split_lines, spoken, turns
from workbench.text.blocks import Abreast, Beside, Block, Paragraph, Styled
from workbench.text.escape import visible_line
from workbench.text.worddiff import apart_from, shortened, word_diff

GROUP_NAMES = {
    "exact": "exact duplicates",
    "near": "near duplicates",
    "prefix": "conversations that begin the same",
    "conflict": "answers that disagree",
    "variant": "a family of variants",
}
MOST_MEMBERS = 200
LAST_DIGIT = 9
ABOUT_ROW = re.compile(r"row (?P<row>\d+)(?: is kept)?: (?P<note>.+)")


def group_paragraphs(project: Project, cluster: Cluster, *, aside: bool = False) -> Iterator[Block]:
    """The document of a cluster; what stands on the reason line already is not said again.

    With `aside` the keeper stands in a column of its own (`keeper_paragraphs`), and here is only what differs from it.
    """
    notes, rest = _notes(cluster)
    if cluster.kind in SETTLED_KINDS:
        if not aside:
            yield from _sentences(rest)
            yield from keeper_paragraphs(project, cluster)
            yield Paragraph(())
        yield from _members(project, cluster, notes)
    else:
        # The answers themselves say most; what else there is stands below them.
        yield from _answers(project, cluster)
        yield Paragraph(())
        yield from _sentences(rest)


def group_sentences(cluster: Cluster) -> list[str]:
    """What was found about the group as a whole; the first sentence stands on the reason line."""
    return _notes(cluster)[1]


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


def keeper_paragraphs(project: Project, cluster: Cluster) -> Iterator[Paragraph]:
    """The keeper of duplicates whole, and why it is the one."""
    notes, _ = _notes(cluster)
    why = f": {notes[cluster.keeper]}" if cluster.keeper in notes else ""
    yield Paragraph(
        (("1 ", "key"), ("the keeper", "keeper"), (why, "muted"), *_heldout(project, cluster.keeper)),
        _numbered(project, cluster.keeper),
        cluster.keeper,
    )
    keeper = project.example(cluster.keeper)
    yield from (paragraph for paragraph in turns(keeper, (), unfold=False) if paragraph.styled)


def _members(project: Project, cluster: Cluster, notes: dict[int, str]) -> Iterator[Paragraph]:
    """Each other member as what differs from the keeper: as many as can be on one screen."""
    keeper = project.example(cluster.keeper)
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
    if len(example.messages) != len(keeper.messages):
        more = len(example.messages) - len(keeper.messages)
        words = f"{counted(abs(more), 'turn')} {'more' if more > 0 else 'fewer'} than the keeper"
        yield Paragraph((number, (words, "muted"), *_heldout(project, row)), gutter, row)
        return
    differing = [index for index, turn in enumerate(example.messages) if turn != keeper.messages[index]]
    if not differing:
        yield Paragraph((number, ("the same text", "muted"), *_heldout(project, row)), gutter, row)
        return
    for index in differing:
        turn = example.messages[index]
        if turn.role != "user" or len(differing) > 1:
            head.append((f"{turn.role}: ", turn.role))
        yield from split_lines(
            [*head, *_difference(keeper.messages[index].text, turn.text), *_heldout(project, row)], gutter, row
        )
        gutter, head = ("", "muted"), []


def _difference(old: str, new: str) -> list[Styled]:
    """What differs, with a few words around it; an opening paragraph that both share is left out."""
    opening, blank, rest = new.partition("\n\n")
    if blank and rest.strip() and old.startswith(opening + blank):
        old, new = old[len(opening + blank) :], rest
    pieces = word_diff(old, new)
    return diff_styled(shortened(pieces) if pieces is not None else None, new)


def _answers(project: Project, cluster: Cluster) -> Iterator[Block]:
    """A conflict: the request once, then the answers side by side, the words that set them apart marked."""
    first = project.example(cluster.keeper)
    for turn in first.messages[:-1]:
        yield from spoken(turn, [(turn.text, "text")], cluster.keeper)
    yield Paragraph(())
    rows = (cluster.keeper, *cluster.others)[:MOST_MEMBERS]
    places = {row: place for place, row in enumerate(rows, 1)}
    by_answer: dict[str, list[int]] = {}
    for row in rows:
        by_answer.setdefault(project.example(row).answer, []).append(row)
    if len(by_answer) == 1:
        yield Paragraph((("the closing answers are the same; the difference is earlier: look at the rows", "muted"),))
    yield Abreast(tuple(_answer(project, answer, of, places, list(by_answer)) for answer, of in by_answer.items()))


def _answer(project: Project, answer: str, rows: list[int], places: dict[int, int], answers: list[str]) -> Beside:
    """One answer of a conflict, and who gives it."""
    row = rows[0]

    def paragraphs() -> Iterator[Paragraph]:
        styled = marked(answer, *apart_from(answer, answers)) or [("(empty)", "muted")]
        yield from split_lines([*styled, *_heldout(project, row)], ("", "muted"), row)
        for other in rows[1:]:
            same = (_digit(places[other]), ("the same answer", "muted"), *_heldout(project, other))
            yield Paragraph(same, _numbered(project, other), other)

    return Beside(_digit(places[row]), _numbered(project, row), paragraphs, row)
