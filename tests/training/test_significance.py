"""The verdict on planted differences, and what a comparison refuses before it trains anything."""

from __future__ import annotations

import random
from pathlib import Path

import numpy
import pytest
import scipy.stats
from small_runs import rows

from engine.errors import TrainingError, UsageError
from engine.model import TrainingRow
from engine.training.compare.experiment import compare
from engine.training.compare.significance import (
    Losses,
    Paired,
    bootstrap,
    paired,
    sentence,
    smallest_detectable,
    t_interval,
    together,
)
from engine.training.compare.student_t import t_quantile
from engine.training.runs.data_files import said
from engine.training.spec.defaults import SFT, Chosen
from engine.training.spec.run_spec import choose_spec, optimizer_steps


def losses(seed: int, shift: float, noise: float = 0.5, count: int = 120) -> Losses:
    """Losses of `count` rows of 20 tokens: the same rows each time, `shift` nats per token apart, with own noise."""
    same, own = random.Random(99), random.Random(seed)
    return {f"r{number}": (20 * (same.gauss(1, 0.5) + shift) + own.gauss(0, noise), 20) for number in range(count)}


def three(first: int, *shifts: float) -> list[Losses]:
    """The losses of three seeds."""
    return [losses(first + place, shift) for place, shift in enumerate(shifts or (0.0, 0.0, 0.0))]


def test_a_planted_gain_is_better_and_a_planted_loss_worse() -> None:
    base = three(1)
    gain = paired("raw", three(4, -0.2, -0.21, -0.19), base)
    assert gain.verdict == "better"
    assert gain.low < -0.2 < gain.high < 0
    assert paired("raw", three(4, 0.2, 0.21, 0.19), base).verdict == "worse"


def test_two_seeds_give_no_verdict_and_say_what_they_cannot_tell() -> None:
    pair = paired("raw", [losses(3, -0.5), losses(4, -0.5)], [losses(1, 0.0), losses(2, 0.0)])
    assert pair.over_rows[1] < 0
    assert (pair.verdict, pair.over_seeds, pair.detectable) == ("no difference shown", None, None)
    assert "two seeds do not tell what a third would say: 3 or more are needed" in sentence([pair], 2, 120)
    one = paired("raw", [losses(3, -0.5)], [losses(1, 0.0)])
    assert one.verdict == "no difference shown"
    assert "no seed variance" in sentence([one], 1, 120)


def test_seeds_that_disagree_show_nothing_however_narrow_the_interval_over_rows() -> None:
    split = paired("raw", three(4, -0.9, -0.5, 0.1), three(1))
    assert split.over_rows[1] < 0
    assert split.verdict == "no difference shown"
    assert split.low < split.over_rows[0]
    assert split.high > 0


def test_rows_that_disagree_show_nothing_however_alike_the_seeds() -> None:
    # One held-out row in a hundred carries the whole difference, in every seed alike.
    base = {f"r{number}": (20.0, 20) for number in range(120)}
    spike = {**base, "r7": (-2000.0, 20)}
    pair = paired("raw", [spike, spike, {**spike, "r8": (20.1, 20)}], [base] * 3)
    assert pair.over_seeds is not None
    assert pair.over_seeds[1] < 0
    assert pair.over_rows[1] >= 0
    assert pair.verdict == "no difference shown"


def test_arms_measured_on_other_rows_are_not_compared() -> None:
    with pytest.raises(ValueError, match="not measured on the same"):
        paired("raw", [losses(1, 0.0, count=60)] * 3, three(1))


def test_t_quantiles_are_those_of_scipy() -> None:
    for freedom in (1, 2, 3, 4, 9, 29, 200):
        for share in (0.1, 0.8, 0.95, 0.995, 0.9999):
            assert t_quantile(share, freedom) == pytest.approx(scipy.stats.t.ppf(share, freedom), rel=1e-8)


def test_the_interval_over_seeds_is_that_of_scipy() -> None:
    values = [-0.17, -0.12, -0.2]
    (low, high), error = t_interval(values)
    assert (low, high) == pytest.approx(
        scipy.stats.t.interval(0.99, 2, numpy.mean(values), scipy.stats.sem(values)), rel=1e-9
    )
    assert error == pytest.approx(scipy.stats.sem(values))


def test_the_smallest_detectable_difference_is_shown_about_four_times_out_of_five() -> None:
    rows, tokens = 60, 20
    draw = numpy.random.default_rng(3)
    error = 0.4 / numpy.sqrt(rows)
    shift = smallest_detectable(float(error), None)
    shown = 0
    for _ in range(60):
        differences = (draw.normal(-shift, 0.4, rows) * tokens).tolist()
        shown += bootstrap(differences, [tokens] * rows)[0][1] < 0
    assert 0.62 <= shown / 60 <= 0.95


def test_the_interval_is_that_of_another_bootstrap() -> None:
    draw = random.Random(5)
    differences = [draw.gauss(-1, 3) for _ in range(120)]
    tokens = [draw.randint(5, 40) for _ in range(120)]
    (low, high), _ = bootstrap(differences, tokens)
    generator = numpy.random.default_rng(0)
    drawn = generator.integers(0, 120, (20_000, 120))
    ratios = numpy.array(differences)[drawn].sum(1) / numpy.array(tokens)[drawn].sum(1)
    expected = numpy.percentile(ratios, [0.5, 99.5])
    assert low == pytest.approx(expected[0], abs=0.012)
    assert high == pytest.approx(expected[1], abs=0.012)


def test_better_means_better_than_every_other_arm() -> None:
    better, even, worse = (
        Paired("x", word, 0.0, 0.0, 0.0, (0.0,)) for word in ("better", "no difference shown", "worse")
    )
    assert together([better, better]) == "better"
    assert together([better, even]) == "no difference shown"
    assert together([better, worse]) == "worse"


def test_the_reason_is_one_sentence_with_interval_and_seeds() -> None:
    pair = Paired("raw", "better", -0.0751, -0.0934, -0.0561, (-0.08, -0.07, -0.075), detectable=0.0213)
    assert sentence([pair], 3, 120) == (
        "curated is better than raw: -0.075 nats per token (99 % interval -0.093 to -0.056, smallest that would show "
        "0.021), over 120 held-out rows and 3 seeds"
    )


@pytest.mark.parametrize(
    ("arms", "heldout", "words"),
    [
        ({"curated": rows(4)}, rows(4, 50), "at least one other arm"),
        ({"raw": rows(4)}, rows(4, 50), "at least one other arm"),
        ({"raw": rows(4), "curated": ()}, rows(4, 50), "arm curated has no rows"),
        ({"raw": rows(4), "curated": rows(2)}, rows(19, 50), "19 held-out rows cannot measure anything"),
        ({"raw": rows(4), "curated": rows(2)}, (), "nothing to measure with"),
        ({"raw": rows(9), "curated": rows(2)}, rows(24, 8), "1 rows of arm raw are also held out"),
        ({"raw": rows(40), "curated": rows(24)}, rows(24), "24 rows of arm raw are also held out"),
        ({"base": (), "curated": rows(24)}, rows(24), "the held-out rows are the training rows of arm curated"),
    ],
)
def test_unfit_arms_and_held_out_rows_are_refused(
    tmp_path: Path, arms: dict[str, tuple[TrainingRow, ...]], heldout: tuple[TrainingRow, ...], words: str
) -> None:
    with pytest.raises(TrainingError, match=words):
        compare(arms, heldout, runs_dir=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_leak_under_another_id_is_found_by_its_words(tmp_path: Path) -> None:
    (row,) = rows(1, 50)
    twin = TrainingRow("another", tuple({**message, "content": f" {message['content']}\n"} for message in row.messages))
    assert said(twin.messages) == said(row.messages)
    with pytest.raises(TrainingError, match="another"):
        compare({"raw": (*rows(4), twin), "curated": rows(4)}, (row, *rows(30, 60)), runs_dir=tmp_path)


def test_every_value_of_a_spec_has_a_reason_and_what_is_set_says_so() -> None:
    spec = choose_spec(name="x", rows=100, model="some/model", settings={"learning_rate": 1e-3, "r": 4, "epochs": 2})
    written = spec.to_json()
    for choices in (written["values"], written["sft"], written["lora"]):
        assert all(choice["reason"] for choice in choices.values())
    assert written["values"]["learning_rate"] == {"value": 1e-3, "reason": "as you set it"}
    assert written["lora"]["r"]["value"] == 4
    assert optimizer_steps(spec, 100) == 50
    assert spec.sft.keys() == {*SFT, "warmup_steps"}


def test_unknown_and_impossible_settings_are_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="learning_rate"):
        choose_spec(name="x", rows=4, settings={"learning_rat": 1})
    with pytest.raises(UsageError, match="full or lora"):
        choose_spec(name="x", rows=4, settings={"method": "magic"})
    with pytest.raises(UsageError, match="would take no step"):
        choose_spec(name="x", rows=4, settings={"steps": 0})
    with pytest.raises(UsageError, match="batch of 0"):
        choose_spec(name="x", rows=4, settings={"batch": 0})
    odd = choose_spec(name="x", rows=4, settings={"batch": 6, "micro_batch": Chosen(4, "wished")})
    assert odd.micro_batch.value == 3
    assert choose_spec(name="x", rows=4, settings={"epochs": 2}).steps.value == 0
