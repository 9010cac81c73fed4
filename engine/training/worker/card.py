"""The card that lies beside what was trained: what it is, what it was trained on, and the lines to use it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .fitting import fitting_of

ADAPTER = """```python
from peft import AutoPeftModelForCausalLM
from transformers import AutoTokenizer

model = AutoPeftModelForCausalLM.from_pretrained("{folder}")
tokenizer = AutoTokenizer.from_pretrained("{folder}")
```"""

WHOLE = """```python
from transformers import AutoModelForCausalLM, AutoTokenizer

model = AutoModelForCausalLM.from_pretrained("{folder}")
tokenizer = AutoTokenizer.from_pretrained("{folder}")
```"""

LOCAL_BASE = """`adapter_config.json` says where the base lies on the machine that trained it, so that it loads there:
write its id on the Hub into `base_model_name_or_path` before you share this folder."""
HERE = "."
MERGE = "tamis export-model RUN --merged"
HUB_ID = re.compile(r"[\w.-]{1,96}(/[\w.-]{1,96})?", re.ASCII)
IN_CACHE = re.compile(r"models--([\w.-]+?)--([\w.-]+)/snapshots/")
VLLM_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""What vLLM takes for --max-lora-rank (`MaxLoRARanks` in its vllm/config/lora.py): any other number is refused."""
LIMITS = (
    "It was tuned on few rows of one kind: of anything else it knows what its base knows, or less.",
    "Whether its answers are true was not measured: the loss says how well it predicts answers like those it saw.",
    "It was not tested for harmful or private content, nor for any language but that of its rows.",
)


def public_name(model: str) -> str:
    """A model without the place it lies at on this machine: its id on the Hub, or the name of its folder."""
    cached = IN_CACHE.search(model)
    if cached:
        return "/".join(cached.groups())
    is_id = HUB_ID.fullmatch(model) is not None and not Path(model).exists()
    name = model if is_id else Path(model.rstrip("/")).name
    return "".join(sign if sign.isalnum() or sign in "._-/ " else "_" for sign in name) or "model"


def card(
    run: str, values: Mapping[str, Any], lora: Mapping[str, Any], told: Mapping[str, Any], *, merged: bool = False
) -> str:
    """The text of README.md: no text of a row, no place on this machine.

    `told`: rows, steps, tokens, nll and versions as far as they are known; of an export also `licence`, `data` and
    `measures` (sentences) and the `agreement` of its logits. `merged`: an adapter that is in the weights now.
    `lora["base"]`: the id of a base that lies in a folder here.
    """
    from huggingface_hub import ModelCardData

    model, adapter = str(values["model"]), values["method"] != "full"
    base = str(lora.get("base") or public_name(model))
    is_on_hub = bool(lora.get("base")) or (model != "built-in" and (base == model or "/" in base))
    library = "peft" if adapter else "transformers"
    head = ModelCardData(
        base_model=base if is_on_hub else None,
        license=told.get("licence") or None,
        library_name=library,
        pipeline_tag="text-generation",
        tags=["sft", "tamis"],
    )
    lines = ["---", *head.to_yaml().splitlines(), "---", ""]
    how = f"a LoRA adapter of rank {lora.get('r')} merged into its weights" if merged else "fine-tuned in full"
    what = f"A LoRA adapter (rank {lora.get('r')}) for {base}" if adapter else f"{base}, {how}"
    lines += [f"# {run}", "", f"{what}.", ""]
    if adapter and not is_on_hub:
        lines += [LOCAL_BASE, ""]
    facts = {
        "steps": told.get("step"),
        "rows": told.get("rows"),
        "answer tokens learnt": told.get("completion_tokens"),
        "held-out loss (nats per token)": told.get("nll"),
        "the same of the base": (told.get("base") or {}).get("nll"),
        "learning rate": values["learning_rate"],
        "batch": values["batch"],
        "max_length": values["max_length"],
        "seed": values["seed"],
        "trained on": told.get("trained_on"),
        "versions": ", ".join(f"{name} {number}" for name, number in (told.get("versions") or {}).items()),
    }
    lines += [f"- {name}: {value}" for name, value in facts.items() if value not in (None, "")]
    if form := fitting_of(values).in_words():
        lines += ["", f"It was trained on conversations in this form, so ask it in the same: {form}."]
    for title, sentences in (("Data", told.get("data")), ("What it bought", told.get("measures"))):
        if sentences:
            lines += ["", f"## {title}", "", *(f"- {sentence}" for sentence in sentences)]
    lines += ["", "## What it is not good for", "", *(f"- {sentence}" for sentence in LIMITS)]
    lines += ["", "## In this folder", "", usage({**values, "model": base}, lora, HERE), ""]
    return "\n".join(lines)


def usage(values: Mapping[str, Any], lora: Mapping[str, Any], folder: str) -> str:
    """The lines to load, to serve and to convert what lies in `folder`."""
    words = (f"{title}:\n\n```sh\n{command}\n```" for title, command in commands(values, lora, folder))
    return "\n\n".join([loading(values, folder), *words])


def loading(values: Mapping[str, Any], folder: str) -> str:
    """The lines of Python that load what lies in `folder`."""
    return (WHOLE if values["method"] == "full" else ADAPTER).format(folder=folder)


def commands(values: Mapping[str, Any], lora: Mapping[str, Any], folder: str) -> tuple[tuple[str, str], ...]:
    """(title, command lines) to serve and to convert what lies in `folder`.

    Flags as vLLM (vllm/engine/arg_utils.py) and llama.cpp (convert_hf_to_gguf.py, convert_lora_to_gguf.py,
    tools/quantize, tools/server) have them.
    """
    here = shlex.quote(folder)
    if values["method"] == "full":
        convert = f"python llama.cpp/convert_hf_to_gguf.py {here} --outfile model.gguf --outtype auto"
        return (
            ("Served by vLLM", f"vllm serve {here}"),
            ("As GGUF, in 4 bits", f"{convert}\nllama-quantize model.gguf model-Q4_K_M.gguf Q4_K_M"),
            ("Served by llama.cpp", "llama-server -m model-Q4_K_M.gguf --jinja"),
        )
    base = shlex.quote(str(values["model"]))
    vllm = f"vllm serve {base} --enable-lora --lora-modules tuned={here} --max-lora-rank {vllm_rank(lora)}"
    template = Path(folder) / "chat_template.jinja"
    if folder == HERE or template.is_file():
        # The base's own may be another, or none.
        vllm += f" --chat-template {shlex.quote(str(template))}"
    refused = unfit_for_vllm(lora)
    served = (f"vLLM does not serve it as an adapter ({refused})", MERGE) if refused else ("Served by vLLM", vllm)
    if lora.get("use_dora") or lora.get("use_rslora") or lora.get("modules_to_save"):
        return (served, ("As GGUF, merged", MERGE))
    is_local = Path(str(values["model"])).is_dir()
    convert = f"python llama.cpp/convert_lora_to_gguf.py {here}{f' --base {base}' if is_local else ''}"
    return (
        served,
        ("As GGUF, beside its base", f"{convert} --outfile tuned-lora.gguf --outtype f16"),
        ("Served by llama.cpp", "llama-server -m base.gguf --lora tuned-lora.gguf --jinja"),
    )


def vllm_rank(lora: Mapping[str, Any]) -> int:
    """The smallest of vLLM's ranks that holds this adapter's."""
    return next((known for known in VLLM_RANKS[1:] if known >= largest_rank(lora)), VLLM_RANKS[-1])


def largest_rank(lora: Mapping[str, Any]) -> int:
    """Of an adapter, whose layers may differ."""
    return max([int(lora.get("r") or 8), *(int(rank) for rank in (lora.get("rank_pattern") or {}).values())])


def unfit_for_vllm(lora: Mapping[str, Any]) -> str:
    """Why vLLM refuses an adapter, or "": what its vllm/lora/peft_helper.py asks."""
    reasons = {
        "it holds whole layers": lora.get("modules_to_save"),
        "it is DoRA": lora.get("use_dora"),
        "it holds biases": lora.get("bias") not in (None, "none"),
        f"its rank is {largest_rank(lora)}": largest_rank(lora) > VLLM_RANKS[-1],
    }
    return ", ".join(reason for reason, holds in reasons.items() if holds)
