"""What commands say reaches whoever listens, in what their terminal can spell; who does not listen breaks nothing."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from projects import make_project, numbered

from engine.project.project import open_project
from workbench.cli import output

RAW = "\x1b]52;c;aGk=\x07\x9b31m\u202e\u200b\x7f\r\n"
SHOWN = "␛]52;c;aGk=␇⟨9B⟩31m⟨RLO⟩⟨ZWSP⟩␡␍␊"


def tamis(words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command as a shell runs it, TAMIS in it stands for ours."""
    line = words.replace("TAMIS", f"{sys.executable} -m workbench.cli.main")
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        capture_output=True,
        text=True,
        env=os.environ | environment,
        check=False,
    )


def test_a_line_is_one_line_and_holds_no_control(capsys: pytest.CaptureFixture[str]) -> None:
    output.say(f"row:1\t{RAW}")
    output.say(f"{output.DIM}masked{output.UNDIMMED} {RAW}", dims=True)
    output.say(f"{output.DIM}data{output.UNDIMMED}")
    output.narrate(RAW)
    output.print_json({RAW: RAW})
    said, narrated = capsys.readouterr()
    lines = said.splitlines()
    assert lines[0] == f"row:1\t{SHOWN}"
    assert lines[1] == f"\x1b[2mmasked\x1b[22m {SHOWN}"
    assert lines[2] == "␛[2mdata␛[22m"
    assert lines[3].isascii()
    assert lines[3].isprintable()
    assert json.loads(lines[3]) == {RAW: RAW}
    assert narrated == f"{SHOWN}\n"


def test_what_a_library_writes_by_itself_is_made_safe(capsys: pytest.CaptureFixture[str]) -> None:
    with output.guarded_streams():
        sys.stderr.writelines([f"\r10 % of {RAW}"])
        sys.stdout.write("\x1b]0;title\x07\n")
    said, narrated = capsys.readouterr()
    assert said == "␛]0;title␇\n"
    assert set(narrated) & set("\x1b\x07\x9b\u202e\u200b\x7f") == set()
    assert "\r10 % of ␛]52;" in narrated


@pytest.mark.parametrize(
    ("encoding", "spelled"), [("ascii", b"caf\\xe9 ~ \\u6570<ZWSP>\n"), ("latin-1", b"caf\xe9 ~ \\u6570<ZWSP>\n")]
)
def test_what_a_stream_cannot_spell_becomes_its_escape(
    encoding: str, spelled: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="strict")
    monkeypatch.setattr(sys, "stdout", stream)
    output.say("café … 数\u200b", now=True)
    assert stream.buffer.getvalue() == spelled  # type: ignore[attr-defined]


def test_a_full_disk_under_standard_output_is_told_and_what_was_asked_is_done(tmp_path: Path) -> None:
    folder = make_project(tmp_path, numbered(3))
    done = tamis(f"TAMIS do {folder} 'reject row:0' 'reject row:1' --as ann > /dev/full")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("tamis: standard output: No space left on device. ")
    assert "Traceback" not in done.stderr
    with open_project(folder, readonly=True) as project:
        assert project.counts()["rejected"] == 2


def test_a_reader_that_goes_away_and_a_closed_standard_error_are_no_fault(tmp_path: Path) -> None:
    folder = make_project(tmp_path, numbered(3))
    gone = tamis(f"TAMIS do {folder} 'reject row:0' 'reject row:1' --as ann | true")
    assert (gone.returncode, "Traceback" in gone.stderr) == (0, False)
    with open_project(folder, readonly=True) as project:
        assert project.counts()["rejected"] == 2
    closed = tamis(f"TAMIS status {folder} --json <&- 2>&-")
    assert (closed.returncode, json.loads(closed.stdout)["rows"], closed.stderr) == (0, 3, "")
    assert tamis(f"TAMIS status {tmp_path}/nope 2>&-").returncode == 2
