"""Settings: the user's file, then the project's, then the command line; an unknown key names its nearest kin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from engine.errors import UsageError
from engine.paths import own_folder
from engine.small_files import read_toml

# What a setting takes, for the person.
IN_WORDS = {"str": "a text", "bool": "true or false", "int": "a whole number", "float": "a number"}


@dataclass(frozen=True, slots=True)
class Training:
    """`[training]`: None leaves the choice to the plan. `others` are all further settings, by the names a run uses."""

    model: str | None = None
    steps: int | None = None
    epochs: float | None = None
    learning_rate: float | None = None
    batch: int | None = None
    max_length: int | None = None
    lora_rank: int | None = None
    seed: int | None = None
    others: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that can be set. `reviewer` is who decides, `theme` the name of a theme, `keymap` that of a set of
    keys; with `blind` the other reviewers' verdicts stay hidden until a row is settled; with `ascii` the screen
    holds no other glyph; `goal` and `goal_tokens` say how many accepted rows and tokens one is after; `embedding`
    is the folder of a local model whose vectors tell the topics of a pick; `signals` holds what `[signals]` changes:
    the name of a signal to "off" or to another severity.
    """

    reviewer: str | None = None
    theme: str | None = None
    keymap: str | None = None
    blind: bool = False
    ascii: bool = False
    goal: int | None = None
    goal_tokens: int | None = None
    embedding: str | None = None
    training: Training = field(default_factory=Training)
    signals: Mapping[str, str] = field(default_factory=dict)


def config_folder() -> Path:
    """`$XDG_CONFIG_HOME/tamis`, else `~/.config/tamis`."""
    return own_folder("CONFIG")


def load_config(project: Path | None = None) -> Config:
    """The settings in force. Raises UsageError naming file and key."""
    config = Config()
    for path in (config_folder() / "config.toml", *((project / "config.toml",) if project else ())):
        try:
            content = read_toml(path)
        except FileNotFoundError:
            continue
        config = _overlaid(config, content, str(path))
    return config


def _overlaid(config: Config, content: Mapping[str, Any], where: str) -> Config:
    changes: dict[str, Any] = {}
    for key, value in content.items():
        if key == "training" and isinstance(value, dict):
            changes["training"] = _training(config.training, value, f"{where} [training]")
        elif key == "signals":
            changes["signals"] = {**config.signals, **_signals(value, where)}
        else:
            _check(Config, key, value, where)
            changes[key] = value
    return replace(config, **changes)


def _training(training: Training, table: Mapping[str, Any], where: str) -> Training:
    from engine.training.spec.parse import checked

    own = {name: setting for name, setting in table.items() if name in Training.__slots__ and name != "others"}
    for name, setting in own.items():
        _check(Training, name, setting, where)
    try:
        others = checked({name: setting for name, setting in table.items() if name not in own})
    except UsageError as error:
        raise UsageError(f"{where}: {error.title}", error.message, error.hint) from error
    return replace(training, **own, others={**training.others, **others})


def _signals(value: object, where: str) -> dict[str, str]:
    from engine.scan.signals.settings import LEVELS, names  # only where there is such a table

    if not isinstance(value, Mapping):
        raise UsageError(f"{where}: signals is a table", "", 'write [signals] and below it, say, typos = "off"')
    for name, level in value.items():
        if name not in names():
            near = get_close_matches(name, names(), n=1)
            hint = f"did you mean {near[0]!r}?" if near else "docs/signals.md lists them"
            raise UsageError(f"{where} [signals]: unknown signal {name!r}", "", hint)
        if level not in LEVELS:
            raise UsageError(
                f"{where} [signals]: {name} = {level!r} is no level", "", f"it is one of {', '.join(LEVELS)}"
            )
    return {str(name): str(level) for name, level in value.items()}


def _check(kind: type, name: str, value: object, where: str) -> None:
    known = {spec.name: str(spec.type) for spec in fields(kind)}
    if name not in known:
        near = get_close_matches(name, known, n=1)
        raise UsageError(
            f"{where}: unknown setting {name!r}",
            "",
            f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}",
        )
    wanted = known[name]
    fits = (
        ("str" in wanted and isinstance(value, str))
        or ("bool" in wanted and isinstance(value, bool))
        or ("int" in wanted and isinstance(value, int) and not isinstance(value, bool))
        or ("float" in wanted and isinstance(value, int | float) and not isinstance(value, bool))
    )
    if not fits:
        takes = IN_WORDS[wanted.removesuffix(" | None")]
        raise UsageError(f"{where}: {name} = {value!r} has the wrong type", "", f"it takes {takes}")
    if isinstance(value, int | float) and value < 0:
        raise UsageError(f"{where}: {name} = {value!r} is below zero", "", "write a number from 0 up")
