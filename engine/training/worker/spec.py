"""The spec of a run, as the worker reads it back from `spec.json` (or `spec.N.json` for a later attempt)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Spec:
    """Values without their reasons. `sft` and `lora` go to SFTConfig and LoraConfig by name.

    `from_step`: the step of the checkpoint to go on from, 0 to begin. `spent_seconds`: time earlier attempts took.
    """

    values: Mapping[str, Any]
    sft: Mapping[str, Any]
    lora: Mapping[str, Any]
    from_step: int = 0
    spent_seconds: float = 0.0

    def __getitem__(self, name: str) -> Any:
        if name not in self.values:
            raise ValueError(f"its spec.json lacks {name}")
        return self.values[name]


def read_spec(run_dir: Path, attempt: int) -> Spec:
    """The spec in force at this attempt."""
    own = run_dir / f"spec.{attempt}.json"
    content = json.loads((own if own.exists() else run_dir / "spec.json").read_bytes())
    return Spec(
        bare(content["values"]),
        bare(content["sft"]),
        bare(content["lora"]),
        int(content.get("from_step", 0)),
        float(content.get("spent_seconds", 0.0)),
    )


def bare(chosen: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """`{name: {"value", "reason"}}` without the reasons."""
    return {name: choice["value"] for name, choice in chosen.items()}
