"""A whole comparison on real runs: the built-in model from nothing, and an interruption."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from small_runs import field_text, rows

from engine.model import TrainingRow
from engine.training.compare import compare
from engine.training.runs import list_runs, read_run, tail_events

GOOD, HELDOUT = rows(72), rows(30, 100)


def wrong_answers(good: tuple[TrainingRow, ...]) -> tuple[TrainingRow, ...]:
    """The same questions, every answer taken from another row."""
    answers = [row.messages[-1] for row in good]
    random.Random(1).shuffle(answers)
    return tuple(TrainingRow(row.id, (row.messages[0], answer)) for row, answer in zip(good, answers, strict=True))


def test_clean_rows_beat_wrong_ones_on_the_built_in_model(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(field_text())
    told: list[tuple[str, int, int]] = []
    found = compare(
        {"raw": wrong_answers(GOOD), "curated": GOOD},
        HELDOUT,
        runs_dir=tmp_path / "runs",
        steps=50,
        seeds=2,
        workers=2,
        settings={"pretrain_text": str(tmp_path / "text.txt")},
        progress=lambda phase, done, of: told.append((phase, done, of)),
    )
    raw, curated = found["arms"]
    assert (raw["name"], curated["name"]) == ("raw", "curated")
    assert raw["steps"] == curated["steps"] == 50
    assert raw["rows"] == curated["rows"] == 72
    assert curated["nll"] < raw["nll"]
    assert curated["exact_match"] >= raw["exact_match"]
    assert found["verdict"] == "better"
    assert "2 seeds" in found["reason"]
    assert "99 % interval" in found["reason"]
    assert found["base_nll"] > curated["nll"]
    (against,) = found["against"]
    assert against["interval"][0] <= against["difference"] <= against["interval"][1] < 0
    assert {run.id for run in list_runs(tmp_path / "runs")} == {*raw["runs"], *curated["runs"]}
    assert told[0][0] == "load"
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)
    assert told[-1][1:] == (200, 200)
    for run_id in curated["runs"]:
        state = read_run(tmp_path / "runs" / run_id)
        evaluated = [event for event in tail_events(state.dir)[0] if event["ev"] == "eval"]
        assert evaluated[-1]["nll"] == state.result["nll"]  # every figure goes back to an event line
    assert curated["nll"] == pytest.approx(
        sum(read_run(tmp_path / "runs" / run_id).result["nll"] for run_id in curated["runs"]) / 2
    )


def test_an_interruption_ends_every_run_and_leaves_none_behind(tiny_model: Path, tmp_path: Path) -> None:
    def interrupt(_phase: str, _done: int, _of: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compare(
            {"raw": wrong_answers(GOOD), "curated": GOOD},
            HELDOUT,
            runs_dir=tmp_path,
            model=str(tiny_model),
            seeds=1,
            workers=2,
            progress=interrupt,
        )
    assert [run.state for run in list_runs(tmp_path)] == ["stopped", "stopped"]
