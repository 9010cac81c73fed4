"""The card that lies beside what was trained: what it is, what it was trained on, and the lines to use it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .fitting import fitting_of

ADAPTER = """```python
from peft import AutoPeftModelForCausalLM
from transformers import AutoTokenizer

model = AutoPeftModelForCausalLM.from_pretrained("{folder}")
tokenizer = AutoTokenizer.from_pretrained("{folder}")
```

To serve it: `vllm serve {base} --enable-lora --lora-modules tuned={folder} --max-lora-rank {rank}`"""

WHOLE = """```python
from transformers import AutoModelForCausalLM, AutoTokenizer

model = AutoModelForCausalLM.from_pretrained("{folder}")
tokenizer = AutoTokenizer.from_pretrained("{folder}")
```

To serve it: `vllm serve {folder}`"""


LOCAL_BASE = """`adapter_config.json` says where the base lies on the machine that trained it, so that it loads there:
write its id on the Hub into `base_model_name_or_path` before you share this folder."""
HERE = "."
HUB_ID = re.compile(r"[\w.-]{1,96}(/[\w.-]{1,96})?", re.ASCII)
IN_CACHE = re.compile(r"models--([\w.-]+?)--([\w.-]+)/snapshots/")


def public_name(model: str) -> str:
    """A model without the place it lies at on this machine: its id on the Hub, or the name of its folder."""
    cached = IN_CACHE.search(model)
    if cached:
        return "/".join(cached.groups())
    is_id = HUB_ID.fullmatch(model) is not None and not Path(model).exists()
    name = model if is_id else Path(model.rstrip("/")).name
    return "".join(sign if sign.isalnum() or sign in "._-/ " else "_" for sign in name) or "model"


def card(run: str, values: Mapping[str, Any], lora: Mapping[str, Any], told: Mapping[str, Any]) -> str:
    """The text of README.md: no text of a row, no place on this machine. `told`: rows, steps, tokens, nll and versions
    as far as they are known."""
    from huggingface_hub import ModelCardData

    model, adapter = str(values["model"]), values["method"] == "lora"
    base = public_name(model)
    is_on_hub = model != "built-in" and (base == model or "/" in base)
    library = "peft" if adapter else "transformers"
    head = ModelCardData(base_model=base if is_on_hub else None, library_name=library, tags=["sft", "tamis"])
    lines = ["---", *head.to_yaml().splitlines(), "---", ""]
    what = f"A LoRA adapter (rank {lora.get('r')}) for {base}" if adapter else f"{base}, fine-tuned in full"
    lines += [f"# {run}", "", f"{what}.", ""]
    if adapter and base != model:
        lines += [LOCAL_BASE, ""]
    facts = {
        "steps": told.get("step"),
        "rows": told.get("rows"),
        "answer tokens learnt": told.get("completion_tokens"),
        "held-out loss (nats per token)": told.get("nll"),
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
    lines += ["", "In this folder:", "", usage({**values, "model": base}, lora, HERE), ""]
    return "\n".join(lines)


def usage(values: Mapping[str, Any], lora: Mapping[str, Any], folder: str) -> str:
    """The lines to load and to serve what lies in `folder`."""
    words = ADAPTER if values["method"] == "lora" else WHOLE
    return words.format(folder=folder, base=values["model"], rank=max(8, int(lora.get("r") or 8)))
