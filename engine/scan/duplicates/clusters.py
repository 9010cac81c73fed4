"""Clusters with kind, keeper and evidence, for the training rows and for the held-out rows apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from engine.model import Cluster, ClusterKind, Example
from engine.scan.conflicts import Comparison, compare_answers
from engine.scan.duplicates.evidence import differing_lines, score_line, why_apart
from engine.scan.duplicates.families import Family, families
from engine.scan.duplicates.groups import Group, Stars
from engine.scan.duplicates.ids import with_ids
from engine.scan.duplicates.judged import FAMILY_SCORE, Edge, Judged
from engine.scan.duplicates.keeper import Merit, by_merit, why_kept
from engine.scan.duplicates.prefix import prefix_groups
from engine.scan.duplicates.relations import NO_RELATIONS, Relations
from engine.scan.duplicates.requests import Node, Request
from engine.scan.text import exact_form, score_form, shorten

MOST_PARTS = 12
"""Different answers to one request that are compared with each other; more are only compared with the first."""
MOST_LIKENED = 300
"""Different answers that are looked at for being nearly the same; more count as answers of their own."""


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


@dataclass(slots=True)
class Answers:
    """The answers of all rows, compared at most once a pair."""

    requests: Sequence[Request]
    nodes: Sequence[Node]
    node_of: Sequence[int]
    judged: Judged
    _known: dict[tuple[int, int], Comparison] = field(default_factory=dict)
    _forms: dict[int, str] = field(default_factory=dict)

    def form(self, row: int) -> str:
        """The answer of a row in the form in which it counts as the same, made once."""
        form = self._forms.get(row)
        if form is None:
            form = self._forms[row] = exact_form(self.requests[row].answer)
        return form

    def compare(self, one: int, other: int) -> Comparison:
        """How the answers of two rows to the same request relate; other earlier turns are another context, never a
        conflict.
        """
        pair = (one, other) if one < other else (other, one)
        if pair not in self._known:
            left, right = self.requests[pair[0]], self.requests[pair[1]]
            if self.form(one) == self.form(other):
                found = Comparison("same")
            else:
                turns = self.nodes[self.node_of[pair[0]]].turns
                found = compare_answers(left.answer, right.answer, self.judged.key(turns[-1]) if turns else None)
            if left.before != right.before:
                found = Comparison(
                    "nearly" if found.relation == "same" else "alternative", "the conversation before differs"
                )
            self._known[pair] = found
        return self._known[pair]

    def agree(self, one: int, other: int) -> bool:
        """Whether both rows give the same or nearly the same answer."""
        return self.compare(one, other).relation in ("same", "nearly")

    def equal(self, one: int, other: int) -> bool:
        """Whether both rows give the same answer, spelling and all. "Dear Marie" for "Dear Maria" is no proof that a
        request for a card to Marie was meant for Maria.
        """
        left, right = self.requests[one], self.requests[other]
        if left.before != right.before:
            return False
        if self.form(one) == self.form(other):
            return True
        return left.answer.lstrip()[:1] in "{[`" and self.compare(one, other).relation == "same"


def find_clusters(
    examples: Sequence[Example],
    requests: Sequence[Request],
    judged: Judged,
    node_of: Sequence[int],
    merits: Sequence[Merit],
    sides: Sequence[Sequence[int]],
    tick: Callable[[int], None],
    relations: Relations = NO_RELATIONS,
) -> tuple[tuple[Cluster, ...], Answers, Stars]:
    """All clusters, ordered by kind and first row. `sides` are disjoint row positions that no cluster may mix.

    `relations` are a person's word and outweigh the guard. Also returns the compared answers and the judged edges,
    which leaks are read from.
    """
    answers = Answers(requests, judged.nodes, node_of, judged)
    stars = Stars(judged, merits, answers.equal, relations)
    drafts: list[Draft] = []
    for side in sides:
        drafts += _side_clusters(examples, judged, node_of, merits, side, answers, stars, relations, tick)
    return with_ids(drafts, examples), answers, stars


def _side_clusters(
    examples: Sequence[Example],
    judged: Judged,
    node_of: Sequence[int],
    merits: Sequence[Merit],
    side: Sequence[int],
    answers: Answers,
    stars: Stars,
    relations: Relations,
    tick: Callable[[int], None],
) -> list[Draft]:
    drafts: list[Draft] = []
    spoken_for: set[int] = set()
    for members in _allowed_prefixes(examples, side, relations):
        drafts.append(_prefix_draft(members, examples, merits))
        spoken_for.update(members)

    rows_of: dict[int, list[int]] = {}
    for row in side:
        rows_of.setdefault(node_of[row], []).append(row)
    together: dict[int, int] = {}
    for number, group in enumerate(stars.groups(rows_of)):
        if number % 100 == 0:
            tick(number)
        together |= dict.fromkeys(group.nodes, number)
        drafts += _group_drafts(group, judged, answers, stars, merits, spoken_for, relations)

    # Likely slips whose answers differ were not believed: names in a template are one letter apart, too.
    unbelieved = [edge for edge in judged.same if edge.judgement.weak and _may_be_siblings(edge, judged)]
    siblings = [
        edge
        for edge in (*judged.siblings, *unbelieved)
        if edge.left not in together or together[edge.left] != together.get(edge.right)
    ]
    drafts += [
        _family_draft(family, judged, rows_of, merits) for family in families(siblings, rows_of.keys(), len(side))
    ]
    return drafts


def _may_be_siblings(edge: Edge, judged: Judged) -> bool:
    return (
        edge.score >= FAMILY_SCORE
        and edge.judgement.words != ()
        and not (judged.nodes[edge.left].leans or judged.nodes[edge.right].leans)
    )


def _allowed_prefixes(examples: Sequence[Example], side: Sequence[int], relations: Relations) -> Iterator[list[int]]:
    """Prefix groups, longest row first, without rows that a person told apart from it or from each other."""
    waiting = [list(side)]
    while waiting:
        for members in prefix_groups(examples, waiting.pop()):
            if not relations.concerns(members):
                yield members
                continue
            taken, *others = relations.separated(members, lambda row, first: True)
            if len(taken) > 1:
                yield taken
            rest = [row for group in others for row in group]
            if len(rest) > 1:
                waiting.append(rest)


def _prefix_draft(members: list[int], examples: Sequence[Example], merits: Sequence[Merit]) -> Draft:
    longest = members[0]
    turns = len(examples[longest].turns)
    lines = (
        f"beginnings of row {merits[longest].number}: {len(members) - 1}",
        f"row {merits[longest].number} is kept: it is the longest ({turns} turns)",
    )
    return Draft("prefix", tuple(sorted(members)), longest, lines)


def _group_drafts(
    group: Group,
    judged: Judged,
    answers: Answers,
    stars: Stars,
    merits: Sequence[Merit],
    spoken_for: set[int],
    relations: Relations,
) -> list[Draft]:
    """The clusters of rows that ask the same: equal answers together, contradictions together, other answers as
    alternatives.
    """
    node_of = dict(zip(group.rows, group.nodes, strict=True))
    parts = _parts(group, answers, merits)
    context_free = not any(judged.nodes[node].leans or judged.is_generic(node) for node in set(group.nodes))
    disagreeing: dict[int, Comparison] = {}
    if context_free:
        for number, part in enumerate(parts):
            for other_number in range(number) if number < MOST_PARTS else (0,):
                found = answers.compare(part[0], parts[other_number][0])
                if found.relation == "conflict" and not relations.fine([*part, *parts[other_number]]):
                    disagreeing.setdefault(other_number, found)
                    disagreeing.setdefault(number, found)
    drafts: list[Draft] = []
    for part in parts:
        if len(part) > 1 and not spoken_for.issuperset(part):
            drafts.append(_duplicate_draft(part, node_of, judged, answers, stars, merits))
    if disagreeing:
        rows = tuple(sorted(row for number in disagreeing for row in parts[number]))
        drafts.append(
            _conflict_draft(
                rows, [parts[number] for number in sorted(disagreeing)], disagreeing, node_of, judged, stars, merits
            )
        )
    elif context_free and len(parts) > 1 and not relations.fine(group.rows):
        drafts.append(_alternatives_draft(parts, node_of, judged, stars, merits))
    return drafts


def _parts(group: Group, answers: Answers, merits: Sequence[Merit]) -> list[list[int]]:
    """The rows by answer, the best row of each part first, the best part first."""
    by_form: dict[object, list[int]] = {}
    for row in by_merit(group.rows, merits):
        request = answers.requests[row]
        by_form.setdefault((answers.form(row), request.before), []).append(row)
    parts: list[list[int]] = []
    for number, rows in enumerate(by_form.values()):
        others = parts[:MOST_PARTS] if number < MOST_LIKENED else []
        home = next((part for part in others if answers.agree(part[0], rows[0])), None)
        if home is None:
            parts.append(rows)
        else:
            home += rows
    return parts


def _duplicate_draft(
    part: list[int], node_of: dict[int, int], judged: Judged, answers: Answers, stars: Stars, merits: Sequence[Merit]
) -> Draft:
    keeper = part[0]
    rows = tuple(sorted(part))
    scores = _scores(rows, keeper, node_of, stars)
    text = judged.nodes[node_of[keeper]].text
    form = score_form(text)
    exact = all(
        (node_of[row] == node_of[keeper] or (judged.form(node_of[row]) == form and min(scores) >= 99.95))
        and answers.compare(row, keeper).relation == "same"
        for row in rows
        if row != keeper
    )
    lines = [
        f"{len(rows)} rows; " + score_line([score for row, score in zip(rows, scores, strict=True) if row != keeper])
    ]
    lines += differing_lines(
        [(merits[row].number, judged.nodes[node_of[row]].text) for row in rows if row != keeper], text
    )
    whys = {answers.compare(row, keeper).why for row in rows if row != keeper} - {""}
    if not exact:
        lines.append("nearly the same answer" + (f": {'; '.join(sorted(whys)[:3])}" if whys else ""))
    else:
        lines.append("the same answer")
    lines.append(why_kept(keeper, rows, merits))
    return Draft("exact" if exact else "near", rows, keeper, tuple(lines), scores)


def _conflict_draft(
    rows: tuple[int, ...],
    parts: list[list[int]],
    disagreeing: dict[int, Comparison],
    node_of: dict[int, int],
    judged: Judged,
    stars: Stars,
    merits: Sequence[Merit],
) -> Draft:
    keeper = by_merit(rows, merits)[0]
    scores = _scores(rows, keeper, node_of, stars)
    numbers = [
        f"{'rows' if len(part) > 1 else 'row'} {', '.join(str(merits[row].number) for row in sorted(part)[:5])}"
        for part in parts
    ]
    whys = list(dict.fromkeys(found.why for found in disagreeing.values()))
    lines = [f"the same request, answers that disagree: {' against '.join(numbers[:4])}"]
    lines += [f"they disagree: {why}" for why in whys[:4]]
    lines.append(score_line([score for row, score in zip(rows, scores, strict=True) if row != keeper]))
    lines += differing_lines(
        [(merits[row].number, judged.nodes[node_of[row]].text) for row in rows if row != keeper],
        judged.nodes[node_of[keeper]].text,
    )
    lines.append(why_kept(keeper, rows, merits).replace(" is kept: ", " is proposed: "))
    return Draft("conflict", rows, keeper, tuple(lines), scores, voices=_voices(rows, parts))


def _alternatives_draft(
    parts: list[list[int]], node_of: dict[int, int], judged: Judged, stars: Stars, merits: Sequence[Merit]
) -> Draft:
    keeper = parts[0][0]
    ordered = tuple(sorted(row for part in parts for row in part))
    scores = _scores(ordered, keeper, node_of, stars)
    lines = [
        "alternative answers: the same request, answers that differ without disagreeing; look before you settle it"
    ]
    lines.append(score_line([score for row, score in zip(ordered, scores, strict=True) if row != keeper]))
    lines += differing_lines(
        [(merits[row].number, judged.nodes[node_of[row]].text) for row in ordered if row != keeper],
        judged.nodes[node_of[keeper]].text,
    )
    lines.append(why_kept(keeper, ordered, merits))
    return Draft("near", ordered, keeper, tuple(lines), scores, alternatives=True, voices=_voices(ordered, parts))


def _voices(rows: Sequence[int], parts: Sequence[Sequence[int]]) -> tuple[int, ...]:
    """For each of `rows` the number of the part that its answer belongs to."""
    part_of = {row: number for number, part in enumerate(parts) for row in part}
    return tuple(part_of[row] for row in rows)


def _family_draft(family: Family, judged: Judged, rows_of: dict[int, list[int]], merits: Sequence[Merit]) -> Draft:
    row_of = {node: by_merit(rows_of[node], merits)[0] for node in family.nodes}
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
