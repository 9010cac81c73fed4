"""Finished runs and a comparison, laid down as files, for screens that are shown without a trainer: on a project whose
held-out rows are reserved. The answering process is a stand-in that speaks the same lines."""

from __future__ import annotations

import json
import math
import random
import sys
from pathlib import Path
from typing import Any

from engine.project.project import open_project
from engine.training.compare.metrics import result_of
from engine.training.compare.store import Comparison, Trial, save_comparison, save_result
from engine.training.runs.trusted import trust_run

CURATED, RAW = "20260105T101500Z-curated", "20260104T091000Z-raw"
COMPARISON = "20260106T120000Z-compare"
STEPS, SEEDS, MEASURED = 60, 2, 20
LOSSES = {"raw": 0.52, "curated": 0.31}
STAND_IN = """
import json, sys
print(json.dumps({"ready": True, "model": "built-in", "source": "", "kind": "full"}), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    for side in request["sides"]:
        answer = '{"intent": "refund", "product": "Lumbrik", "urgency": "low"}'
        answer = answer if side == "tuned" else "Dear customer, thank you for your message. We will look into it."
        print(json.dumps({"id": request["id"], "side": side, "answers": [answer], "cut": [False]}), flush=True)
"""


def _write(path: Path, lines: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def plant_run(folder: Path, name: str, arm: str, seed: int = 0, group: str = "") -> Path:
    """A finished run of an arm; its answers are those of the project's own held-out rows, some of them wrong."""
    run = folder / "runs" / name
    for part in ("data", "model"):
        (run / part).mkdir(parents=True)
    (run / "stand_in.py").write_text(STAND_IN)
    values = {"model": {"value": "built-in"}, "steps": {"value": STEPS}, "max_new_tokens": {"value": 48}}
    command = [sys.executable, str(run / "stand_in.py")]
    spec = {"v": 1, "name": name.partition("-")[2], "group": group, "values": values, "command": command}
    (run / "spec.json").write_text(json.dumps(spec))
    chance = random.Random(seed)
    loss = LOSSES[arm] + 0.01 * seed
    held, measured = [], []
    with open_project(folder, readonly=True) as project:
        for place, number in enumerate(sorted(project.heldout)[:MEASURED]):
            example = project.example(number)
            held.append({"id": example.id, "messages": [{"role": t.role, "content": t.text} for t in example.messages]})
            answer = example.answer if chance.random() < (0.9 if arm == "curated" else 0.5) else f"I am {arm}."
            known = {"id": example.id, "tokens": 20, "exact": answer == example.answer, "answer": answer}
            if arm == "curated" and not seed:
                measured.append({"step": 0, "id": example.id, "nll": 50.0, "tokens": 20})
            measured.append({"step": STEPS, "nll": 20 * (loss + 0.002 * place), **known})
    _write(run / "data" / "heldout.jsonl", held)
    _write(run / "eval.jsonl", measured)
    noise = random.Random(seed + 7)
    logs = [
        {"ev": "log", "step": step, "of": STEPS, "dt": 0.2, "lr": 2e-3 * (1 - step / STEPS),
         "loss": round(loss + 2.2 * math.exp(-step / 12) + noise.random() / 6, 3)}
        for step in range(1, STEPS + 1)
    ]  # fmt: skip
    exact = sum(line.get("exact", False) for line in measured) / max(1, len(held))
    ends = [{"ev": "eval", "step": STEPS, "nll": loss, "exact": exact, "rows": len(held)},
            {"ev": "exit", "outcome": "finished"}]  # fmt: skip
    _write(
        run / "events.jsonl", [{"v": 1, "t": 0, **event} for event in ({"ev": "phase", "phase": "train"}, *logs, *ends)]
    )
    result = {
        "outcome": "finished",
        "step": STEPS,
        "nll": loss,
        "exact": exact,
        "completion_tokens": 5400,
        "seconds": 21.4,
    }
    (run / "result.json").write_text(json.dumps(result))
    trust_run(run)
    return run


def plant_runs(folder: Path) -> tuple[Path, Path]:
    """(a run on the curated rows, a run on the raw ones)."""
    return plant_run(folder, CURATED, "curated"), plant_run(folder, RAW, "raw")


def plant_comparison(folder: Path) -> Comparison:
    """A finished comparison of raw and curated, its verdict drawn by the engine from the files of its runs."""
    runs = folder / "runs"
    (runs / COMPARISON).mkdir(parents=True)
    trials = tuple(
        Trial(arm, seed, plant_run(folder, f"{COMPARISON}-{arm}-seed{seed}", arm, seed, "compare").name)
        for seed in range(SEEDS)
        for arm in LOSSES
    )
    with open_project(folder, readonly=True) as project:
        rows = [project.rows.id(number) for number in sorted(project.heldout)[:MEASURED]]
    comparison = Comparison(
        dir=runs / COMPARISON,
        model="built-in",
        steps=STEPS,
        seeds=SEEDS,
        arms=(("base", 0), ("raw", 480), ("curated", 211)),
        trials=trials,
        heldout={"drawn": len(rows), "measured": len(rows), "edited": 0, "left_out": {}},
        slices={row: {"year": str(2022 + place % 3)} for place, row in enumerate(rows)},
        estimate={
            "seconds": {"value": 90.0, "reason": "as the last run here"},
            "cost": {"value": None, "reason": "no price an hour is set"},
        },
    )
    save_comparison(comparison)
    save_result(comparison.dir, result_of(comparison, 1.0))
    return comparison
