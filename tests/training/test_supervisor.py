"""The supervisor on real processes, with a worker that does nothing but end in the ways a worker can end."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from small_runs import ended, events, rows, wait_until

from engine.errors import TrainingError
from engine.training.runs.launch import Job, Run, RunSpec, choose_spec, launch, launch_queue, start_supervisor
from engine.training.runs.registry import all_runs, find_run, registry_file
from engine.training.runs.status import is_alive, list_runs, read_run, stop

STAND_IN = Path(__file__).with_name("stand_in.py")


def spec(name: str, **settings: object) -> RunSpec:
    command = (sys.executable, str(STAND_IN))
    return choose_spec(
        name=name, rows=8, model="a/model", settings={"command": command, "batch": 16, "micro_batch": 8, **settings}
    )


def start(runs_dir: Path, *names: str) -> tuple[Run, ...]:
    return launch_queue([Job(spec(name), rows(8), rows(2, 50)) for name in names], runs_dir)


def process_ids(run: Run) -> list[int]:
    return [int(path.read_text()) for path in sorted(run.dir.glob("ran.*"))]


def test_a_run_is_finished_and_its_lock_is_free(tmp_path: Path) -> None:
    (run,) = start(tmp_path, "finish")
    state = ended(run)
    assert (state.state, state.step, state.alive) == ("finished", 7, False)
    assert [event["ev"] for event in events(run)] == ["spawn", "exit"]
    supervisor = json.loads((run.dir / "supervisor.json").read_text())
    assert supervisor["pid"] == run.pid
    assert supervisor.keys() >= {"starttime", "hostname", "boot_id"}
    assert (run.dir.stat().st_mode & 0o777) == 0o700


def test_out_of_memory_halves_down_to_one_row_then_recomputes_and_then_asks(tmp_path: Path) -> None:
    (run,) = start(tmp_path, "oom")
    state = ended(run)
    assert state.state == "oom"
    spawned = [(event["attempt"], event["micro_batch"], event["accum"]) for event in events(run, "spawn")]
    assert spawned == [(1, 8, 2), (2, 4, 4), (3, 2, 8), (4, 1, 16), (5, 1, 16)]
    assert [event["micro_batch"] for event in events(run, "retry")] == [4, 2, 1, 1]
    assert [event["checkpointing"] for event in events(run, "retry")] == [False, False, False, True]
    assert len(set(process_ids(run))) == 5
    assert "max_length" in state.error  # what a person could do is said
    assert "r7" in state.error  # and which rows are the longest
    assert json.loads((run.dir / "spec.json").read_text())["values"]["micro_batch"]["value"] == 8
    assert "did not fit" in json.loads((run.dir / "spec.4.json").read_text())["values"]["micro_batch"]["reason"]


def test_memory_that_somebody_else_holds_is_named_and_changes_nothing_of_this_run(tmp_path: Path) -> None:
    (run,) = start(tmp_path, "crowded")
    state = ended(run)
    assert state.state == "oom"
    assert events(run, "retry") == []
    assert "train (pid 4242)" in state.error
    assert "resume" in state.error


def test_a_queue_shares_one_worker_and_a_fresh_one_takes_the_rest_when_it_dies(tmp_path: Path) -> None:
    first, second, third, fourth, fifth = start(tmp_path, "finish", "die", "finish", "mute", "finish")
    states = [ended(run) for run in (first, second, third, fourth, fifth)]
    assert [state.state for state in states] == ["finished", "killed", "finished", "crashed", "finished"]
    workers = [process_ids(run) for run in (first, second, third, fourth, fifth)]
    assert workers[0] == workers[1] != workers[2] == workers[3] != workers[4]
    assert "SIGKILL" in states[1].error
    assert "exit code 9" in states[3].error


def test_two_starts_at_once_make_two_runs_and_one_folder_is_never_served_twice(tmp_path: Path) -> None:
    (one,), (other,) = start(tmp_path, "sleep"), start(tmp_path, "sleep")
    assert one.dir != other.dir
    before = sorted(one.dir.iterdir())
    with pytest.raises(TrainingError, match="being served already"):
        start_supervisor([one.dir])
    assert sorted(one.dir.iterdir()) == before
    for run in (one, other):
        os.kill(run.pid, signal.SIGTERM)
        assert ended(run).state == "stopped"


def test_a_signal_stops_the_whole_queue_and_what_had_not_begun_never_begins(tmp_path: Path) -> None:
    first, second = start(tmp_path, "deaf", "finish")
    wait_until(lambda: process_ids(first))
    os.kill(first.pid, signal.SIGHUP)  # a closed terminal means nothing
    os.kill(first.pid, signal.SIGTERM)
    wait_until(lambda: events(first, "stop_requested"))
    os.kill(first.pid, signal.SIGTERM)  # asked again: firm
    assert [ended(run).state for run in (first, second)] == ["stopped", "stopped"]
    assert process_ids(second) == []


def test_a_second_stop_ends_a_worker_that_hears_nothing(tmp_path: Path) -> None:
    deaf, after = start(tmp_path, "deaf", "finish")
    wait_until(lambda: process_ids(deaf))
    assert [stop(deaf.dir), stop(deaf.dir)] == ["checkpoint", "now"]
    assert ended(deaf).state == "stopped"
    assert ended(after).state == "finished"
    with pytest.raises(TrainingError, match="not running"):
        stop(deaf.dir)


def test_a_queued_run_that_is_asked_to_stop_never_begins(tmp_path: Path) -> None:
    busy, dying, queued = start(tmp_path, "sleep", "die", "finish")
    stop(queued.dir)
    wait_until(lambda: process_ids(busy))
    stop(busy.dir)
    stop(busy.dir)
    assert [ended(run).state for run in (busy, dying, queued)] == ["stopped", "killed", "stopped"]
    assert process_ids(queued) == []


def test_the_run_outlives_the_process_that_launched_it(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from test_supervisor import start\n"
        "print(start(Path(sys.argv[1]), 'sleep')[0].dir)"
    )
    path = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], env=path, capture_output=True, text=True, check=True
    )
    folder = Path(done.stdout.strip())
    wait_until(lambda: list(folder.glob("ran.*")))
    (state,) = list_runs(tmp_path)
    assert (state.dir, state.alive, state.state) == (folder, True, "queued")
    supervisor = json.loads((folder / "supervisor.json").read_text())["pid"]
    assert os.getsid(supervisor) != os.getsid(0)
    os.kill(supervisor, signal.SIGINT)
    wait_until(lambda: read_run(folder).state == "stopped")


def test_a_run_whose_processes_were_all_killed_is_lost_and_not_running(tmp_path: Path) -> None:
    (run,) = start(tmp_path, "deaf")
    (worker,) = wait_until(lambda: process_ids(run))
    os.kill(run.pid, signal.SIGKILL)
    assert is_alive(run.dir)  # its worker still holds the lock: nobody may call this run dead
    os.kill(worker, signal.SIGKILL)
    state = ended(run)
    assert (state.state, state.alive) == ("lost", False)
    assert "without a word" in state.error


def test_every_run_of_the_user_is_found_wherever_its_folder_is(tmp_path: Path) -> None:
    (one,), (other,) = start(tmp_path / "here", "finish"), start(tmp_path / "there", "mute")
    ended(one)
    ended(other)
    assert [state.dir for state in all_runs()] == [other.dir, one.dir]
    assert find_run(Path(one.id)) == one.dir
    assert find_run(other.dir) == other.dir
    with pytest.raises(TrainingError, match="no run is called"):
        find_run(Path("nothing"))
    with registry_file().open("a") as stream:
        stream.write("torn {\n[1]\n")
    shutil.rmtree(other.dir)
    assert [state.dir for state in all_runs()] == [one.dir]


def test_what_cannot_start_is_refused_in_one_line_or_told_by_the_run(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="is not there"):
        launch(spec("finish", command=("/no/such/python",)), rows(8), rows(2, 50), tmp_path)
    with pytest.raises(TrainingError, match="no rows to train on"):
        launch(spec("finish"), (), rows(2, 50), tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(TrainingError, match="cannot make a run"):
        launch(spec("finish"), rows(8), (), tmp_path / "file")
    assert list_runs(tmp_path) == ()
    script = tmp_path / "python"
    script.write_text("no interpreter line")
    script.chmod(0o755)
    run = launch(spec("finish", command=(str(script),)), rows(8), rows(2, 50), tmp_path / "runs")
    state = ended(run)
    assert state.state == "crashed"
    assert "cannot be started" in state.error
