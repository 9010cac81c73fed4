"""Fields that hold a word for nothing: "noinput", "N/A", "<no output>"."""

from __future__ import annotations

import re

from engine.model import Span
from engine.scan.signals.reading import Reading
from engine.scan.signals.signal import Found, Signal, last_turn
from engine.scan.text import shorten

_LONGEST = 60
_WRAPPED = r"\s*[\"'“‘]?\s*[\[(<{{]?\s*(?:{words})\s*[\])>}}]?\s*[\"'”’]?[.!]{{0,3}}\s*"
_NO_INPUT = r"no[ -]?inputs?(?: (?:is )?(?:required|needed|provided|necessary|given))?"
_NO_OUTPUT = r"no[ -]?(?:outputs?|inputs?)(?: (?:is )?(?:required|needed|provided|necessary|given))?"
INPUT = re.compile(
    _WRAPPED.format(
        words=rf"{_NO_INPUT}|none|n/a|na|not applicable|empty|null|nil|nan|blank|\.|-{{1,20}}|todo|tbd|placeholder"
    ),
    re.IGNORECASE,
)
OUTPUT = re.compile(
    _WRAPPED.format(words=rf"{_NO_OUTPUT}|none|n/a|na|null|nan|nil|todo|tbd|placeholder"), re.IGNORECASE
)
MARKED = re.compile(r"<no ?(?:output|input)>", re.IGNORECASE)


def is_placeholder(answer: str) -> bool:
    """Whether a whole answer is only a word for "nothing"."""
    text = answer.strip()
    if not text:
        return False
    return (len(text) <= _LONGEST and OUTPUT.fullmatch(text) is not None) or MARKED.search(text[:_LONGEST]) is not None


def _placeholder_input(example: Reading, survey: None) -> Found | None:
    for number, turn in enumerate(example.messages):
        if turn.role != "user":
            continue
        # The input of an instruction row is the last paragraph of its request.
        text = turn.text.rstrip()
        start = text.rfind("\n", max(0, len(text) - _LONGEST)) + 1
        if len(text) - start > _LONGEST:
            continue
        last = text[start:]
        if (
            last
            and INPUT.fullmatch(last)
            and not (start and text[:start].rstrip().endswith(":") and last.strip(" .").isalpha())
        ):
            return Found(f'input is a placeholder: "{shorten(last, 20)}"', Span(number, start, len(text)))
    return None


def _placeholder_output(example: Reading, survey: None) -> Found | None:
    answer = example.answer
    if not is_placeholder(answer):
        return None
    return Found(f'answer is a placeholder: "{shorten(answer, 30)}"', Span(last_turn(example), 0, len(answer)))


def drop_placeholder(text: str) -> str:
    """`text` without a closing line that is a word for nothing; '' where there is nothing else."""
    bare = text.rstrip()
    start = bare.rfind("\n", max(0, len(bare) - _LONGEST)) + 1
    if len(bare) - start > _LONGEST or not INPUT.fullmatch(bare[start:]):
        return text
    return bare[:start].rstrip()


PLACEHOLDER_INPUT = Signal(
    "placeholder_input", "fix", "the input is a word for nothing", _placeholder_input, repair=drop_placeholder
)
PLACEHOLDER_OUTPUT = Signal("placeholder_output", "drop", "the answer is a word for nothing", _placeholder_output)
