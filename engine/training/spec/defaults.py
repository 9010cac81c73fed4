"""The values tamis chooses, each with its reason.

Defaults of the training libraries change from version to version and several of them bite (a NaN filter that reports
success, a learning rate meant for full fine-tuning, truncation without a word), so none is left to them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Chosen:
    """A value and why it was chosen."""

    value: Any
    reason: str


COMMON: Mapping[str, Any] = {
    name: Chosen(value, reason)
    for name, value, reason in (
        ("gpu", 0, "the first"),
        ("precision", "auto", "bfloat16 where the GPU computes it natively, float16 on older ones, float32 on a CPU"),
        ("attention", "auto", "FlashAttention where it is installed and rows are packed, else the library's choice"),
        ("four_bit", False, "4-bit weights save memory and cost speed"),
        ("train_on", "all", "every answer is learnt, but for turns marked as not to be trained"),
        ("system_prompt", "own turn", "as the chat template writes it"),
        ("repeated_turns", "as they are", "as the rows have them"),
        ("reasoning", "own field", "as the chat template writes it"),
        ("row_losses", 0, "single training rows are not measured"),
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
        ("packing", False, "a few hundred short rows packed into few long ones leave too few steps"),
        ("packing_strategy", "bfd", "where rows are packed: whole rows only, none is cut or split"),
        ("padding_free", False, "gains where the attention kernel is made for it (FlashAttention)"),
        ("eval_packing", False, "held-out rows are measured one by one"),
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

NEVER_AT_REST: Mapping[str, Chosen] = {
    "lr_scheduler_type": Chosen("cosine_warmup_with_min_lr", "a cosine whose first step already has a rate above zero"),
    "lr_scheduler_kwargs": Chosen({"min_lr_rate": 0.01}, "the last step, too, has a rate: of few steps none is wasted"),
}
"""SFTConfig fields of a run with few steps: the library's plain cosine takes the first one at rate 0."""

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
