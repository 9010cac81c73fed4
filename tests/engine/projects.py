"""Small projects for tests: made of real files, through the real code."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from engine.project.create import create_project
from engine.project.journal import hash_of
from engine.project.line_sums import with_sum
from engine.project.project import open_project
from engine.project.rows import CHECK_BYTES, index_bytes, read_columns


def alpaca(instruction: str, output: str, **rest: Any) -> dict[str, Any]:
    return {"instruction": instruction, "input": "", "output": output, **rest}


def numbered(count: int) -> list[dict[str, Any]]:
    return [alpaca(f"Question {number}?", f"Answer {number}.") for number in range(count)]


def write_jsonl(path: Path, rows: Iterable[Any]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def make_project(folder: Path, rows: Iterable[Any]) -> Path:
    return create_project(write_jsonl(folder / "raw.jsonl", rows))


def as_of_before(folder: Path, *, checked: bool = True) -> Path:
    """The project with an index as earlier versions wrote it: without the checksums of rows, and of old without its
    own."""
    with open_project(folder, readonly=True) as project:
        starts, hashes, lines, _ = read_columns(project.rows)
    index = index_bytes(starts, hashes, lines, None)
    (folder / "rows.idx").write_bytes(index if checked else index[:-CHECK_BYTES])
    return folder


def rewrite(journal: Path, old: bytes, new: bytes) -> None:
    """Other words in a journal, as if they had been written so: each line with a checksum that fits."""
    before: bytes | None = None
    lines = []
    for line in journal.read_bytes().splitlines():
        plain = json.loads(line.replace(old, new))
        checksum = plain.pop("sum", None)
        if "prev" in plain:
            plain["prev"] = "" if before is None else hash_of(before)
        written = json.dumps(plain, separators=(",", ":")).encode()
        before = written if checksum is None else with_sum(written)
        lines.append(before + b"\n")
    journal.write_bytes(b"".join(lines))
