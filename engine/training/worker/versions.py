"""Which versions of the training libraries this worker can work with. Standard library only, and no import of them."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

OLDEST: Mapping[str, str] = {"torch": "2.6", "transformers": "5.23", "trl": "1.16", "peft": "0.21", "datasets": "4.0"}
"""The oldest versions known to work: fields and defaults of the training libraries change between releases."""

OLDEST_PYTHON = (3, 11)


def found_versions() -> dict[str, str | None]:
    """The version of each library as installed for this interpreter, None where it is not."""
    found: dict[str, str | None] = {}
    for name in OLDEST:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return found


def unfit(found: Mapping[str, str | None], python: tuple[int, ...] | None = None) -> list[str]:
    """What is missing or too old, one sentence each."""
    interpreter = python or sys.version_info[:2]
    complaints = []
    if tuple(interpreter[:2]) < OLDEST_PYTHON:
        shown = ".".join(map(str, interpreter[:2]))
        complaints.append(f"Python {shown} is too old: {'.'.join(map(str, OLDEST_PYTHON))} or newer")
    for name, oldest in OLDEST.items():
        installed = found.get(name)
        if installed is None:
            complaints.append(f"{name} is not installed")
        elif numbers(installed) < numbers(oldest):
            complaints.append(f"{name} {installed} is too old: {oldest} or newer")
    return complaints


def numbers(words: str) -> tuple[int, ...]:
    """`2.13.0+cpu` as (2, 13, 0)."""
    return tuple(int(part) for part in re.findall(r"\d+", words.split("+")[0])[:3])
