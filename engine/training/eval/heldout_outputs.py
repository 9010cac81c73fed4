"""The held-out rows of a run, with what the run answered to them: files only."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import TrainingError
from engine.training.runs.data_files import spoken


@dataclass(frozen=True, slots=True)
class HeldoutRow:
    """A row of `data/heldout.jsonl`: its id, the messages before the closing answer, that answer, and its tools."""

    id: str
    prompt: tuple[Mapping[str, Any], ...]
    reference: str
    tools: tuple[str, ...] = ()

    @property
    def request(self) -> str:
        """What is asked, without the system prompt."""
        return "\n\n".join(spoken(message) for message in self.prompt if message["role"] != "system")


def heldout_rows(run_dir: Path) -> tuple[HeldoutRow, ...]:
    """The rows in file order; those without a request, or without an answer at the end, are left out.

    Raises TrainingError.
    """
    try:
        found = list(_lines(run_dir / "data" / "heldout.jsonl"))
        return tuple(
            HeldoutRow(
                str(row["id"]), tuple(row["messages"][:-1]), spoken(row["messages"][-1]), tuple(row.get("tools", ()))
            )
            for row in found
            if len(row["messages"]) > 1 and row["messages"][-1]["role"] == "assistant"
        )
    except (OSError, KeyError, TypeError, ValueError) as fault:
        raise TrainingError(
            f"the held-out rows of {run_dir.name} cannot be read", str(fault), "see its data/"
        ) from fault


def recorded_answers(run_dir: Path) -> dict[str, str]:
    """Row id -> the answer the run wrote down at its last measurement that has answers; empty where it has none."""
    found: dict[str, tuple[int, str]] = {}
    try:
        for line in _lines(run_dir / "eval.jsonl"):
            if "answer" in line:
                found[str(line["id"])] = (int(line["step"]), str(line["answer"]))
    except FileNotFoundError:
        return {}
    last = max((step for step, _ in found.values()), default=0)
    return {identifier: answer for identifier, (step, answer) in found.items() if step == last}


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a JSONL file; a torn line is passed over."""
    with path.open("rb") as stream:
        for line in stream:
            try:
                value = json.loads(line)
            except ValueError:
                continue
            if isinstance(value, dict):
                yield value
