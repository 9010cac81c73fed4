"""Rows that ask the same, as stars: every member is judged against the keeper itself, never through a chain."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from engine.scan.duplicates.constraints import NO_CONSTRAINTS, Constraints
from engine.scan.duplicates.keeper import KeeperScore, by_keeper_score
from engine.scan.duplicates.pair_judge import Edge, JudgedPairs, is_believed
from engine.scan.requests.guard import SAME

KEEPERS_TRIED = 5


@dataclass(frozen=True, slots=True)
class Group:
    """Rows with one request. `nodes[i]` is the node of `rows[i]`; the keeper's node is `center`."""

    rows: tuple[int, ...]
    nodes: tuple[int, ...]
    center: int


class Stars:
    """Groups the rows of one side (training or held-out) along the edges that were judged the same.

    `agree(row, other)` says whether two answers are the same; a weak edge is only believed where they are.
    """

    def __init__(
        self,
        judged: JudgedPairs,
        keeper_scores: Sequence[KeeperScore],
        agree: Callable[[int, int], bool],
        constraints: Constraints = NO_CONSTRAINTS,
    ) -> None:
        self._judged = judged
        self._relations = constraints
        self._merits = keeper_scores
        self._agree = agree
        self._edges: dict[tuple[int, int], Edge] = {(edge.left, edge.right): edge for edge in judged.same}
        self._neighbours: dict[int, list[int]] = defaultdict(list)
        for edge in judged.same:
            self._neighbours[edge.left].append(edge.right)
            self._neighbours[edge.right].append(edge.left)

    def edge(self, one: int, other: int) -> Edge | None:
        """The edge between two nodes when they ask the same, judged now if it was not before; None when they do not."""
        pair = (one, other) if one < other else (other, one)
        if one == other:
            return Edge(one, other, 100.0, SAME)
        if pair not in self._edges:
            judgement = self._judged.verdict(*pair)
            score = self._judged.score(*pair) if judgement.same else 0.0
            if not is_believed(score, judgement):
                return None
            self._edges[pair] = Edge(*pair, score, judgement)
        return self._edges[pair]

    def linked(self, node: int) -> list[int]:
        """The nodes that were judged to ask what `node` asks."""
        return self._neighbours.get(node, [])

    def groups(self, rows_of: dict[int, list[int]]) -> list[Group]:
        """Disjoint groups of two rows and more. `rows_of[node]` are the rows of this side."""
        groups: list[Group] = []
        taken: set[int] = set()
        degree = {
            node: sum(1 for other in linked if other in rows_of)
            for node, linked in self._neighbours.items()
            if node in rows_of
        }
        # Falling degree: a center that loses neighbours to an earlier star only makes a smaller star.
        for center in sorted(
            (node for node, links in degree.items() if links),
            key=lambda node: (-degree[node], self._best_rank(rows_of[node]), node),
        ):
            if center in taken:
                continue
            star = [center, *(node for node in self.linked(center) if node in rows_of and node not in taken)]
            if len(star) == 1:
                continue
            keeper = self._keeper_node(center, star, rows_of)
            rows, nodes = self._believed(keeper, star, rows_of)
            if len(set(nodes)) > 1:
                groups.append(Group(tuple(rows), tuple(nodes), keeper))
                taken.update(nodes)
        groups += [
            Group(tuple(rows_of[node]), (node,) * len(rows_of[node]), node)
            for node in sorted(node for node, rows in rows_of.items() if len(rows) > 1)
            if node not in taken
        ]
        return [part for group in groups for part in self._separated(group)]

    def passes(self, row: int, node: int, keeper: int, keeper_node: int) -> bool:
        """Whether a row passes the guard against the row that would be kept."""
        edge = self.edge(keeper_node, node)
        return edge is not None and (not edge.judgement.weak or self._agree(row, keeper))

    def kept_of(self, rows: Sequence[int], node_of: dict[int, int], center: int) -> tuple[int, list[int]]:
        """The best of `rows` that all others pass the guard against, and the rows that do: all of them, but where a
        row that a person accepted has no match in some, or where no row of the group's center is among them.
        """
        ranked = by_keeper_score(rows, self._merits)
        by_node = list({node_of[row]: row for row in reversed(ranked)}.values())
        tried = sorted(by_node, key=ranked.index)
        tried = list(dict.fromkeys([*tried[:KEEPERS_TRIED], *(row for row in ranked if node_of[row] == center)]))
        most: tuple[int, list[int]] = (ranked[0], [])
        for keeper in tried[: 2 * KEEPERS_TRIED]:
            passing = [row for row in rows if row == keeper or self.passes(row, node_of[row], keeper, node_of[keeper])]
            if len(passing) == len(rows) or (len(passing) > 1 and self._merits[keeper].preferred > 0):
                return keeper, passing
            if len(passing) > len(most[1]):
                most = keeper, passing
        return most

    def _separated(self, group: Group) -> list[Group]:
        """The group, or where a person told some of its rows apart, smaller ones; each is a star of its own."""
        if not self._relations.concerns(group.rows):
            return [group]
        node_of = dict(zip(group.rows, group.nodes, strict=True))

        def joins(row: int, first: int) -> bool:
            edge = self.edge(node_of[first], node_of[row])
            return edge is not None and (not edge.judgement.weak or self._agree(row, first))

        # The rows of the center first: the other members were judged against it.
        ranked = sorted(by_keeper_score(group.rows, self._merits), key=lambda row: node_of[row] != group.center)
        return [
            Group(tuple(sorted(rows)), tuple(node_of[row] for row in sorted(rows)), node_of[rows[0]])
            for rows in self._relations.separated(ranked, joins)
            if len(rows) > 1
        ]

    def _best_rank(self, rows: Iterable[int]) -> tuple[int, ...]:
        score_of_row = self._merits[by_keeper_score(rows, self._merits)[0]]
        return (-score_of_row.preferred, score_of_row.flags, score_of_row.number)

    def _keeper_node(self, center: int, star: list[int], rows_of: dict[int, list[int]]) -> int:
        """The node of the best row that every other member passes the guard against; the center always is one."""
        first_rows = {by_keeper_score(rows_of[node], self._merits)[0]: node for node in star}
        for row in by_keeper_score(first_rows, self._merits)[:KEEPERS_TRIED]:
            node = first_rows[row]
            if node == center or all(self.edge(node, other) is not None for other in star):
                return node
        return center

    def _believed(self, keeper: int, star: list[int], rows_of: dict[int, list[int]]) -> tuple[list[int], list[int]]:
        """The rows of the star; of a weakly linked node all or none, by whether its answers agree with the keeper's."""
        keeper_row = by_keeper_score(rows_of[keeper], self._merits)[0]
        placed: list[tuple[int, int]] = []
        for node in star:
            edge = self.edge(keeper, node)
            if edge is None:
                continue
            if not edge.judgement.weak or all(self._agree(row, keeper_row) for row in rows_of[node]):
                placed += [(row, node) for row in rows_of[node]]
        placed.sort()
        return [row for row, _ in placed], [node for _, node in placed]
