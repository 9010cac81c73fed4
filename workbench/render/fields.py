"""The fields of a row with what each is understood as, and the row as it is read by that."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine.phrases import counted
from engine.sources.mapping import parted
from engine.sources.messages.parts import parsed, plain
from engine.sources.shapes.likely import FieldSeen
from engine.sources.shapes.map_words import words_for
from workbench.actions.field_lines import part_of
from workbench.render.content import beside_paragraphs
from workbench.render.messages import WARNING, turns
from workbench.state.fields import FieldChoice, FieldLine
from workbench.text.blocks import Paragraph, Styled
from workbench.text.cells import cells, fitted
from workbench.text.escape import visible_line

GUESSED = "No known shape: this is a guess by what the fields hold. Enter takes it; else go to a field, press its part."
NOT_GUESSED = "No known shape, and nothing in it could be guessed: go to a field and press the key of its part."
AS_NAMED = "The rows are read so. Go to a field and press the key of its part; Esc leaves them as they are."
BY_NAME = "Guessed by the names of the fields. Enter takes it; else go to a field and press the key of its part."
PART_WIDTH = 10
LONGEST_NAME = 60
MOST_KINDS = 4
SHOWN_CHARACTERS = 400
MEASURED = 200
NO_NAME = '""'
# Part -> the word for it in the list, and its role in the theme.
SHOWN: dict[str, Styled] = {
    "prompt": ("prompt", "user"),
    "input": ("input", "user"),
    "history": ("history", "user"),
    "response": ("response", "assistant"),
    "completion": ("response", "assistant"),
    "chosen": ("chosen", "assistant"),
    "rejected": ("rejected", "rejected"),
    "text": ("text", "assistant"),
    "reasoning": ("thought", "assistant"),
    "system": ("system", "system"),
    "messages": ("messages", "key"),
    "conversations": ("messages", "key"),
    "role": ("who", "key"),
    "content": ("said", "key"),
    "tools": ("tools", "tool"),
    "winner": ("best", "key"),
    "candidates": ("further", "assistant"),
    "images": ("picture", "user"),
    "audios": ("sound", "user"),
    "videos": ("video", "user"),
    "user_role": ("= user", "user"),
    "assistant_role": ("= asst", "assistant"),
    "system_role": ("= system", "system"),
    "tool_role": ("= tool", "tool"),
    "other": ("not read", WARNING),
    "metadata": ("meta", "muted"),
    "link": ("link", "muted"),
    "read": ("read", "muted"),
    "empty": ("", "muted"),
}


class FieldLines:
    """One line a field: what it is understood as, its name, a glimpse of what it holds."""

    def __init__(self, choice: FieldChoice) -> None:
        self._choice = choice
        self._measured: tuple[tuple[FieldLine, ...], int] = ((), 0)

    def __len__(self) -> int:
        return len(self._choice.lines)

    @property
    def cursor(self) -> int:
        return self._choice.cursor

    def block(self, index: int) -> int:
        return 1

    def _longest(self) -> int:
        """Columns that the names of the first fields need."""
        lines = self._choice.lines
        if self._measured[0] is not lines:
            names = (cells(_indented(line)) for line in lines[:MEASURED])
            self._measured = (lines, max(names, default=0))
        return self._measured[1]

    def line(self, index: int, width: int) -> tuple[Styled, ...]:
        line = self._choice.lines[index]
        part = part_of(self._choice, line)
        is_told = part == "other" and "other" in self._choice.named and is_named(self._choice, line, "other")
        word, role = ("content", "key") if is_told else SHOWN.get(part, (part, "key" if part else "muted"))
        if line.word:
            word, role = (word, role) if word else ("= ?", WARNING)
        name = _indented(line)
        room = max(8, min(self._longest(), (width - PART_WIDTH) // 2))
        return (
            (fitted(f" {word}", PART_WIDTH), role),
            (fitted(name, room), "text" if part not in ("metadata", "link", "empty") else "muted"),
            ("  ", "text"),
            ("" if line.word else glimpse(line.field), "muted"),
        )


def is_named(choice: FieldChoice, line: FieldLine, word: str) -> bool:
    """Whether a word of `--map` names just this field."""
    return line.field.written in map(str.strip, parted(choice.named[word], "+"))


def _indented(line: FieldLine) -> str:
    indent = "  " * (len(line.field.path) - 1 - line.field.path.count(None) + bool(line.word))
    return f"{indent}{visible_line(line.word or _name_of(line.field), LONGEST_NAME) or NO_NAME}"


def _name_of(field: FieldSeen) -> str:
    return next((str(step) for step in reversed(field.path) if step is not None), "")


def glimpse(field: FieldSeen) -> str:
    """What a field holds on one line: the beginning of a text, the kinds of words in a list, how much is in it."""
    held = parsed(field.values[0]) if not _is_long(field.values[0]) else field.values[0]
    if field.in_list is not None and len(field.values) > 1 and not isinstance(held, dict | list):
        kinds = dict.fromkeys(visible_line(plain(value), 30) for value in field.values)
        more = " \u00b7 \u2026" if len(kinds) > MOST_KINDS else ""
        return " \u00b7 ".join(list(kinds)[:MOST_KINDS]) + more
    if isinstance(held, dict):
        return f"{{{counted(len(held), 'field')}}}"
    if isinstance(held, list):
        beginning = held[0] if held and not isinstance(held[0], dict | list) else ""
        what = "object" if held and isinstance(held[0], dict) else "element"
        return f"[{counted(len(held), what)}] {visible_line(plain(beginning), SHOWN_CHARACTERS)}".rstrip()
    return visible_line(_text_of(field.values[0]), SHOWN_CHARACTERS)


def _is_long(value: Any) -> bool:
    return isinstance(value, str) and len(value) > 1 << 20


def _text_of(value: Any) -> str:
    return value[: SHOWN_CHARACTERS * 2] if isinstance(value, str) else plain(value)


def title(choice: FieldChoice) -> list[Styled]:
    """The row that is shown, and how many there are of its shape."""
    shape = choice.shape
    found: list[Styled] = [(f" row {shape.number}", "title")]
    kinds = len({one.name for one in choice.shapes})
    if kinds > 1:
        found.append((f"  {shape.name}: {shape.rows:,} of {choice.looked_at:,} rows looked at", "reason"))
    elif len(choice.shapes) > 1:
        found.append((f"  {choice.shown + 1} of {len(choice.shapes)} shown, {choice.looked_at:,} looked at", "muted"))
    return found


def summary(choice: FieldChoice) -> list[Styled]:
    """What is still missing; else the words that say the same on the command line."""
    if choice.lacking:
        return [(f" {choice.lacking}", "refused")]
    return [(" --map ", "muted"), (visible_line(words_for(choice.named)), "reason")]


def question(choice: FieldChoice, mixed: str, *, is_settled: bool = False) -> str:
    """One sentence: what is asked of the person, and why; once they have said how rows are read (`is_settled`), how
    they change it."""
    if is_settled:
        return AS_NAMED
    if choice.is_unknown:
        return GUESSED if choice.named else NOT_GUESSED
    return f"{mixed[:1].upper()}{mixed[1:]}." if mixed else BY_NAME


def reading(choice: FieldChoice, heading: str, role: str) -> Iterator[Paragraph]:
    """The row as the words so far read it."""
    held, row = choice.conversation, choice.shape.number
    yield Paragraph(((visible_line(heading), role),))
    yield Paragraph(())
    if not held.messages:
        yield Paragraph((("nothing is read of this row yet", "refused"),))
    yield from turns(held.messages, row, (), unfold=False)
    yield from beside_paragraphs(held, row)
