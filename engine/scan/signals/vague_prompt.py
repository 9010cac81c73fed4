"""Requests too short to say what is wanted: "how u", "hello french"."""

from __future__ import annotations

import re
from collections.abc import Sequence

from engine.model import Example, Span
from engine.scan.signals.reading import Reading
from engine.scan.signals.signal import Found, Signal
from engine.scan.text import shorten

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_IDEOGRAPH = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0e7f\u1780-\u17ff]")
_CHAT = re.compile(
    r"(?:(?:hi|hello|hey|yo|how (?:are )?(?:you|u)|what'?s up|sup|test(?:ing)?|ok(?:ay)?|thanks?|thank you|yes|no|"
    r"help|continue|go on|more|again)"
    r"\W{0,3}){1,2}(?:\w{1,20}\W{0,3})?",
    re.IGNORECASE,
)
_SLANG = re.compile(
    r"\b(?:u|ur|r|pls|plz|thx|wat|wanna|gonna|idk|lol|omg|btw|coz|cuz|gimme|im|dont|cant|doesnt|wont)\b"
)
USUAL = 0.03
"""Share of rows with such a request from which short requests are what the set is about."""
_SURVEYED = 3000


def _why(text: str) -> str | None:
    text = text.strip()
    if not text or len(text) > 60:
        return None
    words = _WORD.findall(text)
    if _IDEOGRAPH.search(text):
        return None if len(text) > 2 else "is too short to be clear"
    if any(char.isdigit() for char in text) or (text.endswith(("?", "？")) and len(words) > 2):
        return None
    if len(words) <= 2 or _CHAT.fullmatch(text):
        return "is too short to be clear"
    if len(words) <= 5 and _SLANG.search(text):
        return "is chat, not a request"
    return None


def survey(examples: Sequence[Example]) -> bool:
    """Whether short requests are rare here, in up to 3,000 rows."""
    sample = examples[:: max(1, len(examples) // _SURVEYED)]
    return sum(_why(example.prompt[:80]) is not None for example in sample) <= max(3, USUAL * len(sample))


def _vague(row: Reading, rare: bool) -> Found | None:
    if not rare or not row.is_single or row.messages[0].role == "system" or len(row.prompt) > 80:
        return None
    why = _why(row.prompt)
    return (
        None
        if why is None
        else Found(f'the request {why}: "{shorten(row.prompt, 40)}"', Span(row.asking, 0, len(row.prompt)))
    )


VAGUE_PROMPT = Signal("vague_prompt", "check", "the request does not say what is wanted", _vague, survey)
