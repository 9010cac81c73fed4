"""What a project's own `config.toml` may set by itself, and what waits for a yes of the person.

A project folder may have come from anybody. What it says of goals, signals and views, and plain numbers of a run, can
do no harm and counts at once. Everything else waits: an allow-list, so that a setting nobody has thought of waits too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

TRAINING = "training."
# Of the top of the file. Themes and sets of keys are names of what lies in the person's own folders.
SETTINGS = frozenset({"theme", "keymap", "blind", "ascii", "goal", "goal_tokens", "signals"})
# Of [training], by the names a run uses: these take a plain number, true or false.
NUMBERS = frozenset(
    """
    steps epochs learning_rate batch micro_batch max_length seed data_seed r lora_alpha lora_dropout lora_bias
    use_rslora use_dora init_lora_weights eval_every eval_at_start eval_batch generate_rows max_new_tokens threads gpu
    four_bit row_losses samples keep_best stop_on_divergence price_per_hour max_cost budget_seconds adam_beta1
    adam_beta2 adam_epsilon weight_decay max_grad_norm label_smoothing_factor neftune_noise_alpha warmup_steps
    average_tokens_across_devices activation_checkpointing activation_offloading auto_find_batch_size packing
    padding_free pad_to_multiple_of completion_only_loss assistant_only_loss shuffle_dataset dataloader_drop_last
    remove_unused_columns logging_steps logging_first_step logging_nan_inf_filter save_only_model save_steps
    save_total_limit full_determinism tf32 router_aux_loss_coef
    """.split()  # noqa: SIM905  fifty quoted names are no better to read
)
# These take a word that the libraries know, or a list of such.
WORDS = frozenset(
    """
    method precision train_on lr_scheduler_type packing_strategy truncation_mode train_sampling_strategy
    logging_strategy eval_strategy save_strategy bias target_modules task_type
    """.split()  # noqa: SIM905
)
# These can do harm, but not with these values. A kernel of another name may be fetched from the Hub, and run.
VALUES: Mapping[str, tuple[Any, ...]] = {
    "model": ("built-in",),
    "attention": ("auto", "eager", "sdpa"),
    "optim": ("adamw_torch", "adamw_torch_fused", "adafactor", "sgd"),
    "loss_type": ("nll", "dft"),
    "system_prompt": ("own turn", "first user turn"),
    "repeated_turns": ("as they are", "merged"),
    "reasoning": ("own field", "in the answer", "left out"),
    "trust_remote_code": (False,),
    "push_to_hub": (False,),
    "report_to": ("none",),
}
# What the others would do, as far as it is known.
WOULD: Mapping[str, str] = {
    "reviewer": "decide under this name",
    "embedding": "load this model for every pick",
    "training.command": "run this program for every plan and every run",
    "training.on_end": "run this in a shell at the end of every run",
    "training.model": "load this model, or fetch it",
    "training.trust_remote_code": "run code that comes with the model",
    "training.report_to": "send figures and settings of runs there",
    "training.push_to_hub": "send what was trained to the Hub",
    "training.pretrain_text": "read this file",
}
UNKNOWN = "set what is not known to be harmless"
_WORD = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}")


def is_harmless(name: str, value: object) -> bool:
    """Whether a setting of a project counts without a yes; those of `[training]` are `training.NAME`."""
    if not name.startswith(TRAINING):
        return name in SETTINGS
    training = name.removeprefix(TRAINING)
    if training in NUMBERS:
        return isinstance(value, int | float)
    if training in WORDS:
        words = value if isinstance(value, list | tuple) else (value,)
        return all(isinstance(word, str) and _WORD.fullmatch(word) for word in words)
    return any(type(value) is type(allowed) and value == allowed for allowed in VALUES.get(training, ()))


def would(name: str) -> str:
    """What a setting that waits would do, as the end of a sentence."""
    return WOULD.get(name, UNKNOWN)


def written(name: str, value: object) -> str:
    """A setting as one line of ASCII, the same for the same content."""
    return f"{name} = {json.dumps(value, ensure_ascii=True, sort_keys=True, default=str)}"
