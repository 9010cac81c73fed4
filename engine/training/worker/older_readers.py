"""What transformers 5 writes, in words that readers of its files knew before: servers and converters pin older ones.

Read by version 4, a `config.json` of version 5 has no `rope_theta`, so the default is taken without a word and every
position is off; its tokenizer has a class that version 4 does not know.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

TOKENIZER_CLASS = {"TokenizersBackend": "PreTrainedTokenizerFast"}
"""Names of one class, the first of version 5 alone."""


def rewrite(path: Path, change: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> None:
    """Change a JSON file of a model's folder, where there is one. Raises OSError, ValueError."""
    if path.is_file():
        path.write_text(json.dumps(change(json.loads(path.read_bytes())), indent=2, ensure_ascii=False) + "\n", "utf-8")


def with_older_names(config: Mapping[str, Any]) -> dict[str, Any]:
    """A model's settings with `rope_theta`, `rope_scaling` and `torch_dtype`, where version 5 says it in other words.

    Positions that differ by the kind of layer have no older name that all models share, and stay as they are.
    """
    added: dict[str, Any] = {}
    rope = config.get("rope_parameters")
    if isinstance(rope, Mapping) and isinstance(rope.get("rope_theta"), int | float):
        added["rope_theta"] = rope["rope_theta"]
        scaling = {name: value for name, value in rope.items() if name != "rope_theta"}
        if scaling.get("rope_type", "default") != "default":
            added["rope_scaling"] = scaling
    if isinstance(config.get("dtype"), str):
        added["torch_dtype"] = config["dtype"]
    parts = {
        name: with_older_names(value)
        for name, value in config.items()
        if name == "text_config" and isinstance(value, Mapping)
    }
    return {**added, **config, **parts}


def with_known_tokenizer(config: Mapping[str, Any]) -> dict[str, Any]:
    """A tokenizer's settings with a class that every version has, and without what held on this machine only."""
    name = config.get("tokenizer_class")
    kept = {key: value for key, value in config.items() if key not in ("is_local", "local_files_only", "name_or_path")}
    return {**kept, "tokenizer_class": TOKENIZER_CLASS.get(str(name), name)}
