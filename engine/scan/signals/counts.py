"""Numbers in words, and the items of a list."""

from __future__ import annotations

import re

from engine.scan.text import lowered

NUMBER_WORDS = {
    word: number
    for number, word in enumerate(
        ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"), 1
    )
} | {"fifteen": 15, "twenty": 20}
NUMBER = rf"(?:\d{{1,2}}|{'|'.join(NUMBER_WORDS)})"
_NUMBERED = re.compile(r"^[ \t]{0,8}(?:\*\*)?[#(]?\d{1,2}[.):\]](?:\*\*)?[ \t]{0,4}\S", re.MULTILINE)
_BULLET = re.compile(r"^[ \t]{0,8}[-*•–·][ \t]{1,4}\S", re.MULTILINE)
_LETTERED = re.compile(r"^[ \t]{0,8}\(?[A-Za-z][.)][ \t]{1,4}\S", re.MULTILINE)
_INLINE = re.compile(r"(?:(?<=\s)|\A)\(?(\d{1,2})[.)][ \t]{1,4}(?=\S)")


def number_in(word: str) -> int:
    """What a digit string or number word stands for."""
    return int(word) if word.isdigit() else NUMBER_WORDS[lowered(word)]


def items_in(text: str) -> int:
    """Lines of `text` that are list items: the numbered ones where there are two, else bulleted, else lettered ones;
    else numbers that count up inside one line."""
    for pattern in (_NUMBERED, _BULLET, _LETTERED):
        count = len(pattern.findall(text))
        if count >= 2:
            return count
    numbers = [int(found) for found in _INLINE.findall(text)]
    return len(numbers) if len(numbers) >= 2 and numbers == list(range(1, len(numbers) + 1)) else 0


def counts_up(text: str) -> int:
    """How many lines are numbered 1, 2, 3 … without a gap or a new start; 0 where they are not."""
    numbers = [int(found) for found in re.findall(r"^[ \t]{0,3}(?:\*\*)?\(?(\d{1,2})[.):\]]", text, re.MULTILINE)]
    return len(numbers) if len(numbers) >= 2 and numbers == list(range(1, len(numbers) + 1)) else 0
