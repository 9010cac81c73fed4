"""Names for clusters that a rescan gives again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.model import CLUSTER_KINDS, Cluster, ClusterKind, Example

if TYPE_CHECKING:
    from engine.scan.duplicates.drafts import Draft

LETTERS: dict[ClusterKind, str] = {"exact": "c", "near": "c", "prefix": "c", "variant": "v", "conflict": "x"}
SHORTEST = 8


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
