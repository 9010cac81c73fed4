"""A whole comparison on real runs: the built-in model from nothing, and an interruption."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from jq_lines import documented, traced
from small_runs import field_text, rows

from engine.errors import TrainingError
from engine.model import TrainingRow
from engine.training.compare.experiment import compare, finish, prepare, start
from engine.training.runs.status import list_runs, read_run

GOOD, HELDOUT = rows(72), rows(30, 100)


def wrong_answers(good: tuple[TrainingRow, ...]) -> tuple[TrainingRow, ...]:
    """The same questions, every answer taken from another row."""
    answers = [row.messages[-1] for row in good]
    random.Random(1).shuffle(answers)
    return tuple(TrainingRow(row.id, (row.messages[0], answer)) for row, answer in zip(good, answers, strict=True))


@pytest.mark.slow
def test_clean_rows_beat_wrong_ones_on_the_built_in_model(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(field_text())
    told: list[tuple[str, int, int]] = []
    arms = {"base": (), "raw": wrong_answers(GOOD), "curated": GOOD}
    settings = {"pretrain_text": str(tmp_path / "text.txt")}
    # Started and left: the arms belong to nobody. Whoever asks for the same comparison attaches to them.
    left = start(prepare(arms, HELDOUT, runs_dir=tmp_path / "runs", steps=50, seeds=2, settings=settings))
    assert [trial.reused for trial in left.trials] == [False] * 4
    found = compare(
        arms,
        HELDOUT,
        runs_dir=tmp_path / "runs",
        steps=50,
        seeds=2,
        workers=2,
        settings=settings,
        progress=lambda phase, done, of: told.append((phase, done, of)),
    )
    assert found["reused"] == 4
    base, raw, curated = found["arms"]
    assert (base["name"], base["rows"], base["steps"], base["tokens"], base["runs"]) == ("base", 0, 0, 0, [])
    assert base["nll"] == found["base_nll"]
    assert curated["format_valid"] >= curated["exact_match"]
    assert found["format"] == "JSON with the keys colour, thing"
    assert (raw["name"], curated["name"]) == ("raw", "curated")
    assert raw["steps"] == curated["steps"] == 50
    assert raw["rows"] == curated["rows"] == 72
    assert curated["nll"] < raw["nll"]
    assert curated["exact_match"] >= raw["exact_match"]
    assert found["verdict"] == "no difference shown"
    assert "two seeds do not tell" in found["reason"]
    assert found["base_nll"] > curated["nll"]
    against = found["against"][1]
    assert against["over_rows"][0] <= against["difference"] <= against["over_rows"][1] < 0
    assert against["over_seeds"] is None
    assert {run.id for run in list_runs(tmp_path / "runs")} == {*raw["runs"], *curated["runs"]}
    assert told[0][0] == "load"
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)
    assert told[-1][1:] == (200, 200)
    assert curated["nll"] == pytest.approx(
        sum(read_run(tmp_path / "runs" / run_id).result["nll"] for run_id in curated["runs"]) / 2, rel=1e-5
    )
    figures_go_back_to_event_lines(found, tmp_path / "runs")

    # Asked again, nothing is trained: the same spec was run before.
    calls: list[str] = []
    again = prepare(
        {"raw": wrong_answers(GOOD), "curated": GOOD},
        HELDOUT,
        runs_dir=tmp_path / "runs",
        steps=50,
        seeds=2,
        settings={"pretrain_text": str(tmp_path / "text.txt")},
    )
    assert again.to_run == []
    assert again.cost.seconds.value == 0
    second = finish(start(again, lambda arm, run: calls.append(run) or {}))
    assert calls == []
    assert (second["reused"], second["arms"][1]["nll"]) == (4, curated["nll"])
    assert len(list_runs(tmp_path / "runs")) == 4
    # One seed more: two runs, and what they take is reckoned from the runs before.
    more = prepare(
        {"raw": wrong_answers(GOOD), "curated": GOOD},
        HELDOUT,
        runs_dir=tmp_path / "runs",
        steps=50,
        seeds=3,
        settings={"pretrain_text": str(tmp_path / "text.txt")},
        price=3.0,
    )
    assert [(item.arm, item.seed) for item in more.to_run] == [("raw", 2), ("curated", 2)]
    assert "as in run" in more.cost.seconds.reason
    assert more.cost.money.value == pytest.approx(more.cost.seconds.value / 1200, abs=1e-4)
    with pytest.raises(TrainingError, match="the budget is 1 s"):
        prepare(
            {"raw": wrong_answers(GOOD), "curated": rows(60)},
            HELDOUT,
            runs_dir=tmp_path / "runs",
            steps=50,
            budget_seconds=1.0,
        )


def figures_go_back_to_event_lines(found: dict[str, Any], runs: Path) -> None:
    """docs/verdict.md names the event line each figure comes from; jq finds it there."""
    folder = runs / found["comparison"]
    for question, answer in (
        ('select(.ev=="arm" and .name=="curated") | .nll', found["arms"][2]["nll"]),
        ('select(.ev=="pair" and .arm=="raw") | .difference', found["against"][1]["difference"]),
        ('select(.ev=="verdict") | .verdict', found["verdict"]),
    ):
        assert traced(folder / "events.jsonl", question) == [answer]
    questions = documented("R")
    assert len(questions) >= 6
    for run in found["arms"][2]["runs"]:
        for question in questions:
            question = question.replace(".step==300", ".step==50")
            (value,) = traced(runs / run / "events.jsonl", question)
            assert value is not None, question
    for arm in found["arms"][1:]:
        finals = [
            (
                traced(runs / run / "events.jsonl", 'select(.ev=="eval" and .step==50) | .nll'),
                traced(runs / run / "events.jsonl", 'select(.ev=="eval" and .step==50) | .exact'),
                traced(runs / run / "events.jsonl", 'select(.ev=="exit") | .completion_tokens'),
                traced(runs / run / "events.jsonl", 'select(.ev=="exit") | .seconds'),
            )
            for run in arm["runs"]
        ]
        nll, exact, tokens, seconds = (
            sum(values[0] for values in figure) / len(figure) for figure in zip(*finals, strict=True)
        )
        assert arm["nll"] == pytest.approx(nll, rel=1e-5)
        assert arm["exact_match"] == pytest.approx(exact)
        assert arm["tokens"] == round(tokens)
        assert arm["seconds"] == pytest.approx(seconds, abs=0.051)


def test_an_interruption_ends_every_run_and_leaves_none_behind(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(field_text())

    def interrupt(_phase: str, _done: int, _of: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compare(
            {"raw": wrong_answers(GOOD), "curated": GOOD},
            HELDOUT,
            runs_dir=tmp_path / "runs",
            seeds=1,
            workers=2,
            settings={"pretrain_text": str(tmp_path / "text.txt")},
            progress=interrupt,
        )
    assert [run.state for run in list_runs(tmp_path / "runs")] == ["stopped", "stopped"]
