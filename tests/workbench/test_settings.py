"""Themes and keymaps that a person brings along: a fault is named with its nearest kin, and stops nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.style import Style

from engine.errors import UsageError
from engine.shipped import shipped_dir
from workbench.commands.table import BY_ID
from workbench.keymap import SHIPPED, checked_keymap, chosen_keymap, load_keymap, shown_key
from workbench.theming import ROLES, choose_theme, load_theme, load_themes

GOOD = '[palette]\nprimary = "#ffffff"\nforeground = "#eeeeee"\nbackground = "#000000"\n'


def test_the_shipped_themes_say_how_every_role_looks() -> None:
    themes, problems = load_themes()
    assert problems == []
    assert sorted(themes) == ["contrast", "day", "night"]
    for theme in themes.values():
        assert set(theme.roles) == set(theme.ansi) == set(ROLES)


def contrast(style: Style) -> float:
    """The WCAG contrast of a style's text on its ground."""

    def luminance(colour: object) -> float:
        parts = [value / 255 for value in colour.get_truecolor()]  # type: ignore[attr-defined]
        linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(style.color), luminance(style.bgcolor)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("name", ["night", "day", "contrast"])
def test_text_can_be_read_and_marks_can_be_seen(name: str) -> None:
    styles = load_theme(shipped_dir("themes") / f"{name}.toml").styles()
    marks = {"bar", "line", "undecided", "disabled"}
    for role, style in styles.items():
        if style.color is None or style.bgcolor is None or role == "cursor":
            continue
        wanted = 1.5 if role == "line" else 3.0 if role in marks else 4.5
        for ground in ("text", "cursor", "status"):
            over = styles[ground]
            shown = style if over.reverse else style + Style(bgcolor=over.bgcolor)
            assert contrast(shown) >= wanted, (role, ground, contrast(shown))


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
    assert choose_theme(themes, None, no_colour=True)[0].name == "contrast"
    assert choose_theme(themes, "day", no_colour=True) == (themes["day"], None)


@pytest.mark.parametrize(
    ("wanted", "complaint"),
    [
        ({"acept": "y"}, "no command is called 'acept', did you mean 'accept'?"),
        ({"accept": "ctrl+m"}, "accept cannot be on ctrl+m: terminals send it for enter"),
        ({"accept": "entre"}, "there is no key 'entre', did you mean 'enter'?"),
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
