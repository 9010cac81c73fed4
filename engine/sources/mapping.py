"""A mapping: the shape of a source and where in a row its parts stand; and the paths it is written in.

A path is names and places in lists with dots between them (`turns.0.text`). `*` stands for a number or for every
element of a list (`q*`, `turns.*.text`), `+` joins several fields (`title+body`), `|` parts words. A name that holds
one of these signs, or begins or ends with a blank, stands in quotation marks, written as in JSON: `"a.b".text`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from engine.model import ShapeName
from engine.nesting import loads
from engine.numerals import whole_number

Path = tuple[str | int, ...]
SAMPLE_ROWS = 200
"""Rows at the beginning of a source by which it is told what is in it."""


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


@lru_cache(maxsize=4096)
def parse_path(text: str) -> Path:
    """`a.b.0.c` -> ('a', 'b', 0, 'c'); `"a.b".c` -> ('a.b', 'c')."""
    return tuple(map(parse_step, parted(text, ".") if '"' in text else text.split(".")))


def parse_step(part: str) -> str | int:
    """The place in a list; a key where that is not how the number is written (`007`), or where it is quoted."""
    if part[:1] == '"':
        return unquoted(part)
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


# -- how a name is written in a path

_QUOTED = r'"(?:[^"\\]|\\.)*"'
_SIGNS = re.compile(r'[".,+|=*\\]')


def parted(text: str, sign: str) -> list[str]:
    """The pieces of a text between the signs that stand in no quotation marks."""
    pieces, start = [], 0
    for found in re.finditer(f"{_QUOTED}|{re.escape(sign)}", text, re.DOTALL):
        if found.group() == sign:
            pieces.append(text[start : found.start()])
            start = found.end()
    return [*pieces, text[start:]]


def unquoted(text: str) -> str:
    """A name as it is, without the quotation marks it may stand in."""
    if len(text) > 1 and text[0] == text[-1] == '"':
        try:
            name = loads(text)
        except ValueError:
            return text
        return name if isinstance(name, str) else text
    return text


def quoted(name: str) -> str:
    """A name as it is written in a path: in quotation marks where it would be read as something else."""
    plain = name == name.strip() and name and name.isprintable() and not _SIGNS.search(name)
    if plain and whole_number(name) is None:
        return name
    text = json.dumps(name, ensure_ascii=False)
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else json.dumps(sign)[1:-1] for sign in text)


def written(path: tuple[str | int | None, ...]) -> str:
    """The steps as a path; None is `*`, any place of a list."""
    return ".".join("*" if step is None else str(step) if isinstance(step, int) else quoted(step) for step in path)
