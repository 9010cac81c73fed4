"""The learning rate of a LoRA run, from what the model's `config.json` says. Standard library only."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from engine.small_files import MOST_SETTINGS, read_regular
from engine.training.spec.defaults import Chosen

AT_2000 = 5e-5
LORA_OVER_FULL, LORA_OVER_FULL_SHORT, SHORT_RUN = 10, 15, 100
EXPONENTS = {"qwen": 0.0775}
EXPONENT = 0.781
UNKNOWN_HIDDEN = 4096
SIZES = ("hidden_size", "n_embd", "d_model")
WIDEST = 10**6


def learning_rate(model: str, revision: str | None, method: str, steps: int) -> Chosen:
    """The rate for LoRA or for the whole model, by its hidden size and the steps of the run.

    5e-5 x (2000 / hidden size) ** p for the whole model, p = .781 for Llama and .0775 for Qwen (`hyperparam_utils` of
    tinker-cookbook in 2025, fitted to sweeps over both families; a table by name has taken its place since, with twice
    as much at 2,048 and the same at 4,096); 10 times that for LoRA and 15 times in runs of about a hundred steps,
    because an adapter begins with one factor at zero and has to leave it first (Schulman et al. 2025, "LoRA Without
    Regret", thinkingmachines.ai/blog/lora). Others are taken for Llamas. Where no config is on this machine the value
    at 4,096 is taken, which errs on the low side for smaller models.
    """
    config = config_of(model, revision)
    hidden, family = hidden_size(config), str(config.get("model_type", ""))
    power = next((value for word, value in EXPONENTS.items() if family.startswith(word)), EXPONENT)
    times = (LORA_OVER_FULL_SHORT if steps <= SHORT_RUN else LORA_OVER_FULL) if method == "lora" else 1
    rate = times * AT_2000 * (2000 / (hidden or UNKNOWN_HIDDEN)) ** power
    what = f"LoRA in {'a short' if times == LORA_OVER_FULL_SHORT else 'a long'} run" if times > 1 else "the whole model"
    known = "" if hidden else ", as the model's own is not known yet"
    at = f"{what} at hidden size {hidden or UNKNOWN_HIDDEN:,}{known}"
    return Chosen(float(f"{rate:.2g}"), f"for {at} ({times * AT_2000:g} x (2000 / hidden size)^{power:g}, published)")


def hidden_size(config: dict[str, Any]) -> int | None:
    """The width of the model, of its text part where it has several; None where the config does not say."""
    inner = config.get("text_config")
    for part in (inner if isinstance(inner, dict) else {}, config):
        for name in SIZES:
            value = part.get(name)
            if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= WIDEST:
                return value
    return None


def config_of(model: str, revision: str | None) -> dict[str, Any]:
    """The model's `config.json`, from its folder or from the cache of the Hub; {} where there is none."""
    folder = Path(model).expanduser()
    if not folder.is_dir():
        cached = hub_cache() / f"models--{model.replace('/', '--')}"
        try:
            commit = (cached / "refs" / (revision or "main")).read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            commit = revision or "main"
        folder = cached / "snapshots" / commit
    try:
        config = json.loads(read_regular(folder / "config.json", MOST_SETTINGS))
    except (OSError, ValueError, RecursionError):  # the pre-flight says what is wrong with it
        return {}
    return config if isinstance(config, dict) else {}


def hub_cache() -> Path:
    """Where huggingface_hub keeps what it fetched."""
    named = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE")
    home = os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface"
    return (Path(named) if named else Path(home) / "hub").expanduser()
