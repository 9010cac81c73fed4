"""What a plan gives cause to weigh (warnings) or to stop for (refusals)."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.model import TrainingRow
from engine.tokens import about_tokens
from engine.training.plan.parts import Note, Plan
from engine.training.plan.template_notes import REFUSED, template_notes
from engine.training.runs.data_files import Said, said, spoken
from engine.training.spec.run_spec import RunSpec
from engine.training.worker.gpus import Gpu

FEW_HELDOUT = 50
FEW_STEPS, MANY_EPOCHS = 20, 10
TOLERATED_SHARE = 0.02
FULL_SHARE = 0.9


def leaking(train: Sequence[TrainingRow], heldout: Sequence[TrainingRow]) -> list[str]:
    """Ids of training rows whose request also stands in the held-out set, white space around turns aside; of a row
    without a request its answer is asked for."""

    def request(row: TrainingRow) -> Said:
        return said(row.messages[:-1] or row.messages, row.tools)

    held = {request(row) for row in heldout}
    return [row.id for row in train if request(row) in held]


def short_room(spec: RunSpec, heldout: Sequence[TrainingRow]) -> list[Note]:
    """Held-out answers that are about longer than what is written for them: no answer can equal those."""
    most = int(spec.max_new_tokens.value)
    lengths = {
        row.id: about_tokens([spoken(row.messages[-1])]) for row in heldout[: spec.generate_rows.value] if row.messages
    }
    longer = sorted((row for row, length in lengths.items() if length > most), key=lambda row: -lengths[row])
    if not longer:
        return []
    words = (
        f"{len(longer)} held-out answers are about longer than max_new_tokens = {most}, up to {lengths[longer[0]]:.0f}"
    )
    return [Note("short_room", f"{words}: what the model writes for them is cut and cannot be equal", tuple(longer))]


def judged(
    plan: Plan,
    spec: RunSpec,
    answer: Mapping[str, Any],
    leaks: Sequence[str],
    duplicates: Sequence[str],
    gpu: Gpu | None,
    runs_dir: Path,
    heldout: Sequence[TrainingRow] = (),
) -> Plan:
    """The plan with its warnings and refusals."""
    warnings, refusals = row_notes(plan, answer, leaks, duplicates)
    refusals = [*plan.refusals, *(Note(each["kind"], each["text"]) for each in answer["faults"]), *refusals]
    warnings += [Note(each["kind"], each["text"]) for each in answer["doubts"]]
    warnings += [Note("versions", words) for words in answer.get("untried", ())]
    if answer["no_template"]:
        warnings.append(Note("no_template", "a base model without a chat template: a plain one is used"))
    for note in template_notes(plan.rows, answer):
        (refusals if note.kind in REFUSED else warnings).append(note)
    if answer["pad_in_stops"]:
        words = f"the padding token {answer['pad']} also ends an answer: answers may come out empty"
        warnings.append(Note("pad_in_eos", words))
    warnings += short_room(spec, heldout)
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
    positions = answer["model"]["positions"]
    if positions and plan.max_length > positions:
        reached = min(plan.max_length, plan.max_length if answer["sequences"] else int(plan.tokens["max"]))
        words = f"max_length is {plan.max_length:,} and the model attends to {positions:,} tokens"
        if reached > positions:
            refusals.append(Note("positions", f"{words}, which rows go beyond: set max_length = {positions}"))
        else:
            warnings.append(Note("positions", f"{words}; no row is so long"))
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
    if answer["settings_refusal"]:
        refusals.append(Note("settings", answer["settings_refusal"]))
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
