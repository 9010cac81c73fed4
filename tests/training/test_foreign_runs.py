"""A run's folder that came from somebody else: it is read, and nothing that it names is executed before a yes."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small_runs import rows

from engine.errors import TrainingError
from engine.training.compare.reuse import can_go_on, file_hash
from engine.training.compare.store import read_comparison, read_result
from engine.training.eval.inference import Answering
from engine.training.runs.launch import Job, choose_spec, lay_out, start_supervisor
from engine.training.runs.registry import registry_file
from engine.training.runs.resume import resume
from engine.training.runs.status import is_alive, read_run, stop
from engine.training.runs.trusted import check_run, forget_compiled, is_run_trusted, trust_run, waiting_runs
from engine.training.worker.checkpoints import seal

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A stopped run of this install, with a model and a checkpoint of step 3."""
    run = lay_out(Job(choose_spec(name="own", rows=4), rows(4), rows(2, 100)), tmp_path / "runs")
    (run / "result.json").write_text(json.dumps({"outcome": "stopped", "step": 3}))
    (run / "model").mkdir()
    checkpoint = run / "ckpt" / "checkpoint-3"
    checkpoint.mkdir(parents=True)
    (checkpoint / "trainer_state.json").write_text('{"global_step": 3, "max_steps": 9}')
    seal(checkpoint, learnt_tokens=1)
    return run


def change_spec(run: Path, change: Callable[[dict[str, Any]], object], name: str = "spec.json") -> None:
    content = json.loads((run / "spec.json").read_text())
    change(content)
    (run / name).write_text(json.dumps(content))


def foreign(own: Path, tmp_path: Path) -> tuple[Path, Path]:
    """(a copy of the run whose every word to execute leaves a mark, the mark)."""
    copy, mark = tmp_path / "copied", tmp_path / "executed"
    shutil.copytree(own, copy)
    change_spec(copy, lambda spec: spec.update(command=["/bin/sh", "-c", f"touch {mark}; exec sleep 0"]))
    change_spec(copy, lambda spec: spec["values"].update(on_end={"value": f"touch {mark}"}))
    with (copy / "worker" / "main.py").open("a") as module:
        module.write(f"\nopen({str(mark)!r}, 'w')\n")
    return copy, mark


def test_a_copied_run_is_neither_asked_nor_taken_up_before_a_yes(own: Path, tmp_path: Path) -> None:
    copy, mark = foreign(own, tmp_path)
    starts: list[Callable[[], object]] = [
        lambda: Answering(copy),
        lambda: resume(copy),
        lambda: start_supervisor([copy]),
    ]
    for start in starts:
        with pytest.raises(TrainingError) as refused:
            start()
        assert f"touch {mark}; exec sleep 0" in str(refused.value)
        assert str(refused.value).endswith(f"tamis trust {copy}")
    (waiting,) = waiting_runs(copy)
    assert waiting.place == copy
    assert f"touch {mark}" in waiting.what
    assert f"touch {mark}" in waiting.shown
    assert waiting.shown.endswith("unlike those of this tamis: main.py)")
    assert not mark.exists()
    trust_run(copy)
    assert waiting_runs(copy) == ()
    with Answering(copy) as answering, pytest.raises(TrainingError, match="process is gone"):
        answering.wait_ready()
    assert mark.exists()  # what was said yes to is what was meant


@pytest.mark.parametrize("words", [("try", "--prompt", "hi"), ("resume",), ("try", "--json")])
def test_the_commands_end_with_one_line_that_says_what_and_where(
    own: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    copy, mark = foreign(own, tmp_path)
    done = subprocess.run(
        [sys.executable, "-P", "-m", "workbench.cli.main", words[0], str(copy), *words[1:]],
        capture_output=True, text=True, timeout=90, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "/bin/sh -c" in done.stderr
    assert f"tamis trust {copy}" in done.stderr
    assert not mark.exists()


def test_a_copied_run_can_be_read(own: Path, tmp_path: Path) -> None:
    copy, mark = foreign(own, tmp_path)
    assert read_run(copy).state == "stopped"
    assert not can_go_on(read_run(copy))  # a comparison starts one anew instead of taking this one up
    assert can_go_on(read_run(own))
    with pytest.raises(TrainingError, match="is not running"):
        stop(copy)
    assert not mark.exists()


CHANGES: dict[str, Callable[[Path], object]] = {
    "another interpreter": lambda run: change_spec(run, lambda spec: spec.update(command=["/tmp/python"])),
    "a command at its end": lambda run: change_spec(run, lambda spec: spec["values"].update(on_end={"value": "id"})),
    "a model's own code": lambda run: change_spec(
        run, lambda spec: spec["sft"].update(trust_remote_code={"value": True})
    ),
    "a push to somewhere": lambda run: change_spec(run, lambda spec: spec["sft"].update(push_to_hub={"value": True})),
    "another model": lambda run: change_spec(run, lambda spec: spec["values"].update(model={"value": "/tmp/m"})),
    "a spec of a later attempt": lambda run: change_spec(run, lambda spec: spec.update(command=["x"]), "spec.7.json"),
    "a line in the worker": lambda run: (run / "worker" / "rows.py").open("a").write("\n"),
    "a file in the worker": lambda run: (run / "worker" / "torch.py").write_text(""),
    "a binary in the worker": lambda run: (run / "worker" / "rows.so").write_bytes(b"\x7fELF"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_run_of_this_install_waits_again_where_it_was_changed(own: Path, change: str) -> None:
    check_run(own)
    CHANGES[change](own)
    assert not is_run_trusted(own)
    with pytest.raises(TrainingError, match="was changed since"):
        resume(own)


def test_what_an_attempt_changes_needs_no_new_yes(own: Path) -> None:
    def fewer_at_once(spec: dict[str, Any]) -> None:
        spec["values"]["micro_batch"] = {"value": 1, "reason": "did not fit"}
        spec["sft"]["activation_checkpointing"] = {"value": True, "reason": "did not fit"}
        spec |= {"from_step": 3, "spent_seconds": 1.5}

    change_spec(own, fewer_at_once, "spec.2.json")
    (own / "worker" / "__pycache__").mkdir()
    assert is_run_trusted(own)


def test_a_yes_does_not_move_to_another_place(own: Path, tmp_path: Path) -> None:
    shutil.copytree(own, tmp_path / "elsewhere")
    assert is_run_trusted(own)
    assert not is_run_trusted(tmp_path / "elsewhere")


def test_runs_that_an_earlier_version_started_here_need_no_yes(own: Path, tmp_path: Path) -> None:
    copy = tmp_path / "earlier"
    shutil.copytree(own, copy)
    registry_file().parent.mkdir(parents=True, exist_ok=True)
    registry_file().write_text(json.dumps({"dir": str(copy), "host": "here", "t": 1.0}) + "\n[]\n")
    assert is_run_trusted(copy)
    assert not is_run_trusted(tmp_path / "other")


def test_what_python_compiled_of_another_worker_is_not_executed(own: Path, tmp_path: Path) -> None:
    cache = own / "worker" / "__pycache__"
    cache.mkdir()
    (cache / "serve.cpython-311.pyc").write_bytes(b"of somebody else")
    forget_compiled(own)
    assert not cache.exists()
    (tmp_path / "outside").mkdir()
    (own / "worker" / "pieces").symlink_to(tmp_path / "outside")  # would be imported from, and not be looked at
    with pytest.raises(TrainingError, match="is a link"):
        check_run(own)


EVIL = ("optimizer.pt", "scheduler.pt", "rng_state.pth", "scaler.pt", "training_args.bin", "pytorch_model.bin",
        "adapter_model.bin", "default/adapter_model.bin")  # fmt: skip


@pytest.mark.parametrize("name", EVIL)
def test_a_pickle_in_a_checkpoint_is_named_and_not_read(own: Path, name: str) -> None:
    checkpoint = own / "ckpt" / "checkpoint-3"
    (checkpoint / name).parent.mkdir(exist_ok=True)
    (checkpoint / name).write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    with pytest.raises(TrainingError, match=f"{name}: reading a pickle may execute anything") as refused:
        resume(own)
    assert "\n" not in str(refused.value)
    assert not is_alive(own)


@pytest.mark.parametrize("name", ["../elsewhere", "/tmp", "..", ""])
def test_a_comparison_names_runs_beside_it_and_no_other_folder(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "runs" / "20260101T000000Z-compare"
    folder.mkdir(parents=True)
    content = {"model": "m", "steps": 1, "seeds": 1, "arms": [], "heldout": {}, "slices": {}, "estimate": {}}
    trial = {"arm": "raw", "seed": 0, "run": name}
    (folder / "comparison.json").write_text(json.dumps({**content, "trials": [trial]}))
    with pytest.raises(TrainingError, match="is not a comparison"):
        read_comparison(folder)
    (folder / "result.json").write_text(json.dumps({"arms": [{"name": "raw", "runs": [name]}]}))
    assert read_result(folder) is None  # a page would show what is said there


def test_stopping_writes_nothing_elsewhere(own: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (own / "control").rmdir()
    (own / "control").symlink_to(outside)
    with (own / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(TrainingError, match="is a link to"):
            stop(own)
    assert list(outside.iterdir()) == []


def test_pipes_and_devices_under_the_names_of_a_run_are_not_waited_for(own: Path, tmp_path: Path) -> None:
    began = time.monotonic()
    os.mkfifo(own / "lock")
    os.mkfifo(tmp_path / "text")
    assert not is_alive(own)
    assert file_hash(tmp_path / "text") == ""  # `pretrain_text` of a spec names what it likes
    assert file_hash(Path("/dev/zero")) == ""
    assert time.monotonic() - began < 5


def test_what_a_later_attempt_would_execute_is_named(own: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copied"
    shutil.copytree(own, copy)
    change_spec(copy, lambda spec: spec.update(command=["/bin/evil"]), "spec.2.json")
    (copy / "worker" / "run.py").write_text("import os\n")
    (copy / "worker" / "torch.py").write_text("import os\n")
    with pytest.raises(TrainingError, match=r"/bin/evil.*2 of them unlike those of this tamis: run.py, torch.py"):
        check_run(copy)
    (waiting,) = waiting_runs(copy)
    assert "/bin/evil" in waiting.what


@pytest.mark.parametrize("content", [b"", b"{}x", b"[1]", b"\xff"])
def test_a_spec_that_cannot_be_read_is_never_taken_for_an_empty_one(own: Path, content: bytes) -> None:
    (own / "spec.2.json").write_bytes(content)
    with pytest.raises(TrainingError, match=r"spec.2.json: cannot be read"):
        check_run(own)
    assert waiting_runs(own) == ()


@pytest.mark.parametrize(
    "name", ["events.jsonl", "console.log", "control/stop", "model/config.json", "data/train.jsonl"]
)
def test_a_pipe_in_a_run_is_refused_before_anybody_waits_for_it(own: Path, name: str) -> None:
    (own / name).unlink(missing_ok=True)
    os.mkfifo(own / name)
    for ask in (read_run, check_run):
        with pytest.raises(TrainingError, match="is a pipe"):
            ask(own)
