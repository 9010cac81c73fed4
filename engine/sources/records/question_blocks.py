"""Plain text of questions and answers: blocks, each `Q: …` and then `A: …`.

Only a text in which that is the form of the blocks is read so; any other text says nothing of where a row begins.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from engine.model import Quarantined
from engine.sources.files.pieces import MAX_LINE_BYTES, TOO_LONG, Record, SourceRow
from engine.sources.files.text_source import SourceText

# Not `User:` and the like: those are the turns of a conversation, and nothing says where one ends.
_QUESTION = r"(?:q|question|prompt|instruction|frage|pregunta|问|问题|質問|вопрос)"
_ANSWER = r"(?:a|answer|response|output|completion|antwort|respuesta|réponse|答|答案|回答|ответ)"
_MARK = r"[^\S\n]*[:：]"
_NUMBER = r"[^\S\n]*\d{0,6}"
_BLOCK = re.compile(
    rf"\s*{_QUESTION}{_NUMBER}{_MARK}(?P<question>.*?)\n[^\S\n]*{_ANSWER}{_NUMBER}{_MARK}(?P<answer>.*)",
    re.DOTALL | re.IGNORECASE,
)
_BEGINNING = re.compile(rf"[^\S\n]*{_QUESTION}{_NUMBER}{_MARK}", re.IGNORECASE)
_SECOND = re.compile(rf"\n[^\S\n]*(?:{_QUESTION}|{_ANSWER}){_NUMBER}{_MARK}", re.IGNORECASE)
NO_BLOCK = "no question with one answer behind it"


def is_question_blocks(head: str) -> bool:
    """Whether a text begins with blocks of questions and answers, and with nothing else."""
    blocks: list[str] = []
    for line in head.splitlines(keepends=True):
        if not blocks or _BEGINNING.match(line):
            blocks.append("")
        blocks[-1] += line
    # The last one of several may be cut.
    whole = blocks[:-1] if len(blocks) > 1 else blocks
    return bool(whole) and all(_pair(block) is not None for block in whole)


def _pair(block: str) -> dict[str, str] | None:
    found = _BLOCK.fullmatch(block)
    if found is None or _SECOND.search("\n" + found["question"]) or _SECOND.search("\n" + found["answer"]):
        return None
    return {"question": found["question"].strip(), "answer": found["answer"].strip()}


def block_rows(stream: SourceText) -> Iterator[SourceRow | Quarantined]:
    """A row of `question` and `answer` for each line that begins a question, with the lines behind it; what has another
    form is set aside."""
    line, start_line, offset, record = 0, 1, 0, Record()
    while raw := stream.readline(MAX_LINE_BYTES):
        if record.length and _BEGINNING.match(raw.decode("utf-8", "replace").removeprefix("\ufeff")):
            yield from _row(record, start_line, offset)
            start_line, offset, record = line + 1, offset + record.length, Record()
        record.add(raw)
        line += raw.endswith(b"\n")
    if record.length and stream.damage:
        yield record.set_aside(start_line, offset, stream.damage)
    else:
        yield from _row(record, start_line, offset)


def _row(record: Record, line: int, offset: int) -> Iterator[SourceRow | Quarantined]:
    if record.is_too_long:
        yield record.set_aside(line, offset, f"record {TOO_LONG}")
        return
    try:
        pair = _pair(record.content.decode("utf-8").removeprefix("\ufeff").replace("\r\n", "\n"))
    except UnicodeDecodeError:
        yield record.set_aside(line, offset, "not UTF-8")
        return
    if pair is not None:
        yield SourceRow(line, offset, json.dumps(pair, ensure_ascii=False).encode("utf-8"), pair)
    elif record.content.strip(b"\xef\xbb\xbf \t\r\n"):
        yield record.set_aside(line, offset, NO_BLOCK)
