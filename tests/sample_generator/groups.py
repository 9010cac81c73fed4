"""Planting what belongs together: exact copies, near copies, and one request with answers that disagree."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace

from perturb import can_reorder, recased, reordered, with_filler, with_typos
from planted import NAMES, Desk, Planted
from tickets import Label, Ticket, plain_words

Change = Callable[[str, random.Random], str]
CHANGES: dict[str, Change] = {
    "typo": lambda text, rng: with_typos(text, 1, rng, NAMES),
    "order": reordered,
    "filler": with_filler,
    "two typos, case": lambda text, rng: recased(with_typos(text, 2, rng, NAMES), rng),
    "filler, case": lambda text, rng: recased(with_filler(text, rng), rng),
    "filler, typo": lambda text, rng: with_typos(with_filler(text, rng), 1, rng, NAMES),
}


def exact_groups(desk: Desk, sizes: tuple[int, ...]) -> Iterator[Planted]:
    """Copies: in every second group byte for byte, else in other case and punctuation under older ticket numbers."""
    for index, size in enumerate(sizes, start=1):
        ticket, group = desk.pool.draw(), f"e{index:02}"
        row = desk.fresh(ticket, 2023)
        yield Planted(row, "clean", True, ticket.label, group)
        for _ in range(size - 1):
            if index % 2:
                copy, how = dict(row), "copy"
            else:
                text = recased(ticket.text, desk.rng)
                copy, how = desk.row(text, ticket.label.json(), desk.year(2020, 2022)), "case"
            yield Planted(copy, "exact duplicate", False, ticket.label, group, how=how)


def near_groups(desk: Desk, sizes: tuple[int, ...]) -> Iterator[Planted]:
    """The same request in slightly other words; the newest, without a slip, is the one to keep."""
    for index, size in enumerate(sizes, start=1):
        ticket, group = _ticket_to_vary(desk), f"n{index:02}"
        yield Planted(desk.fresh(ticket, 2024), "clean", True, ticket.label, group)
        known = {plain_words(ticket.text)}
        changes = list(CHANGES.items())
        desk.rng.shuffle(changes)
        for how, change in changes[: size - 1]:
            text = _new_text(ticket.text, change, desk.rng, known)
            row = desk.row(text, ticket.label.json(), desk.year(2020, 2023))
            yield Planted(row, "near duplicate", False, ticket.label, group, how=how)


def _ticket_to_vary(desk: Desk) -> Ticket:
    while True:
        ticket = desk.pool.draw()
        if can_reorder(ticket.text) and len(ticket.text) > 110 and len(_long_words(ticket.text)) >= 3:
            return ticket


def _long_words(text: str) -> list[str]:
    """About the words that a typo may hit."""
    names = {name.casefold() for name in NAMES}
    return [word for word in plain_words(text).split() if len(word) >= 7 and word not in names]


def _new_text(text: str, change: Change, rng: random.Random, known: set[str]) -> str:
    while True:
        changed = change(text, rng)
        if plain_words(changed) not in known:
            known.add(plain_words(changed))
            return changed


def conflict_groups(desk: Desk, sizes: tuple[int, ...]) -> Iterator[Planted]:
    """The same request with answers that disagree; every answer of a group is a different one."""
    for index, size in enumerate(sizes, start=1):
        ticket, group = desk.pool.draw(), f"k{index:02}"
        yield Planted(desk.fresh(ticket, desk.year(2020)), "clean", True, ticket.label, group)
        for wrong in _wrong_labels(ticket.label, index)[: size - 1]:
            text = ticket.text if desk.rng.random() < 0.5 else recased(ticket.text, desk.rng)
            yield Planted(desk.row(text, wrong.json(), desk.year(2020)), "contradiction", False, ticket.label, group)


def _wrong_labels(right: Label, index: int) -> list[Label]:
    """Three wrong answers, all different: the confusions that hurried labellers make, in turn."""
    intent = {
        "refund": "billing",
        "billing": "refund",
        "cancel": "refund",
        "defect": "howto",
        "howto": "defect",
        "delivery": "cancel",
    }[right.intent]
    urgency = {"high": "normal", "normal": "high", "low": "high"}[right.urgency]
    wrong = [
        replace(right, urgency=urgency),
        replace(right, intent=intent),
        replace(right, intent=intent, urgency=urgency),
    ]
    return wrong[index % 3 :] + wrong[: index % 3]
