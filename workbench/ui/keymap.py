"""Keys: the bindings of a screen from the table, and the person's own keys, checked before they are believed."""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

from textual.binding import Binding, BindingType
from textual.keys import KEY_NAME_REPLACEMENTS

from engine.config import config_folder
from engine.errors import UsageError
from engine.small_files import read_toml
from workbench.commands.key_table import key_name
from workbench.commands.registry import BY_ID, COMMANDS

# Keys that terminals take for something else, or that must stay what they are.
RESERVED: dict[str, str] = {
    "ctrl+c": "it is never bound, so that a habit cannot end a sitting",
    "ctrl+h": "terminals send it for backspace",
    "ctrl+i": "terminals send it for tab",
    "ctrl+m": "terminals send it for enter",
    "ctrl+z": "it suspends the program",
}
# Sets of keys by name (`keymap = "prodigy"` in config.toml): what differs from the default. The person's own
# keymap.toml is laid over the one they chose.
SHIPPED: dict[str, dict[str, str]] = {
    "default": {},
    "vim": {"reject": "x,d", "page-down": "ctrl+f", "page-up": "ctrl+b"},
    "prodigy": {"accept": "a", "reject": "x", "skip": "space", "undo": "backspace,delete,u"},
}


def _name_of(character: str) -> str:
    """What Textual calls the key of a punctuation mark."""
    name = unicodedata.name(character).lower().replace("-", "_").replace(" ", "_")
    return KEY_NAME_REPLACEMENTS.get(name, name)


NAMED_KEYS = frozenset(
    [
        *("enter", "escape", "space", "tab", "backspace", "delete", "insert", "up", "down", "left", "right"),
        *("home", "end", "pageup", "pagedown"),
        *map(_name_of, string.punctuation),
        *(f"f{number}" for number in range(1, 13)),
    ]
)
_MODIFIERS = ("ctrl+", "alt+", "shift+")


def bindings_for(screen: str) -> list[BindingType]:
    """The bindings of one screen; each carries its command's id, so that a keymap can move it.

    They have priority: Textual then runs them in the order of the keys. Otherwise a key is first offered to the
    screen, and those typed behind a `/` would be taken as commands before the filter is open.
    """
    return [
        Binding(
            ",".join(command.keys),
            f"command('{command.id}')",
            command.label,
            show=False,
            priority=True,
            id=command.id,
        )
        for command in COMMANDS
        if screen in command.where
    ]


def load_keymap(path: Path | None = None) -> tuple[dict[str, str], list[str]]:
    """(the person's keymap as written, what was wrong with the file): `keymap.toml` in the settings folder.

    Lines of `command-id = "key,key"`. A file that cannot be read never stops the workbench.
    """
    path = path or config_folder() / "keymap.toml"
    try:
        content = read_toml(path)
    except FileNotFoundError:
        return {}, []
    except UsageError as error:
        return {}, [f"{path.name}: cannot be read ({error.message}); the default keys stay"]
    problems = [f"{path.name}: {name} must be a text" for name, keys in content.items() if not isinstance(keys, str)]
    return {name: keys for name, keys in content.items() if isinstance(keys, str)}, problems


def chosen_keymap(name: str | None) -> tuple[dict[str, str], list[str]]:
    """(the shipped keymap of this name, a complaint where there is none)."""
    if name is None or name in SHIPPED:
        return dict(SHIPPED[name or "default"]), []
    near = get_close_matches(name, SHIPPED, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(SHIPPED)}"
    return {}, [f"no keymap is called {name!r}: {hint}"]


LATER = ("tokens",)
"""Commands that came when people had keymaps: where one has their key, theirs stays, and the command is without."""
NO_KEY = " "


def checked_keymap(wanted: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """(the part of a person's keymap that can be used, what is wrong with the rest).

    `wanted` maps a command id to its keys, parted by commas. An unknown command or key, a reserved key, and a key that
    two commands of one screen would share are named; the command then keeps its default.
    """
    good: dict[str, str] = {}
    problems: list[str] = []
    for name, text in wanted.items():
        complaint = _complaint(name, text)
        if complaint:
            problems.append(f"keymap: {complaint}; the default stays")
        else:
            good[name] = text
    for name in LATER:
        if name not in good and name in _clashing({**good, name: _default(name)}):
            good[name] = NO_KEY
    for name in _clashing(good):
        problems.append(
            f"keymap: {name} = {good[name]!r} is taken by another command of the same screen; the default stays"
        )
        del good[name]
    return good, problems


def _default(name: str) -> str:
    return ",".join(BY_ID[name].keys)


def _complaint(name: str, text: str) -> str:
    if name not in BY_ID:
        near = get_close_matches(name, BY_ID, n=1)
        return f"no command is called {name!r}" + (f", did you mean {near[0]!r}?" if near else "")
    for key in map(str.strip, text.split(",")):
        if key in RESERVED:
            return f"{name} cannot be on {key}: {RESERVED[key]}"
        bare = key
        for modifier in _MODIFIERS:
            bare = bare.removeprefix(modifier)
        if not (len(bare) == 1 and bare.isprintable()) and bare not in NAMED_KEYS:
            # People write F2 and PageDown as keyboards do.
            near = get_close_matches(bare.lower(), NAMED_KEYS, n=1)
            return f"{name}: there is no key {key!r}" + (f", did you mean {near[0]!r}?" if near else "")
    return ""


def _clashing(good: Mapping[str, str]) -> list[str]:
    keys_of = {command.id: _plain_keys(good.get(command.id, _default(command.id))) for command in COMMANDS}
    clashing: list[str] = []
    for name in good:
        rivals = (other for other in COMMANDS if other.id != name and set(other.where) & set(BY_ID[name].where))
        if any(keys_of[name] & keys_of[other.id] for other in rivals):
            clashing.append(name)
    return clashing


def _plain_keys(text: str) -> set[str]:
    return {key_name(key.strip()) for key in text.split(",") if key.strip()}


def keys_of(command_id: str, keymap: Mapping[str, str]) -> tuple[str, ...]:
    """The keys of a command, the person's own keymap applied."""
    own = keymap.get(command_id)
    return tuple(key.strip() for key in own.split(",")) if own else BY_ID[command_id].keys


def shown_key(command_id: str, keymap: Mapping[str, str]) -> str:
    """The key of a command as the person sees it, their own keymap applied."""
    own = keymap.get(command_id)
    return key_name(own.split(",")[0].strip() if own else BY_ID[command_id].keys[0])
