"""The smallest inputs that once ended in a fault: files of a run, of a pick, of the slices, places without a name."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from projects import make_project, numbered

from engine.errors import TrainingError, UsageError
from engine.model import Quarantined
from engine.paths import project_folder_for
from engine.project.project import open_project
from engine.sources.records.formats import source_format
from engine.sources.records.read import read_source
from engine.training.compare.store import list_comparisons, read_result
from engine.training.eval.heldout_outputs import recorded_answers
from engine.training.eval.row_losses import suspects_of
from engine.training.runs.live import LiveRun
from engine.training.runs.status import left_out, list_runs, parsed, read_run
from workbench.actions import pick, slices
from workbench.cli.main import main
from workbench.state.session import Session

GOOD = {"v": 1, "name": "x", "values": {"model": {"value": "built-in"}, "steps": {"value": 3}}}


def run_with(folder: Path, name: str, content: str) -> Path:
    run = folder / "runs" / "20260101T000000Z-x"
    run.mkdir(parents=True, exist_ok=True)
    (run / "spec.json").write_text(json.dumps(GOOD))
    (run / name).write_text(content)
    return run


@pytest.mark.parametrize(
    "spec", ["{}", '{"name":1,"values":{}}', '{"name":"x","values":{"model":{"value":5}}}', "[" * 9999]
)
def test_a_damaged_spec_is_no_run_and_costs_no_other(spec: str, tmp_path: Path) -> None:
    run = run_with(tmp_path, "spec.json", spec)
    sound = run.parent / "20260102T000000Z-y"
    sound.mkdir()
    (sound / "spec.json").write_text(json.dumps(GOOD))
    with pytest.raises(TrainingError, match="is not a run"):
        read_run(run)
    assert [state.id for state in list_runs(run.parent)] == [sound.name]
    (words,) = left_out(run.parent)
    assert words.startswith(f"{run}: its spec.json cannot be read")


@pytest.mark.parametrize(
    ("name", "content"),
    [("status.json", '{"t":"x","step":[1]}'),
     ("result.json", '{"outcome":["x"],"step":"y","nll":{}}'),
     ("end.1.json", '{"outcome":5}'),
     ("events.jsonl", '{"v":1,"t":1.0,"ev":"log","step":99999999999999999999,"loss":1..2}\n'),
     ("events.jsonl", '{"ev":["log"],"t":1}\n{"ev":"log","t":1e999,"step":1}\n'),
     ("events.jsonl", '{"ev":"eval","t":1,"step":"x","nll":1}\n')],
)  # fmt: skip
def test_values_of_another_kind_are_as_if_they_were_not_there(name: str, content: str, tmp_path: Path) -> None:
    live = LiveRun(run_with(tmp_path, name, content))
    live.read()
    assert (live.state.state, live.state.step, live.loss, live.heldout) == ("lost", 0, [], [])


def test_lines_of_measurements_of_another_kind_are_passed_over(tmp_path: Path) -> None:
    run = run_with(tmp_path, "eval.jsonl", '{"id":"a","step":"x","answer":1}\n{"id":"a","step":1,"answer":"b"}\n')
    (run / "rows.jsonl").write_text('{"set":"train","id":"a","nll":1,"tokens":2}\n{"set":"train","id":[],"step":0}\n')
    assert recorded_answers(run) == {"a": "b"}
    assert suspects_of(run) == []
    assert parsed(b"[" * 9999) is None


def test_a_damaged_comparison_costs_no_other(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "20260101T000000Z-compare"
    folder.mkdir(parents=True)
    (folder / "comparison.json").write_text('{"model":"x","arms":[["raw"]],"trials":[{"run":"../.."}]}')
    (folder / "result.json").write_text('{"arms":[],"verdict":["x"]}')
    assert list_comparisons(folder.parent) == ()
    assert read_result(folder) is None


def test_a_damaged_pick_and_damaged_slices_are_told(tmp_path: Path) -> None:
    folder = make_project(tmp_path, numbered(3))
    (folder / "pick.json").write_text('{"rows":[{"row":9,"topic":0,"reason":"x"}],"topics":[{"words":5}],"coverage":1}')
    (folder / "slices.json").write_text('{"slices":1e999,"words":["x"],"undated":{}}')
    with open_project(folder, reviewer="ann") as project:
        session = Session(project)
        with pytest.raises(UsageError, match=r"pick\.json is damaged"):
            pick.take_pick(session)
        with pytest.raises(UsageError, match=r"slices\.json is damaged"):
            slices.take_slices(session)


def test_a_place_without_a_name_is_no_fault(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert project_folder_for(Path(".")) == tmp_path.parent / f"{tmp_path.name}.tamis"
    assert main(["status", "/"]) == 2
    assert "a fault" not in capsys.readouterr().err


def test_brackets_that_only_open_are_one_fault_and_not_one_a_level(tmp_path: Path) -> None:
    path = tmp_path / "raw.json"
    path.write_bytes(b'[{"":' * 50_000)
    (piece,) = read_source(path, source_format(path))
    assert isinstance(piece, Quarantined)


def shell(words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = f"{sys.executable} -m workbench.cli.main status {folder} --json {words}"
    return subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)


def test_output_that_is_lost_is_never_a_silent_zero(tmp_path: Path) -> None:
    folder = make_project(tmp_path, numbered(2))
    for words in (">/dev/full", ">&-", "<&- >&-"):
        done = shell(words, folder)
        assert (done.returncode, done.stderr.count("\n"), "Exception ignored" in done.stderr) == (2, 1, False)
    assert shell("<&-", folder).returncode == 0


def test_a_locale_without_utf8_reads_and_prints_any_name(tmp_path: Path) -> None:
    (tmp_path / "d\u00e9").mkdir()
    folder = make_project(tmp_path / "d\u00e9", numbered(2))
    environment = {
        "LC_ALL": "C",
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
        "HOME": str(tmp_path),
        "TAMIS_REVIEWER": "a",
    }
    words = [
        sys.executable,
        "-m",
        "workbench.cli.main",
        "export",
        folder,
        "--to",
        tmp_path / "\u4e2d",
        "--include",
        "undecided",
    ]
    done = subprocess.run(words, env=environment, cwd=Path(__file__).parents[1], capture_output=True, check=False)
    assert (done.returncode, (tmp_path / "\u4e2d" / "train.jsonl").exists()) == (0, True), done.stderr
