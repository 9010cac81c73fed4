"""What junk costs: the figures against arithmetic by hand, and on the plan and in the report of a real set."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from projects import alpaca, make_project

from engine.jobs.scan import scan_project
from engine.model import Act
from engine.project.project import open_project
from engine.training.plan.estimates import Estimate
from engine.training.plan.wasted_tokens import epoch_of, wasted_tokens_of
from engine.workflows.wasted_tokens import wasted_rows
from workbench.cli.main import main


def test_the_figures_are_those_of_arithmetic() -> None:
    tokens = {"a": 100, "b": 300, "c": 500, "d": 100}
    costs = wasted_tokens_of({"x": ["a", "b"], "y": ["b", "gone"], "z": []}, tokens, Estimate(600.0, "measured"), 3.0)
    assert [(cost.name, cost.rows, cost.tokens, cost.share) for cost in costs] == [
        ("x", 2, 400, 0.4),
        ("y", 1, 300, 0.3),
        ("together", 2, 400, 0.4),
    ]
    assert costs[0].minutes.value == pytest.approx(4.0)  # 0.4 x 600 s
    assert costs[0].cost.value == pytest.approx(0.2)  # 4 min at 3 an hour
    assert "40.0% of 600 s (400 of 1,000 tokens of an epoch; measured)" in costs[0].minutes.reason
    (free,) = wasted_tokens_of({"x": ["a"]}, tokens, Estimate(600.0, ""), 0.0)
    assert free.cost.value is None
    (unknown,) = wasted_tokens_of({"x": ["a"]}, tokens, Estimate(None, "nothing is known of this GPU"), 3.0)
    assert (unknown.minutes.value, unknown.cost.value) == (None, None)
    assert unknown.cost.reason == "nothing is known of this GPU"
    assert epoch_of(Estimate(68.0, "x", parts={"start": 8.0, "steps": 60.0}), 3.0).value == 20.0
    assert epoch_of(Estimate(None, "why"), 3.0).reason == "why"


@pytest.mark.slow
def test_groups_are_copies_flags_and_stale_rows(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [alpaca(f"Describe tool number {n} in a sentence.", f"Tool {n} cuts wood and metal.") for n in range(12)]
    rows += [dict(rows[0]), dict(rows[0]), alpaca("Write a poem about rain.", "I'm sorry, but I cannot do that.")]
    folder = make_project(tmp_path, rows)
    with open_project(folder, reviewer="ann") as project:
        scan_project(project)
        ids = [project.rows.id(number) for number in range(len(rows))]
        groups = wasted_rows(project, range(len(rows)))
        assert groups["duplicates"] == [ids[12], ids[13]]
        assert ids[14] in groups["flagged rows"]
        assert groups["stale rows"] == []
        project.decide([Act("edit", (ids[14],), {ids[14]: alpaca("Write a poem about rain.", "Drops fall.")})])
        assert ids[14] not in wasted_rows(project, range(len(rows)))["flagged rows"]
        assert ids[14] in wasted_rows(project, range(len(rows)), edited=False)["flagged rows"]
        project.decide([Act("accept", tuple(ids))])
    assert main(["plan", str(folder), "--price", "2", "--steps", "30", "--model", str(tiny_model), "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    by_name = {junk["name"]: junk for junk in plan["junk"]}
    assert by_name["duplicates"]["rows"] == 2
    epoch = plan["seconds"]["parts"].get("steps", 0.0) / plan["epochs"]["value"]
    assert by_name["duplicates"]["minutes"]["value"] == pytest.approx(
        by_name["duplicates"]["share"] * epoch / 60, abs=6e-4
    )
    assert main(["report", str(folder), "--price", "2", "--model", str(tiny_model), "--json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)["sets"]
    assert {junk["name"] for junk in told["junk"]} == {"duplicates", "flagged rows", "together"}
    assert all(junk["cost"]["value"] is not None for junk in told["junk"])
