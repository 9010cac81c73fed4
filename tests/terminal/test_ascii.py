"""`--ascii`: no glyph beyond ASCII comes to stand anywhere, on any screen, whatever the data hold."""

from __future__ import annotations

from pathlib import Path

import planted
import pytest
from planted import CONFLICT, EXACT
from pseudo import Terminal, tamis

from engine.model import Findings

CTRL_P, ESC, PAGE_DOWN = "\x10", "\x1b", "\x1b[6~"
STRANGE = "caf\u00e9 \u2018so\u2019 \u4f60\u597d \U0001f469\u200d\U0001f4bb \x1b]52;c;aGk=\x07 \u202eabc [/x] \ttab"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    content = planted.rows()
    for number in (1, 4, 7, 12):
        content[number]["output"] = f"{content[number]['output']} {STRANGE}"
    return planted.make_folder(tmp_path, content, planted.findings())


# The keys that lead to a screen, and what to wait for there.
TOUR = (
    ("the overview", "", "What can be settled"),
    ("a group", "\r", "keeper"),
    ("its evidence", "jjw", "why"),
    ("a conflict", "w/kind:conflict\r", "disagree"),
    ("a row with strange text", "/row:12\r", "caf\\xe9"),
    ("a mark and a range", "mv", "range"),
    ("no mark", ESC, "no row is marked"),
    ("the filter", "/", "row:12"),
    ("its count", "cafe", "0 rows"),
    ("back", ESC, "row 12"),
    ("the palette", CTRL_P, "reject bucket:drop"),
    ("a complaint", "nosuch\r", "no command"),
    ("back again", ESC, "row 12"),
    ("tags", "t", "tag:"),
    ("back from tags", ESC, "row 12"),
    ("the editor", "e", "editing row 12"),
    ("back from the editor", ESC, "nothing was changed"),
    ("help", "?", "Triage"),
    ("more help", PAGE_DOWN, "pgdn reader page"),
    ("back from help", "q", "row 12"),
    ("the export", "E", "write"),
    ("back from the export", "q", "row 12"),
    ("the training", "T", "start"),
    ("back from the training", "q", "row 12"),
    ("the slices", "H", "year"),
    ("back from the slices", "q", "row 12"),
    ("the pick", "P", "pick"),
    ("back from the pick", "q", "row 12"),
    ("the runs", "R", "runs"),
    ("back from the runs", "q", "row 12"),
    ("the overview again", "o", "What can be settled"),
    ("an accepted bucket", "]aa", "accepted"),
)


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (150, 40)])
def test_every_screen_is_ascii(folder: Path, columns: int, rows: int) -> None:
    with Terminal(tamis(folder, "--ascii"), columns=columns, rows=rows) as terminal:
        for name, keys, sign in TOUR:
            terminal.keys(*keys) if not keys.startswith(ESC) else terminal.keys(keys)
            terminal.wait_for(sign)
            terminal.settle()
            assert terminal.text.isascii(), (name, [line for line in terminal.lines if not line.isascii()])
        assert "a accept" in terminal.text or "enter open" in terminal.text


def test_without_it_the_same_screens_are_not(folder: Path) -> None:
    """What the story above shows is not true by itself."""
    with Terminal(tamis(folder)) as terminal:
        terminal.wait_for("What can be settled")
        assert not terminal.text.isascii()
    assert {EXACT, CONFLICT} <= {cluster.id for cluster in planted.findings().clusters}
    assert isinstance(planted.findings(), Findings)
