"""What a run says of rows, brought back to them: reasons, neighbours, an order, and what settles a suspicion."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.errors import TrainingError, UsageError
from engine.model import Act, Findings, Flag
from engine.project.create import create_project
from engine.project.project import Project, open_project
from engine.project.suspects import load_suspects, rank_of
from engine.review.order import ORDERS
from engine.select import select
from engine.training.runs.status import is_alive, stop
from engine.trust import remember_made
from engine.workflows.rescore import latest_run, point_back, start_rescore, untouched

RUN = "20260101T000000Z-planted"


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """Rows 0-9 ask for one thing each; 10 asks as row 0 does and answers otherwise; 11 asks and answers as row 1."""
    rows = [
        {
            "instruction": "Sort it.",
            "input": f"My device number {number} makes a noise {'at night ' * number}",
            "output": f"{number}",
        }
        for number in range(10)
    ]
    rows += [{**rows[0], "output": "wrong"}, {**rows[1], "input": rows[1]["input"] + "!"}]
    source = tmp_path / "raw.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with open_project(create_project(source, tmp_path / "raw.tamis"), reviewer="ann") as project:
        project.decide([Act("accept", tuple(project.rows.id(number) for number in range(8)))])
        make_run(project)
        yield project


def line(project: Project, row: int, name: str, step: int, loss: float) -> dict[str, Any]:
    return {"step": step, "set": name, "id": project.rows.id(row), "nll": loss * 4, "tokens": 4, "peak": loss * 2}


def make_run(project: Project) -> Path:
    """Rows 0 to 7 were trained on: 2 learnt nothing, 3 got worse, 4 was forgotten. 10 surprises most, then 11."""
    course = dict.fromkeys(range(8), (4.0, 1.0, 0.5, 0.2))
    course |= {2: (4.0, 3.9, 3.9, 3.9), 3: (1.0, 1.2, 1.4, 1.6), 4: (4.0, 0.2, 0.3, 2.0)}
    lines = [
        line(project, row, "train", 10 * at, loss) for row, losses in course.items() for at, loss in enumerate(losses)
    ]
    lines += [line(project, row, "others", 30, loss) for row, loss in ((8, 0.1), (9, 0.2), (10, 5.0), (11, 1.0))]
    run = project.folder / "runs" / RUN
    run.mkdir(parents=True)
    values = {"model": {"value": "built-in"}, "steps": {"value": 30}}
    (run / "spec.json").write_text(json.dumps({"v": 1, "name": "planted", "group": "", "values": values}))
    (run / "result.json").write_text(json.dumps({"outcome": "finished", "step": 30}))
    (run / "rows.jsonl").write_text("".join(json.dumps(each) + "\n" for each in lines))
    held = [{"step": 30, "id": f"h{n}", "nll": 0.1 * n, "tokens": 4, "peak": 0.1 * n} for n in range(30)]
    (run / "eval.jsonl").write_text("".join(json.dumps(each) + "\n" for each in held))
    (run / "batch.jsonl").write_text(json.dumps({"step": 7, "rows": [project.rows.id(5), project.rows.id(6)]}) + "\n")
    return run


def test_each_kind_comes_back_as_a_flag_with_rank_reason_and_neighbours(project: Project) -> None:
    point_back(project, latest_run(project))
    found = {(flag.signal, row) for row in range(12) for flag in project.flags_of(row)}
    assert found == {("learnt_nothing", 2), ("got_worse", 3), ("forgotten", 4), ("surprising", 10), ("surprising", 11)}
    assert select(project, "flag:surprising") == [10, 11]
    assert select(project, "is:suspect") == [2, 3, 4, 10, 11]
    (against,) = project.flags_of(10)
    assert against.reason.startswith(
        "row 0 (accepted) asks the same and answers otherwise; loss 5 a token, 10 at its worst"
    )
    assert "(rank 1 of 4)" in against.reason
    (beside,) = project.flags_of(11)
    assert beside.reason.endswith("(rank 2 of 4); row 1 (accepted) asks the same and answers the same")
    assert against.severity == "check"


def test_the_order_is_that_of_surprise_and_nothing_is_decided(project: Project) -> None:
    before = project.counts()
    suspects = point_back(project, latest_run(project))
    assert project.counts() == before
    assert ORDERS["surprise"](project, range(12))[:4] == [10, 11, 9, 8]
    ranks = rank_of(suspects)
    assert sorted(ranks, key=lambda name: ranks[name]) == [project.rows.id(row) for row in (2, 3, 4, 10, 11)]


def test_a_verdict_settles_a_suspicion_and_the_reason_stays(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    point_back(project, latest_run(project))
    monkeypatch.setattr("engine.project.journal.now", lambda: "2099-01-01T00:00:00Z")
    project.decide([Act("accept", (project.rows.id(2),)), Act("reject", (project.rows.id(10),))])
    assert select(project, "is:suspect") == [3, 4, 11]
    assert [flag.signal for flag in project.flags_of(2)] == ["learnt_nothing"]
    project.undo()
    assert select(project, "is:suspect") == [2, 3, 4, 10, 11]


def test_what_a_scan_proposes_to_do_stands_before_it(project: Project) -> None:
    flags = (Flag(10, "refusal", "drop", "refuses"), Flag(10, "vague", "info", "vague"))
    point_back(project, latest_run(project))
    project.save_findings(Findings((), flags, ("clean",) * 12, {}))
    assert [flag.signal for flag in project.flags_of(10)] == ["refusal", "surprising", "vague"]


def test_the_rows_of_a_step_are_a_selector(project: Project) -> None:
    assert select(project, f"batch:{RUN}/7") == [5, 6]
    assert select(project, f"batch:{RUN}/8") == []
    for text, words in ((f"batch:{RUN}", "no step of a run"), ("batch:nothing/7", "has no run nothing")):
        with pytest.raises(UsageError, match=words):
            select(project, text)


def test_a_damaged_file_is_no_suspicion(project: Project) -> None:
    point_back(project, latest_run(project))
    (project.folder / "suspects.json").write_text('{"v": 1, "rows": [{"id"')
    project.reload_findings()
    assert select(project, "is:suspect") == []
    assert load_suspects(project.folder).run == ""


def test_without_a_run_that_measured_rows_it_says_so(project: Project) -> None:
    (project.folder / "runs" / RUN / "rows.jsonl").unlink()
    with pytest.raises(TrainingError, match="no run of this project has measured its rows"):
        latest_run(project)
    with pytest.raises(TrainingError, match="measured no single rows"):
        point_back(project, project.folder / "runs" / RUN)


def test_the_untouched_rows_are_undecided_and_not_held_out(project: Project) -> None:
    assert [row.id for row in untouched(project)] == [project.rows.id(row) for row in (8, 9, 10, 11)]
    project.decide([Act("holdout", (project.rows.id(8),)), Act("reject", (project.rows.id(9),))])
    assert [row.id for row in untouched(project)] == [project.rows.id(row) for row in (10, 11)]
    project.decide([Act("accept", (project.rows.id(10), project.rows.id(11)))])
    with pytest.raises(UsageError, match="no row is undecided"):
        start_rescore(project)


@pytest.mark.parametrize("way", ["cancelled", "its window is gone"])
def test_a_job_that_is_cancelled_stops_its_run_and_one_whose_window_is_gone_leaves_it(
    project: Project, tmp_path: Path, way: str
) -> None:
    """The worker is a stand-in that never ends by itself; the supervisor and its stop are real."""
    stand_in = tmp_path / "sleeper.py"
    stand_in.write_text("import sys, time, pathlib\nrun = pathlib.Path(sys.argv[-1])\n"
                        "while not (run / 'control' / 'stop').exists(): time.sleep(0.05)\n")  # fmt: skip
    remember_made(project.folder)
    (project.folder / "config.toml").write_text(f"[training]\ncommand = '{sys.executable} {stand_in}'\n")
    words = [sys.executable, "-P", "-m", "engine.jobs.suspects", str(project.folder), "rescore"]
    job = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert job.stdout is not None
    assert job.stdin is not None
    job.stdout.readline()  # the run has been started, and is being followed
    (run,) = (path.parent for path in (project.folder / "runs").glob("*-rescore/spec.json"))
    if way == "cancelled":
        os.kill(job.pid, signal.SIGTERM)
    else:
        job.stdin.close()
    assert job.wait(30) == 3
    assert (run / "control" / "stop").exists() is (way == "cancelled")
    if way != "cancelled":
        assert is_alive(run)
        stop(run)
    deadline = time.monotonic() + 60
    while not (run / "result.json").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert (run / "result.json").exists()
    assert not (project.folder / "suspects.json").exists()
