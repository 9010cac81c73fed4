"""Nothing foreign reaches the terminal raw: everything that can bear a name bears a hostile one, over all commands that
need no model and all screens; what was sent is looked at byte by byte."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hostile_names import NAMES, for_files, hostile_project, leaks
from pseudo import Terminal, tamis

# As many at once as a line of a journal or a name of a field bears; one that ends a string would hide the others.
SLICE = "".join(name for name in NAMES if len(name) < 1000)
COMMANDS = [
    "status",
    "journal",
    "scan",
    "report",
    "gate",
    "runs",
    "pick",
    "do",
    "export",
    "merge",
    "holdout",
    "plan",
    "suspects",
]
VISIT = [
    "j", "?", "\x1b", "H", "\r", "\x1b", "\x1b", "E", "\x1b", "o", "/row:0-20\r", "w", "J", "z", "l", "w",
    "/\x1b[A\x1b[A", "\x1b", "/kind:near\r", "w", "/kind:conflict\r", "w", "M", "\x1b", "/row:0-5\r", "i", "\x1b",
    "t", "\x1b", "e", "\x1b", "c", "\x1b", "F", "\x1b", "R", "\x1b", ":", "\x1b", "f", "u",
]  # fmt: skip


def words_of(command: str, folder: Path, name: str) -> list[str]:
    """The words of a command, hostile wherever it takes some."""
    source = str(next(folder.parent.glob("*.jsonl")))
    safe = name.replace("\0", "").encode("utf-8", "replace").decode()
    more = {
        "scan": [source], "report": [source, source], "pick": [str(folder), "2"], "merge": [str(folder), safe],
        "do": [str(folder), f"tag {safe} row:1", f"reject {safe}", "--as", f"eve{safe}"[:60]],
        "export": [str(folder), "--to", f"{folder.parent}/{for_files(name, 40)}o.jsonl", "--format", "messages"],
        "holdout": [str(folder), "1", "--by", safe, "--as", "ann"], "plan": [str(folder), "--model", safe],
    }  # fmt: skip
    return [sys.executable, "-m", "workbench.cli.main", command, *more.get(command, [str(folder)])]


def run(words: list[str]) -> bytes:
    with Terminal(words, environment={"TAMIS_REVIEWER": "ann"}) as terminal:
        terminal.wait_for_end()
        terminal.settle()
        return terminal.output


def visit(folder: Path, keys: list[str], *options: str, columns: int = 80, rows: int = 24) -> bytes:
    with Terminal(tamis(folder, *options), columns=columns, rows=rows, answers=True) as terminal:
        terminal.wait_for("left")
        for key in keys:
            terminal.keys(key)
        assert terminal.status is None, terminal.text
        return terminal.output


def test_a_project_where_everything_bears_hostile_names_sends_none_of_them(tmp_path: Path) -> None:
    folder = hostile_project(tmp_path, SLICE)
    for command in ("status", "journal", "do"):
        assert leaks(run(words_of(command, folder, SLICE))) == [], command
    keys = ["?", "\x1b", "/row:0-5\r", "w", "z", "i", "\x1b", "/\x1b[A\x1b[A", "\x1b", "e", "\x1b"]
    assert leaks(visit(folder, keys, columns=120, rows=40), screen=True) == []


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_sends_any_of_a_hundred_names(tmp_path: Path, command: str) -> None:
    assert len(NAMES) >= 100
    for number in range(0, len(NAMES), 10):
        name = "".join(NAMES[number : number + 10])
        folder = hostile_project(tmp_path / str(number), name)
        assert leaks(run(words_of(command, folder, name))) == [], NAMES[number : number + 10]


@pytest.mark.slow
@pytest.mark.parametrize("driver", ["cells", "stock"])
@pytest.mark.parametrize("start", range(0, len(NAMES), 10))
def test_no_screen_sends_any_of_a_hundred_names(tmp_path: Path, start: int, driver: str) -> None:
    folder = hostile_project(tmp_path, "".join(NAMES[start : start + 10]))
    assert leaks(visit(folder, VISIT, "--driver", driver), screen=True) == []


def test_each_of_the_names_would_be_noticed() -> None:
    harmless = [name for name in NAMES if not leaks(name.encode("utf-8", "surrogatepass"))]
    assert all(name.replace("\n", "").replace("\t", "").isprintable() for name in harmless)
    assert len(NAMES) - len(harmless) >= 100
