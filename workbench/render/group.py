"""A group as a document: duplicates as differences from their keeper, a conflict as its answers side by side."""

from __future__ import annotations

import re
from collections.abc import Iterator

from engine.model import SETTLED_KINDS, Cluster, Conversation, Example
from engine.phrases import counted
from engine.project.project import Project
from workbench.render.content import beside_paragraphs, closing_text, named_parts, part_label
from workbench.render.messages import head_notes, spoken, turns
from workbench.render.parts import diff_styled, mark_of, marked, split_lines
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


def group_paragraphs(
    project: Project, cluster: Cluster, *, aside: bool = False, unfold: bool = False
) -> Iterator[Block]:
    """The document of a cluster; what stands on the reason line already is not said again. `unfold` shows what is
    folded whole.

    With `aside` the keeper stands in a column of its own (`keeper_paragraphs`), and here is only what differs from it.
    """
    notes, rest = _notes(cluster)
    if cluster.kind in SETTLED_KINDS:
        if not aside:
            yield from _sentences(rest)
            yield from keeper_paragraphs(project, cluster, unfold=unfold)
            yield Paragraph(())
        yield from _members(project, cluster, notes)
    else:
        # The answers themselves say most; what else there is stands below them.
        yield from _answers(project, cluster, unfold=unfold)
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


def keeper_paragraphs(project: Project, cluster: Cluster, *, unfold: bool = False) -> Iterator[Paragraph]:
    """The keeper of duplicates whole, and why it is the one."""
    notes, _ = _notes(cluster)
    why = f": {notes[cluster.keeper]}" if cluster.keeper in notes else ""
    yield Paragraph(
        (("1 ", "key"), ("the keeper", "keeper"), (why, "muted"), *_heldout(project, cluster.keeper)),
        _numbered(project, cluster.keeper),
        cluster.keeper,
    )
    keeper = project.example(cluster.keeper)
    shown = turns(keeper.messages, cluster.keeper, (), unfold=unfold)
    beside = beside_paragraphs(keeper.conversation, cluster.keeper, unfold=unfold, metadata=False)
    yield from (paragraph for paragraph in (*shown, *beside) if paragraph.styled)


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
    parts, kept = named_parts(example.conversation), named_parts(keeper.conversation)
    differing = [name for name in sorted(kept | parts) if parts.get(name) != kept.get(name)]
    if not differing:
        yield Paragraph((number, ("the same text", "muted"), *_heldout(project, row)), gutter, row)
        return
    for name in differing:
        label, role = part_label(name)
        if label != "user" or len(differing) > 1:
            head.append((f"{label}: ", role))
        difference = _difference(kept.get(name, ""), parts.get(name, ""))
        yield from split_lines([*head, *difference, *_heldout(project, row)], gutter, row)
        gutter, head = ("", "muted"), []


def _difference(old: str, new: str) -> list[Styled]:
    """What differs, with a few words around it; an opening paragraph that both share is left out."""
    opening, blank, rest = new.partition("\n\n")
    if blank and rest.strip() and old.startswith(opening + blank):
        old, new = old[len(opening + blank) :], rest
    pieces = word_diff(old, new)
    return diff_styled(shortened(pieces) if pieces is not None else None, new)


def _answers(project: Project, cluster: Cluster, *, unfold: bool) -> Iterator[Block]:
    """A conflict: the request once, then the answers side by side, the words that set them apart marked."""
    first = project.example(cluster.keeper)
    for turn, notes in list(zip(first.messages, head_notes(first.messages), strict=True))[:-1]:
        # As it stands: laid out, a long request would push the answers off the screen.
        as_it_stands = {"text": [(turn.text, "text")]} if turn.text and not turn.media else {}
        yield from spoken(turn, cluster.keeper, as_it_stands, notes=notes, unfold=unfold)
    yield Paragraph(())
    rows = (cluster.keeper, *cluster.others)[:MOST_MEMBERS]
    places = {row: place for place, row in enumerate(rows, 1)}
    by_answer: dict[str, list[int]] = {}
    for row in rows:
        by_answer.setdefault(closing_text(project.example(row)), []).append(row)
    if len(by_answer) == 1:
        yield Paragraph((("the closing answers are the same; the difference is earlier: look at the rows", "muted"),))
    first_of = {answer: project.example(of[0]) for answer, of in by_answer.items()}
    yield Abreast(tuple(_answer(project, answer, of, places, first_of) for answer, of in by_answer.items()))
    yield from _differs_elsewhere(project, rows)
    yield from beside_paragraphs(first.conversation, cluster.keeper, unfold=unfold, metadata=False)


def _answer(
    project: Project, answer: str, rows: list[int], places: dict[int, int], first_of: dict[str, Example]
) -> Beside:
    """One answer of a conflict, and who gives it."""
    row = rows[0]

    def paragraphs() -> Iterator[Paragraph]:
        texts = _closing_parts(first_of[answer].conversation)
        others = [_closing_parts(first_of[other].conversation) for other in apart_from(answer, list(first_of))]
        for what, text in texts.items():
            styled = marked(text, *[other.get(what, "") for other in others]) or [("(empty)", "muted")]
            name: list[Styled] = [(f"{what}: ", "muted")] if what in ("reasoning", "name", "mark") else []
            yield from split_lines([*name, *styled, *_heldout(project, row)], ("", "muted"), row)
        for other_row in rows[1:]:
            same = (_digit(places[other_row]), ("the same answer", "muted"), *_heldout(project, other_row))
            yield Paragraph(same, _numbered(project, other_row), other_row)

    return Beside(_digit(places[row]), _numbered(project, row), paragraphs, row)


def _closing_parts(held: Conversation) -> dict[str, str]:
    """The parts of the closing answer: its text first, which is left out where there is none but calls or reasoning."""
    last = len(held.messages) - 1
    parts = {what: text for (place, what, _), text in named_parts(held).items() if place == last}
    return {what: text for what, text in parts.items() if text} or {"text": ""}


def _differs_elsewhere(project: Project, rows: tuple[int, ...]) -> Iterator[Paragraph]:
    """What is not the same in all rows beside their answers: shown in the rows themselves."""
    last = len(project.example(rows[0]).messages) - 1
    held = [named_parts(project.example(row).conversation) for row in rows]
    names = dict.fromkeys(name for parts in held for name in parts)
    # Requests of a conflict are the same but for case and blanks.
    asked = [name for name in names if name[0] != last and name[1:] != ("text", "user")]
    several = [name for name in asked if len({parts.get(name) for parts in held}) > 1]
    if several:
        words = ", ".join(dict.fromkeys(part_label(name)[0] for name in several))
        yield Paragraph((("not only the answers differ: ", "conflict"), (f"{words} (look at the rows)", "text")))
