"""Settings: the user's file, then the project's, then the command line; an unknown key names its nearest kin.

The user's file and the command line are the person's own. A project's `config.toml` may be anybody's: what in it is not
known to be harmless (`harmless.py`) counts only after a yes to that very content (`tamis trust PROJECT`), or where the
project was made here and nobody else can have written the file.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from engine.errors import UsageError, shell_command
from engine.harmless import TRAINING, is_harmless, would, written
from engine.named_inside import named_inside
from engine.paths import own_folder
from engine.small_files import read_toml
from engine.trust import Waiting, is_own_file, is_trusted, was_made_here

SETTING = "setting of a project"
SHOWN_CHARACTERS = 200
LARGEST = 10**12
# Fields of Config and Training that no line `name = value` sets.
NO_PLAIN_SETTING = frozenset({"training", "signals", "others", "withheld", "trusted", "made_here"})
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

    Of what a project's file may only set with a yes, by name (`training.command`): `withheld` does not count, `trusted`
    does, because of that yes or (`made_here`) because the project is the person's own.
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
    withheld: Mapping[str, Waiting] = field(default_factory=dict)
    trusted: Mapping[str, Waiting] = field(default_factory=dict)
    made_here: bool = False


def config_folder() -> Path:
    """`$XDG_CONFIG_HOME/tamis`, else `~/.config/tamis`."""
    return own_folder("CONFIG")


def load_config(project: Path | None = None) -> Config:
    """The settings in force. Raises UsageError naming file and key."""
    own = config_folder() / "config.toml"
    config = _overlaid(Config(), _content(own), str(own))
    return config if project is None else _with_project(config, project)


def _with_project(config: Config, project: Path) -> Config:
    path = project / "config.toml"
    content = _content(path)
    whole = _overlaid(config, content, str(path))
    values = {name: value for name, value in _named(content) if not is_harmless(name, value)}
    if not values:
        return whole
    own = is_own_file(path) and was_made_here(project)
    asking = {name: _waiting(project, name, value, pinned=not own) for name, value in values.items()}
    if own:
        return replace(whole, trusted=asking, made_here=True)
    trusted = {name: each for name, each in asking.items() if is_trusted(each.kind, each.place, each.content)}
    withheld = {name: each for name, each in asking.items() if name not in trusted}
    return replace(_overlaid(config, _without(content, withheld), str(path)), withheld=withheld, trusted=trusted)


def _waiting(project: Path, name: str, value: object, *, pinned: bool) -> Waiting:
    # What lies in the folder itself may change with the next pull: the yes is for what it is now.
    inside = named_inside(project, value) if pinned else ()
    named = "".join(f"\n  with {place!a} {digest}" for place, digest in inside)
    content = f"{written(name, value)}{named}".encode("ascii")
    return Waiting(SETTING, f"config.toml would {would(name)}", project, content)


def waiting_settings(project: Path) -> tuple[Waiting, ...]:
    """The settings of a project that wait for a yes. Raises UsageError where its file cannot be read."""
    return tuple(load_config(project).withheld.values())


def refuse_withheld(config: Config, used: str, given: Container[str] = ()) -> None:
    """Raise UsageError where a setting whose name begins with `used` waits for a yes, and the person gave none of
    their own: `given` are the names that the command line sets."""
    found = {name: each for name, each in config.withheld.items() if name.startswith(used) and name not in given}
    if not found:
        return
    first = next(iter(found.values()))
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    raise UsageError(
        f"{first.place / 'config.toml'}: {shown(first)} waits for your yes{more}",
        f"it would {would(next(iter(found)))}",
        f"{shell_command('trust', first.place)} shows all of it and asks",
    )


def training_for(project: Path, given: Iterable[str] = ()) -> Training:
    """`[training]` in force for a project; `given` are the names that the command line sets. Raises UsageError where
    one that would count waits for a yes."""
    config = load_config(project)
    refuse_withheld(config, TRAINING, {f"{TRAINING}{name}" for name in given})
    return config.training


def shown(setting: Waiting) -> str:
    """A setting that waits, in a line and not too long."""
    text = setting.content.decode("ascii").partition("\n")[0]
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}\u2026"


def _content(path: Path) -> dict[str, Any]:
    try:
        return read_toml(path)
    except FileNotFoundError:
        return {}


def _named(content: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Every setting by its whole name, those of `[training]` by the name a run uses. The content has been checked."""
    for key, value in content.items():
        if key == "training":
            for name, setting in value.items():
                # "45m" is as plain as 2700.
                yield f"{TRAINING}{_run_name(name)}", 0 if name == "budget" else setting
        else:
            yield key, value


def _run_name(name: str) -> str:
    from engine.training.spec.run_spec import known_name  # only where there is such a table

    return "budget_seconds" if name == "budget" else known_name(name)


def _without(content: Mapping[str, Any], withheld: Container[str]) -> dict[str, Any]:
    kept = {name: value for name, value in content.items() if name not in withheld}
    if "training" in kept:
        table = kept["training"].items()
        kept["training"] = {name: value for name, value in table if f"{TRAINING}{_run_name(name)}" not in withheld}
    return kept


def _overlaid(config: Config, content: Mapping[str, Any], where: str) -> Config:
    changes: dict[str, Any] = {}
    for key, value in content.items():
        if key == "training":
            if not isinstance(value, dict):
                raise UsageError(f"{where}: training is a table", "", "write [training] and below it, say, steps = 100")
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
                f"{where} [signals]: {name} = {_said(level)} is no level", "", f"it is one of {', '.join(LEVELS)}"
            )
    return {str(name): str(level) for name, level in value.items()}


def _check(kind: type, name: str, value: object, where: str) -> None:
    known = {spec.name: str(spec.type) for spec in fields(kind) if spec.name not in NO_PLAIN_SETTING}
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
        raise UsageError(f"{where}: {name} = {_said(value)} has the wrong type", "", f"it takes {takes}")
    if isinstance(value, int | float) and not 0 <= value <= LARGEST:
        raise UsageError(
            f"{where}: {name} = {_said(value)} is out of range", "", f"write a number from 0 to {LARGEST:,}"
        )


def _said(value: object) -> str:
    return repr(value)[:60]
