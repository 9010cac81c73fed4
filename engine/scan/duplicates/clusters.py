"""The clusters of a scan, for the training rows and for the held-out rows apart; what each holds is a draft until it
has an id that a rescan gives again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence

from engine.model import CLUSTER_KINDS, Cluster, ClusterKind, Example
from engine.scan.answers.relation import Comparison
from engine.scan.duplicates.answer_groups import Answers
from engine.scan.duplicates.cluster_draft import (
    Draft,
    alternatives_draft,
    conflict_draft,
    duplicate_draft,
    family_draft,
    prefix_draft,
)
from engine.scan.duplicates.constraints import NO_CONSTRAINTS, Constraints
from engine.scan.duplicates.families import families
from engine.scan.duplicates.keeper import KeeperScore, by_keeper_score
from engine.scan.duplicates.pair_judge import FAMILY_SCORE, Edge, JudgedPairs
from engine.scan.duplicates.prefix import prefix_groups
from engine.scan.duplicates.stars import Group, Stars
from engine.scan.parallel import second_process
from engine.scan.requests.requests import Request

LETTERS: dict[ClusterKind, str] = {"exact": "c", "near": "c", "prefix": "c", "variant": "v", "conflict": "x"}
SHORTEST = 8
MOST_PARTS = 12
"""Different answers to one request that are compared with each other; more are only compared with the first."""
FEWEST_GROUPS = 300
"""Fewer groups are told before a second process is of help."""
MOST_LIKENED = 300
"""Different answers that are looked at for being nearly the same; more count as answers of their own."""


def find_clusters(
    examples: Sequence[Example],
    requests: Sequence[Request],
    judged: JudgedPairs,
    node_of: Sequence[int],
    keeper_scores: Sequence[KeeperScore],
    sides: Sequence[Sequence[int]],
    tick: Callable[[int], None],
    constraints: Constraints = NO_CONSTRAINTS,
) -> tuple[tuple[Cluster, ...], Answers, Stars]:
    """All clusters, ordered by kind and first row. `sides` are disjoint row positions that no cluster may mix.

    `constraints` are a person's word and outweigh the guard. Also returns the compared answers and the judged edges,
    which leaks are read from.
    """
    answers = Answers(requests, judged.nodes, node_of, judged)
    stars = Stars(judged, keeper_scores, answers.equal, constraints)
    drafts: list[Draft] = []
    for side in sides:
        drafts += _side_clusters(examples, judged, node_of, keeper_scores, side, answers, stars, constraints, tick)
    return with_ids(drafts, examples), answers, stars


def _side_clusters(
    examples: Sequence[Example],
    judged: JudgedPairs,
    node_of: Sequence[int],
    keeper_scores: Sequence[KeeperScore],
    side: Sequence[int],
    answers: Answers,
    stars: Stars,
    constraints: Constraints,
    tick: Callable[[int], None],
) -> list[Draft]:
    drafts: list[Draft] = []
    spoken_for: set[int] = set()
    for members in _allowed_prefixes(examples, side, constraints):
        drafts.append(prefix_draft(members, examples, keeper_scores))
        spoken_for.update(members)

    rows_of: dict[int, list[int]] = {}
    for row in side:
        if answers.requests[row].is_empty:
            continue
        rows_of.setdefault(node_of[row], []).append(row)
    groups = stars.groups(rows_of)
    together = {node: number for number, group in enumerate(groups) for node in group.nodes}

    def told(group: Group) -> list[Draft]:
        return _group_drafts(group, judged, answers, stars, keeper_scores, spoken_for, constraints)

    drafts += _all_told(groups, told, judged.both, tick)

    # Likely slips whose answers differ were not believed: names in a template are one letter apart, too.
    unbelieved = [edge for edge in judged.same if edge.judgement.weak and _may_be_siblings(edge, judged)]
    siblings = [
        edge
        for edge in (*judged.siblings, *unbelieved)
        if edge.left not in together or together[edge.left] != together.get(edge.right)
    ]
    drafts += [
        family_draft(family, judged, rows_of, keeper_scores) for family in families(siblings, rows_of.keys(), len(side))
    ]
    return drafts


def _all_told(
    groups: Sequence[Group], told: Callable[[Group], list[Draft]], both: bool, tick: Callable[[int], None]
) -> list[Draft]:
    """The drafts of all groups; where there are many, a second process tells every second one."""
    forked = both and len(groups) >= FEWEST_GROUPS

    def other_half(wanted: Callable[[], None]) -> bytes:
        return json.dumps([draft.to_json() for group in groups[1::2] for draft in told(group)]).encode("ascii")

    with second_process(other_half, forked) as theirs:
        drafts: list[Draft] = []
        for number, group in enumerate(groups[::2] if forked else groups):
            if number % 100 == 0:
                tick(number)
            drafts += told(group)
        if forked:
            drafts += [Draft.from_json(sent) for sent in json.loads(theirs())]
    return drafts


def _may_be_siblings(edge: Edge, judged: JudgedPairs) -> bool:
    return (
        edge.score >= FAMILY_SCORE
        and edge.judgement.words != ()
        and not (judged.nodes[edge.left].leans or judged.nodes[edge.right].leans)
    )


def _allowed_prefixes(
    examples: Sequence[Example], side: Sequence[int], constraints: Constraints
) -> Iterator[list[int]]:
    """Prefix groups, longest row first, without rows that a person told apart from it or from each other."""
    waiting = [list(side)]
    while waiting:
        for members in prefix_groups(examples, waiting.pop()):
            if not constraints.concerns(members):
                yield members
                continue
            taken, *others = constraints.separated(members, lambda row, first: True)
            if len(taken) > 1:
                yield taken
            rest = [row for group in others for row in group]
            if len(rest) > 1:
                waiting.append(rest)


def _group_drafts(
    group: Group,
    judged: JudgedPairs,
    answers: Answers,
    stars: Stars,
    keeper_scores: Sequence[KeeperScore],
    spoken_for: set[int],
    constraints: Constraints,
) -> list[Draft]:
    """The clusters of rows that ask the same: equal answers together, contradictions together, other answers as
    alternatives.
    """
    node_of = dict(zip(group.rows, group.nodes, strict=True))
    parts = _parts(group, answers, keeper_scores)
    nodes = set(group.nodes)
    # What is judged the same asks something.
    generic = len(nodes) == 1 and judged.is_generic(group.center)
    context_free = not generic and not any(judged.nodes[node].leans for node in nodes)
    # Where the request points at a text that it does not hold, only answers in the same words show that it is one text.
    disagreeing: dict[int, Comparison] = {}
    if not generic:
        for number, part in enumerate(parts):
            for other_number in range(number) if number < MOST_PARTS else (0,):
                found = answers.compare(part[0], parts[other_number][0])
                if (
                    found.relation == "conflict"
                    and (context_free or found.firm)
                    and not constraints.fine([*part, *parts[other_number]])
                ):
                    disagreeing.setdefault(other_number, found)
                    disagreeing.setdefault(number, found)
    drafts: list[Draft] = []
    for part in parts:
        # A row that does not pass against this keeper may against another.
        rest = part
        while len(rest) > 1 and not spoken_for.issuperset(rest):
            keeper, rows = stars.kept_of(rest, node_of, group.center)
            if len(rows) > 1:
                drafts.append(duplicate_draft(keeper, rows, node_of, judged, answers, stars, keeper_scores))
            rest = [row for row in rest if row not in rows]
    if disagreeing:
        loud = [parts[number] for number in sorted(disagreeing)]
        keeper, rows = stars.kept_of([row for part in loud for row in part], node_of, group.center)
        loud = [kept for part in loud if (kept := [row for row in part if row in rows])]
        if len(loud) > 1:
            drafts.append(conflict_draft(keeper, loud, disagreeing, node_of, judged, stars, keeper_scores))
    elif context_free and len(parts) > 1 and not constraints.fine(group.rows):
        keeper, rows = stars.kept_of([row for part in parts for row in part], node_of, group.center)
        kinds = [kept for part in parts if (kept := [row for row in part if row in rows])]
        if len(kinds) > 1:
            drafts.append(alternatives_draft(keeper, kinds, node_of, judged, stars, keeper_scores))
    return drafts


def _parts(group: Group, answers: Answers, keeper_scores: Sequence[KeeperScore]) -> list[list[int]]:
    """The rows by answer, the best row of each part first, the best part first."""
    by_form: dict[object, list[int]] = {}
    for row in by_keeper_score(group.rows, keeper_scores):
        by_form.setdefault(answers.form(row), []).append(row)
    parts: list[list[int]] = []
    for number, rows in enumerate(by_form.values()):
        others = parts[:MOST_PARTS] if number < MOST_LIKENED else []
        home = next((part for part in others if answers.agree(part[0], rows[0])), None)
        if home is None:
            parts.append(rows)
        else:
            home += rows
    return parts


# -- ids that a rescan gives again


def with_ids(drafts: Sequence[Draft], examples: Sequence[Example]) -> tuple[Cluster, ...]:
    """Clusters ordered by kind and first row. An id is a letter and the first 8 hex digits of the smallest member's id.

    Where two smallest members share these digits both take more of them; where two clusters of one letter share the
    smallest member itself (duplicates inside a set of alternative answers), the looser one is named after its next
    member.
    """
    ordered = sorted(drafts, key=lambda draft: (CLUSTER_KINDS.index(draft.kind), draft.alternatives, draft.rows))
    bases: list[str] = []
    used: set[tuple[str, str]] = set()
    for draft in ordered:
        letter = LETTERS[draft.kind]
        members = sorted(examples[row].id for row in draft.rows)
        base = next((member for member in members if (letter, member) not in used), "+".join(members[:2]))
        used.add((letter, base))
        bases.append(base)
    names = _shortest_unique([(LETTERS[draft.kind], base) for draft, base in zip(ordered, bases, strict=True)])
    return tuple(
        Cluster(
            name,
            draft.kind,
            tuple(sorted(examples[row].number for row in draft.rows)),
            examples[draft.keeper].number,
            draft.evidence,
            draft.scores,
            draft.alternatives,
            draft.voices,
        )
        for name, draft in zip(names, ordered, strict=True)
    )


def _shortest_unique(named: list[tuple[str, str]]) -> list[str]:
    length = dict.fromkeys(named, SHORTEST)
    pending = list(named)
    while True:
        seen: dict[str, list[tuple[str, str]]] = {}
        for letter, base in pending:
            seen.setdefault(letter + base[: length[letter, base]], []).append((letter, base))
        clashing = [key for keys in seen.values() if len(keys) > 1 for key in keys if length[key] < len(key[1])]
        if not clashing:
            return [letter + base[: length[letter, base]] for letter, base in named]
        for key in clashing:
            length[key] += 1
