"""Where the training libraries differ from version to version: the one place of the worker that knows.

What can be asked of the installed libraries is asked of them. `versions.py` says which versions were tried.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import accelerate
import transformers
import transformers.trainer
import trl
from transformers import AutoTokenizer, PreTrainedModel, PreTrainedTokenizerFast
from trl import SFTConfig

from .versions import numbers

RENAMED = {
    "activation_checkpointing": "gradient_checkpointing",
    "activation_checkpointing_kwargs": "gradient_checkpointing_kwargs",
}
"""Fields of SFTConfig by their present name, and what older versions call them."""

AS_BEFORE: Mapping[str, tuple[Any, ...]] = {
    "enable_jit_checkpoint": (False,),
    "loss_type": ("nll",),
    "project": ("tamis",),
    "shuffle_dataset": (False,),
    "train_sampling_strategy": ("random",),
    "truncation_mode": ("keep_start",),
    "trust_remote_code": (False,),
}
"""Fields that came later, and the values under which a version without the field does the same."""

GENERATION = re.compile(r"\{%-?\s*generation\s*-?%\}")


def sft_arguments(values: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of this interpreter's SFTConfig for these values, by their present names.

    Raises ValueError for a value that its version cannot have.
    """
    known = {field.name for field in fields(SFTConfig)}
    given, unknown = {}, []
    for name, value in values.items():
        here = name if name in known else RENAMED.get(name, name)
        if here in known:
            given[here] = value
        elif value not in AS_BEFORE.get(name, ()):
            unknown.append(name)
    if unknown:
        raise ValueError(f"SFTConfig of trl {trl.__version__} has no setting {', '.join(sorted(unknown))}")
    return given


def weights_in(dtype: Any) -> dict[str, Any]:
    """The argument of `from_pretrained` for the number format of the weights."""
    return {"dtype" if numbers(transformers.__version__) >= (4, 56) else "torch_dtype": dtype}


def mend_trainer(trainer: Any) -> None:
    """Undo two faults that would silently train otherwise than told; in versions without them nothing changes."""
    # transformers divides by the number of micro-batches, and 5.0 to 5.4 let accelerate divide by it once more.
    if not trainer.is_deepspeed_enabled:  # it was told the number when it was set up
        trainer.accelerator.gradient_accumulation_steps = 1
    transformers.trainer.skip_first_batches = skip_first_batches


def skip_first_batches(batches: Any, count: int = 0) -> Any:
    """Accelerate's, for a resume in the middle of an epoch: before 1.12 it began again with the order of the first."""
    rest = accelerate.skip_first_batches(batches, count)
    if hasattr(batches, "iteration"):
        rest.iteration = batches.iteration
    return rest


def tokenizer_of(source: str, revision: str | None) -> Any:
    """The tokenizer of a folder or a model of the hub, also where transformers 5 wrote it and an older one reads it."""
    try:
        return AutoTokenizer.from_pretrained(source, revision=revision, trust_remote_code=False)
    except ValueError as fault:
        if "TokenizersBackend" not in str(fault):
            raise
    # The name of transformers 5 for any tokenizer that is its tokenizer.json alone; so is this class of older ones,
    # which want a mapping where it writes a list: the tokens in it stand in tokenizer.json as well.
    before = transformers.utils.logging.get_verbosity()
    transformers.utils.logging.set_verbosity_error()  # it warns of the other name
    try:
        return PreTrainedTokenizerFast.from_pretrained(source, revision=revision, extra_special_tokens={})
    finally:
        transformers.utils.logging.set_verbosity(before)


def misread(config: Any) -> str:
    """Why this transformers would take a model for another than it is, or "".

    Version 5 writes the positions' base and scaling as `rope_parameters`. Older ones pass over that without a word, and
    fall back to the base that they themselves think usual.
    """
    text = config.get_text_config()
    told = getattr(text, "rope_parameters", None)
    if not isinstance(told, Mapping) or not hasattr(text, "rope_theta") or hasattr(text, "standardize_rope_params"):
        return ""
    if told.get("rope_type") == "default" and told.get("rope_theta") == text.rope_theta:
        return ""
    here = f"transformers {transformers.__version__} of this interpreter"
    return f"its config.json was written by transformers 5, and {here} would read its rope_parameters wrongly"


def recompute_activations(trainer: Any) -> None:
    """Switch on what the library switches on when training begins, where it was asked for."""
    arguments, model = trainer.args, trainer.model
    if getattr(arguments, "activation_checkpointing", False):
        how = dict(arguments.activation_checkpointing_kwargs or {})
        every, offload = how.pop("every_n_layers", 1), how.pop("offload", False)
        model.activation_checkpointing_enable(
            activation_checkpointing_kwargs=how or None, every_n_layers=every, offload=offload
        )
    elif not hasattr(PreTrainedModel, "activation_checkpointing_enable") and arguments.gradient_checkpointing:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs=arguments.gradient_checkpointing_kwargs)


def has_generation_markers(template: str) -> bool:
    """Whether a chat template says which part is the assistant's."""
    return GENERATION.search(template) is not None


def training_template(tokenizer: Any) -> str | None:
    """TRL's version of the tokenizer's chat template that does say so; None where this TRL has none."""
    try:
        from trl.chat_template_utils import get_training_chat_template
    except ImportError:  # before TRL 0.25
        return None
    try:
        template = get_training_chat_template(tokenizer)
    except ValueError:  # a template that it does not know
        return None
    # Older ones patch for a prefix that stays the same, without marks.
    return template if template is not None and has_generation_markers(template) else None
