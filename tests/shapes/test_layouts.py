"""What is known of rows laid out alike is told once, and is what each of them says of itself, sign by sign."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.sources.files.pieces import SourceRow
from engine.sources.records.read import read_source
from engine.sources.shapes.guess import count_shapes, recognise
from engine.sources.shapes.known_shape import Shape, Sign
from engine.sources.shapes.shape_table import SHAPES, known_shape

FILES = Path(__file__).parent / "files"
Row = dict[str, Any]
SIGNS = [(shape, [Sign(sign) for sign in shape.signs]) for shape in SHAPES if shape.guessed is None]


def by_every_sign(row: Row) -> Shape | None:
    """The slow way: the first entry of the table whose signs all stand in the row."""
    return next((shape for shape, signs in SIGNS if all(sign.stands_in(row) for sign in signs)), None)


def real_rows() -> Iterator[Row]:
    for path in sorted(FILES.rglob("*.json*")):
        if path.stat().st_size < 100_000 and path.suffix in (".json", ".jsonl"):
            pieces = read_source(path, path.suffix[1:])
            yield from (piece.raw for piece, _ in zip(pieces, range(3), strict=False) if isinstance(piece, SourceRow))
    for shape in SHAPES:
        for example in shape.example if isinstance(shape.example, tuple) else (shape.example,):
            if isinstance(example, dict):
                yield json.loads(json.dumps(example))


def changed(row: Row, chance: random.Random, names: list[str], values: list[Any]) -> Row:
    """The row with one field less, under another name, of another value, or inside of which the same was done."""
    row = dict(row)
    name = chance.choice(list(row) or [""])
    held, what = row.get(name), chance.randrange(5)
    if what == 0:
        row.pop(name, None)
    elif what == 1:
        row[chance.choice(names)] = row.pop(name, None)
    elif what == 2 and isinstance(held, dict):
        row[name] = changed(held, chance, names, values)
    elif what == 2 and isinstance(held, list) and held:
        place = chance.randrange(len(held))
        inner = held[place]
        inner = changed(inner, chance, names, values) if isinstance(inner, dict) else chance.choice(values)
        row[name] = [*held[:place], inner, *held[place + 1 :]]
    else:
        row[chance.choice([name, *names[:1]])] = chance.choice(values)
    return row


def test_each_row_is_of_the_entry_that_its_own_signs_name() -> None:
    rows = list(real_rows())
    assert len(rows) > 200
    chance = random.Random(16)
    names = [name for row in rows for name in row] + ["messages.role", "messages.*.role", "a.b"]
    values = [value for row in rows for value in row.values()] + ["", None, [], {}, [[1, 2]], [None], [{}], 0, True]
    for row in rows:
        for tried in (row, changed(row, chance, names, values)):
            more = changed(tried, chance, names, values)
            for one in (tried, more):
                assert known_shape(one) is by_every_sign(one), one


def test_a_name_with_a_dot_in_some_messages_of_a_list_is_found_in_them() -> None:
    """One message has `data`, another one `data.content`: what stands at the path is told by neither alone."""
    row = {"messages": [{"type": "human", "data": "x"}, {"type": "ai", "data.content": "Lima."}]}
    assert known_shape(row) is by_every_sign(row)
    assert known_shape(row) is not None


def test_rows_alike_are_counted_as_each_for_itself() -> None:
    alike = [{"instruction": "Capital of Peru?", "input": "" if n % 2 else "Peru", "output": str(n)} for n in range(9)]
    chats = [{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}] * 3
    rows = [*alike, *chats, {"nothing": 1}, *alike]
    found = count_shapes(rows)
    assert found.shapes == {"Alpaca": 18, "chat messages": 3, "no known shape": 1}
    assert found.first == {"Alpaca": 0, "chat messages": 9, "no known shape": 12}
    assert recognise(alike[0]) == recognise(alike[1])
