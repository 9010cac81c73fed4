"""Rows with planted duplicates and planted near misses: what the benchmark of duplicates measures recall with.

The first ten kinds are the usual ones for instruction data; the rest are harder.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Perturb = Callable[[str, random.Random, Sequence[str]], str | None]
LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Planted:
    """Row `copy` was made from row `source`; `same` says whether a person would call them one request."""

    kind: str
    same: bool
    source: int
    copy: int


def plant(texts: Sequence[str], each: int, seed: int = 0, hard: bool = True) -> tuple[list[str], list[Planted]]:
    """New texts to append to `texts`, and what they are; `each` of every kind where enough rows allow it."""
    rng = random.Random(seed)
    words = [
        word
        for text in texts[:3000]
        for word in text.split()
        if word.isascii() and word.isalpha() and word.islower() and len(word) >= 5
    ]
    made: list[str] = []
    planted: list[Planted] = []
    tables = (SAME, DIFFERENT, HARD_SAME, HARD_DIFFERENT) if hard else (SAME, DIFFERENT)
    for table in tables:
        for kind, perturb in table.items():
            found = 0
            for _ in range(200 * each):
                source = rng.randrange(len(texts))
                changed = perturb(texts[source], rng, words)
                if changed is None or changed == texts[source]:
                    continue
                planted.append(Planted(kind, table is SAME or table is HARD_SAME, source, len(texts) + len(made)))
                made.append(changed)
                found += 1
                if found == each:
                    break
    return made, planted


def _case_punct(text: str, rng: random.Random, words: Sequence[str]) -> str | None:
    changed = (text.upper() if rng.random() < 0.3 else text.lower()).rstrip(".?!")
    return changed + rng.choice(("", " .", "!!", "?", " ...")) + rng.choice(("", " ", "\n"))


def _slip(word: str, rng: random.Random) -> str:
    place = rng.randint(1, len(word) - 2)
    letter = rng.choice(LETTERS)
    return rng.choice(
        (
            word[:place] + word[place + 1 :],
            word[:place] + letter + word[place:],
            word[:place] + word[place + 1] + word[place] + word[place + 2 :],
            word[:place] + letter + word[place + 1 :],
        )
    )


def _typos(most: int) -> Perturb:
    def perturb(text: str, rng: random.Random, words: Sequence[str]) -> str | None:
        tokens = re.split(r"(\s+)", text)
        places = [
            place for place, token in enumerate(tokens) if token.isascii() and token.isalpha() and len(token) >= 6
        ]
        if not places:
            return None
        for place in rng.sample(places, min(most, len(places))):
            tokens[place] = _slip(tokens[place], rng)
        return "".join(tokens)

    return perturb


def _filler(text: str, rng: random.Random, words: Sequence[str]) -> str | None:
    opening = rng.choice(("please ", "Please ", "Can you ", "Kindly ", "I want you to "))
    return opening + text[:1].lower() + text[1:]


def _reorder(text: str, rng: random.Random, words: Sequence[str]) -> str | None:
    tokens = text.rstrip(".?!").split()
    if len(tokens) < 6 or any(char.isdigit() for char in text):
        return None
    if not {"to", "into", "from", "than"}.isdisjoint(token.lower() for token in tokens):
        return None
    cut = rng.randint(2, len(tokens) - 3)
    return " ".join(tokens[cut:] + tokens[:cut])


_VERBS = {
    "Explain": "Describe",
    "Create": "Generate",
    "Write": "Compose",
    "Name": "List",
    "Describe": "Explain",
    "Generate": "Create",
    "Calculate": "Compute",
    "Find": "Identify",
}


def _verb(text: str, rng: random.Random, words: Sequence[str]) -> str | None:
    first, _, rest = text.partition(" ")
    return f"{_VERBS[first]} {rest}" if first in _VERBS else None


def _edit_long(text: str, rng: random.Random, words: Sequence[str]) -> str | None:
    tokens = text.split(" ")
    if len(tokens) < 40:
        return None
    place = rng.randint(5, len(tokens) - 6)
    return " ".join(tokens[:place] + tokens[place + 1 :])


def _number(text: str, rng: random.Random, words: Sequence[str]) -> str | None:
    runs = list(re.finditer(r"\d{1,12}", text))
    if not runs:
        return None
    run = rng.choice(runs)
    return text[: run.start()] + str(int(run.group()) + rng.choice((1, 2, 5, 10))) + text[run.end() :]


def _word(text: str, rng: random.Random, words: Sequence[str]) -> str | None:
    tokens = text.split(" ")
    places = [
        n
        for n, token in enumerate(tokens)
        if token.isascii() and token.isalpha() and token.islower() and len(token) > 4
    ]
    if len(text) > 160 or not places:
        return None
    place, other = rng.choice(places), rng.choice(words)
    return " ".join([*tokens[:place], other, *tokens[place + 1 :]])


def _negation(text: str, rng: random.Random, words: Sequence[str]) -> str | None:
    if len(text) > 160:
        return None
    changed, count = re.subn(r"\b(is|are|can|should|does|do|will)\b", r"\1 not", text, count=1)
    return changed if count else None


SAME: dict[str, Perturb] = {
    "case_punct": _case_punct,
    "typo1": _typos(1),
    "typo3": _typos(3),
    "filler": _filler,
    "reorder": _reorder,
    "verb": _verb,
    "edit_long": _edit_long,
}
DIFFERENT: dict[str, Perturb] = {"number": _number, "word": _word, "negation": _negation}


# -- harder ones

_FRAMES = (
    (
        r"^What is (?:a |an |the )?([\w -]{3,40})\?$",
        ("Explain what {} is.", "Define {}.", "Can you tell me what {} is?"),
    ),
    (r"^Explain what (?:a |an |the )?([\w -]{3,40}) is\.?$", ("What is {}?", "Describe what {} is.")),
    (r"^(?:Explain|Describe) the (?:concept|term) of ([\w -]{3,40})\.?$", ("What is {}?", "Explain {}.")),
    (r"^Define (?:the term )?[\"']?([\w -]{3,40})[\"']?\.?$", ("What is {}?", "Explain what {} is.")),
)
_BRITISH = {
    "color": "colour", "organize": "organise", "analyze": "analyse", "center": "centre", "summarize": "summarise",
    "favorite": "favourite", "behavior": "behaviour", "categorize": "categorise", "recognize": "recognise",
}  # fmt: skip
_NUMERALS = {"2": "two", "3": "three", "4": "four", "5": "five", "6": "six", "7": "seven", "8": "eight", "10": "ten"}
_OPPOSITES = {
    "ascending": "descending", "increase": "decrease", "formal": "informal", "positive": "negative", "first": "last",
    "advantages": "disadvantages", "before": "after", "largest": "smallest", "with": "without", "highest": "lowest",
    "past": "present", "buy": "sell", "best": "worst", "more": "less", "similarities": "differences",
    "active": "passive",
    "healthy": "unhealthy", "legal": "illegal", "supervised": "unsupervised", "maximum": "minimum", "old": "new",
}  # fmt: skip


def _frame(text: str, rng: random.Random, words: Sequence[str]) -> str | None:
    for pattern, others in _FRAMES:
        found = re.match(pattern, text)
        if found:
            return rng.choice(others).format(found.group(1))
    return None


def _exchange(table: dict[str, str]) -> Perturb:
    pattern = re.compile(r"\b(" + "|".join(table) + r")\b")

    def perturb(text: str, rng: random.Random, words: Sequence[str]) -> str | None:
        if len(text) > 400:
            return None
        changed, count = pattern.subn(lambda found: table[found.group()], text, count=1)
        return changed if count else None

    return perturb


def _numeral(text: str, rng: random.Random, words: Sequence[str]) -> str | None:
    """A number before a word; not one that stands in a calculation, a range or a measure."""
    if len(text) > 400:
        return None
    changed, count = re.subn(
        r"(?<![-\d.,$/x*+=(] )(?<![-\d.,$/x*+=(])\b(10|[2-8])\b(?= [a-z]{3,})",
        lambda found: _NUMERALS[found.group()],
        text,
        count=1,
    )
    return changed if count else None


def _contraction(text: str, rng: random.Random, words: Sequence[str]) -> str | None:
    changed, count = re.subn(r"\b([Ww]hat) is\b", r"\1's", text, count=1)
    if not count:
        changed, count = re.subn(r"\b(do|does|is|are) not\b", r"\1n't", text, count=1)
    return changed if count else None


def _layout(text: str, rng: random.Random, words: Sequence[str]) -> str | None:
    """Quotes, bold, double spaces and a trailing courtesy."""
    dressed = rng.choice(("**{}**", '"{}"', "- {}", "Q: {}", "{}  ", "{} Thanks!", "{} Thank you in advance."))
    return str(dressed.format(text.replace(" ", "  ", 2))) if len(text) < 200 else None


def _plural(text: str, rng: random.Random, words: Sequence[str]) -> str | None:
    changed, count = re.subn(r"\b(difference|benefit|advantage|method|feature|cause|effect)\b", r"\1s", text, count=1)
    return changed if count and len(text) <= 200 else None


def _direction(text: str, rng: random.Random, words: Sequence[str]) -> str | None:
    found = re.search(r"\bfrom ([A-Za-z]{3,20}) (?:in)?to ([A-Za-z]{3,20})\b", text)
    if found is None or found.group(1) == found.group(2):
        return None
    (a, b), (c, d) = found.span(1), found.span(2)
    return text[:a] + found.group(2) + text[b:c] + found.group(1) + text[d:]


def _operator(text: str, rng: random.Random, words: Sequence[str]) -> str | None:
    found = re.search(r"\d\s*([-+*/x])\s*\d", text)
    if found is None:
        return None
    place = found.start(1)
    return text[:place] + rng.choice([sign for sign in "-+*/" if sign != text[place]]) + text[place + 1 :]


HARD_SAME: dict[str, Perturb] = {
    "frame": _frame,
    "british": _exchange(_BRITISH),
    "numeral": _numeral,
    "contraction": _contraction,
    "layout": _layout,
    "plural": _plural,
}
HARD_DIFFERENT: dict[str, Perturb] = {
    "opposite": _exchange(_OPPOSITES),
    "direction": _direction,
    "operator": _operator,
}
