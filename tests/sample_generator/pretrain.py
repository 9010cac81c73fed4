"""Text of the same field for the built-in model: help pages, notes, catalogue lines, index cards. No ticket is in it.

It lends the model the words and the form of the answers, not the task. No whole answer is in it: records hold two of
its fields, drawn at random; an index card repeats product, part, name or town of the note above it and knows nothing of
intent or urgency. What shares a run of eight words with any ticket is left out.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterable

from lexicon import (
    COMPANY,
    DAYS,
    INSTRUCTION,
    INTENTS,
    MONTHS,
    NAMES,
    OPENINGS,
    PEOPLE,
    PRODUCTS,
    SHOPS,
    TOWNS,
    URGENCIES,
    Product,
)
from phrasing import FRAMES, HASTE, OWNER_REMARKS, REMARKS
from tickets import capitalised, plain_words

SIZE = 400_000
WINDOW = 8

HELP = (
    "To {task}, open the settings of the device and choose the matching entry.",
    "Many people ask whether they can {task}; they can, and it takes a minute.",
    "The {kind} called {p} is made for the {room} and comes with a {part} and a short manual.",
    "When {symptom}, first switch the device off, wait a moment and switch it on.",
    "Check the {part} of the {kind} before you write to us.",
    "If {symptom}, a worn {part} is the usual cause.",
    "A new {part} for the {p} costs little and is easy to fit.",
    "The app shows the state of the {part} on its first page.",
    "We test each {kind} for two days before it leaves our hall in {town}.",
    "The {p} should not stand close to a window or a heater.",
    "In {month} we sold more {kind}s than in any month before.",
    "Hold the button of the {p} until the light turns green.",
    "Press the {part} gently until you hear a click.",
    "The manual of the {p} explains on page two how to {task}.",
)
POLICY = (
    "{company} returns the price within two weeks once a parcel is back in {town}.",
    "Money goes back to the card that was used in the shop.",
    "A voucher is taken off before shipping is added.",
    "An invoice can be sent again, and the address on a bill can be corrected until {month}.",
    "The tax number belongs on the first page of an invoice.",
    "Parcels travel with a courier and reach most towns by {day}.",
    "The tracking page is updated every evening when the depot closes.",
    "An order can be stopped until it leaves the warehouse on {day}.",
    "A service plan or a subscription ends with the month in which it is cancelled.",
    "A preorder is not charged before it is shipped.",
    "An open box is no reason to refuse a return.",
    "Whoever bought at {shop} brings the receipt there.",
    "The depot in {town} is closed on {day}.",
    "When a payment was charged by mistake, the bank and we correct it together.",
    "Broken devices are repaired, and what cannot be repaired is replaced.",
)
NOTES = (
    "{name} called on {day} about a {kind} and was in no hurry.",
    "{name} from {town} called, needs an answer by tonight, promised to call back at once.",
    "Spoke with {name} and {who} on {day}; both were kind and had read the help pages.",
    "The chat was busy on {day}, {name} wrote a message instead.",
    "{name} found the right button and thanked us.",
    "{name} will send photos of the {part} in {month}.",
    "Wrote to {name}: the case can wait until {month}, nothing pressing.",
    "{name} says that guests are coming and the {room} must be ready tomorrow, very urgent.",
    "{name} has been with us for years and uses the {p} every day.",
    "The {kind} of {name} stands in the {room}; it was a present.",
    "{name} moved to {town} and asked for the parcel to follow.",
    "Called {name} at work, nobody answered, will try again on {day}.",
    "{name} was curious how we {odd} and took the time to ask.",
    "Sent {name} the bill, the receipt and the date of the courier.",
    "{name} gave the {kind} back to {who} and wants the price returned.",
    "The deadline of {name} is {day} morning, treat as urgent and answer immediately.",
)
CATALOGUE = (
    "{p}: {kind} for the {room}, {part} included, in dark or light finish, {price} euros.",
    "{p}, the {kind} by {company}. Spare parts: {part}, {part2}.",
    "New in {month}: a {part} for the {p}, {price} euros at {shop}.",
    "{p} and {p2} together for {price} euros, a {kind} and a {kind2}.",
    "The {p} replaces no other {kind}; its {part} fits this year's model only.",
)
CARDS = (
    "{name} from {town} called about the {product} on {day}.",
    "The {product} of {name} was sold in {month} and went to {town}.",
    "On {day} a {product} left for {town}, {name} will sign for it.",
    "A spare {part} for the {product} goes to {name} in {town}.",
    "The {product} came up, and the {part} too.",
    "We spoke about the {product} and its {part}, {name} lives in {town}.",
)
SLOT = re.compile(r"\{(\w+)\}")
ODD = (
    "test the boxes",
    "choose the names",
    "paint the handles",
    "pack the parcels",
    "print the manuals",
    "tune the fans",
)


def make_pretrain(tickets: Iterable[str], seed: int) -> str:
    """About `SIZE` characters of paragraphs, one blank line between them."""
    rng = random.Random(seed)
    letters = Letters(tickets)
    phrases = _phrases(rng)
    makers: tuple[Callable[[], str], ...] = (
        *[lambda: _prose(rng, HELP, letters)] * 2,
        *[lambda: _prose(rng, NOTES, letters)] * 2,
        lambda: _prose(rng, POLICY, letters),
        lambda: _prose(rng, CATALOGUE, letters),
        lambda: _record(rng),
        *[lambda: _phrase_list(rng, phrases)] * 4,
        *[lambda: _card(rng, phrases)] * 8,
    )
    paragraphs: list[str] = []
    size = 0
    while size < SIZE:
        paragraph = rng.choice(makers)()
        if letters.holds(paragraph):
            continue
        paragraphs.append(paragraph)
        size += len(paragraph.encode("utf-8")) + 2
    return "\n\n".join(paragraphs) + "\n"


class Letters:
    """All tickets, to ask whether a piece of text repeats one of them or a run of `WINDOW` words of one."""

    def __init__(self, tickets: Iterable[str]) -> None:
        self._runs = {run for text in tickets for run in windows(text)}
        self._lengths = sorted({len(run) for run in self._runs})

    def holds(self, text: str) -> bool:
        words = plain_words(text).split()
        return any(
            tuple(words[at : at + length]) in self._runs
            for length in self._lengths
            for at in range(len(words) - length + 1)
        )


def windows(text: str) -> set[tuple[str, ...]]:
    """Every run of `WINDOW` words; a shorter text is one run."""
    words = plain_words(text).split()
    return {tuple(words[at : at + WINDOW]) for at in range(max(1, len(words) - WINDOW + 1))}


def _prose(rng: random.Random, frames: tuple[str, ...], letters: Letters) -> str:
    product, other = rng.sample(PRODUCTS, 2)
    sentences: list[str] = []
    wanted = rng.randint(2, 5)
    while len(sentences) < wanted:
        sentence = _sentence(rng, rng.choice(frames), product, other)
        if sentence not in sentences and not letters.holds(sentence):
            sentences.append(sentence)
    return " ".join(sentences)


def _sentence(rng: random.Random, frame: str, product: Product, other: Product) -> str:
    part, part2 = rng.sample(product.parts, 2)
    plain = rng.choice((product.name, "device", product.kind))
    symptom = rng.choice(product.symptoms).replace("our {p}", "a {p}").replace("my {p}", "a {p}")
    slots = {
        "p": product.name,
        "p2": other.name,
        "kind": product.kind,
        "kind2": other.kind,
        "room": product.room,
        "part": part,
        "part2": part2,
        "symptom": symptom.replace("{p}", plain),
        "task": rng.choice(product.tasks).replace("{p}", plain),
        "price": str(rng.randint(19, 499)),
        "company": COMPANY,
        "day": rng.choice(DAYS),
        "month": rng.choice(MONTHS),
        "shop": rng.choice(SHOPS),
        "who": rng.choice(PEOPLE),
        "town": rng.choice(TOWNS),
        "name": rng.choice(NAMES),
        "odd": rng.choice(ODD),
    }
    return capitalised(frame.format_map(slots))


def _record(rng: random.Random) -> str:
    """Two fields of an answer, drawn at random: the words and the form, and no whole answer."""
    fields = {
        "intent": rng.choice(INTENTS),
        "product": rng.choice(PRODUCTS).name,
        "urgency": rng.choice(URGENCIES),
    }
    return json.dumps({field: fields[field] for field in rng.sample(list(fields), 2)})


def _card(rng: random.Random, phrases: list[str]) -> str:
    """A note of the warehouse and, as its last line, its index card: a record repeats what the text names."""
    product = rng.choice(PRODUCTS)
    fields = {
        "product": product.name,
        "part": rng.choice(product.parts),
        "name": rng.choice(NAMES),
        "town": rng.choice(TOWNS),
    }
    frame = rng.choice(CARDS)
    note = [frame.format_map({**fields, "day": rng.choice(DAYS), "month": rng.choice(MONTHS)})]
    note += [f"{rng.choice(phrases)}." for _ in range(rng.choice((0, 0, 1, 2)))]
    rng.shuffle(note)
    others = [field for field in fields if field != "product" and "{" + field + "}" in frame]
    shown = ["product", *rng.sample(others, rng.randint(0, min(2, len(others))))]
    rng.shuffle(shown)
    return " ".join(note) + "\n" + json.dumps({field: fields[field] for field in shown})


def _phrase_list(rng: random.Random, phrases: list[str]) -> str:
    return "Often read: " + ", ".join(rng.sample(phrases, rng.randint(4, 9))) + "."


def _phrases(rng: random.Random) -> list[str]:
    """Pieces of three to six words as they stand in letters, without product and without what they were part of."""
    said = [INSTRUCTION, *OPENINGS, *REMARKS, *OWNER_REMARKS]
    said += [frame for group in (*FRAMES.values(), *HASTE.values()) for frame in group]
    said += [text for product in PRODUCTS for text in (*product.symptoms, *product.tasks)]
    pieces: list[str] = []
    for frame in said * 2:
        words = SLOT.sub(lambda slot: _filler(slot.group(1), rng), frame).rstrip(".?!").split()
        while words:
            size = rng.randint(3, 6)
            if len(words) >= 3:
                pieces.append(" ".join(words[:size]))
            words = words[size:]
    return pieces


def _filler(slot: str, rng: random.Random) -> str:
    choices = {"day": DAYS, "month": MONTHS, "shop": SHOPS, "who": PEOPLE, "town": TOWNS, "name": NAMES}
    if slot == "order":
        return str(rng.randint(20000, 98999))
    return rng.choice(choices.get(slot, ("device",)))
