"""Themes: TOML files that say which role looks how. A bad file is named in the problems and never stops the rest."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from rich.errors import StyleSyntaxError
from rich.style import Style
from textual.theme import Theme

from engine.config import config_folder
from engine.errors import UsageError
from engine.paths import shipped_dir
from engine.small_files import read_toml

DEFAULT_THEME = "night"
# What NO_COLOR asks for: a theme without any colour.
PLAIN_THEME = "mono"

PALETTE_NEEDED = ("primary", "foreground", "background")
PALETTE_OPTIONAL = ("secondary", "accent", "surface", "panel", "success", "warning", "error")
ROLES = (
    *("text", "muted", "status", "status_muted", "title", "cursor", "line", "bar", "chart"),
    *("accepted", "rejected", "skipped", "edited", "undecided", "disputed", "heldout"),
    *("drop", "fix", "check", "clean", "group", "conflict", "keeper"),
    *("system", "user", "assistant", "tool", "code", "added", "removed", "flag", "reason", "match"),
    *("key", "hint", "disabled", "done", "info", "refused", "error"),
)  # fmt: skip
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


class RoleStyles(dict[str, Style]):
    """The style of every role, and whether only ASCII may be shown: all a widget must know of the terminal."""

    def __init__(self, styles: Mapping[str, Style], *, only_ascii: bool = False) -> None:
        super().__init__(styles)
        self.ascii = only_ascii

    def __missing__(self, role: str) -> Style:
        # Prompts of a run are shown by the roles of their messages, and a file may have any.
        return self["text"]


@dataclass(frozen=True, slots=True)
class LoadedTheme:
    """One theme file. `palette` holds #rrggbb colours, `roles` and `ansi` style words by role.

    `terminal` themes use the terminal's own colours (`ansi`) whatever it can do.
    """

    name: str
    dark: bool
    palette: Mapping[str, str]
    roles: Mapping[str, str]
    ansi: Mapping[str, str]
    terminal: bool = False

    def styles(self, few_colours: bool = False) -> dict[str, Style]:
        """The style of every role; a role the file leaves out looks like text."""
        own = few_colours or self.terminal
        words = self.ansi if own else self.roles
        # With 16 colours the terminal's own ground is the only one that is sure to suit its text.
        ground = Style() if own else Style(bgcolor=self.palette["background"])
        return {role: ground + Style.parse(words.get(role, words.get("text", ""))) for role in ROLES}

    def for_textual(self) -> Theme:
        """The same theme for Textual's own widgets."""
        theme = Theme(name=f"tamis-{self.name}", primary=self.palette["primary"], dark=self.dark)
        for key, colour in self.palette.items():
            setattr(theme, key, colour)
        return theme


def load_theme(path: Path) -> LoadedTheme:
    """Raises UsageError naming the file, the key and the nearest key there is."""
    try:
        content = read_toml(path)
    except FileNotFoundError as error:  # a link that leads nowhere
        raise UsageError(f"theme {path.name}: is not there", "", "remove it") from error
    except UsageError as error:
        raise UsageError(f"theme {path.name}: cannot be read", error.message, error.hint) from error
    where = f"theme {path.name}"
    _check_keys(where, content, ("name", "dark", "terminal", "palette", "roles", "ansi"))
    palette = _section(where, content, "palette", (*PALETTE_NEEDED, *PALETTE_OPTIONAL))
    missing = [key for key in PALETTE_NEEDED if key not in palette]
    if missing:
        raise UsageError(f"{where} [palette]: lacks {', '.join(missing)}")
    for key, colour in palette.items():
        if not _COLOUR.fullmatch(colour):
            raise UsageError(f"{where} [palette]: {key} = {colour!r} is no colour", "", "write it as #rrggbb")
    roles = _styles(where, _section(where, content, "roles", ROLES), "roles")
    ansi = _styles(where, _section(where, content, "ansi", ROLES), "ansi")
    dark, terminal = bool(content.get("dark", True)), bool(content.get("terminal", False))
    return LoadedTheme(str(content.get("name", path.stem)), dark, palette, roles, ansi, terminal)


def _check_keys(where: str, content: Mapping[str, Any], known: Iterable[str]) -> None:
    names = list(known)
    for key in content:
        if key not in names:
            near = get_close_matches(key, names, n=1)
            raise UsageError(
                f"{where}: unknown key {key!r}",
                "",
                f"did you mean {near[0]!r}?" if near else f"known: {', '.join(names)}",
            )


def _section(where: str, content: Mapping[str, Any], name: str, known: Iterable[str]) -> dict[str, str]:
    section = content.get(name, {})
    if not isinstance(section, dict) or not all(isinstance(value, str) for value in section.values()):
        raise UsageError(f"{where}: [{name}] must hold texts in quotation marks")
    _check_keys(f"{where} [{name}]", section, known)
    return section


def _styles(where: str, words: dict[str, str], section: str) -> dict[str, str]:
    for role, text in words.items():
        try:
            parsed = Style.parse(text)
        except StyleSyntaxError as error:
            raise UsageError(
                f"{where} [{section}]: {role} = {text!r} is no style", str(error), "for example 'bold #ffcc66'"
            ) from error
        if parsed.link:
            # Every text of that role would become a link of the terminal.
            raise UsageError(f"{where} [{section}]: {role} = {text!r} is a link", "", "name colours and attributes")
    return words


def load_themes(folders: Iterable[Path] | None = None) -> tuple[dict[str, LoadedTheme], list[str]]:
    """(themes by name, what was wrong with the files left out). The person's own come last and may replace ours."""
    themes: dict[str, LoadedTheme] = {}
    problems: list[str] = []
    for folder in folders if folders is not None else (shipped_dir("themes"), config_folder() / "themes"):
        for path in sorted(folder.glob("*.toml")):
            try:
                theme = load_theme(path)
                themes[theme.name] = theme
            except UsageError as error:
                problems.append(str(error))
    return themes, problems


def choose_theme(
    themes: Mapping[str, LoadedTheme], wanted: str | None, *, no_colour: bool
) -> tuple[LoadedTheme, str | None]:
    """(the theme to use, a complaint where the wanted one is not there)."""
    if wanted is not None and wanted in themes:
        return themes[wanted], None
    chosen = themes.get(PLAIN_THEME if no_colour else DEFAULT_THEME) or next(iter(themes.values()))
    if wanted is None:
        return chosen, None
    near = get_close_matches(wanted, themes, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(themes))}"
    return chosen, f"no theme is called {wanted!r}: {hint}"
