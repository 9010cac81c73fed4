"""Which colours reach the terminal: none at all under NO_COLOR, its own sixteen where it has no more."""

from __future__ import annotations

import re
from pathlib import Path

import planted
import pytest
from pseudo import Terminal, tamis

KEYS = ("\r", "j", "w", "w", "/", "x", "\x1b", "e", "\x1b", "?", "q", "o")
_SGR = re.compile(rb"\x1b\[([\d;]*)m")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return planted.make_folder(tmp_path)


def colours(output: bytes) -> set[str]:
    """What was asked for beside attributes: `16` (the terminal's own sixteen), `256`, `24 bits`."""
    found: set[str] = set()
    for match in _SGR.finditer(output):
        codes = [int(code or 0) for code in match[1].split(b";")]
        while codes:
            code = codes.pop(0)
            if code in (38, 48):
                found.add("256" if codes[0] == 5 else "24 bits")
                del codes[: 2 if codes[0] == 5 else 4]
            elif code in (*range(30, 38), *range(40, 48), *range(90, 98), *range(100, 108)):
                found.add("16")
    return found


def sitting(folder: Path, *words: str, **environment: str) -> bytes:
    with Terminal(tamis(folder, *words), environment=environment) as terminal:
        terminal.wait_for("What can be settled")
        terminal.keys(*KEYS)
        terminal.wait_for("What can be settled")
        return terminal.output


def test_no_color_means_none(folder: Path) -> None:
    output = sitting(folder, NO_COLOR="1")
    assert colours(output) == set()
    # Attributes tell what colours would.
    assert {b"1", b"7"} <= {code for match in _SGR.finditer(output) for code in match[1].split(b";")}


def test_a_terminal_theme_keeps_to_its_own_sixteen(folder: Path) -> None:
    assert colours(sitting(folder, "--theme", "terminal")) == {"16"}


def test_a_terminal_of_sixteen_colours_gets_no_others(folder: Path) -> None:
    assert colours(sitting(folder, TERM="linux", COLORTERM="")) == {"16"}


def test_with_more_colours_they_are_used(folder: Path) -> None:
    assert "24 bits" in colours(sitting(folder))
