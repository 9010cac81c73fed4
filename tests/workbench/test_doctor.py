"""`tamis doctor` says what it found and what to change, and changes nothing."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from engine.config import config_folder
from workbench.cli.main import main


def checks(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, str]]:
    assert main(["doctor", "--json"]) == 0
    return {check["about"]: check for check in json.loads(capsys.readouterr().out)["checks"]}


def test_over_ssh_compression_comes_first(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_CONNECTION", "1.2.3.4 5 6.7.8.9 22")
    assert next(iter(checks(capsys))) == "connection"
    assert "ssh -C" in checks(capsys)["connection"]["advice"]


def test_a_terminal_that_cannot_do_it_gets_advice(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("LC_ALL", "C")
    found = checks(capsys)
    assert found["TERM"]["advice"] == "set TERM=xterm-256color"
    assert found["locale"]["advice"] == "set LANG=C.UTF-8"


def test_in_words_it_is_one_line_a_check(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("  connection   local\n")
    assert "\n  TERM         xterm-256color\n" in out


def test_the_trainer_asked_is_the_one_of_the_settings(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert "trl" in checks(capsys)["trainer"]["found"]
    old = tmp_path / "trl-0.9.4.dist-info"
    old.mkdir()
    (old / "METADATA").write_text("Metadata-Version: 2.1\nName: trl\nVersion: 0.9.4\n")
    settings = config_folder() / "config.toml"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(f'[training]\ncommand = "env PYTHONPATH={tmp_path} {sys.executable}"\n')
    trainer = checks(capsys)["trainer"]
    assert f"PYTHONPATH={tmp_path}" in trainer["found"]
    assert "trl 0.9.4 is too old: 0.20 to 1.16 were tried; " in trainer["advice"]
    assert trainer["advice"].endswith(" -m pip install 'trl>=0.20'")
    (old / "METADATA").write_text("Metadata-Version: 2.1\nName: trl\nVersion: 7.0.1\n")
    assert checks(capsys)["trainer"]["advice"].startswith("trl 7.0.1 is newer than what was tried (0.20 to 1.16)")
    settings.write_text('[training]\ncommand = "false"\n')
    assert "does not run the worker" in checks(capsys)["trainer"]["advice"]
