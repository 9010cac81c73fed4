"""What a model's folder holds, looked at before a library opens it: a folder from anywhere may hold anything.

Standard library only, and none of the weights are read: their sizes are in the heads of their files.
"""

from __future__ import annotations

import json
import math
import os
import re
import stat
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

CONFIG, ADAPTER, INDEX = "config.json", "adapter_config.json", "model.safetensors.index.json"
NUMBERED = re.compile(r"(.*-)(\d{1,9})-of-(\d{1,9})(\.safetensors)")
MOST_HEAD = 256 << 20
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


def check_trainable(folder: Path) -> None:
    """Raises ValueError where a folder is no model that can be trained: what it is, and what to give instead."""
    names = sorted(os.listdir(folder))
    if CONFIG not in names:
        if ADAPTER in names:
            base = config_of(folder, ADAPTER).get("base_model_name_or_path")
            raise ValueError(
                f"{folder} holds an adapter, not a model: give its base ({base!r:.200}), or merge it first"
            )
        if any(name.endswith(".gguf") for name in names):
            raise ValueError(f"{folder} holds {GGUF}")
        raise ValueError(f"{folder} has no config.json: give the folder that holds config.json and *.safetensors")
    check_weights(folder, names)


GGUF = "GGUF, a format to run a model from: give the folder of the safetensors model that it was made of"


def check_weights(folder: Path, names: Sequence[str]) -> None:
    """Raises ValueError where weights are missing, or were copied in part."""
    index = config_of(folder, INDEX).get("weight_map")
    wanted = {str(name) for name in index.values()} if isinstance(index, Mapping) else set()
    found = [name for name in names if name.endswith(".safetensors") and not name.startswith("adapter_")]
    for name in found:  # where the index was lost as well
        if numbered := NUMBERED.fullmatch(name):
            first, count, last = numbered[1], int(numbered[3]), numbered[4]
            digits = len(numbered[3])
            wanted |= {f"{first}{n:0{digits}}-of-{numbered[3]}{last}" for n in range(1, min(count, 10_000) + 1)}
    missing = sorted(wanted - set(names))
    if missing:
        words = f"{folder} lacks {len(missing)} of the {len(wanted)} files of its weights ({', '.join(missing[:3])})"
        raise ValueError(f"{words}: copy or download the model again")
    if not found:
        raise ValueError(f"{folder} holds no weights, no *.safetensors: copy or download the model whole")
    for name in found:
        check_whole(folder / name)


def check_complete(parameters: int, folder: Path, config: Mapping[str, Any]) -> None:
    """Raises ValueError where a model has more weights than the files of its folder: a library makes the rest up, at
    random. Packed weights stand for several each and are not counted."""
    if config.get("quantization_config"):
        return
    tensors = [each for path in folder.glob("*.safetensors") for each in check_whole(path).values()]
    held = sum(math.prod(tensor["shape"]) for tensor in tensors if "shape" in tensor)
    if parameters > 1.005 * held:
        words = f"config.json in {folder} describes {parameters:,} weights and its files hold {held:,}"
        raise ValueError(f"{words}: the rest would be made up; copy or download the model again")


def check_whole(path: Path) -> dict[str, Any]:
    """The head of a file of weights. Raises ValueError where the file does not hold what it says."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        begin = stream.read(8)
        if begin == b"version ":
            raise ValueError(f"{path} is a Git LFS pointer, not the weights: run `git lfs pull` there")
        length = int.from_bytes(begin, "little")
        head = stream.read(length) if len(begin) == 8 and length <= min(size, MOST_HEAD) else b""
    try:
        tensors = json.loads(head)
        ends = [tensor["data_offsets"][1] for name, tensor in tensors.items() if name != "__metadata__"]
        whole = 8 + length + max(ends, default=0)
    except (ValueError, RecursionError, AttributeError, LookupError, TypeError) as fault:
        raise ValueError(f"{path} is no safetensors file, or only its beginning: copy or download it again") from fault
    if size < whole:
        raise ValueError(f"{path} holds {size:,} of {whole:,} bytes: copy or download it again")
    return dict(tensors)


def no_folder(name: str) -> str:
    """Why a name that reads as a path names no model."""
    path = Path(name).expanduser()
    if path.is_file():
        if path.suffix == ".gguf":
            return f"{path} is {GGUF}"
        return f"{path} is a file: give the folder that holds it"
    beside = [each.name for each in path.parent.iterdir() if each.is_dir()] if path.parent.is_dir() else []
    near = get_close_matches(path.name, beside, n=1)
    return f"no folder {path} is here{f'; did you mean {path.parent / near[0]}?' if near else ': mend the name'}"


def is_path(name: str) -> bool:
    """Whether a model's name can only be that of a place on this machine: the hub's have one slash at most."""
    return name.startswith(("/", ".", "~")) or name.count("/") > 1 or name.endswith("/") or Path(name).is_file()
