"""Themes and keymaps that a person brings along: a fault is named with its nearest kin, and stops nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.color import Color, ColorSystem

from engine.errors import UsageError
from engine.paths import shipped_dir
from workbench.commands.registry import BY_ID
from workbench.render.parts import VERDICT_MARKS
from workbench.ui.keymap import SHIPPED, checked_keymap, chosen_keymap, load_keymap, shown_key
from workbench.ui.theme import ROLES, RoleStyles, choose_theme, load_theme, load_themes
from workbench.ui.widgets.lines import StyledLines

GOOD = '[palette]\nprimary = "#ffffff"\nforeground = "#eeeeee"\nbackground = "#000000"\n'


SHIPPED_THEMES = ("contrast", "day", "mono", "night", "safe", "terminal")
# What the 16 colours are differs from terminal to terminal: xterm's, and those of the VGA and the Linux console.
XTERM = (
    "000000 cd0000 00cd00 cdcd00 0000ee cd00cd 00cdcd e5e5e5 7f7f7f ff0000 00ff00 ffff00 5c5cff ff00ff 00ffff ffffff"
)
VGA = "000000 aa0000 00aa00 aa5500 0000aa aa00aa 00aaaa aaaaaa 555555 ff5555 55ff55 ffff55 5555ff ff55ff 55ffff ffffff"
# Marks are shapes, not words: they must be seen, not read.
MARKS = {"bar", "undecided", "disabled", "chart"}
ENOUGH = {"line": 1.5} | dict.fromkeys(MARKS, 3.0)
READABLE = 4.5
GROUNDS = ("text", "cursor", "status")
Colour = tuple[int, int, int]


def test_the_shipped_themes_say_how_every_role_looks() -> None:
    themes, problems = load_themes()
    assert problems == []
    assert tuple(sorted(themes)) == SHIPPED_THEMES
    for theme in themes.values():
        assert set(theme.ansi) == set(ROLES)
        assert set(theme.roles) == (set() if theme.terminal else set(ROLES))


def contrast(one: Colour, other: Colour) -> float:
    """The WCAG contrast of two colours."""

    def luminance(colour: Colour) -> float:
        parts = [value / 255 for value in colour]
        linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("system", [ColorSystem.TRUECOLOR, ColorSystem.EIGHT_BIT])
@pytest.mark.parametrize("name", [name for name in SHIPPED_THEMES if name not in ("terminal", "mono")])
def test_text_can_be_read_and_marks_can_be_seen(name: str, system: ColorSystem) -> None:
    """In 24 bits, and as a terminal with 256 colours shows it, on every ground a role comes to stand on."""
    theme = load_theme(shipped_dir("themes") / f"{name}.toml")
    looks = StyledLines(RoleStyles(theme.styles()))

    def shown(colour: Color) -> Colour:
        return tuple(colour.downgrade(system).get_truecolor())  # type: ignore[return-value]

    for role in ROLES:
        for ground in GROUNDS:
            style = looks.style(role, ground)
            if style.color is None or style.bgcolor is None or role in GROUNDS:
                continue
            assert contrast(shown(style.color), shown(style.bgcolor)) >= ENOUGH.get(role, READABLE), (role, ground)
    for ground in ("background", "surface", "panel"):
        words, under = (Color.parse(theme.palette[key]) for key in ("foreground", ground))
        assert contrast(shown(words), shown(under)) >= READABLE, ground


@pytest.mark.parametrize("palette", [XTERM, VGA])
@pytest.mark.parametrize("name", SHIPPED_THEMES)
def test_sixteen_colours_are_enough(name: str, palette: str) -> None:
    """On the terminal's own ground: black for a dark theme, white for a light one."""
    theme = load_theme(shipped_dir("themes") / f"{name}.toml")
    colours = [tuple(bytes.fromhex(text)) for text in palette.split()]
    ground = colours[0] if theme.dark else colours[15]
    for role, style in theme.styles(few_colours=True).items():
        if style.color is None or style.color.is_default:
            continue
        assert style.color.number is not None, (role, "is none of the 16")
        assert contrast(colours[style.color.number], ground) >= ENOUGH.get(role, READABLE), role  # type: ignore[arg-type]


@pytest.mark.parametrize("few", [False, True])
@pytest.mark.parametrize("name", SHIPPED_THEMES)
def test_nothing_is_told_by_colour_alone(name: str, few: bool) -> None:
    """What has no letter of its own differs by an attribute: words put in and taken out, the cursor, a match."""
    styles = load_theme(shipped_dir("themes") / f"{name}.toml").styles(few)
    attributes = {role: (s.bold, s.underline, s.strike, s.reverse) for role, s in styles.items()}
    assert len({attributes[role] for role in ("text", "added", "removed", "flag", "match")}) == 5
    assert len({mark for mark, _ in VERDICT_MARKS.values()}) == len(VERDICT_MARKS)
    if name == "mono":
        assert all(style.color is None or style.color.is_default for style in styles.values())


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("[palete]\n", "unknown key 'palete'. Did you mean 'palette'?"),
        (GOOD + '[roles]\nacepted = "red"\n', "unknown key 'acepted'. Did you mean 'accepted'?"),
        (GOOD + '[roles]\naccepted = "reddish"\n', "accepted = 'reddish' is no style"),
        ('[palette]\nprimary = "white"\nforeground = "#fff"\nbackground = "#000"\n', "'white' is no colour"),
        ('[palette]\nprimary = "#ffffff"\n', "lacks foreground, background"),
        ("[palette\n", "cannot be read"),
        (GOOD + "[roles]\naccepted = 3\n", "must hold texts"),
    ],
)
def test_a_bad_theme_is_named_and_the_others_stay(tmp_path: Path, content: str, complaint: str) -> None:
    (tmp_path / "mine.toml").write_text(content)
    (tmp_path / "other.toml").write_text(GOOD)
    with pytest.raises(UsageError):
        load_theme(tmp_path / "mine.toml")
    themes, problems = load_themes([tmp_path])
    assert list(themes) == ["other"]
    assert len(problems) == 1
    assert complaint in problems[0]


def test_no_color_asks_for_the_theme_that_needs_none() -> None:
    themes, _ = load_themes()
    assert choose_theme(themes, None, no_colour=True)[0].name == "mono"
    assert choose_theme(themes, "day", no_colour=True) == (themes["day"], None)


@pytest.mark.parametrize(
    ("wanted", "complaint"),
    [
        ({"acept": "y"}, "no command is called 'acept', did you mean 'accept'?"),
        ({"accept": "ctrl+m"}, "accept cannot be on ctrl+m: terminals send it for enter"),
        ({"accept": "entre"}, "there is no key 'entre', did you mean 'enter'?"),
        ({"accept": "F2"}, "there is no key 'F2', did you mean 'f2'?"),
        ({"accept": "x"}, "is taken by another command"),
        ({"accept": "y", "reject": "y"}, "is taken by another command"),
    ],
)
def test_a_bad_keymap_keeps_the_default(wanted: dict[str, str], complaint: str) -> None:
    good, problems = checked_keymap(wanted)
    assert complaint in problems[0]
    assert shown_key("accept", good) in ("a", "y")


def test_two_keys_may_change_places() -> None:
    assert checked_keymap({"accept": "x", "reject": "a"}) == ({"accept": "x", "reject": "a"}, [])


def test_every_default_key_would_pass_the_check_of_a_keymap() -> None:
    _, problems = checked_keymap({name: ",".join(command.keys) for name, command in BY_ID.items()})
    assert problems == []


def test_a_keymap_file_that_cannot_be_read_stops_nothing(tmp_path: Path) -> None:
    path = tmp_path / "keymap.toml"
    assert load_keymap(path) == ({}, [])
    path.write_text('accept = "y"\nreject = 3\n')
    assert load_keymap(path) == ({"accept": "y"}, ["keymap.toml: reject must be a text"])
    path.write_text("accept = ")
    keymap, problems = load_keymap(path)
    assert keymap == {}
    assert problems[0].startswith("keymap.toml: cannot be read")


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_the_shipped_keymaps_hold_without_a_clash(name: str) -> None:
    keymap, complaints = chosen_keymap(name)
    assert complaints == []
    assert checked_keymap(keymap) == (keymap, [])


def test_an_unknown_keymap_is_named_with_its_nearest() -> None:
    assert chosen_keymap("prodgy") == ({}, ["no keymap is called 'prodgy': did you mean 'prodigy'?"])
