"""The rows that the quality benchmarks measure with, and what signals say of them."""

from __future__ import annotations

import gzip
import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.model import Conversation, Example, Message
from engine.scan.flagging import find_flags

DATA = Path(os.environ.get("TAMIS_MEASURING_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
DECIDING = ("fix", "drop", "check")


def alpaca(content: Mapping[str, Any], number: int) -> Example:
    """An instruction row as the sources read it."""
    prompt = content["instruction"] + (f"\n\n{content['input']}" if content.get("input", "").strip() else "")
    return plain(prompt, content["output"], number, content)


def plain(prompt: str, answer: str, number: int, raw: Mapping[str, Any] | None = None) -> Example:
    turns = (Message("user", prompt), Message("assistant", answer))
    return Example(f"{number:016x}", number, Conversation(turns), "benchmark", number + 1, raw or {})


def read_alpaca(limit: int | None = None) -> list[Example]:
    with gzip.open(DATA / "alpaca_52k.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [
            alpaca(json.loads(line), number) for number, line in enumerate(lines) if limit is None or number < limit
        ]


def read_labels() -> list[tuple[str, ...]]:
    lines = (DATA / "alpaca_labels_dev.jsonl").read_text("utf-8").splitlines()
    return [tuple(json.loads(line)["kinds"]) for line in lines]


def read_gsm8k() -> list[Example]:
    found = []
    for number, line in enumerate((DATA / "gsm8k_test.jsonl").read_text("utf-8").splitlines()):
        content = json.loads(line)
        answer = re.sub(r"<<[^<>]{0,80}>>", "", content["answer"]).split("####")[0].strip()
        found.append(alpaca({"instruction": content["question"], "output": answer}, number))
    return found


def read_seeds() -> list[Example]:
    found = []
    for number, line in enumerate((DATA / "seed_tasks.jsonl").read_text("utf-8").splitlines()):
        content = json.loads(line)
        first = content["instances"][0]
        row = {"instruction": content["instruction"], "input": first["input"], "output": first["output"]}
        found.append(alpaca(row, number))
    return found


def read_roleplay() -> list[Example]:
    rows = json.loads((DATA / "gpteacher_roleplay.json").read_text("utf-8"))
    return [alpaca({**row, "output": row["response"]}, number) for number, row in enumerate(rows)]


def flags_by_row(examples: Sequence[Example]) -> list[dict[str, str]]:
    """Signal to severity, one mapping a row."""
    found: list[dict[str, str]] = [{} for _ in examples]
    place = {example.number: at for at, example in enumerate(examples)}
    for flag in find_flags(examples, lambda done, of: None):
        found[place[flag.row]][flag.signal] = flag.severity
    return found


def auc(scores: Sequence[float], bad: Sequence[bool]) -> float:
    """The chance that a bad row scores above a good one; ties count half."""
    ordered = sorted(zip(scores, bad, strict=True))
    ranks, start = 0.0, 0
    while start < len(ordered):
        end = start
        while end < len(ordered) and ordered[end][0] == ordered[start][0]:
            end += 1
        ranks += sum(is_bad for _, is_bad in ordered[start:end]) * (start + 1 + end) / 2
        start = end
    positive = sum(bad)
    return (ranks - positive * (positive + 1) / 2) / (positive * (len(bad) - positive))
