"""What a plan gives cause to weigh (warnings) or to stop for (refusals)."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.model import TrainingRow
from engine.training.plan.parts import Note, Plan
from engine.training.runs.data_files import Said, said
from engine.training.spec.run_spec import RunSpec
from engine.training.worker.gpus import Gpu

FEW_HELDOUT = 50
FEW_STEPS, MANY_EPOCHS = 20, 10
TOLERATED_SHARE = 0.02
FULL_SHARE = 0.9
LOST = {
    "system": "the system prompt",
    "reasoning": "the reasoning",
    "calls": "the tool calls",
    "arguments": "the arguments of tool calls",
    "tools": "the tools",
    "names": "the names of speakers",
}


def leaking(train: Sequence[TrainingRow], heldout: Sequence[TrainingRow]) -> list[str]:
    """Ids of training rows whose request also stands in the held-out set, white space around turns aside; of a row
    without a request its answer is asked for."""

    def request(row: TrainingRow) -> Said:
        return said(row.messages[:-1] or row.messages, row.tools)

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
    warnings += [Note("versions", words) for words in answer.get("untried", ())]
    if answer["no_template"]:
        warnings.append(Note("no_template", "a base model without a chat template: a plain one is used"))
    warnings += lost_notes(plan, answer["lost"])
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


def lost_notes(plan: Plan, lost: Mapping[str, Sequence[str]]) -> list[Note]:
    """What the chat template leaves out of which rows: nothing of it is learnt."""
    notes = []
    for kind, ids in lost.items():
        code = f"lost_{kind}" if kind in LOST else "lost_turns"
        words = f"the chat template leaves out {LOST.get(kind, kind)} in {len(ids)} of {plan.rows} rows"
        notes.append(Note(code, words, tuple(ids)))
    return notes


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
    if refused := answer["refused_rows"]:
        words = f"the chat template refuses {len(refused)} of {plan.rows} rows, which are left out"
        note = Note("template", f"{words}: {next(iter(refused.values()))}", tuple(refused))
        (refusals if len(refused) > TOLERATED_SHARE * plan.rows else warnings).append(note)
    if answer["settings_refusal"]:
        refusals.append(Note("settings", answer["settings_refusal"]))
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
