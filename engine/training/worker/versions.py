"""Which versions of the training libraries this worker runs with. Standard library only, and no import of them.

The window is what was tried, on Python 3.11 with torch 2.13 on a CPU: a full fine-tune, a LoRA, packed rows, recomputed
activations, a stop and a resume, answers; with these transformers (and trl): 4.54.1 (0.20.0), 4.57.6 (0.24.0, 1.16.0),
5.2.0 (0.29.1), 5.4.0 (1.0.0), 5.8.1 (1.5.1), 5.15.1 (1.10.0), 5.23.0 (1.16.0), 5.24.0 (0.20.0, 1.16.0), each with peft,
accelerate and datasets of those days. Before trl 0.20 there is no packing that keeps rows whole. How they differ is the
matter of `libraries.py`. Of torch the oldest is an estimate: none but 2.13 was tried.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

WINDOW: Mapping[str, tuple[str, str]] = {
    "torch": ("2.6", "2.13"),
    "transformers": ("4.54", "5.24"),
    "trl": ("0.20", "1.16"),
    "peft": ("0.16", "0.21"),
    "accelerate": ("1.9", "1.15"),
    "datasets": ("4.0", "5.2"),
}
"""The oldest and the newest of each: an older one is refused, a newer one only told."""

OLDEST_PYTHON = (3, 11)


def found_versions() -> dict[str, str | None]:
    """The version of each library as installed for this interpreter, None where it is not."""
    found: dict[str, str | None] = {}
    for name in WINDOW:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return found


def unfit(found: Mapping[str, str | None], python: tuple[int, ...] | None = None) -> list[str]:
    """What is missing or too old, one sentence each; the last says what can be done."""
    interpreter = python or sys.version_info[:2]
    complaints = []
    is_old = tuple(interpreter[:2]) < OLDEST_PYTHON
    if is_old:
        shown = ".".join(map(str, interpreter[:2]))
        complaints.append(f"Python {shown} is too old: {'.'.join(map(str, OLDEST_PYTHON))} or newer")
    wanted = []
    for name, (oldest, newest) in WINDOW.items():
        installed = found.get(name)
        if installed is None:
            complaints.append(f"{name} is not installed")
        elif numbers(installed) < numbers(oldest):
            complaints.append(f"{name} {installed} is too old: {oldest} to {newest} were tried")
        else:
            continue
        wanted.append(f"'{name}>={oldest}'")
    if is_old:
        complaints.append("name a newer Python as [training] command; one beside this one is enough, tamis may stay")
    elif wanted:
        complaints.append(f"{sys.executable} -m pip install {' '.join(wanted)}")
    return complaints


def untried(found: Mapping[str, str | None]) -> list[str]:
    """What is newer than what was tried, one sentence each."""
    return [
        f"{name} {installed} is newer than what was tried ({oldest} to {newest}): compare its first losses"
        for name, (oldest, newest) in WINDOW.items()
        if (installed := found.get(name)) and numbers(installed)[:2] > numbers(newest)
    ]


def numbers(words: str) -> tuple[int, ...]:
    """`2.13.0+cpu` as (2, 13, 0)."""
    return tuple(int(part) for part in re.findall(r"\d+", words.split("+")[0])[:3])
