"""Answers that talk about the thing asked for, instead of being it."""

from __future__ import annotations

import re

from engine.model import Span
from engine.scan.signals.reading import Reading
from engine.scan.signals.signal import Found, Signal, last_turn
from engine.scan.text import shorten

_MAKE = re.compile(
    r"\A\W{0,3}(?:please )?(?:create|design|write|generate|develop|build|compile|construct|draft|make|add|update|"
    r"produce|compose|"
    r"edit|insert|implement|program|script|convert|format|organi[sz]e|plot)\b",
    re.IGNORECASE,
)
# "The brochure should include", "My web page contains", "The document now includes", "The file has been saved".
_TALK = re.compile(
    r"\A\W{0,3}(?:the|this|my|our|your|a|an) (?:[\w'-]{1,20} ){0,5}?"
    r"(?:should (?:be|have|include|contain|feature|use|consist|display|allow|provide|also)|(?:will|would|can|"
    r"could) (?:be|have|include|contain|feature|use|consist|display|allow|provide)|"
    r"now (?:includes|contains|has)|(?:has|have) been (?:created|designed|added|updated|generated|written|edited|"
    r"developed|made|sent|saved|formatted|converted|organi[sz]ed|compiled)|"
    r"(?:was|is) (?:created|designed|developed|written|generated)\b)",
    re.IGNORECASE,
)
_TALK_IS_ASKED = re.compile(
    r"\b(?:describ\w{0,5}|explain|plans?|propos\w{0,4}|ideas?|suggest\w{0,5}|outline|strateg\w{0,3}|summar\w{0,4}|"
    r"how|what|why|should|rules?|polic\w{0,3}|"
    r"sentences?|hypothes\w{0,3}|argument|statements?|predict\w{0,5}|paragraphs?|essays?|thesis|concepts?|solution|"
    r"comparison|paraphras\w{0,3}|analy[sz]\w{0,3}|report|"
    r"description|definition|questions?|story|requirements?|criteria|guidelines?|conclusion|review|recommendation)\b",
    re.IGNORECASE,
)


def _described(row: Reading, survey: None) -> Found | None:
    if not row.is_single or row.is_code or not _MAKE.match(row.request) or _TALK_IS_ASKED.search(row.request[:400]):
        return None
    found = _TALK.match(row.answer)
    # Rewriting keeps what the text says: a sentence that says "should" stays one.
    if found is None or (row.material and found.group()[-12:].lower() in row.material.lower()):
        return None
    return Found(
        f'asked to make it, the answer talks about it: "{shorten(found.group(), 60)}"',
        Span(last_turn(row), *found.span()),
    )


DESCRIBED = Signal("described_only", "check", "the answer talks about what was to be made", _described)
