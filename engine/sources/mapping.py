"""A mapping: the shape of a source and where in a row its parts stand; and the dotted paths it is written in."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from engine.errors import UsageError
from engine.model import ShapeName
from engine.nesting import loads
from engine.numerals import whole_number

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Mapping:
    """The shape of a source and where its parts stand; values are dotted paths into the row."""

    shape: ShapeName
    fields: dict[str, str] = field(default_factory=dict)

    def with_field(self, part: str, path: str) -> Mapping:
        """The same with one more part."""
        return Mapping(self.shape, self.fields | {part: path})

    def describe(self) -> str:
        """One line for the person: `alpaca (instruction=question, output=answer)`."""
        return f"{self.shape} ({', '.join(f'{part}={path}' for part, path in self.fields.items())})"


# Words of `--map` on the command line and what they fill.
MAP_WORDS: dict[str, tuple[ShapeName, str]] = {
    "prompt": ("alpaca", "instruction"),
    "instruction": ("alpaca", "instruction"),
    "input": ("alpaca", "input"),
    "context": ("alpaca", "input"),
    "response": ("alpaca", "output"),
    "completion": ("alpaca", "output"),
    "output": ("alpaca", "output"),
    "answer": ("alpaca", "output"),
    "history": ("alpaca", "history"),
    "messages": ("messages", "messages"),
    "conversations": ("sharegpt", "conversations"),
    "chosen": ("preference", "chosen"),
    "rejected": ("preference", "rejected"),
    "text": ("text", "text"),
}
# Words for what may stand beside a conversation of any shape.
BESIDE_WORDS = ("system", "tools", "reasoning", "label", "rejected", "candidates", "images", "audios", "videos")


@lru_cache(maxsize=4096)
def parse_path(text: str) -> Path:
    """`a.b.0.c` -> ('a', 'b', 0, 'c')."""
    return tuple(_step(part) for part in text.split("."))


def _step(part: str) -> str | int:
    """The place in a list; a key where that is not how the number is written (`007`)."""
    number = whole_number(part)
    return part if number is None or str(number) != part else number


def value_at(row: Any, path: Path) -> Any:
    """The value at `path`, or None where a step is missing. A key that holds dots itself is found whole first."""
    return located(row, path)[1]


def located(row: Any, path: Path) -> tuple[Path, Any]:
    """The steps that `path` really takes in this row (a key may hold dots itself), and the value there, or None."""
    taken: list[str | int] = []
    for number, step in enumerate(path):
        if isinstance(row, dict):
            rest = path[number:]
            whole = str(step) if len(rest) == 1 else ".".join(map(str, rest))
            if whole in row:
                return (*taken, whole), row[whole]
            step = str(step)
            row = row.get(step)
        elif isinstance(row, list) and isinstance(step, int) and step < len(row):
            row = row[step]
        else:
            return path, None
        taken.append(step)
    return tuple(taken), row


def turn_list(value: Any) -> Any:
    """A list of turns that a table holds as JSON text, as the list; anything else as it is."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            return loads(value)
        except ValueError:
            return value
    return value


def mapping_from_words(words: str) -> Mapping:
    """The mapping a person gave as `prompt=a.b,response=c`. Raises UsageError."""
    shape: ShapeName | None = None
    fields: dict[str, str] = {}
    for pair in words.split(","):
        word, equals, path = pair.strip().partition("=")
        if equals and path and word in BESIDE_WORDS and not (word == "rejected" and "chosen=" in words):
            fields[word] = path.strip()
            continue
        if not equals or not path or word not in MAP_WORDS:
            known = ", ".join(dict.fromkeys((*MAP_WORDS, *BESIDE_WORDS)))
            raise UsageError(
                f"--map does not understand {pair.strip()!r}", "", f"write WORD=FIELD with WORD one of: {known}"
            )
        this_shape, part = MAP_WORDS[word]
        if word == "prompt" and "chosen=" in words:
            this_shape, part = "preference", "prompt"
        if shape not in (None, this_shape):
            raise UsageError(f"--map mixes {shape} and {this_shape} words", "", "name the fields of one shape only")
        shape, fields[part] = this_shape, path.strip()
    if shape == "alpaca" and not {"instruction", "output"} <= fields.keys():
        raise UsageError("--map needs both halves of a row", "", "for example --map prompt=question,response=answer")
    if shape == "preference" and not {"chosen", "rejected"} <= fields.keys():
        raise UsageError("--map needs both answers of a pair", "", "for example --map prompt=p,chosen=a,rejected=b")
    if shape is None:
        raise UsageError(
            "--map names no field of a conversation", "", "for example --map prompt=question,response=answer"
        )
    return Mapping(shape, fields)
