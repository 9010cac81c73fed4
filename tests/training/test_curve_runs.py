"""A learning curve on real runs of a project: nested subsets, what is printed, what `tamis add` makes of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jq_lines import documented, traced
from projects import make_project, write_jsonl
from small_runs import field_text, rows

from engine.errors import TrainingError
from engine.model import Act
from engine.project.project import open_project
from engine.review.weak_topics import thin_topics
from engine.training.compare.learning_curve import nested, prepare_curve
from workbench.cli.compare import plot
from workbench.cli.main import main

TRAINING, HELDOUT = 48, 24


def curated_project(folder: Path) -> Path:
    found = []
    for row in rows(TRAINING + HELDOUT):
        found.append({"instruction": row.messages[0]["content"], "input": "", "output": row.messages[1]["content"]})
    path = make_project(folder, found)
    with open_project(path, reviewer="ann") as project:
        ids = [project.rows.id(number) for number in range(TRAINING + HELDOUT)]
        project.decide([Act("holdout", tuple(ids[TRAINING:]))])
        project.decide([Act("accept", tuple(ids))])
    return path


@pytest.mark.slow
def test_a_curve_is_trained_printed_and_asked_by_add(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "text.txt").write_text(field_text())
    folder = curated_project(tmp_path)
    options = ["--steps", "8", "--seeds", "2", "--set", f"pretrain_text={tmp_path / 'text.txt'}", "--json"]
    assert main(["curve", str(folder), *options]) == 0
    captured = capsys.readouterr()
    told = json.loads(captured.out)
    assert "8 of 8 runs to do" in captured.err
    assert told["sizes"] == [6, 12, 24, 48]
    assert [point["rows"] for point in told["points"]] == told["sizes"]
    assert told["state"] in ("falling", "plateau", "unclear")
    assert len(told["runs"]) == 8
    log = folder / "runs" / told["curve"] / "events.jsonl"
    for question in documented("C"):
        if "point" in question or '"curve"' in question:
            assert len(traced(log, question.replace(".rows==80", ".rows==24"))) == 1, question
    assert traced(log, 'select(.ev=="point" and .rows==24) | .nll') == [told["nll"][2]]
    assert traced(log, 'select(.ev=="curve") | .sentence') == [told["sentence"]]
    # The lowest of the four measurements counts: each is an event of its run.
    run = next(run for run in told["runs"] if "curve-48-seed0" in run)
    measured = traced(folder / "runs" / run / "events.jsonl", 'select(.ev=="eval") | .nll')
    assert len(measured) == 4
    assert told["points"][-1]["nll_by_seed"][0] == pytest.approx(min(measured), rel=1e-4)
    # Asked again, nothing is trained.
    assert main(["curve", str(folder), *options[:-1]]) == 0
    captured = capsys.readouterr()
    assert "0 of 8 runs to do, 8 were done before" in captured.err
    assert told["sentence"] in captured.out
    assert "24 rows as drawn, 24 as reviewed" in captured.out

    fresh = [
        {"instruction": f"Case {number}: kindly sort the purple boat.", "input": "", "output": "{}"}
        for number in range(900, 903)
    ]
    again = {"instruction": rows(1)[0].messages[0]["content"], "input": "", "output": "another answer"}
    write_jsonl(tmp_path / "more.jsonl", [*fresh, again])
    assert main(["add", str(folder), str(tmp_path / "more.jsonl"), "--as", "ann", "--json"]) == 0
    brought = json.loads(capsys.readouterr().out)
    assert brought["added"] == 4
    assert brought["brings"]["curve"]
    assert brought["brings"]["new"] == 4 - len({n for numbers in brought["links"].values() for n in numbers})
    assert brought["brings"]["new"] < 4
    assert brought["brings"]["nll_expected"] <= brought["brings"]["nll"]


def test_subsets_are_nested_and_in_order() -> None:
    whole = rows(40)
    for seed in range(3):
        small, half = nested(whole, 5, seed), nested(whole, 20, seed)
        assert {row.id for row in small} < {row.id for row in half}
        assert nested(whole, 40, seed) == whole
        assert [row.id for row in half] == [row.id for row in whole if row in half]
    assert nested(whole, 5, 0) != nested(whole, 5, 1)


def test_what_no_curve_can_come_of_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="30 accepted rows are too few"):
        prepare_curve(rows(30), rows(24, 100), runs_dir=tmp_path)
    with pytest.raises(TrainingError, match="two seeds or more"):
        prepare_curve(rows(60), rows(24, 100), runs_dir=tmp_path, seeds=1)
    with pytest.raises(TrainingError, match="also held out"):
        prepare_curve(rows(60), rows(24, 50), runs_dir=tmp_path)


def test_thin_topics_are_where_the_loss_is_and_few_rows_teach() -> None:
    parcels = [f"Where is parcel {number} that the courier lost near the harbour?" for number in range(20)]
    invoices = [f"Please send invoice {number} again with the tax shown." for number in range(20)]
    training = [*(f"Send invoice {number} with tax." for number in range(50, 80)), "The courier lost parcel 7."]
    added = ["My parcel was lost by the courier at the harbour.", "Invoice 9 lacks the tax."]
    (topic,) = thin_topics([*parcels, *invoices], [1.5] * 20 + [0.1] * 20, training, added)[:1]
    assert {"parcel", "courier", "harbour", "lost"} & set(topic.words)
    assert topic.nll == pytest.approx(1.5)
    assert topic.training <= 1
    assert topic.added <= 1
    assert thin_topics(["a", "b", "c"], [1.0, 2.0, 3.0], ["a"]) == ()


def test_the_plot_has_the_points_the_band_and_plain_characters_on_request() -> None:
    band = [{"rows": 10.0 * 2 ** (step / 4), "low": 0.1, "fit": 0.2, "high": 0.3} for step in range(17)]
    lines = plot(band, [(10, 0.2), (160, 0.2)])
    drawn = "".join(lines)
    assert drawn.count("\u25cf") == 2
    assert "\u2591" in drawn
    assert lines[-1].split() == ["10", "160", "rows"]
    assert all(ord(character) < 128 for character in "".join(plot(band, [(10, 0.2)], ascii_only=True)))
