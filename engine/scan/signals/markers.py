"""What a template or another row left in a text: `### Response:`, `<|im_end|>`, "17. Instruction: ...".

At the edges of an answer such a mark is a leftover and is stripped; in its middle another row is glued on, and the
answer is cut there.
"""

from __future__ import annotations

import re

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


def strip_marks(text: str) -> str:
    """`text` without the marks at its edges."""
    previous = None
    while previous != text:
        previous = text
        for mark in marks_in(text):
            if not text[: mark.start()].strip():
                role = _HEADER.match(text, mark.end())
                text = text[role.end() if role else mark.end() :].lstrip(" \t\n:")
                break
            if not text[mark.end() :].strip():
                text = text[: mark.start()].rstrip()
                break
    return text


def cut_at_mark(text: str) -> str:
    """`text` up to the first mark that stands after some words."""
    text = strip_marks(text)
    for mark in marks_in(text):
        if text[: mark.start()].strip():
            return text[: mark.start()].rstrip()
    return text


def _answers(row: Reading) -> list[tuple[int, str]]:
    return [(number, turn.text) for number, turn in enumerate(row.turns) if turn.role == "assistant" and turn.text]


def _speakers_wanted(row: Reading) -> bool:
    return _SPEAKERS_WANTED.search(row.prompt[:4000]) is not None


def _is_token(mark: re.Match[str]) -> bool:
    return not mark.group().strip()[0].isalnum() and not mark.group().lstrip().startswith("#")


def _may_hold_marks(row: Reading) -> bool:
    return any(hint in row.text for hint in _HINTS)


def _template(row: Reading, survey: None) -> Found | None:
    if not _may_hold_marks(row):
        return None
    for number, text in _answers(row):
        for mark in marks_in(text):
            at_edge = not text[: mark.start()].strip() or not text[mark.end() :].strip()
            plain = mark.group().strip()[0].isalnum()
            if at_edge and not (plain and _speakers_wanted(row)) and strip_marks(text) != text:
                return Found(f'a template left its mark: "{shorten(mark.group(), 40)}"', Span(number, *mark.span()))
    for number, turn in enumerate(row.turns):
        if turn.role in ("user", "system") and row.is_single is not None:
            for mark in marks_in(turn.text[:20_000]):
                if _is_token(mark) and not row.about_code and strip_marks(turn.text) != turn.text:
                    return Found(f'a template left its mark: "{shorten(mark.group(), 40)}"', Span(number, *mark.span()))
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
        for mark in marks_in(inner):
            before, after = inner[: mark.start()].strip(), inner[mark.end() :].strip()
            wanted = not _is_token(mark) and _speakers_wanted(row) and not re.match(r"\s{0,8}\d", mark.group())
            if before and after and not wanted:
                place = Span(number, shift + mark.start(), len(text))
                return Found(f'another row is glued to the answer: "{shorten(inner[mark.start() :], 50)}"', place)
    return None


TEMPLATE = Signal("template", "fix", "a prompt template left its mark", _template, repair=strip_marks)
MERGED_ROWS = Signal("merged_rows", "fix", "another row is glued to the answer", _merged, repair=cut_at_mark)
