"""Answers that are not in the format the request names: JSON, a code block, a list, a table."""

from __future__ import annotations

import json
import re

from engine.model import Span
from engine.nesting import loads
from engine.scan.jsontext import stops_half_way
from engine.scan.signals.counts import items_in
from engine.scan.signals.reading import Reading
from engine.scan.signals.signal import Found, Signal, last_turn
from engine.scan.text import shorten

_JSON = re.compile(
    r"\b(?:(?:in|as|to|into|valid|output|return|respond (?:with|in)|reply (?:with|in)|answer (?:with|"
    r"in)) (?:[\w-]{1,20} ){0,3}?json|json (?:object|array|format|output)|json only)\b",
    re.I,
)
_JSON_AS_TOPIC = re.compile(
    r"\b(?:functions?|code|scripts?|programs?|parse|python|javascript|java|explain|what is|schema|difference|how|"
    r"library|api|file|advantages?|describe)\b",
    re.I,
)
_FENCED = re.compile(r"```[\w+-]{0,20}[ \t]{0,4}\n(.*?)```", re.DOTALL)
_BLOCK = re.compile(
    r"\b(?:in|inside|within|as|using) (?:an? )?(?:[\w+-]{1,15} )?(?:code block|code fence|fenced (?:code )?block|"
    r"triple backticks)\b",
    re.I,
)
_LIST = re.compile(
    r"\b(?:in|as|using|with|into|to) (?:an? )?(?:bullet(?:ed)?(?:[- ]point)?|numbered|ordered|unordered|"
    r"dotted) (?:list|format|form|points?)\b|\bin bullet points?\b|\buse bullet points?\b|\bas bullet points?\b",
    re.I,
)
_TABLE = re.compile(r"\b(?:in|as|into) (?:an? )?(?:markdown |two-column )?table\b(?! of contents)", re.IGNORECASE)


def _requested_format(row: Reading, survey: None) -> Found | None:
    if not row.messages or row.messages[-1].role != "assistant" or row.messages[-1].calls or not row.answer.strip():
        return None
    # In a conversation the format may be set at the beginning, and dropped again: only the last word counts.
    asked = row.request if row.is_single else (row.messages[row.asking].text[:2000] if row.asking >= 0 else "")
    place = Span(last_turn(row), 0, len(row.answer))
    if _JSON.search(asked) and not _JSON_AS_TOPIC.search(asked):
        return _as_json(row.answer, place)
    if not row.is_single:
        return None
    if _BLOCK.search(asked) and "```" not in row.answer:
        return Found("a code block was asked for, the answer has none", place)
    if row.is_code:
        return None
    listed = _LIST.search(asked)
    if listed is not None and len(row.answer.split()) > 5 and not items_in(row.answer):
        if len(re.findall(r"^\s{0,8}(?:[-*•–·>]|\d)", row.answer, re.MULTILINE)) or row.answer.count("\n") >= 2:
            return None
        return Found(f'a list was asked for ("{shorten(listed.group(), 40)}"), the answer is running text', place)
    if (
        _TABLE.search(asked)
        and re.search(
            r"\b(?:create|format|put|organi[sz]e|arrange|present|show|display|convert|summari[sz]e|list)\b", asked, re.I
        )
        and not re.search(r"[|\t]|<t[dr]|\n.*(?:,| {2,}| [-:–] )", row.answer)
    ):
        return Found("a table was asked for, the answer has none", place)
    return None


def _as_json(answer: str, place: Span) -> Found | None:
    fenced = _FENCED.search(answer)
    text = (fenced.group(1) if fenced else answer).strip()
    if not text.startswith(("{", "[")):
        starts = [at for at in (text.find("{"), text.find("[")) if at >= 0]
        ends = max(text.rfind("}"), text.rfind("]"))
        if not starts:
            return Found("JSON was asked for, the answer has none", place)
        text = text[min(starts) : ends + 1] if ends > min(starts) else text[min(starts) :]
    try:
        loads(text)
    except ValueError as error:
        if stops_half_way(text):
            return None  # `truncated` says it better
        what = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        return Found(f"JSON was asked for, and it does not parse: {shorten(what, 40)}", place)
    return None


REQUESTED_FORMAT = Signal("requested_format", "check", "the answer is not in the format asked for", _requested_format)
