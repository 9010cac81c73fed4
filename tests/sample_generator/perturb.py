"""Small changes that leave a text the same request: case, typos, sentence order, filler words."""

from __future__ import annotations

import random
import re

# Words that decide what a text asks: a typo in one of them would be a different fault.
KEPT_WHOLE = frozenset(
    re.findall(
        r"\w+",
        "please without except following between should another explain describe define discuss outline clarify "
        "elaborate create generate compose construct produce develop design identify provide suggest mention propose "
        "calculate compute evaluate determine rearrange arrange nothing nobody",
    )
)
# Re-ordering is only harmless where no word gives a direction and none names the task.
ORDER_MATTERS = re.compile(
    r"\b(to|from|into|than|explain|describe|define|tell|told|discuss|outline|state|clarify|write|writing|wrote|create|make|"
    r"compose|produce|build|design|draft|name|list|identify|give|gives|provide|suggest|find|mention|propose|determine|solve"
    r"|solved|before|after|until)\b",
    re.IGNORECASE,
)
FILLERS = (
    "Please help me. ",
    "Could you please help me with this? ",
    "I need your help please. ",
    "Can you kindly help? ",
)
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def sentences_of(text: str) -> list[str]:
    """The text cut behind sentence ends."""
    return re.split(r"(?<=[.?!]) ", text)


def can_reorder(text: str) -> bool:
    """True where the sentences may change places without changing what is asked."""
    return len(sentences_of(text)) >= 3 and not ORDER_MATTERS.search(text)


def reordered(text: str, rng: random.Random) -> str:
    """The sentences in another order."""
    pieces = sentences_of(text)
    cut = rng.randint(1, len(pieces) - 1)
    return " ".join(pieces[cut:] + pieces[:cut])


def with_filler(text: str, rng: random.Random) -> str:
    """Polite words in front that ask for nothing."""
    return rng.choice(FILLERS) + text


def recased(text: str, rng: random.Random) -> str:
    """Same words: other case, other end mark, spaces doubled."""
    changed = rng.choice((text.upper(), text.lower(), text.lower(), text))
    changed = changed.rstrip(".?!") + rng.choice(("", "!!", " ...", " .", "!"))
    return changed if rng.random() < 0.5 else changed.replace(", ", ",  ")


def with_typos(text: str, count: int, rng: random.Random, spare: frozenset[str] = frozenset()) -> str:
    """One slip in each of `count` long words; never in a number, a product's name or the words in `spare`.

    First letter and ending stay, as they mostly do when people type.
    """
    found = [
        match
        for match in re.finditer(r"(?<![\w'])[A-Za-z]{7,}(?![\w'])", text)
        if match.group().casefold() not in KEPT_WHOLE and match.group() not in spare
    ]
    for match in sorted(rng.sample(found, min(count, len(found))), key=lambda match: -match.start()):
        text = text[: match.start()] + slip(match.group(), rng) + text[match.end() :]
    return text


def slip(word: str, rng: random.Random) -> str:
    """The word with one letter dropped, doubled, swapped with the next or replaced; always another word."""
    while True:
        at = rng.randint(1, max(1, len(word) - 4))
        changed = rng.choice(
            (
                word[:at] + word[at + 1 :],
                word[:at] + word[at] + word[at:],
                word[:at] + word[at + 1] + word[at] + word[at + 2 :],
                word[:at] + rng.choice(LETTERS) + word[at + 1 :],
            )
        )
        if changed != word:
            return changed
