"""One run from spec to saved model, read top to bottom: load, label, train with TRL's SFTTrainer, measure, save."""

from __future__ import annotations

import hashlib
import math
import os
import time
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import torch
import transformers
import trl.trainer.utils
from trl import SFTConfig

from .callback import RunCallback
from .checkpoints import PREFIX, last_good_checkpoint, pickles_in, remove_unfinished, sealed
from .events import read_json, umask_of, write_json
from .fitting import fitting_of
from .libraries import mend_trainer, recompute_activations, sft_arguments
from .measure import WRITTEN_TOKENS, Measure
from .models import Precision, adapter_config, choose_precision, load
from .packing import as_dataset, refusal
from .reporting import Reports
from .row_losses import RowLosses
from .rows import LabelledRow, Masking, Prepared, choose_masking, prepare, read_rows
from .run_context import RunContext
from .saving import NoRoom
from .spec import Spec
from .stopping import Stopped
from .time_left import SAVE, Sizes, parts_of, save_seconds
from .trainer import Trainer, timed_batch, versions

transformers.utils.logging.disable_progress_bar()


def train(spec: Spec, context: RunContext) -> dict[str, Any]:
    """Do the run. Returns what `result.json` will say: outcome, steps, measures, tokens, seconds, model folder.

    Raises Stopped before there is anything to save, NonFinite, and whatever the libraries raise.
    """
    cpu_began = time.process_time()
    precision = choose_precision(spec["method"], spec["precision"])
    context.phase("load", model=spec["model"], precision=precision.reason)
    model, tokenizer, source = load(spec, precision, lambda done, of: tell_loading(context, done, of))
    # From here on what is written is the run's; what was fetched before lies in a cache that others may share.
    os.umask(umask_of(context.run_dir))
    context.phase("data")
    masking = choose_masking(tokenizer, spec["train_on"], fitting_of(spec.values))
    rows = prepare(read_rows(context.run_dir / "data" / "train.jsonl"), tokenizer, masking, spec["max_length"])
    heldout = prepare(read_rows(context.run_dir / "data" / "heldout.jsonl"), tokenizer, masking, spec["max_length"])
    report_data(context, rows, heldout, masking.how)
    if not rows.rows:
        context.log.emit("alert", kind="all_masked", detail="every row is masked whole: there is nothing to learn")
        refused = f", and the chat template refuses {len(rows.refused)} rows" if rows.refused else ""
        raise ValueError(f"no row has anything to learn: no answer is left within max_length{refused}")
    measure = Measure(spec, context, tokenizer, heldout.rows)
    trainer = make_trainer(spec, context, precision, model, tokenizer, rows.rows, measure)
    record_settings(context, trainer, source)
    if trainer.padding_free:
        check_packing(context, trainer, rows.rows)
    row_losses = watch_rows(spec, context, trainer, tokenizer, masking, rows.rows)
    expect_work(spec, context, trainer, measure.sizes(row_losses.tokens("train"), row_losses.tokens("others")))
    if not spec.from_step and trainer.world == 1:
        probe(context, trainer, spec["micro_batch"])
        context.left.guess(write=measure.writing_pace(trainer.model, WRITTEN_TOKENS))
    with Reports(context, trainer) as trainer.run_callback.reports:
        learnt = learn(spec, context, trainer, measure, row_losses)
    context.beat.tell(phase="save")
    context.log.emit("phase", phase="save", since_start=context.seconds())
    trainer.told = {**learnt, "rows": len(rows.rows), "trained_on": masking.how}
    result = learnt | save(context, trainer)
    result["pace"] = context.left.rates() | {"before_steps": round(trainer.run_callback.before_steps, 3)}
    return {**result, "seconds": context.seconds(), "cpu_seconds": round(time.process_time() - cpu_began, 3)}


def learn(spec: Spec, context: RunContext, trainer: Trainer, measure: Measure, row_losses: RowLosses) -> dict[str, Any]:
    """Take the steps and measure before and after them. Returns outcome, steps and measures."""
    trainer.run_callback.take_up()
    if not spec.from_step:
        row_losses.before()
    base: dict[str, Any] = {}
    if spec["eval_at_start"]:
        context.phase("eval")
        base = measure_base(spec, trainer, measure)
    context.phase("train")
    run_steps(spec, context, trainer)
    result: dict[str, Any] = {
        "outcome": "stopped" if trainer.stopped_by else "finished",
        "step": trainer.state.global_step,
        "completion_tokens": trainer.learnt_tokens,
        "stopped_by": trainer.stopped_by,
    }
    if not trainer.stopped_by:
        try:
            context.phase("eval")
            measured = measure.all(trainer.model, trainer.state.global_step)
            trainer.run_callback.weigh(measured, trainer.state.global_step, last=True)
            result |= measure.told(measured)
            if base:
                result["base"] = base
            result |= trainer.run_callback.ended(trainer.state.global_step)
            row_losses.after(trainer.state.global_step)
        except Stopped as stop:  # what was learnt is still saved
            result |= {"outcome": "stopped", "stopped_by": str(stop)}
    return result


def measure_base(spec: Spec, trainer: Trainer, measure: Measure) -> dict[str, Any]:
    """Measure the base with what the run will be measured with. Returns what `result.json` says of it.

    A fresh adapter changes nothing; one that was asked to begin otherwise is switched off meanwhile.
    """
    begins_otherwise = spec["method"] == "lora" and spec.lora.get("init_lora_weights") is False
    with trainer.model.disable_adapter() if begins_otherwise else nullcontext():
        measured = measure.base(trainer.model)
    trainer.run_callback.weigh(measured, 0)
    return measure.told(measured)


def save(context: RunContext, trainer: Trainer) -> dict[str, Any]:
    """Save what was learnt. Returns its folder, or what a full disk left; and where the best weights are."""
    result: dict[str, Any] = {}
    try:
        with context.left.doing(SAVE, 1):
            result["model"] = trainer.save_whole("model")
    except NoRoom as fault:
        kept = last_good_checkpoint(context.run_dir)
        words = f"{kept.name} is whole" if kept else "there is no checkpoint"
        context.log.emit("alert", kind="disk_full", step=trainer.state.global_step, detail=f"{fault}; {words}")
        result |= {
            "outcome": "stopped",
            "stopped_by": "the disk is full",
            "error": f"{fault}; {words}: free space, resume",
        }
    if trainer.run_callback.best:
        result["best"] = trainer.run_callback.best
    return result


def watch_rows(
    spec: Spec, context: RunContext, trainer: Trainer, tokenizer: Any, masking: Masking, rows: Sequence[LabelledRow]
) -> RowLosses:
    """The measuring of single rows: those that are trained on, and those of `data/others.jsonl` where there are any."""
    path = context.run_dir / "data" / "others.jsonl"
    others = prepare(read_rows(path), tokenizer, masking, spec["max_length"]).rows if path.is_file() else ()
    row_losses = RowLosses(spec, context, tokenizer.pad_token_id, rows, others)
    row_losses.trainer = trainer
    trainer.add_callback(row_losses)
    return row_losses


def run_steps(spec: Spec, context: RunContext, trainer: Trainer) -> None:
    """Take the optimizer steps, from the checkpoint the spec names on."""
    for name in remove_unfinished(context.run_dir):
        context.log.emit("alert", kind="torn_checkpoint", detail=f"{name} was never finished and is deleted")
    if not spec.from_step:
        trainer.train()
        return
    checkpoint = context.run_dir / "ckpt" / f"{PREFIX}{spec.from_step}"
    note = sealed(checkpoint)
    if note is None:
        raise ValueError(f"{checkpoint.name} is not whole, so the run cannot go on from it")
    pickles = [] if trainer.is_spread else pickles_in(checkpoint)
    if pickles:
        raise ValueError(
            f"{checkpoint.name} holds what this trainer never writes and does not load ({', '.join(pickles)}): "
            "take it away and resume"
        )
    trainer.learnt_tokens = note["learnt_tokens"]
    state = read_json(checkpoint / "trainer_state.json") or {}
    if state["global_step"] < state["max_steps"]:
        trainer.train(resume_from_checkpoint=str(checkpoint))
    else:  # all steps were taken and only the saving is left; the library would take one more
        trainer._load_from_checkpoint(str(checkpoint))
        trainer.state.global_step = state["global_step"]
        context.beat.tell(step=state["global_step"], max_steps=state["max_steps"])


def expect_work(spec: Spec, context: RunContext, trainer: Trainer, sizes: Sizes) -> None:
    """Tell the heartbeat what is to come, so that it can tell how long that takes."""
    epoch = math.ceil(len(trainer.train_dataset) / spec["batch"])
    steps = spec["steps"] or math.ceil(epoch * spec["epochs"])
    context.left.expect(parts_of(spec.values, spec.sft, steps=steps, epoch=epoch, sizes=sizes, begun=spec.from_step))
    trained = sum(weight.numel() for weight in trainer.model.parameters() if weight.requires_grad)
    context.left.guess(save=save_seconds(trained))
    context.beat.time_left = context.left.seconds


def check_packing(context: RunContext, trainer: Trainer, rows: Sequence[LabelledRow]) -> None:
    """Refuse packing where rows would see each other, and tell how many sequences the rows became.

    Raises ValueError with what was measured.
    """
    refused = refusal(trainer, rows)
    if refused:
        raise ValueError(f"packing is not safe here: {refused}; set packing = false and padding_free = false")
    sequences, batch = len(trainer.train_dataset), trainer._spec["batch"]
    context.log.emit("data", rows=len(rows), sequences=sequences, packed=bool(trainer.args.packing))
    # What was to be measured once an epoch still is: an epoch of packed rows has fewer steps.
    trainer.run_callback.shorten_epoch(math.ceil(len(rows) / batch), math.ceil(sequences / batch))


def tell_loading(context: RunContext, done: int, of: int) -> None:
    """Progress of the built-in model's one-time pre-training."""
    context.watch.check()
    context.beat.tell(pretrained=done, pretrain_of=of)


def report_data(context: RunContext, rows: Prepared, heldout: Prepared, how: str) -> None:
    """The `data` event: what became of the rows. At most 50 ids of each kind are named."""
    context.log.emit(
        "data",
        rows=len(rows.rows) + len(rows.dropped) + len(rows.refused),
        kept=len(rows.rows),
        truncated=len(rows.truncated),
        dropped_fully_masked=len(rows.dropped),
        truncated_ids=rows.truncated[:50],
        dropped_ids=rows.dropped[:50],
        refused=len(rows.refused),
        refused_ids=rows.refused[:50],
        tokens=rows.tokens,
        completion_tokens=rows.learnt,
        heldout=len(heldout.rows),
        heldout_dropped=len(heldout.dropped),
        heldout_refused=len(heldout.refused),
        trained_on=how,
    )


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


def probe(context: RunContext, trainer: Trainer, count: int) -> None:
    """Take the longest batch forward and backward first: memory that is short is short now, not in an hour."""
    context.phase("probe")
    lengths = [len(ids) for ids in trainer.train_dataset["input_ids"]]
    longest = sorted(range(len(lengths)), key=lambda place: lengths[place], reverse=True)[:count]
    recompute_activations(trainer)  # what is tried must be what is trained
    tokens, forward, seconds = timed_batch(trainer, longest)
    usual = sum(lengths) / len(lengths) * trainer._spec["batch"]
    context.left.guess(step=seconds / tokens * usual, read=forward / tokens)
    if torch.cuda.is_available():
        peak = round(torch.cuda.max_memory_allocated() / 1e6, 1)
        context.log.emit("mem", step=0, probe=True, gpu_peak_mb=peak, tokens=tokens)


def make_trainer(
    spec: Spec,
    context: RunContext,
    precision: Precision,
    model: Any,
    tokenizer: Any,
    rows: Sequence[LabelledRow],
    measure: Measure,
) -> Trainer:
    """The trainer over rows that are labelled already, so TRL's own preparation is left out."""
    score_learnt_positions_only()
    arguments = SFTConfig(
        output_dir=str(context.run_dir / "ckpt"),
        seed=spec["seed"],
        max_steps=spec["steps"] or -1,
        num_train_epochs=spec["epochs"],
        learning_rate=spec["learning_rate"],
        per_device_train_batch_size=shares(spec)[0],
        gradient_accumulation_steps=shares(spec)[1],
        max_length=None if spec.sft.get("padding_free") else spec["max_length"],  # rows come cut; TRL refuses both
        dataset_kwargs={"skip_prepare_dataset": True},
        **precision.flags,
        **sft_arguments({"run_name": context.run_dir.name, "project": "tamis", **spec.sft}),
    )
    run_callback = RunCallback(spec, context, measure, [row.id for row in rows])
    transformers.set_seed(spec["seed"])  # an adapter's first weights; TRL before 1.16 draws them unseeded
    trainer = Trainer(
        spec,
        context,
        [row.learnt for row in rows],
        model=model,
        args=arguments,
        processing_class=tokenizer,
        train_dataset=as_dataset(rows, packed_to=spec["max_length"] if spec.sft.get("packing") else None),
        peft_config=adapter_config(spec),
        callbacks=[run_callback],
    )
    mend_trainer(trainer)
    trainer.remove_callback(transformers.PrinterCallback)
    run_callback.trainer, trainer.run_callback = trainer, run_callback
    return trainer


def record_settings(context: RunContext, trainer: Trainer, source: str) -> None:
    """`settings.json`: every value the libraries run with, and their versions."""
    if not trainer.is_first:
        return
    write_json(
        context.run_dir / "settings.json",
        {
            "model_source": source,
            "model_commit": getattr(trainer.model.config, "_commit_hash", None),
            "template_sha256": hashlib.sha256(str(trainer.processing_class.chat_template).encode()).hexdigest(),
            "versions": versions(),
            "parameters": sum(parameter.numel() for parameter in trainer.model.parameters()),
            "trained_parameters": sum(p.numel() for p in trainer.model.parameters() if p.requires_grad),
            "sft": trainer.args.to_dict(),
        },
    )
