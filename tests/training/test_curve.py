"""The learning curve: laws and plateaus that were planted are found, in numbers and with a trained model."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy
import pytest
from test_null_trial import measured, task, trained

from engine.errors import TrainingError
from engine.training.compare.learning_curve import lowest_losses
from engine.training.compare.scaling_law import fit, learning_curve, rows_worth
from engine.training.compare.significance import Losses

SIZES = (45, 90, 180, 360)


def planted(
    sizes: tuple[int, ...], loss_at: dict[int, float], noise: float = 0.002, seed: int = 0
) -> dict[int, list[Losses]]:
    """Three seeds of 80 rows of 20 tokens, whose mean loss at each size is as given."""
    draw = random.Random(seed)
    hardness = [draw.gauss(0, 0.01) for _ in range(80)]
    found = {}
    for size in sizes:
        by_seed = []
        for _ in range(3):
            shift = draw.gauss(0, noise)
            by_seed.append(
                {
                    f"r{n}": (20 * (loss_at[size] + hard + shift) + draw.gauss(0, 0.2), 20)
                    for n, hard in enumerate(hardness)
                }
            )
        found[size] = by_seed
    return found


def test_a_measurement_that_diverged_is_none_and_one_without_loss_has_a_curve(tmp_path: Path) -> None:
    measured = [(0, 9.0), (5, 1.0), (10, "nan")]
    lines = [{"step": step, "id": "r", "nll": nll, "tokens": 4} for step, nll in measured]
    (tmp_path / "eval.jsonl").write_text("\n".join(map(json.dumps, lines)))
    assert lowest_losses(tmp_path) == {"r": (1.0, 4)}
    (tmp_path / "eval.jsonl").write_text("\n".join(map(json.dumps, lines[::2])))
    with pytest.raises(TrainingError, match="diverged"):
        lowest_losses(tmp_path)
    nothing: list[Losses] = [{"r": (0.0, 0), "s": (0.0, 3)}] * 2
    assert learning_curve({10: nothing, 20: nothing}).nll == pytest.approx((0, 0), abs=1e-6)


def test_a_planted_law_is_fitted() -> None:
    law = fit(SIZES, [0.2 + 6.0 * size**-0.8 for size in SIZES])
    assert law.a == pytest.approx(0.2, abs=0.02)
    assert law.at(720) == pytest.approx(0.2 + 6.0 * 720**-0.8, abs=0.003)
    flat = fit(SIZES, [0.4, 0.4, 0.4, 0.4])
    assert flat.at(45) == pytest.approx(0.4)
    assert flat.at(720) == pytest.approx(0.4)
    rising = fit(SIZES, [0.1, 0.2, 0.3, 0.4])
    assert rising.c == 0.0


def test_a_planted_plateau_is_found_where_it_begins() -> None:
    for start, loss in ((180, {45: 0.9, 90: 0.6, 180: 0.4, 360: 0.4}), (90, {45: 0.9, 90: 0.4, 180: 0.4, 360: 0.4})):
        found = learning_curve(planted(SIZES, loss))
        assert found.state == "plateau"
        assert found.since == start
        assert found.sentence().startswith(f"plateau since {start} rows")


def test_a_curve_that_still_falls_says_what_more_is_worth() -> None:
    law = {size: 0.1 + 4.0 * size**-0.5 for size in SIZES}
    found = learning_curve(planted(SIZES, law))
    assert found.state == "falling"
    assert found.promised is not None
    low, fitted, high = found.promised
    assert low <= fitted <= high
    assert fitted == pytest.approx(0.1 + 4.0 * 720**-0.5, abs=0.02)
    assert fitted < found.nll[-1]
    # Half of another doubling: 360 + k with 4 (360+k)^-0.5 half way between 4 * 360^-0.5 and 4 * 720^-0.5.
    assert found.worth == pytest.approx(134, rel=0.25)
    assert "still falling: worth about" in found.sentence()
    assert all(low <= fitted <= high for _, low, fitted, high in found.band[:30])


def test_noise_larger_than_what_there_is_to_see_is_told() -> None:
    law = {45: 0.5, 90: 0.46, 180: 0.44, 360: 0.42}
    found = learning_curve(planted(SIZES, law, noise=0.08, seed=4))
    assert found.state == "unclear"
    assert "more seeds or held-out rows" in found.sentence()


def test_a_loss_that_falls_ever_faster_promises_less_than_was_measured() -> None:
    found = learning_curve(planted(SIZES, {45: 0.35, 90: 0.28, 180: 0.108, 360: 0.033}, noise=0.001))
    assert found.state == "falling"
    assert found.promised is not None
    assert found.promised[1] < found.nll[-1]


def test_rows_worth_are_half_of_a_doubling() -> None:
    law = fit(SIZES, [0.1 + 4.0 * size**-0.5 for size in SIZES])
    more = rows_worth(law, 360)
    assert law.at(360 + more) == pytest.approx((law.at(360) + law.at(720)) / 2, abs=0.002)


def test_too_little_for_a_curve_is_refused() -> None:
    with pytest.raises(ValueError, match="two sizes and two seeds"):
        learning_curve(planted((45,), {45: 0.5}))


@pytest.mark.parametrize("distinct", [60, 480])
def test_rows_that_only_repeat_others_are_a_plateau_for_a_trained_model(distinct: int) -> None:
    """480 rows of which only `distinct` differ: with 60, everything beyond is a copy and the curve must say so."""
    words, answers = task(7, 480)
    chosen = numpy.arange(480) % distinct
    heldout = task(8, 150)
    sizes = (30, 60, 120, 240, 480)
    losses = {
        size: [measured(trained(words[chosen[:size]], answers[chosen[:size]], seed), *heldout) for seed in range(3)]
        for size in sizes
    }
    found = learning_curve(losses)
    if distinct == 60:
        assert (found.state, found.since) == ("plateau", 60)
    else:
        assert found.state == "falling"
