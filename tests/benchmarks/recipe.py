"""The recipe tamis chooses against a small grid around it, on a real chat model and rows of the shipped sample.

    python -m tests.benchmarks.recipe MODEL_FOLDER [ROWS:RATE:STEPS:BATCH …]

Every cell is a fresh adapter on the same base: rows labelled as a run labels them, AdamW, a clipped gradient, the rate
of `scheduled_rate`. RATE and STEPS are times the chosen ones, which 1:1:4 is. A step of four rows takes 3 CPU-seconds
on a model of 135 M weights. Printed is the loss per token of the held-out rows at the end; the best cell is chosen
on these very rows, so it is the better by its luck, and the chosen recipe has none.
"""

from __future__ import annotations

import math
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer

from engine.paths import shipped_dir
from engine.project.project import open_project
from engine.project.replay import replay
from engine.training.runs.data_files import row_lines
from engine.training.spec.run_spec import choose_spec, optimizer_steps
from engine.training.worker.evaluate import nll_per_token, row_losses
from engine.training.worker.rows import IGNORED, LabelledRow, choose_masking, prepare, read_rows
from engine.workflows.training_sets import training_sets
from workbench.cli.demo import REVIEWER, SAMPLE, _make

WARMUP_SHARE, HELDOUT, LENGTH, LAST_RATE = 0.05, 40, 1024, 0.01
GRID = "62:1:1:4 62:.33:1:4 62:3:1:4 62:1:2:4 62:1:1:8 62:3:1:8 322:1:1:4 322:.33:1:4 322:3:1:4"


def scheduled_rate(step: int, steps: int) -> float:
    """Share of the highest rate at a step, counted from 0: up in a line, down by a half cosine, never 0."""
    warmup = max(1, round(WARMUP_SHARE * steps))
    if step < warmup:
        return (step + 1) / warmup
    fall = 0.5 * (1 + math.cos(math.pi * (step - warmup + 1) / (steps - warmup)))
    return LAST_RATE + (1 - LAST_RATE) * fall


def sample_rows(tokenizer: Any) -> tuple[list[LabelledRow], list[LabelledRow]]:
    """Accepted and held-out rows of the shipped sample, labelled."""
    with tempfile.TemporaryDirectory() as scratch:
        with open_project(_make(Path(scratch)), reviewer=REVIEWER) as project:
            replay(project, shipped_dir("sample_data") / f"{SAMPLE}.decisions.jsonl")
            sets = training_sets(project)
        masking = choose_masking(tokenizer)
        labelled = []
        for rows in (sets.curated, sets.heldout):
            path = Path(scratch) / "rows.jsonl"
            path.write_bytes(row_lines(rows))
            labelled.append(list(prepare(read_rows(path), tokenizer, masking, LENGTH).rows))
    return labelled[0], labelled[1]


def batch_loss(model: Any, rows: Sequence[LabelledRow], pad: int) -> torch.Tensor:
    """Mean loss over the learnt tokens of all rows; scores are made of learnt positions only."""
    width = max(len(row.input_ids) for row in rows)
    ids = torch.tensor([[*row.input_ids, *[pad] * (width - len(row.input_ids))] for row in rows])
    labels = torch.tensor([[*row.labels, *[IGNORED] * (width - len(row.labels))] for row in rows])
    mask = torch.tensor([[1] * len(row.input_ids) + [0] * (width - len(row.input_ids)) for row in rows])
    inner = model.get_base_model()
    hidden = inner.model(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state[:, :-1]
    wanted = labels[:, 1:] != IGNORED
    scores = inner.lm_head(hidden[wanted])
    return torch.nn.functional.cross_entropy(scores.float(), labels[:, 1:][wanted])


def trained_loss(base: Any, tokenizer: Any, rows: Sequence[LabelledRow], heldout: Sequence[LabelledRow], rate: float,
                 steps: int, batch_rows: int) -> float:  # fmt: skip
    """Held-out loss per token after so many steps of a fresh adapter; the base is left as it was."""
    torch.manual_seed(0)
    config = LoraConfig(r=16, lora_alpha=32, lora_dropout=0.0, target_modules="all-linear", task_type="CAUSAL_LM")
    model = get_peft_model(base, config)
    trained = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=rate, weight_decay=0.0)
    draw, order = random.Random(0), []
    model.train()
    for step in range(steps):
        if len(order) < batch_rows:
            order += draw.sample(range(len(rows)), len(rows))
        batch, order = [rows[place] for place in order[:batch_rows]], order[batch_rows:]
        optimizer.param_groups[0]["lr"] = rate * scheduled_rate(step, steps)
        batch_loss(model, batch, tokenizer.pad_token_id).backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    measured = row_losses(model, heldout, pad_id=tokenizer.pad_token_id, batch=8, check=lambda: None)
    model.unload()
    return nll_per_token(measured)


def main() -> None:
    folder, cells = sys.argv[1], [cell.split(":") for cell in sys.argv[2:] or GRID.split()]
    tokenizer = AutoTokenizer.from_pretrained(folder)
    base = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, use_safetensors=True)
    accepted, heldout = sample_rows(tokenizer)
    heldout = random.Random(0).sample(heldout, min(HELDOUT, len(heldout)))
    before = nll_per_token(row_losses(base, heldout, pad_id=tokenizer.pad_token_id, batch=8, check=lambda: None))
    print(f"{len(accepted)} accepted rows, {len(heldout)} held out, base {before:.4f}", flush=True)
    for count, factor, longer, batch in cells:
        rows = random.Random(1).sample(accepted, min(int(count), len(accepted)))
        spec = choose_spec(name="grid", rows=len(rows), model=folder)
        rate = float(factor) * float(spec.learning_rate.value)
        steps = round(float(longer) * optimizer_steps(spec, len(rows)))
        began = time.process_time()
        loss = trained_loss(base, tokenizer, rows, heldout, rate, steps, int(batch))
        spent = time.process_time() - began
        chosen = "chosen" if [float(factor), float(longer), int(batch)] == [1, 1, spec.batch.value] else ""
        what = f"{len(rows):4} rows  {steps:4} steps of {batch}  rate {rate:.2g}  held-out {loss:.4f}"
        print(f"{what}  {spent:.0f} CPU-s  {chosen}", flush=True)


if __name__ == "__main__":
    main()
