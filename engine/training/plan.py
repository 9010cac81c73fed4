"""Pre-flight: what a run would do with these rows on this machine, said before it starts.

Warnings are for a person to weigh. A refusal keeps `tamis train` from starting unless it is overridden with a reason,
which goes into the run's manifest.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine.model import TrainingRow
from engine.training.estimates import Estimate, cost, disk_gb, memory_gb, quantile, run_seconds
from engine.training.spec import RunSpec, optimizer_steps
from engine.training.survey import survey
from engine.training.worker.gpus import Gpu, gpus

FEW_HELDOUT = 50
FEW_STEPS, MANY_EPOCHS = 20, 10
TOLERATED_SHARE = 0.02
FULL_SHARE = 0.9


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
    """Everything `tamis plan` tells. Ids are row ids; tokens count one pass over the rows."""

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
            "gpus": [gpu_json(gpu) for gpu in self.gpus],
            "shown": [
                {"id": row.id, "tokens": row.tokens, "pieces": [[p.text, p.learnt] for p in row.pieces], "cut": row.cut}
                for row in self.shown
            ],
            "versions": dict(self.versions),
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


def make_plan(
    spec: RunSpec,
    train: Sequence[TrainingRow],
    heldout: Sequence[TrainingRow],
    *,
    runs_dir: Path,
    duplicates: Sequence[str] = (),
    leaks: Sequence[str] = (),
    cache: Path | None = None,
) -> Plan:
    """The plan of one run. `duplicates` and `leaks` are ids of training rows a scan has found to be such.

    `cache` keeps the worker's answer for the next time. Raises TrainingError where the interpreter does not run.
    """
    answer = survey(spec, train, cache=cache)
    machine = gpus()
    refusals = [Note("versions", f"the interpreter {spec.command[0]}: {words}") for words in answer["unfit"]]
    if "error" in answer:
        refusals.append(Note("model", answer["error"]))
    if "rows" not in answer:
        return nothing_known(spec, train, heldout, answer, machine, refusals)
    longest = int(spec.max_length.value)
    lengths = [row["tokens"] for row in answer["rows"]]
    truncated = tuple(row["id"] for row in answer["rows"] if row["tokens"] > longest)
    eos_lost = tuple(row["id"] for row in answer["rows"] if row["ends"] and not row["ends_cut"])
    masked = tuple(row["id"] for row in answer["rows"] if not row["learnt"])
    sequences = answer["sequences"] or len(train)
    steps = optimizer_steps(spec, sequences)
    passes = math.ceil(sequences / int(spec.batch.value))
    of_a_batch = f"{sequences} sequences of {len(train)} packed rows" if answer["sequences"] else f"{len(train)} rows"
    gpu = next((each for each in machine if each.index == spec.gpu.value), None)
    on_gpu = answer["device"]["kind"] == "cuda"
    kept = [min(length, longest) for length in lengths]
    seconds = run_seconds(
        spec, answer["model"], answer["device"], gpu, sum(kept) / sequences, steps, runs_dir if runs_dir else None
    )
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
        epochs=Estimate(round(steps / passes, 2), f"{steps} steps of {spec.batch.value} over {of_a_batch}"),
        vram_gb=memory_gb(spec, answer["model"], longest if answer["sequences"] else max(kept), on_gpu),
        seconds=seconds,
        cost=cost(spec, seconds),
        disk_gb=disk_gb(spec, answer["model"]),
        gpus=machine,
        shown=tuple(shown_row(row) for row in answer["shown"]),
        versions=answer["versions"],
        warnings=(),
        refusals=tuple(refusals),
    )
    return judged(plan, spec, answer, [*leaks, *leaking(train, heldout)], duplicates, gpu if on_gpu else None, runs_dir)


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
    unknown = Estimate(None, refusals[0].text if refusals else "")
    steps = optimizer_steps(spec, len(train))
    return Plan(
        rows=len(train), heldout=len(heldout), model=str(spec.model.value), masking="",
        tokens={"p50": 0, "p95": 0, "max": 0, "completion": 0, "all": 0}, max_length=int(spec.max_length.value),
        truncated=(), eos_lost=(), fully_masked=(), steps=Estimate(steps, "rows and batch alone"), epochs=unknown,
        vram_gb=unknown, seconds=unknown, cost=unknown, disk_gb=unknown, gpus=machine, shown=(),
        versions=answer["versions"], warnings=(), refusals=tuple(refusals),
    )  # fmt: skip


def leaking(train: Sequence[TrainingRow], heldout: Sequence[TrainingRow]) -> list[str]:
    """Ids of training rows whose request also stands in the held-out set, white space around turns aside."""

    def request(row: TrainingRow) -> tuple[tuple[str, str], ...]:
        return tuple((turn["role"], turn["content"].strip()) for turn in row.messages[:-1])

    held = {request(row) for row in heldout}
    return [row.id for row in train if request(row) in held]


def judged(
    plan: Plan,
    spec: RunSpec,
    answer: Mapping[str, Any],
    leaks: Sequence[str],
    duplicates: Sequence[str],
    gpu: Gpu | None,
    runs_dir: Path,
) -> Plan:
    """The plan with its warnings and refusals."""
    warnings, refusals = row_notes(plan, answer, leaks, duplicates)
    refusals = [*plan.refusals, *refusals]
    if answer["no_template"]:
        warnings.append(Note("no_template", "a base model without a chat template: a plain one is used"))
    if answer["lost_system"]:
        warnings.append(Note("lost_system", "the chat template leaves out what the system turn says, or refuses it"))
    if answer["pad_in_stops"]:
        words = f"the padding token {answer['pad']} also ends an answer: answers may come out empty"
        warnings.append(Note("pad_in_eos", words))
    if plan.heldout < FEW_HELDOUT:
        words = f"{plan.heldout} held-out rows" if plan.heldout else "no held-out row"
        warnings.append(Note("few_heldout", f"{words}: {FEW_HELDOUT} or more tell whether the run helped"))
    steps, epochs = plan.steps.value or 0, plan.epochs.value or 0
    if steps < FEW_STEPS:
        warnings.append(
            Note("few_steps", f"{steps:g} steps are few to learn from: more rows, epochs or a smaller batch")
        )
    if epochs > MANY_EPOCHS:
        warnings.append(Note("many_epochs", f"every row is seen {epochs:g} times: it may be learnt by heart"))
    more_warnings, more_refusals = machine_notes(plan, spec, gpu, runs_dir)
    return replace(plan, warnings=(*warnings, *more_warnings), refusals=(*refusals, *more_refusals))


def row_notes(
    plan: Plan, answer: Mapping[str, Any], leaks: Sequence[str], duplicates: Sequence[str]
) -> tuple[list[Note], list[Note]]:
    """Notes on the rows. What touches more than one row in fifty is a refusal."""
    warnings: list[Note] = []
    refusals: list[Note] = []
    named = (
        ("truncated", plan.truncated, f"are longer than {plan.max_length} tokens and are cut"),
        ("eos_lost", plan.eos_lost, "lose their end: the model would not learn to stop there"),
        ("fully_masked", plan.fully_masked, "have nothing left to learn and are left out"),
    )
    for kind, ids, words in named:
        if ids:
            note = Note(kind, f"{len(ids)} of {plan.rows} rows {words}", ids)
            (refusals if len(ids) > TOLERATED_SHARE * plan.rows else warnings).append(note)
    if answer["mask_refusal"]:
        refusals.append(Note("mask", answer["mask_refusal"]))
    endless = tuple(row["id"] for row in answer["rows"] if row["learnt"] and not row["ends"])
    if endless:
        words = f"{len(endless)} rows never teach the end-of-text token {answer['eos']}: answers would not end"
        (refusals if len(endless) == plan.rows else warnings).append(Note("no_eos", words, endless))
    if answer["double_bos"]:
        words = f"{len(answer['double_bos'])} rows begin with two beginning-of-text tokens"
        warnings.append(Note("double_bos", words, tuple(answer["double_bos"])))
    if leaks:
        ids = tuple(dict.fromkeys(leaks))
        refusals.append(
            Note("leakage", f"{len(ids)} training rows are also held out, so the measure would flatter", ids)
        )
    if duplicates:
        words = f"{len(duplicates)} rows are duplicates of others: each is learnt as often as it stands there"
        warnings.append(Note("duplicates", words, tuple(duplicates)))
    return warnings, refusals


def machine_notes(plan: Plan, spec: RunSpec, gpu: Gpu | None, runs_dir: Path) -> tuple[list[Note], list[Note]]:
    """Notes on memory, other people, disk, time and money."""
    warnings: list[Note] = []
    refusals: list[Note] = []
    if gpu is not None:
        need, free = plan.vram_gb.value or 0.0, gpu.free_mb / 1000
        if need > FULL_SHARE * free:
            words = f"about {need:.1f} GB are needed and {free:.1f} GB of GPU {gpu.index} are free"
            refusals.append(Note("memory", f"{words}: fewer rows at a time, shorter rows, four_bit, or another GPU"))
        for process in gpu.processes:
            words = f"{process.name} (pid {process.pid}) holds {process.mb / 1000:.1f} GB of GPU {gpu.index}"
            warnings.append(Note("gpu_shared", words))
    elif plan.gpus:
        warnings.append(Note("no_torch_gpu", "there is a GPU, but this torch cannot use it: the CPU trains"))
    if spec.four_bit.value and gpu is None:
        refusals.append(Note("four_bit", "4-bit weights need a GPU and bitsandbytes"))
    folder = next(each for each in (runs_dir, *runs_dir.parents) if each.exists())
    room, wanted = shutil.disk_usage(folder).free / 1e9, plan.disk_gb.value or 0.0
    if wanted > room:
        refusals.append(Note("disk", f"about {wanted:.2f} GB are needed on disk and {room:.2f} GB are free"))
    elif wanted > room / 2:
        warnings.append(Note("disk", f"about {wanted:.2f} GB of the {room:.2f} GB that are free on disk are needed"))
    limit, seconds = budget_of(spec), plan.seconds.value
    if limit and seconds is not None and seconds > limit:
        words = f"about {seconds:.0f} s are needed and the budget is {limit:.0f} s: it would be cut short"
        refusals.append(Note("budget", words))
    return warnings, refusals


def budget_of(spec: RunSpec) -> float:
    """Seconds the run may take, by time or by money; 0: no limit."""
    limits = [float(spec.budget_seconds.value)]
    if spec.max_cost.value:
        limits.append(float(spec.max_cost.value) / float(spec.price_per_hour.value) * 3600)
    return min((limit for limit in limits if limit), default=0.0)
