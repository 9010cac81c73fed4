"""Event lines and run folders as a reader meets them: torn, half-written, foreign."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from engine.errors import TrainingError
from engine.training.runs.status import list_runs, read_run, tail_events
from engine.training.worker.events import EventLog, plain, read_json, write_json


def test_a_reader_goes_on_where_it_was_and_waits_for_the_end_of_a_line(tmp_path: Path) -> None:
    log = EventLog(tmp_path)
    log.emit("log", step=1, loss=2.5)
    first, offset = tail_events(tmp_path)
    assert [(event["ev"], event["step"], event["loss"]) for event in first] == [("log", 1, 2.5)]
    with (tmp_path / "events.jsonl").open("ab") as stream:
        stream.write(b'{"v":1,"t":0,"ev":"log","st')
        stream.flush()
        assert tail_events(tmp_path, offset) == ([], offset)
        stream.write(b'ep":2}\n')
    second, offset = tail_events(tmp_path, offset)
    assert [event["step"] for event in second] == [2]
    assert tail_events(tmp_path, offset) == ([], offset)


def test_a_line_torn_by_a_dying_writer_costs_that_line_alone(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_bytes(b'{"v":1,"t":0,"ev":"log","step":1}\n{"v":1,"t":0,"ev":"lo')
    log = EventLog(tmp_path)
    log.emit("log", step=3)
    assert [event["step"] for event in tail_events(tmp_path)[0]] == [1, 3]


def test_lines_of_two_writers_never_mix(tmp_path: Path) -> None:
    one, other = EventLog(tmp_path), EventLog(tmp_path)
    for step in range(200):
        one.emit("log", step=step, words="x" * (step % 50))
        other.emit("mem", step=step)
    events, _ = tail_events(tmp_path)
    assert [event["step"] for event in events if event["ev"] == "log"] == list(range(200))
    assert [event["step"] for event in events if event["ev"] == "mem"] == list(range(200))


def test_a_full_disk_loses_events_and_says_how_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = EventLog(tmp_path)
    log.emit("log", step=1)
    really = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, content: really(descriptor, content[:10]))
    log.emit("log", step=2)

    def refuse(_descriptor: int, _content: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", refuse)
    log.emit("log", step=3)
    monkeypatch.setattr(os, "write", really)
    log.emit("log", step=4)
    events, _ = tail_events(tmp_path)
    assert [(event["ev"], event.get("step")) for event in events] == [("log", 1), ("alert", None), ("log", 4)]
    assert events[1]["detail"] == "2 events found no room"


def test_numbers_json_has_no_word_for_become_strings(tmp_path: Path) -> None:
    EventLog(tmp_path).emit("log", loss=float("nan"), deep=[float("-inf"), {"x": float("inf")}], path=Path("/x"))
    line = (tmp_path / "events.jsonl").read_text()
    event = json.loads(line, parse_constant=lambda name: pytest.fail(f"bare {name}"))
    assert (event["loss"], event["deep"], event["path"]) == ("nan", ["-inf", {"x": "inf"}], "/x")
    assert plain(True) is True


def test_whole_files_or_none(tmp_path: Path) -> None:
    write_json(tmp_path / "status.json", {"step": 1})
    assert read_json(tmp_path / "status.json") == {"step": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["status.json"]
    (tmp_path / "half.json").write_text('{"step": ')
    assert read_json(tmp_path / "half.json") is None


def test_a_folder_without_runs_has_none_and_what_is_no_run_says_so(tmp_path: Path) -> None:
    assert list_runs(tmp_path / "nowhere") == ()
    (tmp_path / "notes").mkdir()
    (tmp_path / "file.txt").write_text("x")
    assert list_runs(tmp_path) == ()
    with pytest.raises(TrainingError, match="is not a run"):
        read_run(tmp_path / "notes")
    assert tail_events(tmp_path / "notes") == ([], 0)
