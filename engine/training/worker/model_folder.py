"""What a model's folder holds, looked at before a library opens it: a folder from anywhere may hold anything.

Standard library only, and none of the weights are read: their sizes are in the heads of their files.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CONFIG, ADAPTER = "config.json", "adapter_config.json"
BOUNDS: Mapping[str, int] = {
    **dict.fromkeys(("hidden_size", "n_embd", "d_model"), 1 << 18),
    **dict.fromkeys(("intermediate_size", "n_inner", "ffn_dim", "max_position_embeddings", "n_positions"), 1 << 26),
    **dict.fromkeys(("num_hidden_layers", "n_layer", "num_layers"), 4096),
    **dict.fromkeys(("num_attention_heads", "num_key_value_heads", "n_head", "num_local_experts", "head_dim"), 1 << 16),
    "vocab_size": 1 << 24,
    "r": 1 << 14,
}
"""Numbers of a configuration that decide how much memory a model takes, each with more than any model has."""

WEIGHTS_A_BYTE = 16
"""Of what is packed the tightest a byte holds four weights; tied ones stand in the file once."""
MOST_CONFIG = 16 << 20


def check_model_folder(folder: Path) -> None:
    """Raises ValueError where a model's folder cannot be loaded, or could not without executing what is in it."""
    names = sorted(os.listdir(folder))
    for name in names:
        kind = os.stat(folder / name).st_mode
        if not stat.S_ISREG(kind) and not stat.S_ISDIR(kind):  # opening a pipe would wait for ever
            raise ValueError(f"{name} in {folder} is a pipe or a device, not a file")
    if not any(name.endswith(".safetensors") for name in names):
        pickles = [name for name in names if name.endswith((".bin", ".pt", ".pth", ".ckpt"))]
        if pickles:
            raise ValueError(
                f"{folder} holds its weights as a pickle ({', '.join(pickles[:3])}), which could execute anything: "
                "convert them to safetensors"
            )
    if ADAPTER in names and "adapter_model.safetensors" not in names:
        raise ValueError(f"{folder} holds an adapter without adapter_model.safetensors: convert it to safetensors")
    for name in (CONFIG, ADAPTER):
        check_numbers(config_of(folder, name), folder / name)


def config_of(folder: Path, name: str = CONFIG) -> dict[str, Any]:
    """The object of a file of settings, an empty one where there is none. Raises ValueError."""
    path = folder / name
    if not path.exists():
        return {}
    if path.stat().st_size > MOST_CONFIG:
        raise ValueError(f"{path} is larger than {MOST_CONFIG >> 20} MB")
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as fault:
        raise ValueError(f"{path} is no JSON: {fault}") from fault
    if not isinstance(content, dict):
        raise ValueError(f"{path} is no JSON object")
    return content


def check_numbers(config: Mapping[str, Any], path: Path) -> None:
    """Raises ValueError for a number that no model has. Parts of a model (`text_config`) count as the whole does."""
    for name, value in config.items():
        if isinstance(value, Mapping) and name.endswith("config"):
            check_numbers(value, path)
        most = BOUNDS.get(name)
        if most is None or value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            raise ValueError(f"{path} says {name} = {value!r:.40}: a number from 1 to {most:,} is meant")


def check_parameters(parameters: int, folder: Path) -> None:
    """Raises ValueError where a configuration has far more weights than the files of the folder can hold: what is
    missing would be made up, whatever memory it takes."""
    held = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    if held and parameters > WEIGHTS_A_BYTE * held:
        raise ValueError(
            f"config.json in {folder} describes {parameters:,} weights and its files hold {held:,} bytes: "
            "they do not belong together"
        )
