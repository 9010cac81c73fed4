"""Small projects for tests: made of real files, through the real code."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from engine.project.create import create_project


def alpaca(instruction: str, output: str, **rest: Any) -> dict[str, Any]:
    return {"instruction": instruction, "input": "", "output": output, **rest}


def numbered(count: int) -> list[dict[str, Any]]:
    return [alpaca(f"Question {number}?", f"Answer {number}.") for number in range(count)]


def write_jsonl(path: Path, rows: Iterable[Any]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def make_project(folder: Path, rows: Iterable[Any]) -> Path:
    return create_project(write_jsonl(folder / "raw.jsonl", rows))
