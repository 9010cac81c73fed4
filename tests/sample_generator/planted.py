"""A row with the truth about it, and the desk that numbers and dates rows as they come in."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from lexicon import INSTRUCTION, NEW_NAME, OLD_NAME, PRODUCTS
from tickets import Label, Ticket, TicketPool

NAMES = frozenset(product.name for product in PRODUCTS) | {OLD_NAME}
RENAMED = next(product for product in PRODUCTS if product.name == NEW_NAME)
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Planted:
    """One row of the file and the truth about it.

    `kind` is "clean" or the fault; `group` the cluster or conflict it belongs to; `keep` whether a careful person
    leaves it in the set, as it is or as `fixed`; `label` the right answer where there is one; `how` a copy differs
    from the row it was made from.
    """

    row: Row
    kind: str
    keep: bool
    label: Label | None
    group: str | None = None
    fixed: Row | None = None
    how: str | None = None


class Desk:
    """Hands out tickets with their file fields: year and ticket number."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.pool = TicketPool(seed + 1)
        self._numbers = iter(self.rng.sample(range(100_000, 999_999), 2_000))

    def year(self, low: int = 2018, high: int = 2024) -> int:
        return self.rng.randint(low, high)

    def row(self, text: str, output: str, year: int, instruction: str = INSTRUCTION) -> Row:
        """A row of the file with a ticket number of its own."""
        return {
            "instruction": instruction,
            "input": text,
            "output": output,
            "year": year,
            "ticket": next(self._numbers),
        }

    def fresh(self, ticket: Ticket, year: int | None = None) -> Row:
        """A clean row; its year is drawn where none is given."""
        return self.row(ticket.text, ticket.label.json(), self.year_of(ticket) if year is None else year)

    def year_of(self, ticket: Ticket) -> int:
        """A year in which the product had the name that the ticket uses."""
        return self.year(2020 if ticket.label.product == NEW_NAME else 2018)
