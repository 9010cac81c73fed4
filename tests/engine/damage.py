"""Containers of JSON text with the place of every record in them, and damage done to them at random, by seed."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

TEXTS = (
    "Paris.",
    'He said "so".',
    "a\nb\tc",
    "}, {",
    "[1, 2]",
    "é 漢 \U0001f600",
    "",
    "it's",
    "x" * 300,
    "\\",
    "a, b: c",
)


@dataclass(frozen=True)
class Container:
    """A source, and of each of its records the bytes it spans and its value."""

    name: str
    content: bytes
    spans: tuple[tuple[int, int], ...]
    values: tuple[dict[str, Any], ...]


def rows(chance: random.Random) -> list[dict[str, Any]]:
    flat = chance.random() < 0.5
    made: list[dict[str, Any]] = []
    for number in range(chance.randint(3, 12)):
        asked, said = chance.choice(TEXTS), chance.choice(TEXTS)
        if flat:
            made.append(
                {"instruction": f"k{number:03} {asked}", "output": said, "score": number / 8, "tags": ["a", None]}
            )
        else:
            turns = [{"role": "user", "content": f"k{number:03} {asked}"}, {"role": "assistant", "content": said}]
            made.append({"messages": turns, "meta": {"n": number}})
    return made


Text = Callable[[Any], str]


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


LAYOUTS: dict[str, tuple[str, str, str, Text]] = {
    "lines": ("", "\n", "\n", _compact),
    "no last line feed": ("", "\n", "", _compact),
    "crlf": ("", "\r\n", "\r\n", _compact),
    "comma lines": ("", ",\n", ",\n", _compact),
    "separators": ("\x1e", "\n\x1e", "\n", _compact),
    "laid out": ("", "\n", "\n", _pretty),
    "array": ("[", ", ", "]", _compact),
    "array of lines": ("[\n", ",\n", "\n]\n", _compact),
    "array laid out": ("[\n", ",\n", "\n]\n", _pretty),
    "python": ("", "\n", "\n", repr),
    "wrapped": ('{"version": "1", "data": [', ", ", "]}", _compact),
    "wrapped lines": ('{"data": [\n', ",\n", '\n], "n": 3}\n', _compact),
    "several a line": ("", " ", "\n", _compact),
}


def container(chance: random.Random, name: str) -> Container:
    before, between, behind, text = LAYOUTS[name]
    values = rows(chance)
    content, spans = before.encode(), []
    for number, value in enumerate(values):
        content += between.encode() if number else b""
        start = len(content)
        content += text(value).encode()
        spans.append((start, len(content)))
    return Container(name, content + behind.encode(), tuple(spans), tuple(values))


@dataclass(frozen=True)
class Damaged:
    """The bytes, and which bytes of the sound source still stand side by side in them: (start, end) there."""

    content: bytes
    kept: tuple[tuple[int, int], ...]

    def untouched(self, source: Container) -> list[int]:
        """The records whose bytes, and whose neighbours and all between, stand as they stood."""
        last = len(source.spans) - 1
        return [
            number
            for number in range(1, last)
            if any(
                start <= source.spans[number - 1][0] and source.spans[number + 1][1] <= end for start, end in self.kept
            )
        ]


def damaged(chance: random.Random, source: Container) -> Damaged:
    """One to three faults: bits, cuts, bytes and spans that go, come or come twice, lines that change places, zeros,
    bytes of another encoding."""
    pieces: list[tuple[bytes, int | None]] = [(source.content, 0)]
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        pieces = _fault(chance, pieces)
    kept = tuple((start, start + len(piece)) for piece, start in pieces if start is not None)
    return Damaged(b"".join(piece for piece, _ in pieces), kept)


def _fault(chance: random.Random, pieces: list[tuple[bytes, int | None]]) -> list[tuple[bytes, int | None]]:
    place = chance.randrange(len(pieces))
    piece, start = pieces[place]
    if not piece:
        return pieces
    at = chance.randrange(len(piece))
    length = chance.choice((1, 1, 2, 5, 40, 200))
    gone, behind = piece[at : at + length], piece[at + length :]
    kind = chance.choice(
        ("bit", "bit", "cut", "less", "less", "more", "more", "twice", "swap", "zeros", "latin", "signs")
    )
    put = {
        "bit": bytes((gone[0] ^ 1 << chance.randrange(8),)) + gone[1:],
        "more": gone + bytes(chance.choices(range(256), k=length)),
        "twice": gone,
        "zeros": bytes(len(gone)),
        "latin": gone + "äöß".encode("latin-1"),
        "signs": gone + bytes(chance.choices(b'"{}[],:\\\n', k=chance.randint(1, 3))),
    }.get(kind, b"")
    if kind == "cut":
        return [*pieces[:place], (piece[:at], start)]
    ahead: list[tuple[bytes, int | None]] = [(piece[:at], start)]
    rest: list[tuple[bytes, int | None]] = [(behind, None if start is None else start + at + length)]
    if kind == "swap":
        end = chance.randrange(len(behind) + 1) if behind else 0
        later = [(behind[:end], rest[0][1]), (gone, None if start is None else start + at)]
        rest = [*later, (behind[end:], None if rest[0][1] is None else rest[0][1] + end)]
        return [*pieces[:place], *ahead, *rest, *pieces[place + 1 :]]
    if kind in ("more", "latin", "signs", "twice"):
        kept = (gone, None if start is None else start + at)
        return [*pieces[:place], *ahead, kept, (put[len(gone) :] or gone, None), *rest, *pieces[place + 1 :]]
    return [*pieces[:place], *ahead, (put, None), *rest, *pieces[place + 1 :]]
