"""Kinds of terminals: each shows the rows, gets nothing it could not understand, and is left as it was."""

from __future__ import annotations

import re
import termios
from dataclasses import dataclass
from pathlib import Path

import planted
import pytest
from pseudo import Terminal, tamis
from test_colours import colours

# What the terminals of the last century understand; an old parser skips modes it does not know.
OLD = re.compile(rb"\x1b\[[0-9;]*[HmXKABCDG]|\x1b\[\?[0-9;]+[hl]|\x1b\[5n")


@dataclass(frozen=True)
class Kind:
    """`colours` as `test_colours` names them; `ascii` where nothing else may go out; `old` and `erases` as sent."""

    name: str
    environment: dict[str, str]
    colours: set[str]
    old: bool = False
    ascii: bool = False
    erases: bool = True


BARE = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
KINDS = [
    Kind("tmux", {"TERM": "tmux-256color", "COLORTERM": ""}, {"256"}),
    Kind("tmux over ssh", {"TERM": "tmux-256color", "SSH_CONNECTION": "a 1 b 2"}, {"256"}),
    Kind("screen", {"TERM": "screen", "COLORTERM": ""}, {"16"}, erases=False),
    Kind("linux", {"TERM": "linux", "COLORTERM": ""}, {"16"}, old=True),
    Kind("serial line", {"TERM": "vt220", "COLORTERM": ""}, set(), old=True),
    Kind("no COLORTERM", {"TERM": "xterm-256color", "COLORTERM": ""}, {"256"}),
    Kind("plain xterm", {"TERM": "xterm", "COLORTERM": ""}, {"16"}),
    Kind("NO_COLOR", {"NO_COLOR": "1"}, set()),
    # Python takes a C locale for UTF-8, and so do today's terminals.
    Kind("LANG=C", {"LANG": "C"}, {"24 bits"}),
    Kind("a locale without UTF-8", {"LC_ALL": "C", **BARE}, {"24 bits"}, ascii=True),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all: nothing is decided here."""
    return planted.make_folder(tmp_path_factory.mktemp("matrix"))


@pytest.fixture(scope="module")
def modes() -> list[object]:
    """How a terminal treats keys that no program has touched."""
    with Terminal(["cat"]) as terminal:
        return termios.tcgetattr(terminal._master)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_rows_are_shown_and_the_terminal_is_left_as_it_was(folder: Path, modes: list[object], kind: Kind) -> None:
    (folder / "session.json").unlink(missing_ok=True)
    with Terminal(tamis(folder), environment=kind.environment) as terminal:
        terminal.wait_for("What can be settled")
        terminal.type("\r")
        terminal.wait_for("kind:exact")
        terminal.type("j")
        terminal.wait_for("row 0  line 1")
        assert [line for line in terminal.lines if "Name a fruit." in line][1:]
        terminal.type("y")
        terminal.wait_for("copy.txt" if not kind.old else "this terminal has no clipboard")
        terminal.type("q")
        assert terminal.wait_for_end() == 0
        output = terminal.output
        assert termios.tcgetattr(terminal._master) == modes
    assert colours(output) == kind.colours
    assert output.count(b"\x1b[?1049l") == 1
    assert output.rfind(b"\x1b[?25h") > output.rfind(b"\x1b[?25l")
    assert output.rfind(b"\x1b[?7h") > output.rfind(b"\x1b[?7l")
    assert kind.erases == (re.search(rb"\x1b\[\d+X", output) is not None)
    assert kind.old == (b"\x1b" not in OLD.sub(b"", output))
    assert kind.ascii == output.isascii()
