"""The held-out rows of a run, with what the run answered to them: files only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import TrainingError
from engine.json_form import is_count, is_text, object_with
from engine.training.runs.data_files import is_row_line, lines_of, spoken

_WITH_ANSWER = object_with({"id": is_text, "step": is_count, "answer": is_text})


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
        found = list(lines_of(run_dir / "data" / "heldout.jsonl", is_row_line))
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
        for line in lines_of(run_dir / "eval.jsonl", _WITH_ANSWER):
            found[line["id"]] = (line["step"], line["answer"])
    except FileNotFoundError:
        return {}
    last = max((step for step, _ in found.values()), default=0)
    return {identifier: answer for identifier, (step, answer) in found.items() if step == last}
