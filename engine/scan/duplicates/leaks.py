"""Training rows that the held-out set would be measured on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from engine.model import ClusterKind, Example, Leak
from engine.scan.duplicates.answer_groups import Answers
from engine.scan.duplicates.constraints import NO_CONSTRAINTS, Constraints
from engine.scan.duplicates.pair_judge import JudgedPairs
from engine.scan.duplicates.prefix import prefix_groups
from engine.scan.duplicates.stars import Stars

LOOKED_AT = 20
KINDS: dict[str, ClusterKind] = {"same": "exact", "nearly": "near", "alternative": "near", "conflict": "conflict"}


def find_leaks(
    examples: Sequence[Example],
    judged: JudgedPairs,
    node_of: Sequence[int],
    answers: Answers,
    stars: Stars,
    training: Sequence[int],
    heldout: Sequence[int],
    constraints: Constraints = NO_CONSTRAINTS,
) -> tuple[Leak, ...]:
    """One leak for each training row whose request a held-out row makes too, whatever its answer, or begins or
    continues. Rows that a person told apart do not leak into each other.
    """
    if not heldout:
        return ()
    heldout_rows: dict[int, list[int]] = defaultdict(list)
    for row in heldout:
        heldout_rows[node_of[row]].append(row)
    found: dict[int, tuple[int, ClusterKind]] = {}
    for row in training:
        if answers.requests[row].is_empty:
            continue
        twin = _twin(row, judged, node_of, answers, stars, heldout_rows, constraints)
        if twin is not None:
            found[row] = (twin, KINDS[answers.compare(row, twin).relation])
    for row, twin in _beginnings(examples, training, heldout):
        if not constraints.apart(row, twin):
            found.setdefault(row, (twin, "prefix"))
    return tuple(Leak(examples[row].number, examples[twin].number, kind) for row, (twin, kind) in sorted(found.items()))


def _twin(
    row: int,
    judged: JudgedPairs,
    node_of: Sequence[int],
    answers: Answers,
    stars: Stars,
    heldout_rows: dict[int, list[int]],
    constraints: Constraints,
) -> int | None:
    node = node_of[row]
    unspecific = judged.is_generic(node) or judged.nodes[node].leans
    # Rows of a node with held-out copies come first; then what was judged the same; then what that was judged the same
    # as.
    for other in heldout_rows.get(node, ())[:LOOKED_AT]:
        if not constraints.apart(row, other) and (not unspecific or answers.agree(row, other)):
            return other
    near = stars.linked(node)
    further = (second for first in near[:LOOKED_AT] for second in stars.linked(first)[:LOOKED_AT] if second != node)
    for candidate in dict.fromkeys((*near, *further)):
        if candidate not in heldout_rows:
            continue
        edge = stars.edge(node, candidate)
        if edge is None:
            continue
        for other in heldout_rows[candidate][:LOOKED_AT]:
            if not constraints.apart(row, other) and (not edge.judgement.weak or answers.agree(row, other)):
                return other
    return None


def _beginnings(
    examples: Sequence[Example], training: Sequence[int], heldout: Sequence[int]
) -> Iterable[tuple[int, int]]:
    reserved = set(heldout)
    for members in prefix_groups(examples, [*training, *heldout]):
        inside = [row for row in members if row in reserved]
        if inside and len(inside) < len(members):
            for row in members:
                if row not in reserved:
                    yield row, inside[0]
