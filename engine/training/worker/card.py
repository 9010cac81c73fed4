"""The card that lies beside what was trained: what it is, what it was trained on, and the lines to use it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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


def card(run: str, values: Mapping[str, Any], lora: Mapping[str, Any], told: Mapping[str, Any], folder: str) -> str:
    """The text of README.md. `told`: rows, steps, tokens, nll and versions as far as they are known."""
    base, adapter = str(values["model"]), values["method"] == "lora"
    lines = ["---", f"base_model: {base}"] if base != "built-in" else ["---"]
    lines += ["library_name: " + ("peft" if adapter else "transformers"), "tags: [sft, tamis]", "---", ""]
    what = f"A LoRA adapter (rank {lora.get('r')}) for {base}" if adapter else f"{base}, fine-tuned in full"
    lines += [f"# {run}", "", f"{what}.", ""]
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
    lines += ["", usage(values, lora, folder), ""]
    return "\n".join(lines)


def usage(values: Mapping[str, Any], lora: Mapping[str, Any], folder: str) -> str:
    """The lines to load and to serve what lies in `folder`."""
    words = ADAPTER if values["method"] == "lora" else WHOLE
    return words.format(folder=folder, base=values["model"], rank=max(8, int(lora.get("r") or 8)))
