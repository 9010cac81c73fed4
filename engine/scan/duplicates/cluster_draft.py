"""One cluster put into words: its kind, its rows, its keeper, and the evidence for it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from engine.model import ClusterKind, Example
from engine.scan.answers.relation import Comparison
from engine.scan.duplicates.answer_groups import Answers
from engine.scan.duplicates.families import Family
from engine.scan.duplicates.keeper import KeeperScore, by_keeper_score, why_kept
from engine.scan.duplicates.pair_judge import JudgedPairs
from engine.scan.duplicates.stars import Stars
from engine.scan.requests.guard import Judgement
from engine.scan.text import fold, shorten

SHOWN_WORDS, SHOWN_ROWS = 4, 6
_WORD = re.compile(r"\w+(?:['’.,-]\w+){0,8}|[^\w\s]")
_COMPARED = 4000
RULES = {
    "number": "a number",
    "operator": "an operator",
    "verb": "the task",
    "question": "the question word",
    "negation": "a negation",
    "direction": "the direction",
    "field": "one of two parts",
    "content": "what it is about",
    "same": "a word that may be mistyped",
    "system prompt": "the system prompt",
}


@dataclass(frozen=True, slots=True)
class Draft:
    """A cluster before it has an id; rows are positions in the scanned sequence."""

    kind: ClusterKind
    rows: tuple[int, ...]
    keeper: int
    evidence: tuple[str, ...]
    scores: tuple[float, ...] = ()
    alternatives: bool = False
    voices: tuple[int, ...] = ()

    def to_json(self) -> list[Any]:
        """For another process."""
        return [self.kind, self.rows, self.keeper, self.evidence, self.scores, self.alternatives, self.voices]

    @staticmethod
    def from_json(sent: list[Any]) -> Draft:
        kind, rows, keeper, evidence, scores, alternatives, voices = sent
        return Draft(kind, tuple(rows), keeper, tuple(evidence), tuple(scores), alternatives, tuple(voices))


def prefix_draft(members: list[int], examples: Sequence[Example], keeper_scores: Sequence[KeeperScore]) -> Draft:
    """Conversations and the longest one, which they begin."""
    longest = members[0]
    turns = len(examples[longest].messages)
    lines = (
        f"beginnings of row {keeper_scores[longest].number}: {len(members) - 1}",
        f"row {keeper_scores[longest].number} is kept: it is the longest ({turns} turns)",
    )
    return Draft("prefix", tuple(sorted(members)), longest, lines)


def duplicate_draft(
    keeper: int,
    part: list[int],
    node_of: dict[int, int],
    judged: JudgedPairs,
    answers: Answers,
    stars: Stars,
    keeper_scores: Sequence[KeeperScore],
) -> Draft:
    """An exact or near cluster: rows with one answer."""
    rows = tuple(sorted(part))
    scores = _scores(rows, keeper, node_of, stars)
    text = judged.nodes[node_of[keeper]].text
    exact = all(
        judged.is_letter_for_letter(node_of[row], node_of[keeper]) and answers.compare(row, keeper).relation == "same"
        for row in rows
        if row != keeper
    )
    lines = [
        f"{len(rows)} rows; " + score_line([score for row, score in zip(rows, scores, strict=True) if row != keeper])
    ]
    lines += differing_lines(
        [(keeper_scores[row].number, judged.nodes[node_of[row]].text) for row in rows if row != keeper], text
    )
    whys = {answers.compare(row, keeper).why for row in rows if row != keeper} - {""}
    if not exact:
        lines.append("nearly the same answer" + (f": {'; '.join(sorted(whys)[:3])}" if whys else ""))
    else:
        lines.append("the same answer")
    lines.append(why_kept(keeper, rows, keeper_scores))
    return Draft("exact" if exact else "near", rows, keeper, tuple(lines), scores)


def conflict_draft(
    keeper: int,
    parts: list[list[int]],
    disagreeing: dict[int, Comparison],
    node_of: dict[int, int],
    judged: JudgedPairs,
    stars: Stars,
    keeper_scores: Sequence[KeeperScore],
) -> Draft:
    """Rows whose answers disagree, each voice with its rows."""
    rows = tuple(sorted(row for part in parts for row in part))
    scores = _scores(rows, keeper, node_of, stars)
    numbers = [
        f"{'rows' if len(part) > 1 else 'row'} {', '.join(str(keeper_scores[row].number) for row in sorted(part)[:5])}"
        for part in parts
    ]
    whys = list(dict.fromkeys(found.why for found in disagreeing.values()))
    lines = [f"the same request, answers that disagree: {' against '.join(numbers[:4])}"]
    lines += [f"they disagree: {why}" for why in whys[:4]]
    lines.append(score_line([score for row, score in zip(rows, scores, strict=True) if row != keeper]))
    lines += differing_lines(
        [(keeper_scores[row].number, judged.nodes[node_of[row]].text) for row in rows if row != keeper],
        judged.nodes[node_of[keeper]].text,
    )
    lines.append(why_kept(keeper, rows, keeper_scores).replace(" is kept: ", " is proposed: "))
    return Draft("conflict", rows, keeper, tuple(lines), scores, voices=_voices(rows, parts))


def alternatives_draft(
    keeper: int,
    parts: list[list[int]],
    node_of: dict[int, int],
    judged: JudgedPairs,
    stars: Stars,
    keeper_scores: Sequence[KeeperScore],
) -> Draft:
    """Rows whose answers differ without disagreeing."""
    ordered = tuple(sorted(row for part in parts for row in part))
    scores = _scores(ordered, keeper, node_of, stars)
    lines = [
        "alternative answers: the same request, answers that differ without disagreeing; look before you settle it"
    ]
    lines.append(score_line([score for row, score in zip(ordered, scores, strict=True) if row != keeper]))
    lines += differing_lines(
        [(keeper_scores[row].number, judged.nodes[node_of[row]].text) for row in ordered if row != keeper],
        judged.nodes[node_of[keeper]].text,
    )
    lines.append(why_kept(keeper, ordered, keeper_scores))
    return Draft("near", ordered, keeper, tuple(lines), scores, alternatives=True, voices=_voices(ordered, parts))


def _voices(rows: Sequence[int], parts: Sequence[Sequence[int]]) -> tuple[int, ...]:
    """For each of `rows` the number of the part that its answer belongs to."""
    part_of = {row: number for number, part in enumerate(parts) for row in part}
    return tuple(part_of[row] for row in rows)


def family_draft(
    family: Family, judged: JudgedPairs, rows_of: dict[int, list[int]], keeper_scores: Sequence[KeeperScore]
) -> Draft:
    """Rows that look alike and ask for different things."""
    row_of = {node: by_keeper_score(rows_of[node], keeper_scores)[0] for node in family.nodes}
    rows = tuple(sorted(row_of.values()))
    score_of = {row_of[family.nodes[0]]: 100.0}
    for edge in family.edges:
        score_of[row_of[edge.right if edge.left == family.nodes[0] else edge.left]] = edge.score
    lines = [f"alike to {min(edge.score for edge in family.edges):.0f} of 100 and more, but not the same request"]
    lines += list(dict.fromkeys(why_apart(edge.judgement) for edge in family.edges))[:4]
    if family.total > len(rows):
        lines.insert(0, f"a family of {family.total:,} rows on one template; {len(rows)} are listed")
    lines.append(f"the template: {shorten(judged.nodes[family.nodes[0]].text, 80)}")
    return Draft("variant", rows, row_of[family.nodes[0]], tuple(lines), tuple(round(score_of[row], 1) for row in rows))


def _scores(rows: Sequence[int], keeper: int, node_of: dict[int, int], stars: Stars) -> tuple[float, ...]:
    found = []
    for row in rows:
        edge = stars.edge(node_of[keeper], node_of[row])
        found.append(round(edge.score, 1) if edge is not None else 0.0)
    return tuple(found)


# -- evidence: sentences a person can check a cluster by


def score_line(scores: list[float]) -> str:
    """How alike the requests are to the keeper's."""
    low, high = min(scores), max(scores)
    if low >= 99.95:
        return "the requests are the same but for case, spacing and punctuation"
    return f"requests alike to {low:.0f}" + (f"-{high:.0f}" if round(high) != round(low) else "") + " of 100"


def word_difference(member: str, keeper: str) -> str:
    """The words that stand in one text only: '"colour" for "color", no "please"'; '' where none do."""
    mine, theirs = (Counter(_WORD.findall(fold(text[:_COMPARED]))) for text in (member, keeper))
    added = [word for word, count in mine.items() if count > theirs[word] and word[0].isalnum()]
    gone = [word for word, count in theirs.items() if count > mine[word] and word[0].isalnum()]
    if added and gone:
        return f"{_quoted(added)} for {_quoted(gone)}"
    if added:
        return f"also {_quoted(added)}"
    if gone:
        return f"no {_quoted(gone)}"
    return "" if mine == theirs and fold(member).split() == fold(keeper).split() else "only order, case or punctuation"


def _quoted(words: list[str]) -> str:
    shown = " ".join(shorten(word, 24) for word in words[:SHOWN_WORDS])
    return f'"{shown}"' + (f" and {len(words) - SHOWN_WORDS} more" if len(words) > SHOWN_WORDS else "")


def differing_lines(members: list[tuple[int, str]], keeper_text: str) -> list[str]:
    """One sentence for each of the first members whose text differs from the keeper's."""
    lines = []
    for number, text in members:
        difference = word_difference(text, keeper_text)
        if difference:
            lines.append(f"row {number}: {difference}")
        if len(lines) == SHOWN_ROWS:
            break
    return lines


def why_apart(judgement: Judgement) -> str:
    """What the guard found between two texts that are alike."""
    what = RULES.get(judgement.rule, judgement.rule)
    words = ", ".join(shorten(word, 20) for word in judgement.words[:SHOWN_WORDS])
    return f"they differ in {what}" + (f" ({words})" if words else "")
