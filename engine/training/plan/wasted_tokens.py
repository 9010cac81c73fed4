"""What junk costs: the minutes and the money that a pass over the rows spends on rows that teach nothing new or true.

The share of an epoch that a group of rows takes is its share of the tokens: a step's time grows with the tokens in it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from engine.training.plan.estimates import Estimate

TOGETHER = "together"


@dataclass(frozen=True, slots=True)
class WastedTokens:
    """A group of rows: how many, their tokens, their share of all tokens, minutes and price of an epoch spent on it."""

    name: str
    rows: int
    tokens: int
    share: float
    minutes: Estimate
    cost: Estimate

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "rows": self.rows,
            "tokens": self.tokens,
            "share": self.share,
            "minutes": self.minutes.to_json(),
            "cost": self.cost.to_json(),
        }


def wasted_tokens_of(
    groups: Mapping[str, Collection[str]], tokens: Mapping[str, int], epoch_seconds: Estimate, price: float
) -> tuple[WastedTokens, ...]:
    """One line a group, and one for all of them together, a row in several groups counting once.

    `groups` are row ids by name, `tokens` those of every row of an epoch, `price` is per hour (0: not named). Groups
    without rows are left out.
    """
    everything = sum(tokens.values())
    found = {name: set(ids) & tokens.keys() for name, ids in groups.items()}
    found = {name: ids for name, ids in found.items() if ids}
    if len(found) > 1:
        found[TOGETHER] = set().union(*found.values())
    return tuple(
        of_group(name, len(ids), sum(tokens[row] for row in ids), everything, epoch_seconds, price)
        for name, ids in found.items()
    )


def of_group(name: str, rows: int, tokens: int, of: int, epoch_seconds: Estimate, price: float) -> WastedTokens:
    """The cost of one group."""
    part = tokens / of if of else 0.0
    words = f"{tokens:,} of {of:,} tokens of an epoch"
    if epoch_seconds.value is None:
        minutes = Estimate(None, epoch_seconds.reason)
    else:
        seconds = epoch_seconds.value * part
        told = f"{part:.1%} of {epoch_seconds.value:.0f} s ({words}; {epoch_seconds.reason})"
        minutes = Estimate(round(seconds / 60, 3), told)
    if not price:
        cost = Estimate(None, "no price is set: price_per_hour")
    elif minutes.value is None:
        cost = Estimate(None, minutes.reason)
    else:
        cost = Estimate(round(minutes.value / 60 * price, 4), f"{minutes.value:g} min at {price:g} an hour")
    return WastedTokens(name, rows, tokens, round(part, 4), minutes, cost)


def epoch_of(run_seconds: Estimate, epochs: float | None) -> Estimate:
    """The seconds of one pass: the steps of a whole run by its passes."""
    if run_seconds.value is None or not epochs:
        return Estimate(None, run_seconds.reason)
    steps = run_seconds.parts.get("steps", run_seconds.value)
    return Estimate(round(steps / epochs, 2), f"{run_seconds.reason}, {epochs:g} epochs")
