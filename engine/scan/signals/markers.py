"""What a template or another row left in a text: `### Response:`, `<|im_end|>`, "17. Instruction: ...".

At the edges of an answer such a mark is a leftover and is stripped; in its middle another row is glued on, and the
answer is cut there.
"""

from __future__ import annotations

import re
from collections import deque

from engine.model import Span
from engine.scan.signals.reading import Reading
from engine.scan.signals.signal import Found, Signal
from engine.scan.text import shorten

_TOKEN = (
    r"<\|?(?:im_start|im_end|endoftext|eot_id|begin_of_text|end_of_text|start_header_id|end_header_id|assistant|"
    r"user|system|end|start_of_turn|end_of_turn)\|>|"
    r"<(?:start|end)_of_turn>|\[/?INST\]|<</?SYS>>|</?s>(?=\s|\Z)"
)
_HEADING = (
    r"^[ \t]{0,8}(?:#{2,5} ?(?:Instruction|Input|Output|Response|Human|Assistant|User|Question|Answer)s?\b:?|"
    r"(?:Below is an instruction that describes a task)[^\n]{0,200}|"
    r"\d{1,3}[.)] ?(?:Instruction|Input|Output) ?:|(?:Instruction|Response|Output|Human|Assistant|ASSISTANT|USER|"
    r"User) ?:(?=\s))"
)
_MARK = re.compile(f"{_TOKEN}|{_HEADING}", re.MULTILINE)
_LONGEST_MARK = 600
_MOST_STRIPPED = 1000
_HINTS = (
    "<|",
    "###",
    "## ",
    "[INST]",
    "[/INST]",
    "<<",
    "<s>",
    "</s>",
    "_of_turn>",
    "nstruction:",
    "nstruction :",
    "utput:",
    "nput:",
    "esponse:",
    "uman:",
    "ssistant:",
    "SSISTANT:",
    "USER:",
    "User:",
    "Below is an",
    "|>",
)
_SPEAKERS_WANTED = re.compile(
    r"\b(?:dialog\w*|conversation|chat\w*|instruction|interview|interact\w*|exchange|assistant|prompt|format|"
    r"template|input and output|"
    r"input|output|function|code|program|example|test cases?|transcript|markdown|readme|documentation|response|quiz|"
    r"questions?)\b",
    re.IGNORECASE,
)
_HEADER = re.compile(
    r"(?<=<\|start_header_id\|>)\w{1,20}|(?<=<\|im_start\|>)(?:user|assistant|system)\b|(?<=<start_of_turn>)(?:user|"
    r"model)\b"
)


def marks_in(text: str) -> list[re.Match[str]]:
    """Every mark in `text`, in order. One scan."""
    if not any(hint in text for hint in _HINTS):
        return []
    return list(_MARK.finditer(text))


def _words_span(text: str) -> tuple[int, int]:
    """Where the first word of `text` begins and the last one ends."""
    return len(text) - len(text.lstrip()), len(text.rstrip())


def strip_marks(text: str) -> str:
    """`text` without the marks at its edges, a thousand of them at most."""
    if not any(hint in text for hint in _HINTS):
        return text
    for _ in range(_MOST_STRIPPED):
        start, end = _words_span(text)
        # Only a mark at an edge is asked for: what lies between is not looked through again for each of them.
        first = _MARK.search(text, 0, start + _LONGEST_MARK)
        last = deque(_MARK.finditer(text, max(0, end - _LONGEST_MARK)), maxlen=1)
        if first is not None and first.start() <= start:
            role = _HEADER.match(text, first.end())
            text = text[role.end() if role else first.end() :].lstrip(" \t\n:")
        elif last and last[0].end() >= end:
            text = text[: last[0].start()].rstrip()
        else:
            break
    return text


def cut_at_mark(text: str) -> str:
    """`text` up to the first mark that stands after some words."""
    text = strip_marks(text)
    start, _ = _words_span(text)
    for mark in marks_in(text):
        if mark.start() > start:
            return text[: mark.start()].rstrip()
    return text


def _answers(row: Reading) -> list[tuple[int, str]]:
    return [(number, turn.text) for number, turn in enumerate(row.messages) if turn.role == "assistant" and turn.text]


def _speakers_wanted(row: Reading) -> bool:
    return _SPEAKERS_WANTED.search(row.prompt[:4000]) is not None


def _is_token(mark: re.Match[str]) -> bool:
    return not mark.group().strip()[0].isalnum() and not mark.group().lstrip().startswith("#")


def _may_hold_marks(row: Reading) -> bool:
    return any(map(row.text.__contains__, _HINTS))


def _template(row: Reading, survey: None) -> Found | None:
    if not _may_hold_marks(row):
        return None
    for number, text in _answers(row):
        start, end = _words_span(text)
        for mark in marks_in(text):
            plain = mark.group().strip()[0].isalnum()
            at_edge = mark.start() <= start or mark.end() >= end
            if at_edge and not (plain and _speakers_wanted(row)) and strip_marks(text) != text:
                return Found(f'a template left its mark: "{shorten(mark.group(), 40)}"', Span(number, *mark.span()))
    for number, turn in enumerate(row.messages):
        if turn.role in ("user", "system") and row.is_single is not None and not row.about_code:
            token = next(filter(_is_token, marks_in(turn.text[:20_000])), None)
            if token is not None and strip_marks(turn.text) != turn.text:
                return Found(f'a template left its mark: "{shorten(token.group(), 40)}"', Span(number, *token.span()))
    return None


def _merged(row: Reading, survey: None) -> Found | None:
    if not _may_hold_marks(row):
        return None
    for number, text in _answers(row):
        marks = marks_in(text)
        if not marks or "```" in text:
            continue
        inner = strip_marks(text)
        shift = text.find(inner) if inner else 0
        start, end = _words_span(inner)
        speakers_wanted = _speakers_wanted(row)
        for mark in marks_in(inner):
            wanted = speakers_wanted and not _is_token(mark) and not re.match(r"\s{0,8}\d", mark.group())
            if start < mark.start() and mark.end() < end and not wanted:
                place = Span(number, shift + mark.start(), len(text))
                return Found(f'another row is glued to the answer: "{shorten(inner[mark.start() :], 50)}"', place)
    return None


TEMPLATE = Signal("template", "fix", "a prompt template left its mark", _template, repair=strip_marks)
MERGED_ROWS = Signal("merged_rows", "fix", "another row is glued to the answer", _merged, repair=cut_at_mark)
