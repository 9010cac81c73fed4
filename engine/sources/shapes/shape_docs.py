"""Write the examples of docs/formats.md: `python -m engine.sources.shapes.shape_docs`, from the root of the project."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from engine.sources.shapes.known_shape import Shape
from engine.sources.shapes.shape_table import FAMILIES

PAGE = "docs/formats.md"
BEGIN, END = "<!-- shapes:begin", "<!-- shapes:end -->"


def shapes_markdown() -> str:
    """Every entry of the table: its name, its signs, how it is read, an example, and what that is read as."""
    return "\n".join(line for family, shapes in FAMILIES.items() for line in _family(family, shapes))


def _family(family: str, shapes: tuple[Shape, ...]) -> Iterator[str]:
    yield from (f"### {family}", "")
    for shape in shapes:
        records = shape.example if isinstance(shape.example, tuple) else (shape.example,)
        yield from (_head(shape), "", "```json")
        yield from (json.dumps(record, ensure_ascii=False) for record in records)
        yield from ("```", "```text")
        yield from (line.replace("\n", "\\n") for line in shape.reads)
        yield from ("```", "")


def _head(shape: Shape) -> str:
    known = f", known by {', '.join(f'`{sign}`' for sign in shape.signs)}" if shape.signs else ""
    read = f"; `{','.join(f'{part}={places}' for part, places in shape.fields.items())}`" if shape.fields else ""
    return f"**{shape.name}**{known}{read}{f' ({shape.how})' if shape.how else ''}"


def with_shapes(page: str) -> str:
    """The page with the examples written anew. Raises ValueError where it has no place for them."""
    head, begin, rest = page.partition(BEGIN)
    opening, close, rest = rest.partition("-->")
    _, end, tail = rest.partition(END)
    if not (begin and close and end):
        raise ValueError(f"{PAGE} has no {BEGIN}")
    return f"{head}{BEGIN}{opening}-->\n\n{shapes_markdown()}\n{END}{tail}"


if __name__ == "__main__":
    path = Path(PAGE)
    path.write_text(with_shapes(path.read_text(encoding="utf-8")), encoding="utf-8")
