"""Pre-flight: what a run would do with these rows on this machine, said before it starts.

Warnings are for a person to weigh. A refusal keeps `tamis train` from starting unless it is overridden with a reason,
which goes into the run's manifest.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.model import TrainingRow
from engine.training.plan.checks import judged, leaking
from engine.training.plan.estimates import Estimate, cost, disk_gb, memory_gb, quantile
from engine.training.plan.parts import Note, Piece, Plan, ShownRow
from engine.training.plan.preflight import Progress, preflight
from engine.training.plan.run_time import run_seconds
from engine.training.plan.template_notes import REFUSED, template_notes
from engine.training.plan.wasted_tokens import epoch_of, wasted_tokens_of
from engine.training.spec.run_spec import RunSpec, optimizer_steps
from engine.training.worker.gpus import Gpu, gpus

__all__ = ["Plan", "ShownRow", "make_plan"]


def make_plan(
    spec: RunSpec,
    train: Sequence[TrainingRow],
    heldout: Sequence[TrainingRow],
    *,
    runs_dir: Path,
    duplicates: Sequence[str] = (),
    leaks: Sequence[str] = (),
    wasted: Mapping[str, Sequence[str]] | None = None,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> Plan:
    """The plan of one run. `duplicates` and `leaks` are ids of training rows a scan has found to be such, `wasted` are
    ids by the name of a group whose share of an epoch is told.

    `cache` keeps the worker's answer for the next time; `progress` is that of `preflight`. Raises TrainingError where
    the interpreter does not run.
    """
    answer = preflight(spec, train, heldout, cache=cache, progress=progress)
    machine = gpus()
    refusals = []
    if answer["unfit"]:
        *complaints, remedy = answer["unfit"]
        words = f"the interpreter {spec.command[0]} cannot train: {'; '.join(complaints)}. Try {remedy}"
        refusals.append(Note("versions", words))
    if "error" in answer:
        refusals.append(Note("model", answer["error"]))
    elif "rows" not in answer and "refused_rows" in answer:
        refusals += [note for note in template_notes(len(train), answer) if note.kind in REFUSED]
    if "rows" not in answer:
        return nothing_known(spec, train, heldout, answer, machine, refusals)
    longest = int(spec.max_length.value)
    lengths = [row["tokens"] for row in answer["rows"]]
    truncated = tuple(row["id"] for row in answer["rows"] if row["tokens"] > longest)
    eos_lost = tuple(row["id"] for row in answer["rows"] if row["ends"] and not row["ends_cut"])
    masked = tuple(row["id"] for row in answer["rows"] if not row["learnt"])
    sequences = answer["sequences"] or len(answer["rows"])
    steps = optimizer_steps(spec, sequences)
    passes = math.ceil(sequences / int(spec.batch.value))
    of_a_batch = f"{sequences} sequences of {len(train)} packed rows" if answer["sequences"] else f"{len(train)} rows"
    gpu = next((each for each in machine if each.index == spec.gpu.value), None)
    on_gpu = answer["device"]["kind"] == "cuda"
    kept = [min(length, longest) for length in lengths]
    epochs = round(steps / passes, 2)
    row_tokens = {row["id"]: min(row["tokens"], longest) for row in answer["rows"]}
    seconds = run_seconds(spec, answer, gpu, row_tokens, runs_dir)
    epoch = epoch_of(seconds, epochs)
    plan = Plan(
        rows=len(train),
        heldout=len(heldout),
        model=str(spec.model.value),
        masking=answer["masking"],
        tokens={
            "p50": quantile(lengths, 0.5),
            "p95": quantile(lengths, 0.95),
            "max": max(lengths),
            "completion": sum(row["learnt"] for row in answer["rows"]),
            "all": sum(kept),
        },
        max_length=longest,
        truncated=truncated,
        eos_lost=eos_lost,
        fully_masked=masked,
        steps=Estimate(
            steps, spec.steps.reason if spec.steps.value else f"{passes} a pass, {spec.epochs.value:g} passes"
        ),
        epochs=Estimate(epochs, f"{steps} steps of {spec.batch.value} over {of_a_batch}"),
        vram_gb=memory_gb(spec, answer["model"], longest if answer["sequences"] else max(kept), on_gpu),
        seconds=seconds,
        cost=cost(spec, seconds),
        disk_gb=disk_gb(spec, answer["model"]),
        gpus=machine,
        shown=tuple(shown_row(row) for row in answer["shown"]),
        versions=answer["versions"],
        warnings=(),
        refusals=tuple(refusals),
        values=spec.to_json()["values"],
        facts={
            "model_commit": answer["model"]["commit"],
            "template_sha256": answer["template_sha256"],
            "versions": {"python": answer["python"], **answer["versions"]},
        },
        wasted=wasted_tokens_of(wasted or {}, row_tokens, epoch, float(spec.price_per_hour.value)),
    )
    return judged(
        plan, spec, answer, [*leaks, *leaking(train, heldout)], duplicates, gpu if on_gpu else None, runs_dir, heldout
    )


def shown_row(row: Mapping[str, Any]) -> ShownRow:
    pieces = tuple(Piece(piece["text"], piece["learnt"]) for piece in row["pieces"])
    return ShownRow(row["id"], row["tokens"], pieces, row["cut"])


def nothing_known(
    spec: RunSpec,
    train: Sequence[TrainingRow],
    heldout: Sequence[TrainingRow],
    answer: Mapping[str, Any],
    machine: tuple[Gpu, ...],
    refusals: Sequence[Note],
) -> Plan:
    """The plan where the model or the interpreter is not to be had: only what needs neither."""
    unknown = Estimate(None, "not known: see what is refused")
    steps = optimizer_steps(spec, len(train))
    return Plan(
        rows=len(train), heldout=len(heldout), model=str(spec.model.value), masking="",
        tokens={"p50": 0, "p95": 0, "max": 0, "completion": 0, "all": 0}, max_length=int(spec.max_length.value),
        truncated=(), eos_lost=(), fully_masked=(), steps=Estimate(steps, "rows and batch alone"), epochs=unknown,
        vram_gb=unknown, seconds=unknown, cost=unknown, disk_gb=unknown, gpus=machine, shown=(),
        versions=answer["versions"], warnings=(), refusals=tuple(refusals), values=spec.to_json()["values"],
    )  # fmt: skip
