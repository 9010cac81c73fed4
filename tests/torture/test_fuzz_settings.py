"""Anything in a person's own settings, keymap and themes: what cannot be used is named in a line, the rest counts."""

from __future__ import annotations

from pathlib import Path

import pytest
from fuzzing import CONFIG, fuzz, mutated, odd_toml

from engine.config import load_config
from workbench.ui.keymap import checked_keymap, load_keymap
from workbench.ui.theme import choose_theme, load_themes

pytestmark = [pytest.mark.slow, pytest.mark.timeout(7200)]

KEYMAP = b"""accept = "a,f2"
reject = "x,ctrl+d"
skip = "space"
undo = "u,backspace"
quit = "q"
help = "?"
"""


def test_settings_of_a_person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    place = tmp_path / "tamis"
    (place / "themes").mkdir(parents=True)
    shipped = [path.read_bytes() for path in sorted((Path(__file__).parents[2] / "themes").glob("*.toml"))]

    def themes(case: bytes) -> None:
        (place / "themes" / "x.toml").write_bytes(case)
        found, _ = load_themes()
        for name in found:
            theme, _ = choose_theme(found, name, no_colour=False)
            theme.for_textual()
            theme.styles(True)
            theme.styles(False)

    def keymap(case: bytes) -> None:
        (place / "keymap.toml").write_bytes(case)
        keys, problems = load_keymap()
        _, more = checked_keymap(keys)
        assert all("\n" not in problem for problem in (*problems, *more))

    def config(case: bytes) -> None:
        (place / "config.toml").write_bytes(case)
        load_config()

    for kind, seeds, act in (("themes", shipped, themes), ("keymap", [KEYMAP], keymap), ("config", [CONFIG], config)):
        fuzz(kind, seeds, act, ways=(mutated, odd_toml, odd_toml))
