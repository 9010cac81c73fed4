"""What the reader shows, as paragraphs of styled text: a row, a group as differences from its keeper, a conflict.

Knows no terminal. Everything is a generator: a paragraph is made when the reader gets to it, so that a megabyte of
conversation costs what is shown of it. Texts leave here visible (safe_text) and split at line feeds.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from engine.model import Cluster, Decision, Example, Span, Turn
from engine.project.folder import Project
from workbench.safe_text import visible, visible_line
from workbench.verdicts import counted
from workbench.view import SETTLED_KINDS, Entry
from workbench.worddiff import Piece, differing_words, shortened, word_diff

Styled = tuple[str, str]
"""(visible text, role of the theme)"""

FOLDED_SYSTEM = 160
MOST_MEMBERS = 200
GROUP_NAMES = {
    "exact": "exact duplicates",
    "near": "near duplicates",
    "prefix": "conversations that begin the same",
    "conflict": "answers that disagree",
    "variant": "a family of variants",
}
VERDICT_MARKS: dict[str, Styled] = {
    "accepted": ("\u2713a", "accepted"),
    "rejected": ("\u2717x", "rejected"),
    "skipped": ("\u2192s", "skipped"),
    "undecided": ("\u00b7 ", "undecided"),
    "edited": ("\u270ee", "edited"),
    "disputed": ("\u2260d", "disputed"),
}


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One line of text before wrapping. `gutter` stands left of its first line; `row` is the row whose text this is."""

    styled: tuple[Styled, ...]
    gutter: Styled = ("", "muted")
    row: int | None = None
    hang: int = 0
    """Columns by which the lines after the first are set in."""


def mark_of(project: Project, row: int) -> Styled:
    """Glyph and letter of a verdict, and its role: never told by colour alone."""
    if project.is_disputed(row):
        return VERDICT_MARKS["disputed"]
    verdict = project.verdict(row)
    if verdict == "accepted" and project.is_edited(row):
        return VERDICT_MARKS["edited"]
    return VERDICT_MARKS[verdict]


def paragraphs(project: Project, entry: Entry, *, why: bool) -> Iterator[Paragraph]:
    """The document of an entry. `why` unfolds every finding with its evidence."""
    if entry.is_header and entry.cluster is not None:
        yield from _group(project, entry.cluster)
    else:
        yield from _row(project, entry.row, entry.cluster, why)


# -- one row


def _row(project: Project, row: int, cluster: Cluster | None, why: bool) -> Iterator[Paragraph]:
    example = project.example(row)
    if why:
        yield from _findings(project, row)
    if project.is_edited(row):
        yield from _edit(project, row, example, why)
        if why:
            return
    flagged = (
        [flag.span for flag in project.flags_of(row) if flag.span is not None] if not project.is_edited(row) else []
    )
    base = _compared_with(project, row, cluster)
    if base is not None and len(base) == len(example.turns) and not flagged:
        only_mark = cluster is not None and cluster.kind == "conflict"
        yield from _compared_turns(base, example, unfold=why, only_mark=only_mark)
    else:
        yield from _turns(example, flagged, unfold=why)
    if not example.turns:
        yield Paragraph((("this row lacks the mapped fields; what the file holds:", "muted"),))
        yield from _split([(json.dumps(example.raw, ensure_ascii=False, indent=2), "text")], ("raw", "muted"), row)


def _compared_with(project: Project, row: int, cluster: Cluster | None) -> tuple[Turn, ...] | None:
    """The turns a member of a group is set against: the keeper's; for the keeper of a conflict, the next answer's."""
    if cluster is None:
        return None
    if row != cluster.keeper:
        return project.example(cluster.keeper).turns
    return project.example(cluster.others[0]).turns if cluster.kind == "conflict" and cluster.others else None


def _turns(example: Example, flagged: Iterable[Span], *, unfold: bool) -> Iterator[Paragraph]:
    spans = list(flagged)
    for index, turn in enumerate(example.turns):
        if index:
            yield Paragraph(())
        if turn.role == "system" and not unfold and len(turn.text) > FOLDED_SYSTEM:
            yield _folded_system(turn, example.number)
            continue
        styled = _with_spans(turn.text, [span for span in spans if span.turn == index])
        yield from _spoken(turn, styled, example.number)


def _spoken(turn: Turn, styled: list[Styled], row: int) -> Iterator[Paragraph]:
    gutter: Styled = (turn.role, turn.role)
    if turn.text or not turn.calls:
        yield from _split(styled or [("(empty)", "muted")], gutter, row)
        gutter = ("", "muted")
    for call in turn.calls:
        yield from _split([(_call_text(call), "tool")], gutter, row)
        gutter = ("", "muted")
    if not turn.train:
        yield Paragraph((("(not trained on)", "muted"),), row=row)


def _folded_system(turn: Turn, row: int) -> Paragraph:
    words = len(turn.text.split())
    head = visible_line(turn.text, FOLDED_SYSTEM - 40)
    return Paragraph(
        ((f"{head}\u2026 ", "system"), (f"({words} words, w unfolds)", "muted")), ("system", "system"), row
    )


def _call_text(call: str) -> str:
    """A tool call as `name(arguments)`, arguments one a line where they are long; as it stands where it is no call."""
    try:
        value = json.loads(call)
        function = value.get("function", value)
        arguments = function.get("arguments", function.get("parameters", {}))
        if isinstance(arguments, str):
            arguments = json.loads(arguments)
        short = json.dumps(arguments, ensure_ascii=False)
        return (
            f"{function['name']}({short if len(short) < 60 else json.dumps(arguments, ensure_ascii=False, indent=2)})"
        )
    except (ValueError, TypeError, AttributeError, KeyError):
        return call


def _with_spans(text: str, spans: list[Span]) -> list[Styled]:
    """The text in pieces, those that a flag points at in the role `flag`."""
    pieces: list[Styled] = []
    at = 0
    for span in sorted(spans, key=lambda span: span.start):
        start, end = max(at, span.start), min(span.end, len(text))
        if start >= end:
            continue
        pieces += [(text[at:start], "text"), (text[start:end], "flag")]
        at = end
    pieces.append((text[at:], "text"))
    return [piece for piece in pieces if piece[0]]


def _compared_turns(
    base: tuple[Turn, ...], example: Example, *, unfold: bool, only_mark: bool = False
) -> Iterator[Paragraph]:
    """The row's turns, with the words its keeper lacks marked and, unless `only_mark`, those only the keeper has."""
    for index, (old, turn) in enumerate(zip(base, example.turns, strict=True)):
        if index:
            yield Paragraph(())
        if turn.role == "system" and old.text == turn.text and not unfold and len(turn.text) > FOLDED_SYSTEM:
            yield _folded_system(turn, example.number)
            continue
        styled = _marked(turn.text, old.text) if only_mark else _diff_styled(word_diff(old.text, turn.text), turn.text)
        yield from _spoken(turn, styled, example.number)


def _diff_styled(pieces: list[Piece] | None, whole: str) -> list[Styled]:
    if pieces is None:
        return [(whole, "text")]
    roles = {"same": "text", "removed": "removed", "added": "added", "gap": "muted"}
    return [(text, roles[kind]) for kind, text in pieces]


def _edit(project: Project, row: int, example: Example, why: bool) -> Iterator[Paragraph]:
    before = project.example(row, edited=False)
    differing = sum(
        max(0, differing_words(old.text, new.text)) for old, new in zip(before.turns, example.turns, strict=False)
    )
    if not why:
        yield Paragraph(
            ((f"{counted(differing, 'word')} changed by hand; w shows the change", "edited"),), ("edited", "edited")
        )
        yield Paragraph(())
        return
    if len(before.turns) == len(example.turns):
        yield from _compared_turns(before.turns, example, unfold=True)
    else:
        yield from _turns(example, (), unfold=True)


def _findings(project: Project, row: int) -> Iterator[Paragraph]:
    lines: list[list[Styled]] = []
    for flag in project.flags_of(row):
        lines.append(
            [
                (f"{flag.signal} ", flag.severity if flag.severity != "info" else "muted"),
                (visible_line(flag.reason), "text"),
            ]
        )
    for cluster in project.clusters_of(row):
        role = "conflict" if cluster.kind == "conflict" else "group"
        kept = ", the keeper" if cluster.keeper == row else f", keeper row {cluster.keeper}"
        kept = kept if cluster.kind in SETTLED_KINDS else ""
        lines.append([(f"{cluster.kind} {cluster.id} ", role), (f"{counted(len(cluster.rows), 'row')}{kept}", "text")])
        lines += [[(visible_line(sentence), "muted")] for sentence in cluster.evidence]
    if project.is_heldout(row):
        lines.append([("held out ", "heldout"), ("measured with, never trained on; judged row by row", "text")])
    if project.is_leaking(row):
        lines.append([("leak ", "drop"), ("a twin of a held-out row: it is left out of every export", "text")])
    decision = decision_sentence(project.decision(row))
    if decision:
        lines.append([(visible_line(decision), "muted")])
    for index, styled in enumerate(lines or [[("no issue found", "muted")]]):
        yield Paragraph(tuple(styled), ("why", "reason") if index == 0 else ("", "muted"))
    yield Paragraph(())


def decision_sentence(decision: Decision) -> str:
    """`accepted by ann, 2026-01-05 10:31 (by eye)`, or nothing for a row without a decision."""
    if decision.verdict == "undecided" or not decision.at:
        return ""
    why = f" ({decision.why})" if decision.why else ""
    return f"{decision.verdict} by {decision.by}, {decision.at[:16].replace('T', ' ')}{why}"


# -- groups


def _group(project: Project, cluster: Cluster) -> Iterator[Paragraph]:
    # The first sentence of evidence stands on the reason line already.
    for index, sentence in enumerate(cluster.evidence[1:]):
        yield Paragraph(((visible_line(sentence), "muted"),), ("why", "reason") if index == 0 else ("", "muted"))
    if cluster.kind in SETTLED_KINDS:
        yield from _duplicates(project, cluster)
    else:
        yield from _answers(project, cluster)


def _duplicates(project: Project, cluster: Cluster) -> Iterator[Paragraph]:
    """The keeper whole, then each member as what differs from it: as many members as can be on one screen."""
    keeper = project.example(cluster.keeper)
    yield Paragraph(
        (("the keeper", "keeper"), *_heldout(project, cluster.keeper)),
        _numbered(project, cluster.keeper),
        cluster.keeper,
    )
    yield from (paragraph for paragraph in _turns(keeper, (), unfold=False) if paragraph.styled)
    yield Paragraph(())
    for row in cluster.others[:MOST_MEMBERS]:
        yield from _member(project, keeper, row)
    if len(cluster.others) > MOST_MEMBERS:
        yield Paragraph(((f"and {counted(len(cluster.others) - MOST_MEMBERS, 'row')} more", "muted"),))


def _numbered(project: Project, row: int) -> Styled:
    """Mark and number of a row, for the gutter."""
    mark, role = mark_of(project, row)
    return f"{mark} {row}", role


def _heldout(project: Project, row: int) -> tuple[Styled, ...]:
    return (("  held out", "heldout"),) if project.is_heldout(row) else ()


def _member(project: Project, keeper: Example, row: int) -> Iterator[Paragraph]:
    """One member as what differs from the keeper: turns that are the same are not shown again."""
    example = project.example(row)
    gutter = _numbered(project, row)
    if len(example.turns) != len(keeper.turns):
        more = len(example.turns) - len(keeper.turns)
        note = f"{counted(abs(more), 'turn')} {'more' if more > 0 else 'fewer'} than the keeper"
        yield Paragraph(((note, "muted"), *_heldout(project, row)), gutter, row)
        return
    differing = [index for index, turn in enumerate(example.turns) if turn != keeper.turns[index]]
    if not differing:
        yield Paragraph((("the same text", "muted"), *_heldout(project, row)), gutter, row)
        return
    if len(differing) < len(example.turns) and all(example.turns[index].role == "user" for index in differing):
        note = "the same answer; the request: "
    else:
        note = ""
    for index in differing:
        turn = example.turns[index]
        pieces = word_diff(keeper.turns[index].text, turn.text)
        styled = _diff_styled(shortened(pieces) if pieces else None, turn.text)
        speaker = note or f"{turn.role}: "
        yield from _split([(speaker, "muted"), *styled, *_heldout(project, row)], gutter, row)
        gutter = ("", "muted")


def _answers(project: Project, cluster: Cluster) -> Iterator[Paragraph]:
    """A conflict: the request once, then the answers one after another, the words that set them apart marked."""
    first = project.example(cluster.keeper)
    for turn in first.turns[:-1]:
        yield from _spoken(turn, [(turn.text, "text")], cluster.keeper)
    by_answer: dict[str, list[int]] = {}
    for row in (cluster.keeper, *cluster.others):
        by_answer.setdefault(project.example(row).answer, []).append(row)
    for answer, rows in by_answer.items():
        yield Paragraph(())
        # The first answer is set against the second, every other one against the first.
        styled = _marked(answer, first.answer if answer != first.answer else next(islice(by_answer, 1, None), answer))
        yield from _split(
            [*(styled or [("(empty)", "muted")]), *_heldout(project, rows[0])], _numbered(project, rows[0]), rows[0]
        )
        for row in rows[1 : MOST_MEMBERS + 1]:
            yield Paragraph((("the same answer", "muted"), *_heldout(project, row)), _numbered(project, row), row)
    if len(by_answer) == 1:
        yield Paragraph((("the closing answers are the same; the difference is earlier: look at the rows", "muted"),))


def _marked(text: str, other: str) -> list[Styled]:
    """The text with the words marked that `other` does not have."""
    pieces = word_diff(other, text)
    return _diff_styled([piece for piece in pieces if piece[0] != "removed"] if pieces is not None else None, text)


# -- text


def _split(styled: Iterable[Styled], gutter: Styled, row: int | None) -> Iterator[Paragraph]:
    """Styled text cut at its line feeds and made visible."""
    line: list[Styled] = []
    for text, role in styled:
        start = 0
        while (end := text.find("\n", start)) >= 0:
            line.append((visible(text[start:end]), role))
            yield Paragraph(tuple(line), gutter, row)
            line, gutter, start = [], ("", "muted"), end + 1
        if start < len(text):
            line.append((visible(text[start:]), role))
    if line:
        yield Paragraph(tuple(line), gutter, row)
