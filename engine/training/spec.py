"""What a run is to do: every value explicit, each with the reason it was chosen.

Defaults of the training libraries change from version to version and several of them bite (a NaN filter that reports
success, a learning rate meant for full fine-tuning, truncation without a word), so none is left to them.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from engine.errors import UsageError
from engine.shipped import shipped_dir
from engine.training.fields import LORA_FIELDS, SET_BY_TAMIS, SFT_FIELDS

BUILT_IN = "built-in"
GIVEN = "as you set it"
ALIASES = {
    "rank": "r",
    "lora_rank": "r",
    "alpha": "lora_alpha",
    "targets": "target_modules",
    "lora_targets": "target_modules",
    "dropout": "lora_dropout",
    "lr": "learning_rate",
}
"""Names people use, and the library's own."""

ONE_OF = {"method": ("full", "lora"), "precision": ("auto", "bf16", "fp16", "fp32"), "train_on": ("all", "last")}
NUMBERS: Mapping[str, Any] = {
    **dict.fromkeys(("seed", "steps", "batch", "micro_batch", "max_length", "eval_every", "gpu", "samples"), int),
    **dict.fromkeys(("epochs", "learning_rate", "price_per_hour", "max_cost", "budget_seconds"), int | float),
}


@dataclass(frozen=True, slots=True)
class Chosen:
    """A value and why it was chosen."""

    value: Any
    reason: str


@dataclass(frozen=True, slots=True)
class RunSpec:
    """One training run, whole: the worker adds nothing of its own but the number format its machine can do.

    `model` is "built-in", a Hugging Face id or a folder. `steps` are optimizer steps; 0 means `epochs` decide. `batch`
    rows make one step, `micro_batch` of them at a time. `sft` and `lora` hold further SFTConfig and LoraConfig fields
    by name. `command` is the interpreter (or launcher) of the worker. `faults` are planted troubles, honoured only
    under TAMIS_FAULTS=1.
    """

    name: str
    model: Chosen
    revision: Chosen
    method: Chosen
    seed: Chosen
    steps: Chosen
    epochs: Chosen
    learning_rate: Chosen
    batch: Chosen
    micro_batch: Chosen
    max_length: Chosen
    eval_every: Chosen
    eval_at_start: Chosen
    eval_batch: Chosen
    generate_rows: Chosen
    max_new_tokens: Chosen
    threads: Chosen
    gpu: Chosen
    precision: Chosen
    four_bit: Chosen
    train_on: Chosen
    samples: Chosen
    keep_best: Chosen
    stop_on_divergence: Chosen
    price_per_hour: Chosen
    max_cost: Chosen
    budget_seconds: Chosen
    on_end: Chosen
    pretrain_text: Chosen
    sft: Mapping[str, Chosen]
    lora: Mapping[str, Chosen]
    command: tuple[str, ...] = (sys.executable,)
    group: str = ""
    faults: tuple[Mapping[str, Any], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The content of `spec.json`; every value as `{"value", "reason"}`."""
        return {
            "v": 1,
            "name": self.name,
            "group": self.group,
            "values": {name: as_json(getattr(self, name)) for name in VALUES},
            "sft": {name: as_json(chosen) for name, chosen in self.sft.items()},
            "lora": {name: as_json(chosen) for name, chosen in self.lora.items()},
            "command": list(self.command),
            "faults": [dict(fault) for fault in self.faults],
        }


VALUES = tuple(field.name for field in fields(RunSpec) if field.type == "Chosen")
"""Names of the values of a RunSpec that stand in `spec.json` one by one."""


def as_json(chosen: Chosen) -> dict[str, Any]:
    """`{"value", "reason"}`."""
    return {"value": chosen.value, "reason": chosen.reason}


COMMON: Mapping[str, Any] = {
    name: Chosen(value, reason)
    for name, value, reason in (
        ("gpu", 0, "the first"),
        ("precision", "auto", "bfloat16 where the GPU computes it natively, float16 on older ones, float32 on a CPU"),
        ("four_bit", False, "4-bit weights save memory and cost speed"),
        ("train_on", "all", "every answer is learnt, but for turns marked as not to be trained"),
        ("samples", 3, "a few answers are worth a look at every evaluation"),
        ("keep_best", True, "the weights of the lowest held-out loss are kept beside the last ones"),
        ("stop_on_divergence", False, "a person decides; an alert tells"),
        ("price_per_hour", 0.0, "no price was named"),
        ("max_cost", 0.0, "no limit"),
        ("budget_seconds", 0.0, "no limit"),
        ("on_end", "", "no command"),
    )
}
"""Values every kind of run begins with."""

SFT: Mapping[str, Chosen] = {
    name: Chosen(value, reason)
    for name, value, reason in (
        ("lr_scheduler_type", "cosine", "ends at rest, so the last steps settle what was learnt"),
        ("lr_scheduler_kwargs", None, "a plain cosine"),
        ("optim", "adamw_torch_fused", "TRL's default, and the fastest that needs nothing further"),
        ("adam_beta1", 0.9, "usual"),
        ("adam_beta2", 0.999, "usual"),
        ("adam_epsilon", 1e-8, "usual"),
        ("weight_decay", 0.0, "a few hundred steps are too few for it to matter"),
        ("max_grad_norm", 1.0, "one odd batch cannot throw the weights"),
        ("label_smoothing_factor", 0.0, "the loss stays comparable with the held-out loss"),
        ("neftune_noise_alpha", None, "no noise: arms differ by their rows alone"),
        ("loss_type", "nll", "the loss that is measured is the loss that is trained"),
        ("average_tokens_across_devices", True, "every token counts once"),
        ("ddp_find_unused_parameters", False, "every weight is used in every step; looking for others costs time"),
        ("auto_find_batch_size", False, "it changes the effective batch and keeps half-trained weights (measured)"),
        ("activation_checkpointing", False, "about 20 % slower; switched on only where memory demands it"),
        ("activation_offloading", False, "as above"),
        ("torch_compile", False, "compiling takes longer than a short run gains"),
        ("use_liger_kernel", False, "deprecated in TRL"),
        ("packing", False, "one row stays one row, so its loss can be told"),
        ("packing_strategy", "bfd", "not used: rows are not packed"),
        ("padding_free", False, "needs FlashAttention"),
        ("eval_packing", False, "as packing"),
        ("pad_to_multiple_of", None, "no padding beyond the longest row of a batch"),
        ("truncation_mode", "keep_start", "rows come cut already"),
        ("completion_only_loss", False, "rows come with their labels"),
        ("assistant_only_loss", False, "rows come with their labels"),
        ("shuffle_dataset", False, "the sampler shuffles"),
        ("train_sampling_strategy", "random", "another order every epoch, by the seed"),
        ("dataloader_drop_last", False, "every row is seen"),
        ("dataloader_num_workers", 0, "rows are token ids already; further processes only cost start-up"),
        ("remove_unused_columns", True, "only ids and labels reach the model"),
        ("logging_strategy", "steps", "the curve is shown live"),
        ("logging_steps", 1, "every step; costs below 0.1 % of a step (measured)"),
        ("logging_first_step", False, "logged anyway"),
        ("logging_nan_inf_filter", False, "the filter reports a NaN run as a success (measured)"),
        ("disable_tqdm", True, "event lines take its place"),
        ("report_to", "none", "nothing leaves the machine unless asked"),
        ("eval_strategy", "no", "tamis measures by itself: TRL's eval_loss depends on the batch size (measured)"),
        ("save_strategy", "epoch", "a few hundred rows never reach the default of 500 steps"),
        ("save_total_limit", 2, "the last two, so that a torn one has a forerunner"),
        ("save_only_model", False, "with the optimizer, so that a run can be taken up again"),
        ("enable_jit_checkpoint", False, "tamis heeds SIGTERM itself"),
        ("load_best_model_at_end", False, "the held-out rows measure, they do not choose"),
        ("push_to_hub", False, "nothing leaves the machine"),
        ("full_determinism", False, "slower; seeds are enough on one machine"),
        ("trust_remote_code", False, "a model's own code is never run unasked"),
    )
}
"""SFTConfig fields the worker passes by name, with tamis's values."""

LORA: Mapping[str, Chosen] = {
    name: Chosen(value, reason)
    for name, value, reason in (
        ("r", 16, "enough for a few hundred rows of one task"),
        ("lora_alpha", 32, "twice the rank, the usual scale"),
        ("lora_dropout", 0.0, "short runs; and it would slow every linear layer"),
        ("target_modules", "all-linear", "attention alone learns less at the same rank"),
        ("bias", "none", "usual"),
        ("use_rslora", False, "matters at high ranks only"),
        ("use_dora", False, "slower, for a small gain"),
        ("init_lora_weights", True, "the adapter starts as the identity"),
        ("task_type", "CAUSAL_LM", "a language model"),
    )
}
"""LoraConfig fields the worker passes by name, with tamis's values."""


def choose_spec(
    *,
    name: str,
    rows: int,
    model: str | None = None,
    settings: Mapping[str, Any] | None = None,
) -> RunSpec:
    """The spec for `rows` training rows on `model` (None: the built-in one), as `settings` say and tamis chooses.

    `settings` go by the names of RunSpec, SFTConfig and LoraConfig fields. Raises UsageError for an unknown name, with
    the nearest known one, and for values that cannot go together.
    """
    spec = builtin_choices(name) if model in (None, BUILT_IN) else model_choices(name, str(model))
    spec = with_settings(spec, settings or {})
    spec = replace(spec, micro_batch=Chosen(fitting_micro_batch(spec), spec.micro_batch.reason))
    steps = optimizer_steps(spec, rows)
    if steps < 1:
        raise UsageError(f"run {name} would take no step", "", "give --steps or --epochs above zero")
    if spec.eval_every.reason == "every epoch":
        epoch = math.ceil(rows / spec.batch.value)
        spec = replace(spec, eval_every=Chosen(epoch, "every epoch, as the checkpoints: the best is known and kept"))
    if "warmup_steps" not in spec.sft:
        warmup = Chosen(min(10, max(1, steps // 20)), "5 % of the steps, at most 10")
        spec = replace(spec, sft={**spec.sft, "warmup_steps": warmup})
    return spec


def optimizer_steps(spec: RunSpec, rows: int) -> int:
    """How many optimizer steps the run takes on `rows` rows."""
    return int(spec.steps.value) or math.ceil(math.ceil(rows / spec.batch.value) * spec.epochs.value)


def fitting_micro_batch(spec: RunSpec) -> int:
    """The largest divisor of the batch that is not above the micro-batch wished for."""
    batch, wished = int(spec.batch.value), int(spec.micro_batch.value)
    if batch < 1 or wished < 1:
        raise UsageError(
            f"a batch of {batch} rows, {wished} at a time, cannot be trained", "", "give numbers from 1 up"
        )
    return next(size for size in range(min(batch, wished), 0, -1) if batch % size == 0)


def builtin_choices(name: str) -> RunSpec:
    """tamis's choices for the built-in model, as measured on narrow data."""
    return RunSpec(
        name=name,
        model=Chosen(BUILT_IN, "no model was named; this one trains in seconds on any machine"),
        revision=Chosen(None, "made here"),
        method=Chosen("full", "LoRA on so small a base learns nothing (measured)"),
        seed=Chosen(0, "the first"),
        steps=Chosen(300, "enough for a narrow task to be learnt from a few hundred clean rows (measured)"),
        epochs=Chosen(0.0, "steps decide"),
        learning_rate=Chosen(3e-3, "suits a model of 0.2 M weights (measured)"),
        batch=Chosen(16, "as measured"),
        micro_batch=Chosen(16, "all at once: memory is no concern"),
        max_length=Chosen(512, "half of what the model can attend to"),
        eval_every=Chosen(0, "at the end only: measuring takes as long as twenty steps"),
        eval_at_start=Chosen(False, "the curve starts at the first step"),
        eval_batch=Chosen(64, "memory is no concern"),
        generate_rows=Chosen(120, "enough to tell a share within a few per cent"),
        max_new_tokens=Chosen(64, "or less, where no reference is as long"),
        threads=Chosen(1, "a second thread gains little and costs much on a busy machine (measured)"),
        pretrain_text=Chosen(str(shipped_dir("sample_data") / "pretrain.txt"), "text of the same field, shipped"),
        **COMMON,
        sft=SFT,
        lora={},
    )


def model_choices(name: str, model: str) -> RunSpec:
    """tamis's choices for a real model: a LoRA adapter on a few hundred rows."""
    folder = Path(model).expanduser()
    if folder.is_dir():
        model = str(folder.resolve())
    return RunSpec(
        name=name,
        model=Chosen(model, GIVEN),
        revision=Chosen(None, "the newest"),
        method=Chosen("lora", "a few hundred rows change little; an adapter is small and keeps the base whole"),
        seed=Chosen(0, "the first"),
        steps=Chosen(0, "epochs decide"),
        epochs=Chosen(3.0, "usual for a few hundred rows"),
        learning_rate=Chosen(2e-4, "usual for LoRA; 2e-5 is a full fine-tuning value"),
        batch=Chosen(16, "usual for a few hundred rows"),
        micro_batch=Chosen(8, "halved, at the same batch, where memory does not hold it"),
        max_length=Chosen(1024, "holds most instruction rows; cut rows are counted and named"),
        eval_every=Chosen(0, "every epoch"),
        eval_at_start=Chosen(False, "the curve starts at the first step"),
        eval_batch=Chosen(8, "as many rows as a training step holds"),
        generate_rows=Chosen(120, "enough to tell a share within a few per cent"),
        max_new_tokens=Chosen(256, "or less, where no reference is as long"),
        threads=Chosen(0, "torch decides"),
        pretrain_text=Chosen("", "for the built-in model only"),
        **COMMON,
        sft=SFT,
        lora=LORA,
    )


def with_settings(spec: RunSpec, settings: Mapping[str, Any]) -> RunSpec:
    """`spec` with values set by name; a value that is a Chosen keeps its own reason."""
    if "epochs" in settings and not settings.get("steps"):
        spec = replace(spec, steps=Chosen(0, "epochs decide"))
        settings = {name: value for name, value in settings.items() if name != "steps"}
    for given, setting in settings.items():
        name = known_name(given)
        chosen = setting if isinstance(setting, Chosen) else Chosen(setting, GIVEN)
        check_kind(name, chosen.value, SFT.get(name) or LORA.get(name))
        if name in ("command", "group", "faults"):
            spec = replace(spec, **{name: setting})
        elif name in VALUES:
            values: dict[str, Any] = {name: chosen}
            spec = replace(spec, **values)
        elif name in LORA_FIELDS and name not in SFT_FIELDS:
            spec = replace(spec, lora={**(spec.lora or LORA), name: chosen})
        else:
            spec = replace(spec, sft={**spec.sft, name: chosen})
    check_values(spec)
    if spec.method.value == "lora" and not spec.lora:
        spec = replace(spec, lora=LORA)
    return spec if spec.method.value == "lora" else replace(spec, lora={})


def known_name(name: str) -> str:
    """The name a setting has in the spec. Raises UsageError for one that is unknown, or that tamis sets itself."""
    name = ALIASES.get(name, name)
    if name in SET_BY_TAMIS:
        raise UsageError(f"training setting {name!r} is set by tamis", "", SET_BY_TAMIS[name])
    known = {*VALUES, "command", "group", "faults", *SFT_FIELDS, *LORA_FIELDS}
    if name not in known:
        near = get_close_matches(name, [*ALIASES, *sorted(known - set(SET_BY_TAMIS))], n=1)
        raise UsageError(f"unknown training setting {name!r}", "", f"did you mean {near[0]!r}?" if near else "")
    return name


def check_kind(name: str, value: Any, usual: Chosen | None) -> None:
    """Refuse a word where tamis's own value for a library's field is a number or a yes or no, and the like."""
    if usual is None or usual.value is None or isinstance(usual.value, str):
        return
    number = isinstance(usual.value, int | float) and not isinstance(usual.value, bool)
    fits = isinstance(value, int | float) and not isinstance(value, bool) if number else isinstance(value, bool)
    if name != "init_lora_weights" and not fits:
        wanted = "a number" if number else "true or false"
        raise UsageError(f"training setting {name} = {value!r} has the wrong type", "", f"it takes {wanted}")


def check_values(spec: RunSpec) -> None:
    """Refuse values that no run can have."""
    for name, allowed in ONE_OF.items():
        value = getattr(spec, name).value
        if value not in allowed:
            raise UsageError(f"unknown {name} {value!r}", "", f"use {' or '.join(allowed)}")
    for name, kinds in NUMBERS.items():
        value = getattr(spec, name).value
        if isinstance(value, bool) or not isinstance(value, kinds) or value < 0:
            raise UsageError(f"training setting {name} = {value!r} is no number from 0 up", "", "give a plain number")
    for name in ("packing", "padding_free", "eval_packing"):
        if name in spec.sft and spec.sft[name].value:
            raise UsageError(f"training setting {name} cannot be switched on", "rows are not packed", "leave it out")
    if spec.max_cost.value and not spec.price_per_hour.value:
        raise UsageError("a cost limit needs a price", "", "set price_per_hour, in the same currency")


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0))
