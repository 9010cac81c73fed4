"""Keys as a person reads them, and the key tables of README and guide."""

from __future__ import annotations

from collections.abc import Collection

from workbench.commands.registry import COMMANDS
from workbench.commands.targets import LISTS

# The README tells the keys of these; the guide all there are.
DAILY = LISTS

KEY_NAMES = {
    "exclamation_mark": "!",
    "question_mark": "?",
    "slash": "/",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "pagedown": "pgdn",
    "pageup": "pgup",
    "escape": "esc",
    "down": "\u2193",
    "up": "\u2191",
    "plus": "+",
    "minus": "-",
    "full_stop": ".",
    "colon": ":",
    "asterisk": "*",
}


def key_name(key: str) -> str:
    """A key as the person sees it: `slash` -> `/`."""
    return KEY_NAMES.get(key, key)


def key_table_markdown(where: Collection[str] | None = None) -> str:
    """The key table of the guide; of the commands of some screens only, that of the README."""
    lines = ["| key | where | what it does |", "|---|---|---|"]
    for command in COMMANDS:
        if where is not None and not set(where) & set(command.where):
            continue
        if command.id == "choose-1":
            lines.append("| `1` \u2026 `9` | triage | group: keep that row of those shown, reject the rest |")
        if command.id.startswith("choose-"):
            continue
        keys = " ".join(f"`{key_name(key)}`" for key in command.keys)
        lines.append(f"| {keys} | {', '.join(command.where)} | {command.help} |")
    return "\n".join(lines)
