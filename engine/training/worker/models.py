"""Loading a model with its tokenizer, and the number format its machine can train in."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES as CAUSAL

from . import builtin
from .bounded_templates import bound_templates
from .libraries import misread, tokenizer_of, weights_in
from .model_folder import check_complete, check_model_folder, check_parameters, check_trainable, is_path, no_folder
from .spec import Spec

BUILT_IN = "built-in"
GAIN_TRIES = 8


@dataclass(frozen=True, slots=True)
class Precision:
    """`flags` for SFTConfig, the `dtype` the weights are loaded in, and why."""

    flags: Mapping[str, bool]
    dtype: torch.dtype
    reason: str


def choose_precision(method: str, wanted: str = "auto") -> Precision:
    """The number format `wanted` ("auto", "bf16", "fp16", "fp32"). Raises ValueError for one the CPU cannot train in,
    or only more slowly.

    "auto": by what the GPU computes natively; `is_bf16_supported()` also counts emulation, so it is not asked.
    """
    if not torch.cuda.is_available():
        if wanted == "fp16":
            raise ValueError("precision fp16 needs a GPU, and torch sees none")
        half, reason = bf16_on_cpu(bf16_gain()) if wanted == "bf16" else (False, "no GPU: the CPU trains in float32")
        flags = {"use_cpu": True, "bf16": half, "fp16": False, "dataloader_pin_memory": False}
        return Precision(flags, torch.float32, reason)
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


def bf16_on_cpu(gain: float) -> tuple[bool, str]:
    """Whether a CPU that multiplies in bfloat16 `gain` times as fast is to do so, and why. The weights stay float32,
    so nothing but the arithmetic of the multiplications is rounded.

    Raises ValueError where it would be slower: flags of a processor promise more than its libraries keep.
    """
    if gain < 1:
        words = f"precision bf16 is {1 / gain:.1f} times slower than float32 on this CPU (measured)"
        raise ValueError(f"{words}: leave precision at auto")
    return True, f"bfloat16 arithmetic, {gain:.1f} times as fast on this CPU (measured), float32 weights"


def bf16_gain() -> float:
    """How many times as fast this CPU multiplies matrices in bfloat16 as in float32, by the best of a few tries."""

    def best(dtype: torch.dtype) -> float:
        left, right = torch.ones(512, 1024, dtype=dtype), torch.ones(1024, 1024, dtype=dtype)
        took = []
        for _ in range(GAIN_TRIES):
            began = time.perf_counter()
            left @ right
            took.append(time.perf_counter() - began)
        return min(took)

    return best(torch.float32) / best(torch.bfloat16)


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
    try:
        if not where["trust_remote_code"]:
            config = AutoConfig.from_pretrained(source, revision=spec["revision"], trust_remote_code=False)
            check_causal(config, name)
            if misread(config):
                raise ValueError(f"model {name} cannot be loaded: {misread(config)}")
            check_size(source, config)
        tokenizer = load_tokenizer(source, spec["revision"], name)
        where |= weights_in(precision.dtype)
        model = AutoModelForCausalLM.from_pretrained(source, use_safetensors=True, **where)
    except OSError as fault:
        raise ValueError(cannot_be_had(name, fault)) from fault
    return model, tokenizer, source


def attention(spec: Spec) -> str:
    """The attention kernel to ask for; "" leaves it to the library.

    For packed rows a kernel that knows where each begins spares a mask of length x length.
    """
    return kernel_of(str(spec["attention"]), spec.sft)


def kernel_of(wanted: str, sft: Mapping[str, Any]) -> str:
    """As `attention`."""
    if wanted != "auto":
        return wanted
    packed = sft.get("packing") or sft.get("padding_free")
    there = packed and torch.cuda.is_available() and find_spec("flash_attn") is not None
    return "flash_attention_2" if there else ""


def four_bit() -> Any:
    """4-bit weights by bitsandbytes. Raises ValueError where it, or a GPU, is missing."""
    lacks = [] if torch.cuda.is_available() else ["a GPU"]
    lacks += ["bitsandbytes (pip install bitsandbytes)"] if find_spec("bitsandbytes") is None else []
    if lacks:
        raise ValueError(f"4-bit weights (qlora, four_bit) need {' and '.join(lacks)}; method lora does without")
    return nf4()


def nf4() -> Any:
    """The settings of QLoRA (Dettmers et al. 2023): NF4, its scales quantised once more, arithmetic in bfloat16."""
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )


def locate(name: str, pretrain_text: str, progress: Callable[[int, int], None]) -> str:
    """Where a model is: the built-in one in the cache, made first where it is not there; else its name.

    Raises ValueError for a folder that is not there, is no whole model, or cannot be loaded without executing what is
    in it.
    """
    if name == BUILT_IN:
        return str(builtin.ensure(Path(pretrain_text), progress=progress))
    if Path(name).is_dir():
        check_model_folder(Path(name))
        check_trainable(Path(name))
    elif is_path(name):
        raise ValueError(no_folder(name))
    return name


def check_causal(config: Any, name: str) -> None:
    """Raises ValueError for what is no language model that writes on from a text: what it is, what to give instead."""
    made_for = ", ".join(config.architectures or ()) or config.model_type
    instead = "give a causal language model (…ForCausalLM), best one that was tuned to chat"
    if getattr(config, "is_encoder_decoder", False):
        raise ValueError(f"model {name} is an encoder with a decoder ({made_for}): {instead}")
    known = {each for value in CAUSAL.values() for each in ((value,) if isinstance(value, str) else value)}
    made = config.architectures or ()
    # Older and derived classes bear other names than the library's.
    fits = not made or known & set(made) or any("CausalLM" in each or "LMHead" in each for each in made)
    if config.model_type not in CAUSAL or not fits:
        raise ValueError(f"model {name} is no causal language model but {made_for}: {instead}")


def cannot_be_had(name: str, fault: BaseException) -> str:
    """Why a model cannot be loaded, in one line: what transformers raises has six, and guesses."""
    kinds, each = set(), fault
    while each is not None and type(each).__name__ not in kinds:
        kinds.add(type(each).__name__)
        each = each.__cause__ or each.__context__  # type: ignore[assignment]  # None ends it
    begin = f"model {name} cannot be loaded"
    if Path(name).is_dir():
        return f"{begin}: {first_sentence(fault)}"
    if "GatedRepoError" in kinds:
        return f"{begin}: it is gated; ask for access on its page, then `hf auth login`"
    unknown = f"{begin}: no folder {name} is here, and no model of that name is known"
    if "RepositoryNotFoundError" in kinds:
        return f"{unknown} to the hub (or it is private: `hf auth login`); mend the name"
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        return f"{unknown}: it is not in this machine's cache, and HF_HUB_OFFLINE is set"
    if kinds & {"LocalEntryNotFoundError", "ConnectionError", "ConnectError", "OfflineModeIsEnabled"}:
        return f"{unknown}: it is not in this machine's cache, and the hub cannot be reached"
    return f"{begin}: {first_sentence(fault)}"


def first_sentence(fault: BaseException) -> str:
    """What a library says, without the advice behind it that is not about tamis."""
    words = " ".join(str(fault).split()) or type(fault).__name__
    return re.split(r"(?<=[a-z)`'\"])\. ", words)[0][:300].rstrip(".")


def check_size(source: str, config: Any) -> None:
    """Raises ValueError where the folder of a model describes more weights than it holds."""
    if not Path(source).is_dir():
        return
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config, trust_remote_code=False)
    parameters = sum(weight.numel() for weight in model.parameters())
    check_parameters(parameters, Path(source))
    check_complete(parameters, Path(source), config.to_dict())


def load_tokenizer(source: str, revision: str | None, name: str) -> Any:
    """The tokenizer, with a padding token. Raises ValueError where it cannot be had or has no end-of-text token."""
    try:
        tokenizer = tokenizer_of(source, revision)
    except OSError as fault:
        raise ValueError(cannot_be_had(name, fault)) from fault
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
