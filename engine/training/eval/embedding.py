"""Vectors of texts by a local embedding model, asked of the trainer's interpreter and kept until the texts change."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import ProjectError, TrainingError, UsageError
from engine.files import write_atomic
from engine.scratch import scratch_folder
from engine.small_files import read_cache
from engine.training.plan.preflight import Progress, ask

SECONDS = 3600.0


def embeddings(
    texts: Sequence[str],
    model: str,
    *,
    command: Sequence[str] = (),
    cache: Path | None = None,
    progress: Progress | None = None,
) -> np.ndarray[Any, np.dtype[np.float32]]:
    """One row of length one per text. `model` is a folder; `command` the interpreter, else this one.

    With `cache`, a file, the same texts are not embedded twice. Raises UsageError where the folder holds no embedding
    model, TrainingError where the interpreter does not run.
    """
    folder = Path(model).expanduser()
    if not folder.is_dir():
        raise UsageError(
            f"embedding = {model!r}: no such folder", "", "name the folder of a model that is on this disk"
        )
    content = json.dumps(list(texts)).encode("ascii")
    head = hashlib.sha256(os.fsencode(f"{folder.resolve()} {_weights(folder)}") + content).digest()
    kept = (read_cache(cache) if cache is not None else None) or b""
    if kept[:32] == head and kept[32:64] == hashlib.sha256(kept[64:]).digest():
        return np.frombuffer(kept[64:], np.float32).reshape(len(texts), -1)
    with scratch_folder("embedding") as scratch:
        asked, made = scratch / "texts.json", scratch / "vectors"
        asked.write_bytes(content)
        question = {"model": str(folder.resolve()), "texts": str(asked), "vectors": str(made)}
        answer = ask(command or (sys.executable,), question, scratch, SECONDS, progress, word="embed")
        if answer["unfit"]:
            raise TrainingError("embedding needs the trainer's libraries", answer["unfit"][0], answer["unfit"][-1])
        if "error" in answer:
            raise UsageError(f"embedding = {model!r} gives no vectors", answer["error"], "name another model, or none")
        vectors = made.read_bytes()
    if cache is not None:
        with contextlib.suppress(ProjectError):  # a disk that is not written to: made again the next time
            write_atomic(cache, head + hashlib.sha256(vectors).digest() + vectors)
    return np.frombuffer(vectors, np.float32).reshape(len(texts), -1)


def _weights(folder: Path) -> str:
    """What tells one state of a model folder from another: names, sizes and times of its files."""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    return " ".join(f"{path.name} {path.stat().st_size} {path.stat().st_mtime_ns}" for path in files)
