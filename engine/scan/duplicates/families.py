"""Rows that look alike and ask for different things: shown as families, never merged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from engine.scan.duplicates.pair_judge import Edge

SHOWN_ROWS = 50
LEAST_FAMILIES, FAMILIES_PER_ROW = 25, 0.005


@dataclass(frozen=True, slots=True)
class Family:
    """Nodes alike to `center`, which is the first; `total` counts those left out of a crowded family too."""

    nodes: tuple[int, ...]
    edges: tuple[Edge, ...]
    total: int


def families(edges: list[Edge], active: Collection[int], rows: int) -> list[Family]:
    """Stars of very similar nodes, the closest first, and no more of them than one can look through.

    `active` are the nodes of this side; `rows` is the size of the set.
    """
    links: dict[int, list[Edge]] = defaultdict(list)
    for edge in edges:
        if edge.left in active and edge.right in active:
            links[edge.left].append(edge)
            links[edge.right].append(edge)
    taken: set[int] = set()
    found: list[Family] = []
    for center in sorted(links, key=lambda node: (-len(links[node]), node)):
        if center in taken:
            continue
        near = sorted(
            (edge for edge in links[center] if _other(edge, center) not in taken),
            key=lambda edge: (-edge.score, edge.left, edge.right),
        )
        if not near:
            continue
        shown = near[: SHOWN_ROWS - 1]
        # All of them are spoken for: the rest of a template must not come back as a second family.
        taken |= {center, *(_other(edge, center) for edge in near)}
        found.append(Family((center, *(_other(edge, center) for edge in shown)), tuple(shown), len(near) + 1))
    most = max(LEAST_FAMILIES, int(rows * FAMILIES_PER_ROW))
    return sorted(found, key=lambda family: (-max(edge.score for edge in family.edges), family.nodes))[:most]


def _other(edge: Edge, node: int) -> int:
    return edge.right if edge.left == node else edge.left
