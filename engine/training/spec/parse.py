"""Training settings as people write them: `key=value` words, TOML tables, durations, commands."""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tomli

from engine.errors import UsageError
from engine.small_files import read_toml
from engine.training.spec.run_spec import LARGEST, in_bounds, known_name, refuse_secrets

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def parse_settings(words: Sequence[str]) -> dict[str, Any]:
    """`["learning_rate=1e-4", "packing=true"]` by name. Raises UsageError for a word without `=` or an unknown name."""
    settings: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"--set {word!r} is no key=value", "", "for example --set learning_rate=1e-4")
        settings |= checked({name.strip(): parse_value(value.strip())})
    return settings


def parse_value(words: str) -> Any:
    """A TOML value where it is one (numbers, true, lists, quoted text), else the words themselves."""
    try:
        return tomli.loads(f"value = {words}")["value"]
    except (ValueError, RecursionError):
        return words


def read_settings_file(path: Path) -> dict[str, Any]:
    """The settings of a TOML file, from its `[training]` table where it has one. Raises UsageError."""
    try:
        content = read_toml(path)
    except FileNotFoundError as fault:
        raise UsageError(f"{path}: cannot be read", "there is no such file", "name another file") from fault
    table = content.get("training", content)
    if not isinstance(table, dict):
        raise UsageError(f"{path}: [training] is no table", "", "write it as [training] with key = value lines")
    try:
        return checked(table)
    except UsageError as fault:
        raise UsageError(f"{path}: {fault.title}", fault.message, fault.hint) from fault


def checked(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings under the names a spec uses; budget and command in the form it uses.

    Raises UsageError for an unknown name, one that is there under two names, and a number beyond all reason."""
    found: dict[str, Any] = {}
    for given, value in settings.items():
        refuse_secrets(given, value)
        name = "budget_seconds" if given == "budget" else known_name(given)
        if name in found:
            raise UsageError(f"training setting {name} is set twice", "", f"leave out {given!r}")
        if given == "budget":
            found[name] = parse_duration(str(value))
        else:
            found[name] = parse_command(value) if name == "command" else value
        if not in_bounds(found[name]):
            raise UsageError(
                f"training setting {given} = {str(value)[:40]} is out of range", "", f"give a number up to {LARGEST:,}"
            )
    return found


def parse_duration(words: str) -> float:
    """Seconds in `45m`, `1h30m`, `90s`, `2d`; a bare number is seconds. Raises UsageError."""
    if re.fullmatch(r"\d+(\.\d+)?", words):
        return float(words)
    # Possessive, and asked before the parts are: ten thousand digits without a unit are refused at once.
    if not re.fullmatch(r"(?:\d++(?:\.\d++)?[smhd])++", words):
        raise UsageError(f"{words[:40]!r} is no duration", "", "for example 45m, 1h30m or 90s")
    parts = re.findall(r"(\d+(?:\.\d+)?)([smhd])", words)
    return sum(float(number) * UNITS[unit] for number, unit in parts)


def parse_command(value: Any) -> tuple[str, ...]:
    """The interpreter or launcher with its arguments, from one line of shell words or a list of words.

    A launcher that lies beside this Python (`accelerate`) is found there too. Raises UsageError.
    """
    try:
        words = shlex.split(value) if isinstance(value, str) else value
    except ValueError as fault:
        raise UsageError(f"training command {value!r} is no command", str(fault), "close the quotation") from fault
    if not isinstance(words, Sequence) or not words or not all(isinstance(word, str) for word in words):
        raise UsageError(f"training command {value!r} is no command", "", "for example /opt/conda/bin/python")
    beside = Path(sys.executable).parent / words[0]
    first = str(beside) if shutil.which(words[0]) is None and beside.is_file() else words[0]
    return (first, *words[1:])
