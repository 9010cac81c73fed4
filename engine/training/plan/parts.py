"""What a plan is made of: numbers with their reasons, rows as the trainer sees them, notes to weigh."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.training.plan.estimates import Estimate
from engine.training.plan.wasted_tokens import WastedTokens
from engine.training.worker.gpus import Gpu


@dataclass(frozen=True, slots=True)
class Note:
    """Something to weigh: what kind, a sentence, and the ids of the rows it is about."""

    kind: str
    text: str
    ids: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "text": self.text, "ids": list(self.ids)}


@dataclass(frozen=True, slots=True)
class Piece:
    """Text of a rendered row that is learnt, or masked."""

    text: str
    learnt: bool


@dataclass(frozen=True, slots=True)
class ShownRow:
    """A row as the trainer sees it, template rendered; `cut` is what lies behind max_length."""

    id: str
    tokens: int
    pieces: tuple[Piece, ...]
    cut: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything `tamis plan` tells. Ids are row ids; tokens count one pass over the rows.

    `values` are the settings of the run, each with its reason; `facts` go into its spec: the model's commit, the hash
    of its chat template, the versions of the libraries.
    """

    rows: int
    heldout: int
    model: str
    masking: str
    tokens: Mapping[str, int]
    max_length: int
    truncated: tuple[str, ...]
    eos_lost: tuple[str, ...]
    fully_masked: tuple[str, ...]
    steps: Estimate
    epochs: Estimate
    vram_gb: Estimate
    seconds: Estimate
    cost: Estimate
    disk_gb: Estimate
    gpus: tuple[Gpu, ...]
    shown: tuple[ShownRow, ...]
    versions: Mapping[str, str | None]
    warnings: tuple[Note, ...]
    refusals: tuple[Note, ...]
    values: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    wasted: tuple[WastedTokens, ...] = ()

    def overridden(self, why: str) -> dict[str, Any]:
        """What manifest and spec say where the refusals are set aside."""
        return {"why": why, "refusals": [note.to_json() for note in self.refusals]}

    def to_json(self) -> dict[str, Any]:
        """The object `tamis plan --json` prints."""
        return {
            "rows": self.rows,
            "heldout": self.heldout,
            "model": self.model,
            "trained_on": self.masking,
            "tokens": dict(self.tokens),
            "max_length": self.max_length,
            "truncated": len(self.truncated),
            "eos_lost": len(self.eos_lost),
            "fully_masked": len(self.fully_masked),
            "ids": {
                "truncated": list(self.truncated),
                "eos_lost": list(self.eos_lost),
                "fully_masked": list(self.fully_masked),
            },
            **{
                name: getattr(self, name).to_json()
                for name in ("steps", "epochs", "vram_gb", "seconds", "cost", "disk_gb")
            },
            "junk": [cost.to_json() for cost in self.wasted],
            "gpus": [gpu_json(gpu) for gpu in self.gpus],
            "shown": [
                {"id": row.id, "tokens": row.tokens, "pieces": [[p.text, p.learnt] for p in row.pieces], "cut": row.cut}
                for row in self.shown
            ],
            "versions": dict(self.versions),
            "values": dict(self.values),
            "warnings": [note.to_json() for note in self.warnings],
            "refusals": [note.to_json() for note in self.refusals],
        }


def gpu_json(gpu: Gpu) -> dict[str, Any]:
    return {
        "index": gpu.index,
        "name": gpu.name,
        "capability": gpu.capability,
        "total_gb": round(gpu.total_mb / 1000, 1),
        "free_gb": round(gpu.free_mb / 1000, 1),
        "processes": [{"pid": each.pid, "name": each.name, "gb": round(each.mb / 1000, 2)} for each in gpu.processes],
    }
