"""What a person has said about rows that look the same: they are not, they are fine together, they stand apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Constraints:
    """A person's word on pairs of rows; it outweighs every score. Rows are positions in the scanned sequence.

    `_sets[row]` are the "not duplicates" sets that hold the row, `_parts[row]` the parts it was split off into,
    `_fine` the sets whose answers may stand side by side.
    """

    _sets: Mapping[int, frozenset[int]] = field(default_factory=dict)
    _parts: Mapping[int, frozenset[int]] = field(default_factory=dict)
    _fine: tuple[frozenset[int], ...] = ()

    def apart(self, one: int, other: int) -> bool:
        """Whether two rows may share no cluster of duplicates and no conflict."""
        if one == other:
            return False
        return not self._sets.get(one, _NONE).isdisjoint(self._sets.get(other, _NONE)) or (
            self._parts.get(one, _NONE) != self._parts.get(other, _NONE)
        )

    def concerns(self, rows: Iterable[int]) -> bool:
        """Whether any of `rows` was told apart from anything."""
        return bool(self._sets or self._parts) and any(row in self._sets or row in self._parts for row in rows)

    def fine(self, rows: Iterable[int]) -> bool:
        """Whether all `rows` were said to be fine together."""
        if not self._fine:
            return False
        wanted = frozenset(rows)
        return any(wanted <= together for together in self._fine)

    def separated(self, rows: Sequence[int], joins: Callable[[int, int], bool]) -> list[list[int]]:
        """`rows` in groups without two that are apart, each row in the first group that takes it.

        `joins(row, first)` says whether a row belongs to a group by the group's first row; rows should come best first.
        """
        groups: list[tuple[list[int], frozenset[int], set[int]]] = []
        for row in rows:
            sets, part = self._sets.get(row, _NONE), self._parts.get(row, _NONE)
            for members, members_part, taken in groups:
                if part == members_part and taken.isdisjoint(sets) and joins(row, members[0]):
                    members.append(row)
                    taken |= sets
                    break
            else:
                groups.append(([row], part, set(sets)))
        return [members for members, _, _ in groups]


_NONE: frozenset[int] = frozenset()
NO_CONSTRAINTS = Constraints()


def constraints_of(
    position_of: Mapping[int, int],
    not_duplicates: Sequence[frozenset[int]],
    fine_together: Sequence[frozenset[int]],
    split: Sequence[frozenset[int]],
) -> Constraints:
    """The constraints among positions, from sets of row numbers; numbers that were not scanned are left out.

    A `split` set was taken out of its cluster: its rows stay with each other and share no cluster with any other row.
    """
    if not (not_duplicates or fine_together or split):
        return NO_CONSTRAINTS

    def placed(numbers: frozenset[int]) -> frozenset[int]:
        return frozenset(position_of[number] for number in numbers if number in position_of)

    return Constraints(
        _members(map(placed, not_duplicates)), _members(map(placed, split)), tuple(map(placed, fine_together))
    )


def _members(sets: Iterable[frozenset[int]]) -> dict[int, frozenset[int]]:
    """The numbers of the sets that hold each row."""
    found: defaultdict[int, set[int]] = defaultdict(set)
    for number, rows in enumerate(sets):
        for row in rows:
            found[row].add(number)
    return {row: frozenset(numbers) for row, numbers in found.items()}
