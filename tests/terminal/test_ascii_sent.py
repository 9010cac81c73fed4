"""`--ascii` as a terminal gets it: what goes out of the process is ASCII. Every screen is looked at in
tests/workbench/test_ascii.py."""

from __future__ import annotations

from pathlib import Path

import planted
from pseudo import Terminal, tamis


def test_only_ascii_is_sent(tmp_path: Path) -> None:
    content = planted.rows()
    content[12]["output"] = "caf\u00e9 \u4f60\u597d \U0001f469\u200d\U0001f4bb"
    folder = planted.make_folder(tmp_path, content, planted.findings())
    with Terminal(tamis(folder, "--ascii"), columns=150, rows=40) as terminal:
        for keys, sign in (("", "What can be settled"), ("\r", "keeper"), ("/row:12\r", "caf\\xe9"), ("e", "editing")):
            terminal.keys(*keys)
            terminal.wait_for(sign)
            terminal.settle()
            assert terminal.text.isascii()
    assert terminal.output.isascii()
