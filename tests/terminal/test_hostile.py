"""Rows made to break a terminal: what is shown is what the file holds, and nothing but our own sequences goes out."""

from __future__ import annotations

import random
import re
from pathlib import Path
from unicodedata import normalize

import planted
import pytest
from pseudo import Terminal, tamis

from engine.model import Act, Findings
from workbench.text.escape import visible

# Everything the workbench has reason to send: cells, styles, erasing, a step down (no row here holds one), modes,
# queries, the pointer's shape.
OURS = re.compile(
    rb"\x0b|\x1b\[[0-9;]*[HmXKABCDG]|\x1b\[\?[0-9;]+[hl]|\x1b\[\?\d+\$p|\x1b\[[<>=]\d*u|\x1b\[5n|\x1b\]22;\w*\x07"
)
PIECES = [
    "\x1b]52;c;aGk=\x07", "\x1b[2J", "\x1b[31m", "\x9b2J", "\x1bc", "\x1bP+q\x1b\\", "\x1b]0;title\x07", "\x1b[5n",
    "\x1b[?1049l", "\x1b[10;10H", "\x0e", "\x0f", "\x00", "\x08\x08", "\r", "\x7f", "\x85", "[/x]", "[bold]", "\\[",
    "\u202e", "\u2066", "\u2069", "\u200b", "\u200d", "\ufeff", "\U000e0041", "\u2028", "e\u0301\u0302\u0303", "\u0301",
    "数据集", "한글", "かな", "👩\u200d👩\u200d👧", "🇫🇷", "👍🏽", "☎\ufe0f", "नमस्ते", "ﷺ", "Ａ", "ａｂｃ", "𝕏",
    "plain words", "a", " ", "\t", "\n", "{\"json\": 1}", "```", "$(reboot)", "%s%n",
]  # fmt: skip
ROWS = 40


def hostile_rows(seed: int) -> list[dict[str, str]]:
    dice = random.Random(seed)

    def text() -> str:
        return "".join(dice.choice(PIECES) for _ in range(dice.randint(3, 14)))

    return [{"instruction": f"<{text()}>", "input": "", "output": f"({text()})"} for _ in range(ROWS)]


def bare(text: str) -> str:
    """Without blanks, which wrapping moves; composed, as the emulator does it."""
    return normalize("NFC", "".join(text.split()))


def strangers(output: bytes) -> list[bytes]:
    """The controls in what was sent that are none of ours."""
    return re.findall(
        rb"\x1b.{0,12}|[\x00-\x09\x0b-\x1a\x1c-\x1f\x7f]|\xc2[\x80-\x9f]", OURS.sub(b"", output), re.DOTALL
    )


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow), pytest.param(2, marks=pytest.mark.slow)])
def test_the_screen_shows_what_the_file_holds_and_nothing_else_changes(tmp_path: Path, seed: int) -> None:
    rows = hostile_rows(seed)
    folder = planted.make_folder(tmp_path, rows, Findings.empty(ROWS))  # type: ignore[arg-type]
    with Terminal(tamis(folder), columns=120, rows=40, answers=True) as terminal:
        terminal.wait_for("What the scan proposes")
        terminal.keys("/row:0-99\r")
        terminal.wait_for("row 0  line 1")
        hints, header = terminal.lines[-1], terminal.lines[0].split()[:-1]
        assert "·40" in header
        for number, row in enumerate(rows):
            terminal.wait_until(
                lambda number=number: f"row {number}  line {number + 1} " in terminal.lines[1], "the row"
            )
            terminal.wait_for_rest()
            # Behind the list and its border stands the reader.
            reader = bare("".join(line[line.index("▕") + 11 :] for line in terminal.lines[2:-3] if "▕" in line))
            assert bare(visible(row["instruction"])) in reader, f"row {number}"
            assert bare(visible(row["output"])) in reader, f"row {number}"
            assert terminal.lines[0].endswith(f" {number + 1}/{ROWS}")
            assert terminal.lines[0].split()[:-1] == header
            assert terminal.lines[-1] == hints
            terminal.keys("j")
        terminal.keys("q")
        assert terminal.wait_for_end() == 0
        assert strangers(terminal.output.partition(b"\x1b[?1049l")[0]) == []


def test_a_line_of_a_megabyte_costs_one_screen(tmp_path: Path) -> None:
    rows = [
        {"instruction": "x" * 1_000_000, "input": "", "output": "数据" * 200_000},
        {"instruction": "b", "output": "c"},
    ]
    folder = planted.make_folder(tmp_path, rows, Findings.empty(2))
    with Terminal(tamis(folder), columns=120, rows=40, answers=True) as terminal:
        terminal.wait_for("What the scan proposes")
        terminal.keys("/row:0-1\r")
        terminal.wait_for("row 0  line 1")
        assert len(terminal.output) < 30_000
        terminal.keys("J", "a")
        terminal.wait_for("✓1")
        terminal.wait_for("row 1  line 2")


def test_a_line_filled_with_the_words_of_somebody_else_shows_their_controls(tmp_path: Path) -> None:
    clipboard = "\x1b]52;c;aGk=\x07"
    folder = planted.make_folder(tmp_path)
    with planted.opened(folder) as project:
        project.decide([Act("note", (project.rows.id(11),), extra={"text": f"hello {clipboard}"})], why="note")
    with Terminal(tamis(folder)) as terminal:
        terminal.wait_for("What can be settled")
        terminal.keys("/row:11\r", "i")
        terminal.wait_for("hello ␛]52;c;aGk=␇")
        assert clipboard.encode() not in terminal.output
