"""Common misspellings, from codespell's dictionary where that package is installed (`pip install 'tamis[typos]'`)."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from engine.model import Example, Span
from engine.scan.code import looks_like_code
from engine.scan.signals.reading import Reading
from engine.scan.signals.signal import Found, Signal

_WORD = re.compile(r"(?<![\w`/@#.\\-])[a-z]{4,30}(?![\w`/@\\-]|\.\w)")
_EXAMINED = 8000
_MARKS = ".,;:!?\"'()"
CARELESS, SHORT = 2, 100
"""So many slips make a careless row. One alone is how people write, but in an answer of so few words it is learnt."""
_ABOUT_SPELLING = re.compile(r"spell|typo|misspel|grammar|proofread|correct|mistake|error", re.IGNORECASE)


@lru_cache(maxsize=1)
def dictionary() -> dict[str, str]:
    """Misspelling to its one correction; empty where codespell is not installed. Entries with a choice or a caveat are
    left out: they are judgement, not spelling.
    """
    found = importlib.util.find_spec("codespell_lib")
    if found is None or not found.submodule_search_locations:
        return {}
    path = Path(next(iter(found.submodule_search_locations))) / "data" / "dictionary.txt"
    try:
        lines = path.read_text("utf-8").splitlines()
    except OSError:
        return {}
    pairs = (line.split("->", 1) for line in lines if "->" in line)
    return {wrong: right for wrong, right in pairs if "," not in right and wrong.isalpha() and len(wrong) >= 4}


def survey(examples: Sequence[Example]) -> dict[str, str]:
    """The dictionary without the words that this set uses as words of its own: names, terms, another language."""
    known = dictionary()
    if not known:
        return {}
    step = max(1, len(examples) // 3000)
    sample = examples[::step]
    rows_with: dict[str, int] = {}
    for example in sample:
        for word in {
            word for word in _WORD.findall(f"{example.prompt[:2000]}\n{example.answer[:2000]}") if word in known
        }:
            rows_with[word] = rows_with.get(word, 0) + 1
    often = max(3, len(sample) // 200)
    return {wrong: right for wrong, right in known.items() if rows_with.get(wrong, 0) < often}


def _typos(row: Reading, known: dict[str, str]) -> Found | None:
    if not known or _ABOUT_SPELLING.search(row.prompt[:600]):
        return None
    # Splitting is cheaper than the pattern, and rules out nearly every row.
    if known.keys().isdisjoint([word.strip(_MARKS) for word in set(row.words)]):
        return None
    slips: dict[str, Span] = {}
    taught = False
    for number, turn in enumerate(row.messages):
        text = turn.text[:_EXAMINED]
        if turn.role not in ("user", "assistant") or looks_like_code(text):
            continue
        for found in _WORD.finditer(text):
            if found.group() in known:
                slips.setdefault(found.group(), Span(number, *found.span()))
                taught = taught or (turn.role == "assistant" and len(text.split()) <= SHORT)
    if not taught and len(slips) < CARELESS:
        return None
    word = next(iter(slips))
    more = f", and {len(slips) - 1} more" if len(slips) > 1 else ""
    return Found(f'"{word}" is a common misspelling of "{known[word]}"{more}', slips[word])


def correct_typos(text: str) -> str:
    """`text` with each misspelling that has one correction corrected."""
    known = dictionary()
    return _WORD.sub(lambda found: known.get(found.group(), found.group()), text)


TYPOS = Signal("typos", "info", "a common misspelling", _typos, survey, repair=correct_typos)
