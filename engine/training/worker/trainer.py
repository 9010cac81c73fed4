"""One run from spec to saved model, read top to bottom: load, label, train with TRL's SFTTrainer, measure, save."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import peft
import torch
import transformers
import trl.trainer.utils
from datasets import Dataset
from trl import SFTConfig, SFTTrainer

from .card import card
from .checkpoints import PREFIX, last_good_checkpoint, remove_unfinished, seal, sealed
from .desk import Desk, NonFinite
from .events import read_json, write_json
from .faults import strike
from .measure import Measure
from .models import Precision, adapter_config, choose_precision, load
from .recorder import Recorder
from .rows import LabelledRow, Prepared, choose_masking, prepare, read_rows
from .saving import NoRoom, is_no_room, put, save_folder
from .spec import Spec
from .stopping import Stopped

transformers.utils.logging.disable_progress_bar()


def train(spec: Spec, desk: Desk) -> dict[str, Any]:
    """Do the run. Returns what `result.json` will say: outcome, steps, measures, tokens, seconds, model folder.

    Raises Stopped before there is anything to save, NonFinite, and whatever the libraries raise.
    """
    cpu_began = time.process_time()
    precision = choose_precision(spec["method"], spec["precision"])
    desk.phase("load", model=spec["model"], precision=precision.reason)
    model, tokenizer, source = load(spec, precision, lambda done, of: tell_loading(desk, done, of))
    desk.phase("data")
    masking = choose_masking(tokenizer, spec["train_on"])
    read = read_rows(desk.run_dir / "data" / "train.jsonl")
    if masking.refusal(read):
        raise ValueError(masking.refusal(read))
    rows = prepare(read, tokenizer, masking, spec["max_length"])
    heldout = prepare(read_rows(desk.run_dir / "data" / "heldout.jsonl"), tokenizer, masking, spec["max_length"])
    report_data(desk, rows, heldout, masking.how)
    if not rows.rows:
        desk.log.emit("alert", kind="all_masked", detail="every row is masked whole: there is nothing to learn")
        raise ValueError("no row has anything to learn: no answer is left within max_length")
    measure = Measure(spec, desk, tokenizer, heldout.rows)
    trainer = make_trainer(spec, desk, precision, model, tokenizer, rows.rows, measure)
    record_settings(desk, trainer, source)
    if not spec.from_step and trainer.world == 1:
        probe(desk, trainer, rows.rows, spec["micro_batch"])
    if spec["eval_at_start"]:
        desk.phase("eval")
        trainer.recorder.weigh(measure.losses(trainer.model, 0), 0)
    desk.phase("train")
    run_steps(spec, desk, trainer)
    result: dict[str, Any] = {
        "outcome": "stopped" if trainer.stopped_by else "finished",
        "step": trainer.state.global_step,
        "completion_tokens": int(trainer.learnt_tokens),
        "stopped_by": trainer.stopped_by,
    }
    if not trainer.stopped_by:
        try:
            desk.phase("eval")
            measured = measure.all(trainer.model, trainer.state.global_step)
            trainer.recorder.weigh(measured, trainer.state.global_step, last=True)
            result |= measure.told(measured)
        except Stopped as stop:  # what was learnt is still saved
            result |= {"outcome": "stopped", "stopped_by": str(stop)}
    desk.beat.tell(phase="save")
    desk.log.emit("phase", phase="save", since_start=desk.seconds())
    try:
        trainer.told = {**result, "rows": len(rows.rows), "trained_on": masking.how}
        result["model"] = trainer.save_whole("model")
    except NoRoom as fault:
        kept = last_good_checkpoint(desk.run_dir)
        words = f"{kept.name} is whole" if kept else "there is no checkpoint"
        desk.log.emit("alert", kind="disk_full", step=trainer.state.global_step, detail=f"{fault}; {words}")
        result |= {
            "outcome": "stopped",
            "stopped_by": "the disk is full",
            "error": f"{fault}; {words}: free space, resume",
        }
    if trainer.recorder.best:
        result["best"] = trainer.recorder.best
    return {**result, "seconds": desk.seconds(), "cpu_seconds": round(time.process_time() - cpu_began, 3)}


def run_steps(spec: Spec, desk: Desk, trainer: Trainer) -> None:
    """Take the optimizer steps, from the checkpoint the spec names on."""
    for name in remove_unfinished(desk.run_dir):
        desk.log.emit("alert", kind="torn_checkpoint", detail=f"{name} was never finished and is deleted")
    if not spec.from_step:
        trainer.train()
        return
    checkpoint = desk.run_dir / "ckpt" / f"{PREFIX}{spec.from_step}"
    note = sealed(checkpoint)
    if note is None:
        raise ValueError(f"{checkpoint.name} is not whole, so the run cannot go on from it")
    trainer.learnt_tokens = note["learnt_tokens"]
    state = read_json(checkpoint / "trainer_state.json") or {}
    if state["global_step"] < state["max_steps"]:
        trainer.train(resume_from_checkpoint=str(checkpoint))
    else:  # all steps were taken and only the saving is left; the library would take one more
        trainer._load_from_checkpoint(str(checkpoint))
        trainer.state.global_step = state["global_step"]
        desk.beat.tell(step=state["global_step"], max_steps=state["max_steps"])


def tell_loading(desk: Desk, done: int, of: int) -> None:
    """Progress of the built-in model's one-time pre-training."""
    desk.watch.check()
    desk.beat.tell(pretrained=done, pretrain_of=of)


def report_data(desk: Desk, rows: Prepared, heldout: Prepared, how: str) -> None:
    """The `data` event: what became of the rows. At most 50 ids of each kind are named."""
    desk.log.emit(
        "data",
        rows=len(rows.rows) + len(rows.dropped),
        kept=len(rows.rows),
        truncated=len(rows.truncated),
        dropped_fully_masked=len(rows.dropped),
        truncated_ids=rows.truncated[:50],
        dropped_ids=rows.dropped[:50],
        tokens=rows.tokens,
        completion_tokens=rows.learnt,
        heldout=len(heldout.rows),
        heldout_dropped=len(heldout.dropped),
        trained_on=how,
    )


class Trainer(SFTTrainer):  # type: ignore[misc]  # TRL's classes are untyped
    """TRL's trainer, which stops at a loss that is not a number before it reaches the weights, and counts tokens."""

    def __init__(self, spec: Spec, desk: Desk, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._spec = spec
        self._desk = desk
        self.world = int(self.args.world_size)
        self.is_first = bool(self.args.process_index == 0)
        self.recorder: Recorder
        self.told: dict[str, Any] = {}
        self.stopped_by: str | None = None
        self.learnt_tokens: Any = 0

    def training_step(self, model: Any, inputs: Any, num_items_in_batch: Any = None) -> Any:
        """Forward and backward of one micro-batch."""
        step = self.state.global_step + 1
        strike(self._spec.faults, step=step, micro_batch=len(inputs["input_ids"]), model=model)
        labels = inputs["labels"]
        loss = super().training_step(model, inputs, num_items_in_batch)
        broken = "" if torch.isfinite(loss) else f"the loss of step {step} is {loss.item()}"
        if self.agreed(broken):
            raise NonFinite(broken or f"the loss of step {step} is no number on another process")
        self.learnt_tokens = self.learnt_tokens + (labels[:, 1:] != -100).sum()
        return loss

    def agreed(self, reason: str) -> str:
        """The reason to stop, on every process alike: one that stopped alone would leave the others waiting."""
        if self.world == 1:
            return reason
        flag = torch.tensor(int(bool(reason)), device=self.args.device)
        torch.distributed.all_reduce(flag, op=torch.distributed.ReduceOp.MAX)
        return reason or ("asked by another process" if flag.item() else "")

    def save_whole(self, name: str) -> str:
        """Save what was trained under `name`. Every process takes part, the first one writes."""
        if self.world == 1:
            return save_folder(self.write_weights, self._desk.run_dir, name)
        unfinished = self._desk.run_dir / f".{name}"
        self.write_weights(unfinished)
        self.accelerator.wait_for_everyone()
        if self.is_first:
            put(unfinished, self._desk.run_dir / name)
        self.accelerator.wait_for_everyone()
        return name

    def write_weights(self, folder: Path) -> None:
        """What was trained (an adapter, or the whole model) as safetensors, the tokenizer, and the card."""
        if self.world == 1:
            self.model.save_pretrained(folder)
            self.processing_class.save_pretrained(folder)
        else:  # gathers what is spread over processes
            self.save_model(str(folder), _internal_call=True)
        if not self.is_first:
            return
        (folder / "training_args.bin").unlink(missing_ok=True)  # a pickle, and settings.json says the same
        told = {"step": self.state.global_step, "versions": versions(), **self.told}
        words = card(
            self._desk.run_dir.name, self._spec.values, self._spec.lora, told, str(self._desk.run_dir / "model")
        )
        (folder / "README.md").write_text(words, encoding="utf-8")
        manifest = self._desk.run_dir / "tamis-manifest.json"
        if manifest.is_file():
            shutil.copy(manifest, folder / manifest.name)

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        """A checkpoint with the optimizer, sealed when it is whole. A full disk costs the checkpoint, never the run."""
        step = self.state.global_step
        checkpoint = self._desk.run_dir / "ckpt" / f"{PREFIX}{step}"
        try:
            super()._save_checkpoint(model, trial)
            if self.world > 1:
                self.accelerator.wait_for_everyone()
            if not self.is_first:
                return
            seal(checkpoint, learnt_tokens=int(self.learnt_tokens))
        except Exception as fault:  # each library has its own way to say that the disk is full
            shutil.rmtree(checkpoint, ignore_errors=True)
            if not is_no_room(fault):
                raise
            self._desk.log.emit(
                "alert", kind="disk_full", step=step, detail=f"{checkpoint.name} found no room: {fault}"
            )
        else:
            self._desk.log.emit("ckpt", step=step, path=f"ckpt/{checkpoint.name}", complete=True)

    def create_model_card(self, *_arguments: Any, **_named: Any) -> None:
        """Nothing: TRL's card would be written at every checkpoint and may ask the hub."""


def score_learnt_positions_only() -> None:
    """Let TRL's output layer skip masked positions on the CPU as it does on a GPU: the same loss at half the time.

    TRL asks a private function whether the device is one of those; where a later version has it no more, nothing
    changes but the speed.
    """
    if hasattr(trl.trainer.utils, "_use_triton"):
        trl.trainer.utils._use_triton = lambda _device: True


def shares(spec: Spec) -> tuple[int, int]:
    """Rows at a time, and how often, on each process; together they are the batch.

    Raises ValueError where the batch cannot be shared evenly.
    """
    world, batch, micro = int(os.environ.get("WORLD_SIZE", "1")), spec["batch"], spec["micro_batch"]
    if batch % world:
        raise ValueError(f"a batch of {batch} rows cannot be shared by {world} processes")
    mine = batch // world
    at_once = next(size for size in range(min(mine, micro), 0, -1) if mine % size == 0)
    return at_once, mine // at_once


def probe(desk: Desk, trainer: Trainer, rows: Sequence[LabelledRow], count: int) -> None:
    """Take the longest batch forward and backward first: memory that is short is short now, not in an hour."""
    desk.phase("probe")
    longest = sorted(rows, key=lambda row: len(row.input_ids), reverse=True)[:count]
    batch = trainer.data_collator([{"input_ids": row.input_ids, "labels": row.labels} for row in longest])
    strike(trainer._spec.faults, step=0, micro_batch=len(longest), model=trainer.model)
    counted = {name: getattr(trainer, name) for name in ("_total_train_tokens",) if hasattr(trainer, name)}
    with torch.random.fork_rng():
        trainer.model.train()
        with trainer.compute_loss_context_manager():
            loss = trainer.compute_loss(trainer.model, trainer._prepare_inputs(batch))
        loss.backward()
    trainer.model.zero_grad(set_to_none=True)
    # The library counts what its loss saw: this was no step.
    if hasattr(trainer, "_metrics"):
        trainer._metrics["train"].clear()
    for name, value in counted.items():
        setattr(trainer, name, value)
    if torch.cuda.is_available():
        peak = round(torch.cuda.max_memory_allocated() / 1e6, 1)
        desk.log.emit("mem", step=0, probe=True, gpu_peak_mb=peak, tokens=len(longest) * len(longest[0].input_ids))


def make_trainer(
    spec: Spec,
    desk: Desk,
    precision: Precision,
    model: Any,
    tokenizer: Any,
    rows: Sequence[LabelledRow],
    measure: Measure,
) -> Trainer:
    """The trainer over rows that are labelled already, so TRL's own preparation is left out."""
    score_learnt_positions_only()
    arguments = SFTConfig(
        output_dir=str(desk.run_dir / "ckpt"),
        seed=spec["seed"],
        max_steps=spec["steps"] or -1,
        num_train_epochs=spec["epochs"],
        learning_rate=spec["learning_rate"],
        per_device_train_batch_size=shares(spec)[0],
        gradient_accumulation_steps=shares(spec)[1],
        max_length=spec["max_length"],
        dataset_kwargs={"skip_prepare_dataset": True},
        **precision.flags,
        **spec.sft,
    )
    recorder = Recorder(spec, desk, measure)
    trainer = Trainer(
        spec,
        desk,
        model=model,
        args=arguments,
        processing_class=tokenizer,
        train_dataset=Dataset.from_list([{"input_ids": row.input_ids, "labels": row.labels} for row in rows]),
        peft_config=adapter_config(spec),
        callbacks=[recorder],
    )
    trainer.remove_callback(transformers.PrinterCallback)
    recorder.trainer, trainer.recorder = trainer, recorder
    return trainer


def record_settings(desk: Desk, trainer: Trainer, source: str) -> None:
    """`settings.json`: every value the libraries run with, and their versions."""
    if not trainer.is_first:
        return
    write_json(
        desk.run_dir / "settings.json",
        {
            "model_source": source,
            "model_commit": getattr(trainer.model.config, "_commit_hash", None),
            "versions": versions(),
            "parameters": sum(parameter.numel() for parameter in trainer.model.parameters()),
            "trained_parameters": sum(p.numel() for p in trainer.model.parameters() if p.requires_grad),
            "sft": trainer.args.to_dict(),
        },
    )


def versions() -> dict[str, str]:
    """Of the libraries that did the work."""
    return {library.__name__: library.__version__ for library in (torch, transformers, trl, peft)}
