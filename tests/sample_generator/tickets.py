"""Tickets that differ: composed from frames, each kept only if it is far from every one kept before."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from lexicon import CLOSINGS, DAYS, INTENTS, MONTHS, NAMES, OPENINGS, PEOPLE, PRODUCTS, SHOPS, TOWNS, Product
from phrasing import FRAMES, HASTE, OWNER_INTENTS, OWNER_REMARKS, REMARKS
from rapidfuzz import fuzz, process

# No two tickets of the pool come closer than this, digits dropped: max(ratio, ratio of the sorted words), 0-100.
CLOSEST = 78.0
URGENCY_WEIGHTS = {"high": 0.34, "normal": 0.38, "low": 0.28}


@dataclass(frozen=True, slots=True)
class Label:
    """What the ticket asks for: the three fields of the answer."""

    intent: str
    product: str
    urgency: str

    def json(self) -> str:
        return f'{{"intent": "{self.intent}", "product": "{self.product}", "urgency": "{self.urgency}"}}'


@dataclass(frozen=True, slots=True)
class Ticket:
    """One clean ticket and its right answer."""

    text: str
    label: Label


def plain_words(text: str) -> str:
    """The text as compared: case folded, digits and punctuation dropped, words with one space between them."""
    return " ".join(re.findall(r"[^\W\d_]+", text.casefold()))


def sorted_words(plain: str) -> str:
    """The words in order of the alphabet: what a re-ordered copy still has in common."""
    return " ".join(sorted(plain.split()))


class TicketPool:
    """Draws tickets one at a time; every one is at most `CLOSEST` like any drawn before."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._plain: list[str] = []
        self._sorted: list[str] = []

    def draw(self, intent: str | None = None, product: Product | None = None, urgency: str | None = None) -> Ticket:
        """A new ticket; what is not given is drawn. Raises RuntimeError where the frames are used up."""
        rng = self._random
        intent = intent or rng.choice(INTENTS)
        product = product or rng.choice(PRODUCTS)
        urgency = urgency or rng.choices(tuple(URGENCY_WEIGHTS), tuple(URGENCY_WEIGHTS.values()))[0]
        for _ in range(2000):
            text = self._compose(intent, product, urgency)
            plain = plain_words(text)
            ordered = sorted_words(plain)
            if self._is_far(plain, ordered):
                self._plain.append(plain)
                self._sorted.append(ordered)
                return Ticket(text, Label(intent, product.name, urgency))
        raise RuntimeError(f"no new ticket left for {intent}, {product.name}, {urgency}")

    def _is_far(self, plain: str, ordered: str) -> bool:
        return not (
            process.extractOne(plain, self._plain, scorer=fuzz.ratio, score_cutoff=CLOSEST)
            or process.extractOne(ordered, self._sorted, scorer=fuzz.ratio, score_cutoff=CLOSEST)
        )

    def _compose(self, intent: str, product: Product, urgency: str) -> str:
        rng = self._random
        slots = {
            "p": product.name,
            "kind": product.kind,
            "part": rng.choice(product.parts),
            "room": product.room,
            "day": rng.choice(DAYS),
            "month": rng.choice(MONTHS),
            "shop": rng.choice(SHOPS),
            "who": rng.choice(PEOPLE),
            "town": rng.choice(TOWNS),
            "name": rng.choice(NAMES),
            "order": str(rng.randint(20000, 98999)),
            "symptom": rng.choice(product.symptoms).replace("{p}", product.name),
            "task": rng.choice(product.tasks).replace("{p}", product.name),
        }
        slots["Symptom"] = capitalised(slots["symptom"])
        sentences = [rng.choice(FRAMES[intent])]
        remarks = REMARKS + OWNER_REMARKS if intent in OWNER_INTENTS else REMARKS
        sentences += rng.sample(remarks, rng.choice((0, 0, 1, 1)))
        haste = rng.choice(HASTE[urgency])
        if haste:
            sentences.insert(rng.choice((0, 1, len(sentences), len(sentences))), haste)
        opening = rng.choice(OPENINGS) if rng.random() < 0.35 else ""
        closing = rng.choice(CLOSINGS) if rng.random() < 0.35 else ""
        filled = [capitalised(sentence.format_map(slots)) for sentence in sentences]
        return " ".join(part for part in (opening, *filled, closing.format_map(slots)) if part)


def capitalised(sentence: str) -> str:
    """The sentence with its first letter in upper case."""
    return sentence[:1].upper() + sentence[1:]
