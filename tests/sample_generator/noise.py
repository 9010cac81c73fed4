"""Planting single faults: each function makes the rows of one kind, with what is right about them beside it."""

from __future__ import annotations

from collections.abc import Iterator

from lexicon import INSTRUCTION, INTENTS, NEW_NAME, OLD_NAME, PRODUCTS, URGENCIES
from perturb import slip, with_typos
from planted import NAMES, RENAMED, Desk, Planted
from strays import LOST_TICKETS, OFF_TOPIC, PLACEHOLDERS, REFUSALS, wrong_format
from tickets import Label


def clean(desk: Desk, count: int) -> Iterator[Planted]:
    """Good rows without a twin."""
    for _ in range(count):
        ticket = desk.pool.draw()
        yield Planted(desk.fresh(ticket), "clean", True, ticket.label)


def wrong_formats(desk: Desk, count: int, edited: int) -> Iterator[Planted]:
    """Right in content, wrong in form; the first `edited` are worth the work of rewriting."""
    for index in range(count):
        ticket = desk.pool.draw()
        row = desk.row(ticket.text, wrong_format(ticket.label, index), desk.year(2020))
        fixed = row | {"output": ticket.label.json()} if index < edited else None
        yield Planted(row, "wrong format", fixed is not None, ticket.label, fixed=fixed)


def typos(desk: Desk, count: int) -> Iterator[Planted]:
    """Slips in the answer, where they teach a wrong spelling, and in the ticket."""
    for _ in range(count):
        ticket = desk.pool.draw()
        label = ticket.label
        broken = label.json()
        fields = ["intent", "product", "urgency", label.intent, label.product]
        for word in desk.rng.sample(fields, 2):
            broken = broken.replace(word, slip(word, desk.rng), 1)
        row = desk.row(with_typos(ticket.text, desk.rng.choice((0, 1, 2)), desk.rng, NAMES), broken, desk.year(2020))
        fixed = row | {"input": ticket.text, "output": label.json()}
        yield Planted(row, "typos", True, label, fixed=fixed)


def truncated(desk: Desk, count: int) -> Iterator[Planted]:
    """Answers that stop in the middle."""
    for _ in range(count):
        ticket = desk.pool.draw()
        whole = ticket.label.json()
        row = desk.row(ticket.text, whole[: desk.rng.randint(9, len(whole) - 12)].rstrip(), desk.year_of(ticket))
        yield Planted(row, "truncated", False, ticket.label)


def refusals(desk: Desk) -> Iterator[Planted]:
    """A good ticket, and a model that would not answer it."""
    for sentence in REFUSALS:
        ticket = desk.pool.draw()
        yield Planted(desk.row(ticket.text, sentence, desk.year(2022)), "refusal", False, ticket.label)


def placeholders(desk: Desk) -> Iterator[Planted]:
    """Inputs that hold a filler word: the ticket stands in the instruction, or is lost altogether."""
    for word in PLACEHOLDERS:
        ticket = desk.pool.draw()
        row = desk.row(word, ticket.label.json(), desk.year(2020), f"{INSTRUCTION} {ticket.text}")
        fixed = row | {"instruction": INSTRUCTION, "input": ticket.text}
        yield Planted(row, "placeholder input", True, ticket.label, fixed=fixed)
    for instruction, word in LOST_TICKETS:
        guess = Label(desk.rng.choice(INTENTS), desk.rng.choice(PRODUCTS).name, desk.rng.choice(URGENCIES))
        yield Planted(desk.row(word, guess.json(), desk.year(2020), instruction), "placeholder input", False, None)


def off_topic(desk: Desk) -> Iterator[Planted]:
    """Rows of somebody else's set."""
    for instruction, text, output in OFF_TOPIC:
        yield Planted(desk.row(text, output, desk.year(2022), instruction), "off-topic", False, None)


def stale(desk: Desk, count: int, edited: int) -> Iterator[Planted]:
    """Tickets of 2018 and 2019 that call the renamed product by its old name, in the answer too.

    Those of 2019 (the first `edited`) only need the new name; those of 2018 are rejected as out of date.
    """
    for index in range(count):
        ticket = desk.pool.draw(product=RENAMED)
        year = 2019 if index < edited else 2018
        old = ticket.label.json().replace(NEW_NAME, OLD_NAME)
        row = desk.row(ticket.text.replace(NEW_NAME, OLD_NAME), old, year)
        fixed = row | {"input": ticket.text, "output": ticket.label.json()} if index < edited else None
        yield Planted(row, "stale", fixed is not None, ticket.label, fixed=fixed)
