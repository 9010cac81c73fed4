"""What a run is to do: every value explicit, each with the reason it was chosen."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from engine.errors import UsageError
from engine.paths import shipped_dir
from engine.secret_patterns import is_secret_name, looks_secret, secrets_in
from engine.training.spec.defaults import COMMON, LORA, NEVER_AT_REST, SFT, Chosen
from engine.training.spec.learning_rate import SHORT_RUN, learning_rate
from engine.training.spec.threads import cores, load_per_core, threads_to_use
from engine.training.spec.trl_fields import LORA_FIELDS, SET_BY_TAMIS, SFT_FIELDS

BUILT_IN = "built-in"
LARGEST = 10**12
"""No number of a run is larger."""
GIVEN = "as you set it"
QLORA = "qlora"
SMALL_BATCH = 4
FEWEST_STEPS, FEWEST_EPOCHS, USUAL_EPOCHS = 60, 3, 5
SECRET_HINT = "give it by the environment (HF_TOKEN=\u2026 tamis train), or log in with the service's own command"
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

ONE_OF = {
    "method": ("full", "lora", QLORA),
    "precision": ("auto", "bf16", "fp16", "fp32"),
    "train_on": ("all", "last"),
    "system_prompt": ("own turn", "first user turn"),
    "repeated_turns": ("as they are", "merged"),
    "reasoning": ("own field", "in the answer", "left out"),
}
NUMBERS: Mapping[str, Any] = {
    **dict.fromkeys(
        ("seed", "steps", "batch", "micro_batch", "max_length", "eval_every", "gpu", "samples", "row_losses"), int
    ),
    **dict.fromkeys(("epochs", "learning_rate", "price_per_hour", "max_cost", "budget_seconds"), int | float),
}


@dataclass(frozen=True, slots=True)
class RunSpec:
    """One training run, whole: the worker adds nothing of its own but the number format its machine can do.

    `model` is "built-in", a Hugging Face id or a folder. `steps` are optimizer steps; 0 means `epochs` decide. `batch`
    rows make one step, `micro_batch` of them at a time. `sft` and `lora` hold further SFTConfig and LoraConfig fields
    by name. `command` is the interpreter (or launcher) of the worker.
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
    attention: Chosen
    four_bit: Chosen
    train_on: Chosen
    system_prompt: Chosen
    repeated_turns: Chosen
    reasoning: Chosen
    row_losses: Chosen
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
        }


VALUES = tuple(field.name for field in fields(RunSpec) if field.type == "Chosen")
"""Names of the values of a RunSpec that stand in `spec.json` one by one."""


def as_json(chosen: Chosen) -> dict[str, Any]:
    """`{"value", "reason"}`."""
    return {"value": chosen.value, "reason": chosen.reason}


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
    refuse_secrets("model", model)
    given = settings or {}
    spec = builtin_defaults(name) if model in (None, BUILT_IN) else model_defaults(name, str(model))
    spec = with_settings(spec, given)
    spec = replace(spec, micro_batch=Chosen(fitting_micro_batch(spec), spec.micro_batch.reason))
    if spec.model.value != BUILT_IN:
        spec = fitted_recipe(spec, rows, {known_name(each) for each in given})
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


def fitted_recipe(spec: RunSpec, rows: int, given: Collection[str]) -> RunSpec:
    """What follows from the rows, the batch and the model, but for what was `given`."""
    if not {"steps", "epochs"} & set(given):
        spec = replace(spec, epochs=epochs_for(rows, int(spec.batch.value)))
    if "learning_rate" not in given:
        model, method, steps = str(spec.model.value), str(spec.method.value), optimizer_steps(spec, rows)
        spec = replace(spec, learning_rate=learning_rate(model, spec.revision.value, method, steps))
    if "lr_scheduler_type" in given and "lr_scheduler_kwargs" not in given:  # they are the other schedule's
        spec = replace(spec, sft={**spec.sft, "lr_scheduler_kwargs": SFT["lr_scheduler_kwargs"]})
    return spec


def optimizer_steps(spec: RunSpec, rows: int) -> int:
    """How many optimizer steps the run takes on `rows` rows (or sequences, where rows are packed)."""
    return int(spec.steps.value) or math.ceil(math.ceil(rows / spec.batch.value) * spec.epochs.value)


def fitting_micro_batch(spec: RunSpec) -> int:
    """The largest divisor of the batch that is not above the micro-batch wished for."""
    batch, wished = int(spec.batch.value), int(spec.micro_batch.value)
    if batch < 1 or wished < 1:
        raise UsageError(
            f"a batch of {batch} rows, {wished} at a time, cannot be trained", "", "give numbers from 1 up"
        )
    return next(size for size in range(min(batch, wished), 0, -1) if batch % size == 0)


def builtin_defaults(name: str) -> RunSpec:
    """tamis's defaults for the built-in model, as measured on narrow data."""
    return RunSpec(
        name=name,
        model=Chosen(BUILT_IN, "no model was named; this one trains in seconds on any machine"),
        revision=Chosen(None, "made here"),
        method=Chosen("full", "LoRA on so small a base learns nothing (measured)"),
        seed=Chosen(0, "the first"),
        steps=Chosen(300, "enough for a narrow task to be learnt from a few hundred clean rows (measured)"),
        epochs=Chosen(0.0, "steps decide"),
        learning_rate=Chosen(2e-3, "suits a model of 0.2 M weights, and seeds agree better than at 3e-3 (measured)"),
        batch=Chosen(16, "as measured"),
        micro_batch=Chosen(16, "all at once: memory is no concern"),
        max_length=Chosen(512, "half of what the model can attend to"),
        eval_every=Chosen(0, "at the end only: measuring takes as long as twenty steps"),
        eval_at_start=Chosen(False, "the curve starts at the first step"),
        eval_batch=Chosen(64, "memory is no concern"),
        generate_rows=Chosen(120, "enough to tell a share within a few per cent"),
        max_new_tokens=Chosen(256, "at most; each answer has half as much room again as its reference, and a few"),
        threads=Chosen(1, "a second thread gains little and costs much on a busy machine (measured)"),
        pretrain_text=Chosen(str(shipped_dir("sample_data") / "pretrain.txt"), "text of the same field, shipped"),
        **COMMON,
        sft=SFT,
        lora={},
    )


def epochs_for(rows: int, batch: int) -> Chosen:
    """How often all rows are seen: three to five times, oftener where that makes fewer than 60 steps.

    As many of these as stay within a hundred steps, because an adapter's first steps learn slowly: one of its factors
    begins at zero (see `learning_rate`).
    """
    passes = max(1, math.ceil(rows / batch))
    if USUAL_EPOCHS * passes < FEWEST_STEPS:
        epochs = math.ceil(FEWEST_STEPS / passes)
        return Chosen(float(epochs), f"so that {FEWEST_STEPS} steps are taken: an adapter learns little in fewer")
    epochs = min(USUAL_EPOCHS, max(FEWEST_EPOCHS, SHORT_RUN // passes))
    if epochs == FEWEST_EPOCHS:
        return Chosen(float(epochs), "usual for a few hundred rows: what is learnt later is learnt by heart")
    return Chosen(float(epochs), f"as many of three to five as {SHORT_RUN} steps hold: the first ones learn slowly")


def model_defaults(name: str, model: str) -> RunSpec:
    """tamis's defaults for a real model: a LoRA adapter on a few hundred rows."""
    folder = Path(model).expanduser()
    if folder.is_dir() or model.startswith((".", "~")):  # the latter can be no name on the hub
        model = str(folder.resolve())
    return RunSpec(
        name=name,
        model=Chosen(model, GIVEN),
        revision=Chosen(None, "the newest"),
        method=Chosen("lora", "a few hundred rows change little; an adapter is small and keeps the base whole"),
        seed=Chosen(0, "the first"),
        steps=Chosen(0, "epochs decide"),
        epochs=Chosen(float(FEWEST_EPOCHS), "usual for a few hundred rows"),
        learning_rate=Chosen(0.0, "from the model's hidden size"),
        batch=Chosen(SMALL_BATCH, "few rows make enough steps only in small batches, and LoRA bears large ones badly"),
        micro_batch=Chosen(SMALL_BATCH, "halved, at the same batch, where memory does not hold it"),
        max_length=Chosen(1024, "holds most instruction rows; cut rows are counted and named"),
        eval_every=Chosen(0, "every epoch"),
        eval_at_start=Chosen(True, "what training bought is told against it; measured once for all runs of a folder"),
        eval_batch=Chosen(8, "as many rows as a training step holds"),
        generate_rows=Chosen(120, "enough to tell a share within a few per cent"),
        max_new_tokens=Chosen(1024, "at most; each answer has half as much room again as its reference, and a few"),
        threads=Chosen(*threads_to_use(cores(), load_per_core())),
        pretrain_text=Chosen("", "for the built-in model only"),
        **COMMON,
        sft={**SFT, **NEVER_AT_REST},
        lora=LORA,
    )


def with_settings(spec: RunSpec, settings: Mapping[str, Any]) -> RunSpec:
    """`spec` with values set by name; a value that is a Chosen keeps its own reason."""
    if "epochs" in settings and not settings.get("steps"):
        spec = replace(spec, steps=Chosen(0, "epochs decide"))
        settings = {name: value for name, value in settings.items() if name != "steps"}
    for given, setting in settings.items():
        refuse_secrets(given, setting)
        name = known_name(given)
        chosen = setting if isinstance(setting, Chosen) else Chosen(setting, GIVEN)
        check_kind(name, chosen.value, SFT.get(name) or LORA.get(name))
        if name == "method" and chosen.value == QLORA:
            chosen = Chosen("lora", chosen.reason)
            spec = replace(spec, four_bit=Chosen(True, f"method {QLORA}: LoRA on a base of 4-bit weights"))
        if name in ("command", "group"):
            whole: dict[str, Any] = {name: tuple(setting) if isinstance(setting, list) else setting}
            spec = replace(spec, **whole)
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


def refuse_secrets(name: str, setting: Any) -> None:
    """Raise UsageError for a setting that is a key, token or password, or holds one: the spec of a run is a file, and
    words of a command are seen by all who are on the machine. Its value is not repeated."""
    value = setting.value if isinstance(setting, Chosen) else setting
    if value and is_secret_name(name):
        raise UsageError(f"{name[:60]} is a secret, and would be kept in the run's spec.json", "", SECRET_HINT)
    if holds_secret(name, value):
        raise UsageError(f"{name[:60]} holds what looks like a key, token or password", "", SECRET_HINT)


_PASSWORD_IN_ADDRESS = re.compile(r"://[^\s/@]+@")


def holds_secret(name: str, value: Any) -> bool:
    """Whether a secret stands anywhere in the value of a setting, or in a field of it that is called so."""
    if isinstance(value, Mapping):
        return any((is_secret_name(str(key)) and inner not in (None, False, True, "")) or holds_secret(name, inner)
                   for key, inner in value.items())  # fmt: skip
    if isinstance(value, str):
        # A model may be called so: `hf_llama-small`.
        if name == "model":
            return bool(secrets_in(value)) or _PASSWORD_IN_ADDRESS.search(value) is not None
        return looks_secret(value) or _has_option(value.split())
    if isinstance(value, list | tuple):
        named = _has_option([word for word in value if isinstance(word, str)])
        return named or any(holds_secret(name, inner) for inner in value)
    return False


def _has_option(words: Sequence[str]) -> bool:
    """Whether an option of a command takes a secret: `--token abc`."""
    return any(word.startswith("-") and is_secret_name(word.lstrip("-")) for word in words[:-1])


def known_name(name: str) -> str:
    """The name a setting has in the spec. Raises UsageError for one that is unknown, or that tamis sets itself."""
    name = ALIASES.get(name, name)
    if name in SET_BY_TAMIS:
        raise UsageError(f"training setting {name!r} is set by tamis", "", SET_BY_TAMIS[name])
    known = {*VALUES, "command", "group", *SFT_FIELDS, *LORA_FIELDS}
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
            raise UsageError(f"unknown {name} {value!r}", "", f"use {' or '.join(map(quoted, allowed))}")
    if spec.four_bit.value and spec.method.value == "full":
        raise UsageError("weights of 4 bits cannot be trained themselves", "", f"use method {QLORA}, or four_bit=false")
    for name, kinds in NUMBERS.items():
        value = getattr(spec, name).value
        if isinstance(value, bool) or not isinstance(value, kinds) or value < 0 or not in_bounds(value):
            words = f"training setting {name} = {repr(value)[:40]} is no number from 0 up"
            raise UsageError(words, "", "give a plain number")
    if spec.sft["eval_packing"].value:
        raise UsageError("eval_packing cannot be switched on", "held-out rows are measured one by one", "leave it out")
    if spec.sft["packing_strategy"].value != "bfd":
        words = f"packing_strategy {spec.sft['packing_strategy'].value!r} cuts rows or mixes them"
        raise UsageError(words, "", "use bfd")
    if spec.max_cost.value and not spec.price_per_hour.value:
        raise UsageError("a cost limit needs a price", "", "set price_per_hour, in the same currency")


def quoted(word: str) -> str:
    """A word of a setting as it is typed."""
    return f'"{word}"' if " " in word else word


def in_bounds(value: object) -> bool:
    """Whether a value is no number, or one that can be reckoned with: not NaN, infinite or beyond all reason."""
    return not isinstance(value, int | float) or -LARGEST <= value <= LARGEST
