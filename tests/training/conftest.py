"""A tiny model, made once by the built-in recipe."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from small_runs import MAKE_MODEL, ROOT, field_text


@pytest.fixture(scope="session")
def making(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What two processes answered that wanted the same pre-trained model at the same time."""
    folder = tmp_path_factory.mktemp("tiny")
    (folder / "text.txt").write_text(field_text())
    worker = ROOT / "engine" / "training" / "worker"
    command = [sys.executable, "-c", MAKE_MODEL, str(worker), str(folder / "text.txt"), str(folder / "cache")]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    return [process.communicate(timeout=120)[0].split("made at ")[-1].strip() for process in both]


@pytest.fixture(scope="session")
def tiny_model(making: list[str]) -> Path:
    """A saved Llama of some 100,000 weights with its tokenizer and chat template: a local folder like any other."""
    return Path(making[0])
