"""TRL's trainer with tamis's own ends: a broken loss never reaches the weights, what is saved is whole, and every step
knows its rows."""

from __future__ import annotations

import math
import random
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import peft
import torch
import transformers
import trl
from trl import SFTTrainer

from .callback import RunCallback
from .card import card
from .checkpoints import PREFIX, seal
from .packing import ROWS, RowsKept
from .plain_state import is_saved, load_state, save_state
from .run_context import NonFinite, RunContext
from .saving import is_no_room, put, save_folder
from .spec import Spec
from .time_left import SAVE


class Trainer(SFTTrainer):  # type: ignore[misc]  # TRL's classes are untyped
    """TRL's trainer, which stops at a loss that is not a number before it reaches the weights, and counts tokens."""

    data_collator: Any
    _signature_columns: Any

    def __init__(self, spec: Spec, context: RunContext, learnt: Sequence[int], **arguments: Any) -> None:
        """`learnt`: how many tokens of each row the loss is taken over, by the row's place."""
        super().__init__(**arguments)
        self.data_collator = RowsKept(self.data_collator)
        self._spec = spec
        self._context = context
        self._learnt = learnt
        self.world = int(self.args.world_size)
        self.is_first = bool(self.args.process_index == 0)
        self.run_callback: RunCallback
        self.told: dict[str, Any] = {}
        self.stopped_by: str | None = None
        self.learnt_tokens = 0
        self.rows_of_step: list[int] = []

    def _set_signature_columns_if_needed(self) -> None:
        """The columns that reach the collator: TRL's, and which rows a sequence holds."""
        super()._set_signature_columns_if_needed()
        if ROWS not in self._signature_columns:
            self._signature_columns = [*self._signature_columns, ROWS]

    def training_step(self, model: Any, inputs: Any, num_items_in_batch: Any = None) -> Any:
        """Forward and backward of one micro-batch."""
        step = self.state.global_step + 1
        held = inputs.pop(ROWS)
        for places in held:
            self.rows_of_step += places
            self.learnt_tokens += sum(self._learnt[place] for place in places)
        loss = super().training_step(model, inputs, num_items_in_batch)
        value = loss.item()
        broken = "" if math.isfinite(value) else f"the loss of step {step} is {value}"
        if self.agreed(broken):
            raise NonFinite(broken or f"the loss of step {step} is no number on another process")
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
            return save_folder(self.write_weights, self._context.run_dir, name)
        unfinished = self._context.run_dir / f".{name}"
        self.write_weights(unfinished)
        self.accelerator.wait_for_everyone()
        if self.is_first:
            put(unfinished, self._context.run_dir / name)
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
        words = card(self._context.run_dir.name, self._spec.values, self._spec.lora, told)
        (folder / "README.md").write_text(words, encoding="utf-8")
        manifest = self._context.run_dir / "tamis-manifest.json"
        if manifest.is_file():
            shutil.copy(manifest, folder / manifest.name)

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        """A checkpoint with the optimizer, sealed when it is whole. A full disk costs the checkpoint, never the run."""
        step = self.state.global_step
        checkpoint = self._context.run_dir / "ckpt" / f"{PREFIX}{step}"
        try:
            with self._context.left.doing(SAVE, 1):
                super()._save_checkpoint(model, trial)
            if self.world > 1:
                self.accelerator.wait_for_everyone()
            if not self.is_first:
                return
            (checkpoint / "training_args.bin").unlink(missing_ok=True)  # as in `write_weights`
            seal(checkpoint, learnt_tokens=self.learnt_tokens)
        except Exception as fault:  # each library has its own way to say that the disk is full
            shutil.rmtree(checkpoint, ignore_errors=True)
            if not is_no_room(fault):
                raise
            self._context.log.emit(
                "alert", kind="disk_full", step=step, detail=f"{checkpoint.name} found no room: {fault}"
            )
        else:
            self._context.log.emit("ckpt", step=step, path=f"ckpt/{checkpoint.name}", complete=True)

    # What follows takes the place of the library's own pickles. A model spread over processes is saved piece by piece
    # by those who spread it, and their way is left to them.

    @property
    def is_spread(self) -> bool:
        """Whether no process holds the whole model."""
        return bool(self.is_fsdp_enabled or self.is_deepspeed_enabled)

    def _save_optimizer_and_scheduler(self, output_dir: str) -> None:
        if self.is_spread:
            super()._save_optimizer_and_scheduler(output_dir)
        elif self.args.should_save:
            save_state(self.optimizer.state_dict(), Path(output_dir), "optimizer")
            save_state(self.lr_scheduler.state_dict(), Path(output_dir), "scheduler")

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        if self.is_spread:
            super()._load_optimizer_and_scheduler(checkpoint)
        elif checkpoint is not None:
            self.optimizer.load_state_dict(load_state(Path(checkpoint), "optimizer"))
            self.lr_scheduler.load_state_dict(load_state(Path(checkpoint), "scheduler"))

    def _save_scaler(self, output_dir: str) -> None:
        scaler = getattr(self.accelerator, "scaler", None)
        if scaler is not None and self.args.should_save:
            save_state(scaler.state_dict(), Path(output_dir), "scaler")

    def _load_scaler(self, checkpoint: str | None) -> None:
        scaler = getattr(self.accelerator, "scaler", None)
        if checkpoint is not None and scaler is not None and is_saved(Path(checkpoint), "scaler"):
            scaler.load_state_dict(load_state(Path(checkpoint), "scaler"))

    def _save_rng_state(self, output_dir: str) -> None:
        state: dict[str, Any] = {"python": random.getstate(), "numpy": np.random.get_state()}
        state["cpu"] = torch.random.get_rng_state()
        if torch.cuda.is_available():
            state["cuda"] = torch.cuda.random.get_rng_state()  # of this process's own GPU
        Path(output_dir).mkdir(parents=True, exist_ok=True)  # another process may come before the first
        save_state(state, Path(output_dir), self._name_of_chance)

    def _load_rng_state(self, checkpoint: str | None) -> None:
        if checkpoint is None or not is_saved(Path(checkpoint), self._name_of_chance):
            return
        state = load_state(Path(checkpoint), self._name_of_chance)
        random.setstate(state["python"])
        np.random.set_state(state["numpy"])
        torch.random.set_rng_state(state["cpu"])
        if "cuda" in state and torch.cuda.is_available():
            torch.cuda.random.set_rng_state(state["cuda"])

    @property
    def _name_of_chance(self) -> str:
        return "chance" if self.world == 1 else f"chance.rank{self.args.process_index}"

    def create_model_card(self, *_arguments: Any, **_named: Any) -> None:
        """Nothing: TRL's card would be written at every checkpoint and may ask the hub."""


def versions() -> dict[str, str]:
    """Of the libraries that did the work."""
    return {library.__name__: library.__version__ for library in (torch, transformers, trl, peft)}


def timed_batch(trainer: Any, places: Sequence[int]) -> tuple[int, float, float]:
    """Padded tokens of one micro-batch, seconds of its way forward, seconds there and back. Nothing is learnt."""
    batch = trainer.data_collator([trainer.train_dataset[place] for place in places])
    del batch[ROWS]
    counted = {name: getattr(trainer, name) for name in ("_total_train_tokens",) if hasattr(trainer, name)}
    with torch.random.fork_rng():
        trainer.model.train()
        began = time.monotonic()
        with trainer.compute_loss_context_manager():
            loss = trainer.compute_loss(trainer.model, trainer._prepare_inputs(batch))
        loss.item()  # a GPU works on while Python goes on
        forward = time.monotonic() - began
        loss.backward()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        seconds = time.monotonic() - began
    trainer.model.zero_grad(set_to_none=True)
    # The library counts what its loss saw: this was no step.
    if hasattr(trainer, "_metrics"):
        trainer._metrics["train"].clear()
    for name, value in counted.items():
        setattr(trainer, name, value)
    return batch["input_ids"].numel(), forward, seconds
