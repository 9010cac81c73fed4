"""What would die at a run's start, asked of the libraries themselves on a model without weights.

The model is built on torch's meta device from its configuration: shapes without memory. peft, TRL's and transformers'
own classes are then asked as the run would ask them, so no list of ours has to be kept.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from peft.tuners.tuners_utils import BaseTunerLayer
from transformers import AutoModelForCausalLM, Trainer
from trl import SFTConfig

from .model_folder import check_complete, check_numbers, check_parameters
from .models import choose_precision, first_sentence, four_bit, kernel_of

MARKER = re.compile(r"<\|[^|<>{}'\"\s]{1,40}\|>|<(?:start|end)_of_turn>")
"""How templates write tokens of their own."""


def look(source: str, config: Any, request: Mapping[str, Any]) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """(numbers the memory formula needs, what would die at the start as `{"kind", "text"}`): no weights are read.

    Raises ValueError where configuration and weights do not belong together.
    """
    check_numbers(config.to_dict(), Path(source))
    text = config.get_text_config()
    model = on_meta(config)
    parameters = sum(weight.numel() for weight in model.parameters())
    if Path(source).is_dir():
        check_parameters(parameters, Path(source))
        check_complete(parameters, Path(source), config.to_dict())
    sft, lora = request["sft"], request["lora"]
    kernel = kernel_of(request.get("attention", "auto"), sft)
    trained, refused = adapter(model, lora) if lora else (0, "")
    asked: Sequence[tuple[str, Callable[[], object]]] = (
        ("attention", lambda: on_meta(config, attn_implementation=kernel) if kernel else None),
        ("optimizer", lambda: optimizer(sft, model)),
        ("precision", lambda: choose_precision(request.get("method", "lora"), request.get("precision", "auto"))),
        ("four_bit", lambda: four_bit() if request.get("four_bit") else None),
    )
    faults = [{"kind": "adapter", "text": refused}] if refused else []
    faults += [{"kind": kind, "text": said} for kind, ask in asked if (said := asked_for(kind, ask, kernel, sft))]
    return {
        "parameters": parameters,
        "lora_parameters": trained,
        "hidden": text.hidden_size,
        "layers": text.num_hidden_layers,
        "ffn": getattr(text, "intermediate_size", None) or 4 * text.hidden_size,
        "vocabulary": text.vocab_size,
        "positions": getattr(text, "max_position_embeddings", None),
        "commit": getattr(config, "_commit_hash", None),
    }, faults


def on_meta(config: Any, **named: Any) -> Any:
    """The model of a configuration without memory for its weights."""
    with torch.device("meta"):
        return AutoModelForCausalLM.from_config(config, trust_remote_code=False, **named)


def asked_for(kind: str, ask: Callable[[], object], kernel: str, sft: Mapping[str, Any]) -> str:
    """What the library says against it, or "": what is missing by the name that pip knows."""
    try:
        ask()
    except (ImportError, ValueError, TypeError, RuntimeError, NotImplementedError) as fault:
        said = first_sentence(fault)
        if kind == "attention":
            flash = " (pip install flash-attn)" if kernel == "flash_attention_2" else ""
            return f"attention {kernel} cannot be used here{flash}, or set attention = auto: {said}"
        if kind == "optimizer":
            install = re.search(r"pip install [^`'\"]+", str(fault))
            todo = f"{install[0].rstrip('. ')}, or take another" if install else "take another"
            return f"optim {sft.get('optim')} cannot be used here, {todo}: {said}"
        return said
    return ""


def adapter(model: Any, lora: Mapping[str, Any]) -> tuple[int, str]:
    """(weights of the adapter, why it cannot be put on this model, or "")."""
    linear = [name.rsplit(".", 1)[-1] for name, part in model.named_modules() if isinstance(part, torch.nn.Linear)]
    there = ", ".join(sorted(set(linear)))
    names = {name for name, _ in model.named_modules()}
    for kind in ("modules_to_save", "target_modules"):
        wished = lora.get(kind)
        absent = [
            each
            for each in (wished if isinstance(wished, list | tuple) else ())
            if not any(name == each or name.endswith(f".{each}") for name in names)
        ]
        if absent:
            return 0, f"{kind} {', '.join(map(str, absent))}: the model has no part of that name; it has {there}"
    # Some first weights are drawn from those of the model, which it has none of here.
    config = LoraConfig(**{**lora, **({} if isinstance(lora.get("init_lora_weights"), bool) else INITIAL)})
    try:
        wrapped = get_peft_model(model, config)
    except (ValueError, TypeError, RuntimeError, NotImplementedError) as fault:
        return 0, f"target_modules = {lora.get('target_modules')}: {first_sentence(fault)}; the model has {there}"
    if isinstance(wrapped.get_output_embeddings(), BaseTunerLayer):
        return 0, "target_modules names the output layer, whose adapter would never be trained: leave lm_head out"
    return sum(weight.numel() for weight in wrapped.parameters() if weight.requires_grad), ""


INITIAL = {"init_lora_weights": True}


def optimizer(sft: Mapping[str, Any], model: Any) -> None:
    """Let transformers look its class up."""
    arguments = SFTConfig(output_dir=tempfile.gettempdir(), use_cpu=True, bf16=False, **sft)
    Trainer.get_optimizer_cls_and_kwargs(arguments, model)


def vocabulary_notes(
    tokenizer: Any, rows: Sequence[Any], shape: Mapping[str, Any]
) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """(faults, doubts) of tokens that the model has no row for, and of marks that are no tokens."""
    faults, doubts = [], []
    held, largest = int(shape["vocabulary"]), max(max(row.input_ids) for row in rows)
    if largest >= held:
        token = str(tokenizer.convert_ids_to_tokens(largest))
        words = f"the rows hold token {largest:,} ({token!r:.40}) and the model has {held:,}"
        faults.append({"kind": "vocabulary", "text": f"{words}: tokenizer and model do not belong together"})
    elif len(tokenizer) > held:
        words = f"the tokenizer knows {len(tokenizer):,} tokens and the model has {held:,}"
        doubts.append({"kind": "vocabulary", "text": f"{words}: do they belong together?"})
    template = tokenizer.chat_template if isinstance(tokenizer.chat_template, str) else ""
    text = tokenizer.decode(list(rows[0].input_ids))
    pieces = {mark: len(tokenizer.tokenize(mark)) for mark in sorted(set(MARKER.findall(template))) if mark in text}
    split = [f"{mark} ({count})" for mark, count in pieces.items() if count > 1]
    if split:
        words = f"the chat template writes {', '.join(split[:4])} in several tokens each"
        doubts.append({"kind": "split_marks", "text": f"{words}: is it of this model? Its tokenizer has none of them"})
    return faults, doubts
