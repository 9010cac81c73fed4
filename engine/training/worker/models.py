"""Loading a model with its tokenizer, and the number format its machine can train in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM

from . import builtin
from .bounded_templates import bound_templates
from .libraries import misread, tokenizer_of, weights_in
from .model_folder import check_model_folder, check_parameters
from .spec import Spec

BUILT_IN = "built-in"


@dataclass(frozen=True, slots=True)
class Precision:
    """`flags` for SFTConfig, the `dtype` the weights are loaded in, and why."""

    flags: Mapping[str, bool]
    dtype: torch.dtype
    reason: str


def choose_precision(method: str, wanted: str = "auto") -> Precision:
    """The number format `wanted` ("auto", "bf16", "fp16", "fp32"). Raises ValueError for one the CPU cannot train in.

    "auto": by what the GPU computes natively; `is_bf16_supported()` also counts emulation, so it is not asked.
    """
    if not torch.cuda.is_available():
        if wanted not in ("auto", "fp32"):
            raise ValueError(f"precision {wanted} needs a GPU, and torch sees none")
        return Precision(
            {"use_cpu": True, "bf16": False, "fp16": False, "dataloader_pin_memory": False},
            torch.float32,
            "no GPU: the CPU trains in float32",
        )
    capability = torch.cuda.get_device_capability()
    adapter = method == "lora"
    if wanted == "fp32":
        return Precision({"use_cpu": False, "bf16": False, "fp16": False}, torch.float32, "as you set it")
    if wanted == "bf16" or (wanted == "auto" and capability >= (8, 0)):
        dtype = torch.bfloat16 if adapter else torch.float32
        reason = "bfloat16 arithmetic" + ("" if adapter else ", float32 master weights")
        return Precision({"use_cpu": False, "bf16": True, "fp16": False}, dtype, f"{reason} (capability {capability})")
    dtype = torch.float16 if adapter else torch.float32
    return Precision(
        {"use_cpu": False, "bf16": False, "fp16": True},
        dtype,
        f"float16: no native bfloat16 at capability {capability}",
    )


def load(spec: Spec, precision: Precision, progress: Callable[[int, int], None]) -> tuple[Any, Any, str]:
    """Model, tokenizer, and where they came from. Only safetensors are read; remote code runs only if asked."""
    bound_templates()
    name = spec["model"]
    source = locate(name, spec["pretrain_text"], progress)
    where: dict[str, Any] = {"revision": spec["revision"], "trust_remote_code": bool(spec.sft.get("trust_remote_code"))}
    kernel = attention(spec)
    if kernel:
        where["attn_implementation"] = kernel
    if spec["four_bit"]:
        where["quantization_config"] = four_bit()
    tokenizer = load_tokenizer(source, spec["revision"], name)
    try:
        if not where["trust_remote_code"]:
            config = AutoConfig.from_pretrained(source, revision=spec["revision"], trust_remote_code=False)
            if misread(config):
                raise ValueError(f"model {name} cannot be loaded: {misread(config)}")
            check_size(source, config)
        where |= weights_in(precision.dtype)
        model = AutoModelForCausalLM.from_pretrained(source, use_safetensors=True, **where)
    except OSError as fault:  # not on the hub, no network, a folder without weights: transformers says which
        raise ValueError(f"model {name} cannot be loaded: {fault}") from fault
    return model, tokenizer, source


def attention(spec: Spec) -> str:
    """The attention kernel to ask for; "" leaves it to the library.

    For packed rows a kernel that knows where each begins spares a mask of length x length.
    """
    wanted = str(spec["attention"])
    if wanted != "auto":
        return wanted
    packed = spec.sft.get("packing") or spec.sft.get("padding_free")
    there = packed and torch.cuda.is_available() and find_spec("flash_attn") is not None
    return "flash_attention_2" if there else ""


def four_bit() -> Any:
    """4-bit weights by bitsandbytes. Raises ValueError where it, or a GPU, is missing."""
    from transformers import BitsAndBytesConfig

    if find_spec("bitsandbytes") is None or not torch.cuda.is_available():
        raise ValueError("4-bit weights need a GPU and bitsandbytes: pip install bitsandbytes, or set four_bit = false")
    return BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch.bfloat16)


def locate(name: str, pretrain_text: str, progress: Callable[[int, int], None]) -> str:
    """Where a model is: the built-in one in the cache, made first where it is not there; else its name.

    Raises ValueError for a folder that cannot be loaded without executing what is in it.
    """
    if name == BUILT_IN:
        return str(builtin.ensure(Path(pretrain_text), progress=progress))
    if Path(name).is_dir():
        check_model_folder(Path(name))
    return name


def check_size(source: str, config: Any) -> None:
    """Raises ValueError where the folder of a model describes more weights than it holds."""
    if not Path(source).is_dir():
        return
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config, trust_remote_code=False)
    check_parameters(sum(weight.numel() for weight in model.parameters()), Path(source))


def load_tokenizer(source: str, revision: str | None, name: str) -> Any:
    """The tokenizer, with a padding token. Raises ValueError where it cannot be had or has no end-of-text token."""
    try:
        tokenizer = tokenizer_of(source, revision)
    except OSError as fault:
        raise ValueError(f"model {name} cannot be loaded: {fault}") from fault
    if tokenizer.eos_token is None:
        raise ValueError(f"the tokenizer of {name} has no end-of-text token, so no answer would ever be learnt to end")
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def adapter_config(spec: Spec) -> Any:
    """peft's LoraConfig, or None where the whole model is trained."""
    if spec["method"] != "lora":
        return None
    from peft import LoraConfig

    return LoraConfig(**spec.lora)
