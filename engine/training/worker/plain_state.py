"""The states of optimizer, schedule and chance, on disk without a pickle: tensors as safetensors, the rest as JSON.

A pickle is a program that is executed as it is read, and a checkpoint may come from anywhere. What is no tensor,
number, text or list of these is refused when it is saved, so nothing has to be believed when it is read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from .events import write_json


def save_state(state: Mapping[str, Any], folder: Path, name: str) -> None:
    """Write `state` as `name.json` and `name.safetensors`. Raises TypeError for what wants a pickle."""
    tensors: dict[str, torch.Tensor] = {}
    words = _packed(state, tensors)
    # Of a copy each: safetensors refuses two names for one memory.
    save_file({key: each.detach().cpu().contiguous().clone() for key, each in tensors.items()},
              folder / f"{name}.safetensors")  # fmt: skip
    write_json(folder / f"{name}.json", {"state": words})


def load_state(folder: Path, name: str) -> Any:
    """What `save_state` wrote, its tensors on the CPU. Raises ValueError, OSError for anything else."""
    content = json.loads((folder / f"{name}.json").read_bytes())
    return _unpacked(content["state"], load_file(folder / f"{name}.safetensors"))


def is_saved(folder: Path, name: str) -> bool:
    """Whether both files of a state are there."""
    return (folder / f"{name}.json").is_file() and (folder / f"{name}.safetensors").is_file()


def _packed(value: Any, tensors: dict[str, torch.Tensor]) -> Any:
    """`value` as JSON: a list whose first word says what it is, but for what JSON has itself."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return ["float", value.hex()]
    if isinstance(value, torch.Tensor | np.ndarray):
        key = str(len(tensors))
        tensors[key] = value if isinstance(value, torch.Tensor) else torch.from_numpy(value)
        return ["tensor" if isinstance(value, torch.Tensor) else "array", key]
    if isinstance(value, np.generic):
        return _packed(value.item(), tensors)
    if isinstance(value, Mapping):
        return ["map", *([_packed(key, tensors), _packed(inner, tensors)] for key, inner in value.items())]
    if isinstance(value, list | tuple):
        kind = "list" if isinstance(value, list) else "tuple"
        return [kind, *(_packed(inner, tensors) for inner in value)]
    raise TypeError(f"the trainer's state holds a value of type {type(value).__name__}, which a checkpoint cannot keep")


def _unpacked(value: Any, tensors: Mapping[str, torch.Tensor]) -> Any:
    if not isinstance(value, list):
        return value
    kind, *inner = value
    if kind == "float":
        return float.fromhex(inner[0])
    if kind in ("tensor", "array"):
        return tensors[inner[0]] if kind == "tensor" else tensors[inner[0]].numpy()
    if kind == "map":
        return {_unpacked(key, tensors): _unpacked(each, tensors) for key, each in inner}
    if kind in ("list", "tuple"):
        return (list if kind == "list" else tuple)(_unpacked(each, tensors) for each in inner)
    raise ValueError(f"a checkpoint's state holds {kind!r}, which is unknown")
