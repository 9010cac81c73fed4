"""Losses of single rows: real runs with planted rows, and the reasons drawn from planted courses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_runs import ended, events, rows

from engine.model import TrainingRow
from engine.training.eval.row_losses import (
    RowLoss,
    Usual,
    forgotten,
    got_worse,
    learnt_nothing,
    places,
    read_row_losses,
    surprise,
    surprising,
    suspects_of,
)
from engine.training.runs.data_files import rows_by_step
from engine.training.runs.launch import Job, Run, choose_spec, launch_queue
from engine.training.worker.alerts import SpikeAlerts

CLEAN = rows(36)
GARBAGE = "zq #w/ 9x _|_ qqq zxzx 0 0 0 ;;; jj"


def answered(row: TrainingRow, name: str, answer: str) -> TrainingRow:
    return TrainingRow(name, (*row.messages[:-1], {"role": "assistant", "content": answer}))


OTHERS = (
    *rows(12, 200),
    *(answered(row, f"format{row.id}", "It is a thing of some colour.") for row in rows(4, 300)),
    *(answered(row, f"wrong{row.id}", '{"colour": "rug", "thing": "red"}') for row in rows(4, 400)),
)


@pytest.fixture(scope="module", autouse=True)
def _offline() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        yield


@pytest.fixture(scope="module")
def runs(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """`scored` measures untouched rows at its end; `spiked` has one row of garbage among its few to train on."""
    common = {"method": "full", "threads": 1, "learning_rate": 5e-3, "generate_rows": 0, "row_losses": 30}
    scored = choose_spec(
        name="scored", rows=36, model=str(tiny_model), settings={**common, "batch": 12, "micro_batch": 12, "steps": 60}
    )
    spiked = choose_spec(
        name="spiked", rows=25, model=str(tiny_model), settings={**common, "batch": 1, "micro_batch": 1, "steps": 75}
    )
    garbage = answered(rows(1, 500)[0], "garbage", GARBAGE)
    jobs = [Job(scored, CLEAN, rows(24, 100), others=OTHERS), Job(spiked, (*rows(24), garbage), rows(4, 100))]
    started = launch_queue(jobs, tmp_path_factory.mktemp("runs"))
    assert [ended(run).state for run in started] == ["finished", "finished"]
    return {"scored": started[0], "spiked": started[1]}


def test_rows_are_measured_before_during_and_after_under_their_ids(runs: dict[str, Run]) -> None:
    losses = read_row_losses(runs["scored"].dir)
    assert len(losses) == 30  # of 36: no more than `row_losses`
    assert set(losses) < {row.id for row in CLEAN}
    assert all([step for step, _ in row.series] == [0, 20, 40, 60] for row in losses.values())
    assert all(row.before is not None and row.after < row.before for row in losses.values())
    assert all(row.peak >= row.after for row in losses.values())
    others = read_row_losses(runs["scored"].dir, "others")
    assert list(others) == [row.id for row in OTHERS]
    assert all(row.series[0][0] == 60 for row in others.values())


def test_every_figure_can_be_traced_to_an_event_line(runs: dict[str, Run]) -> None:
    told = {(event["set"], event["step"]): event for event in events(runs["scored"], "rows")}
    assert list(told) == [("train", 0), ("train", 20), ("train", 40), ("train", 60), ("others", 60)]
    lines = [json.loads(line) for line in (runs["scored"].dir / "rows.jsonl").read_text().splitlines()]
    for (name, step), event in told.items():
        mine = [line for line in lines if (line["set"], line["step"]) == (name, step)]
        assert (event["rows"], event["of"]) == (len(mine), 36 if name == "train" else 20)
        assert event["nll"] == pytest.approx(
            sum(line["nll"] for line in mine) / sum(line["tokens"] for line in mine), 1e-4
        )


def test_untouched_rows_that_are_wrong_come_before_those_that_are_right(runs: dict[str, Run]) -> None:
    scores = surprise(read_row_losses(runs["scored"].dir, "others"))
    ordered = sorted(scores, key=lambda name: -scores[name])
    assert {name[:5] for name in ordered[:8]} == {"forma", "wrong"}
    found = [suspect for suspect in suspects_of(runs["scored"].dir) if suspect.kind == "surprising"]
    assert {suspect.id for suspect in found} >= set(ordered[:8])
    assert found[0].reason.endswith("(rank 1 of 20)")
    assert "95 % of the held-out rows: below" in found[0].reason


def test_a_row_of_garbage_makes_a_spike_and_the_step_leads_to_it(runs: dict[str, Run]) -> None:
    spikes = [event for event in events(runs["spiked"], "alert") if event["kind"] == "spike"]
    assert spikes
    batches = rows_by_step(runs["spiked"].dir)
    assert ("garbage",) in [batches[event["step"]] for event in spikes]


def test_a_spike_is_a_step_that_stands_out_and_is_told_seldom() -> None:
    falling = [3 * 0.97**step + 0.1 for step in range(200)]
    watch = SpikeAlerts()
    assert [step for step, loss in enumerate(falling) if watch.step(loss)] == []
    watch, told = SpikeAlerts(), []
    for step in range(300):
        if watch.step(4.0 if step % 25 == 19 or step % 25 == 20 else 0.5):
            told.append(step)
    assert told == [20, 44, 69, 94, 119]  # none before twenty steps, none right behind another, five at most


def course(name: str, *losses: float, peak: float = 1.0) -> RowLoss:
    return RowLoss(name, tuple((step * 10, loss) for step, loss in enumerate(losses)), peak, 5)


def by_id(*courses: RowLoss) -> dict[str, RowLoss]:
    return {one.id: one for one in courses}


USUAL = tuple(course(f"u{number}", 4.0, 1.0, 0.4, 0.2 + number / 100) for number in range(20))


def test_the_usual_course_is_no_suspicion() -> None:
    assert [kind(by_id(*USUAL)) for kind in (learnt_nothing, got_worse, forgotten)] == [[], [], []]


def test_each_kind_is_found_where_it_is_planted_and_nowhere_else() -> None:
    stuck = (course("s1", 4.0, 3.9, 3.8, 3.7), course("s2", 4.0, 3.9, 3.9, 3.9))
    easy = course("easy", 0.02, 0.02, 0.02, 0.02)  # nothing was left to learn
    worse = course("w", 1.0, 1.5, 1.8, 2.0)
    lost = course("f", 4.0, 0.2, 0.3, 1.5)
    rows_ = by_id(*USUAL, *stuck, easy, worse, lost)
    assert [(one.id, one.rank, one.of) for one in learnt_nothing(rows_)] == [("s2", 1, 25), ("s1", 2, 25)]
    assert learnt_nothing(rows_)[0].reason.startswith("its loss fell from 4 to 3.9; the usual row's fell by 3.")
    assert [one.id for one in got_worse(rows_)] == ["w"]
    assert [one.id for one in forgotten(rows_)] == ["f"]
    assert "was 0.2 at step 10 and is 1.5" in forgotten(rows_)[0].reason


def test_without_held_out_rows_the_most_surprising_tenth_is_named() -> None:
    untouched = by_id(*(course(f"o{number:02}", float(number), peak=float(number)) for number in range(30)))
    assert [one.id for one in surprising(untouched, Usual())] == ["o29", "o28", "o27"]
    usual = Usual(tuple(float(number) for number in range(20)), (50.0,) * 20)
    assert [one.id for one in surprising(untouched, usual)] == [f"o{number}" for number in range(29, 18, -1)]
    one_word = {**untouched, "o03": course("o03", 3.0, peak=51.0)}
    assert "o03" in [one.id for one in surprising(one_word, usual)]
    assert surprising({}, usual) == []


def test_places_are_shared_by_equal_values() -> None:
    assert places({"a": 1.0, "b": 2.0, "c": 2.0, "d": 3.0, "e": 9.0}) == {
        "a": 0,
        "b": 0.375,
        "c": 0.375,
        "d": 0.75,
        "e": 1,
    }
    assert places({"only": 5.0}) == {"only": 0.0}


def test_torn_lines_and_measurements_made_twice(tmp_path: Path) -> None:
    lines = [
        {"step": 0, "set": "train", "id": "a", "nll": 8.0, "tokens": 2, "peak": 5.0},
        {"step": 9, "set": "train", "id": "a", "nll": "nan", "tokens": 2, "peak": "nan"},
        {"step": 9, "set": "train", "id": "a", "nll": 3.0, "tokens": 2, "peak": 2.0},
        {"step": 9, "set": "train", "id": "a", "nll": 2.0, "tokens": 2, "peak": 1.5},
    ]
    text = "\n".join(json.dumps(line) for line in lines)
    (tmp_path / "rows.jsonl").write_text(text + '\n{"step": 12, "set": "tr')
    assert read_row_losses(tmp_path) == {"a": RowLoss("a", ((0, 4.0), (9, 1.0)), 1.5, 2)}
    assert read_row_losses(tmp_path / "nowhere") == {}
