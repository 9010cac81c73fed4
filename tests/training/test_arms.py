"""The arms of a project by name, what is refused before anything is trained, and the manifest of every run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from projects import alpaca, make_project

from engine.errors import TrainingError, UsageError
from engine.model import Act
from engine.project.project import Project, open_project
from engine.training.compare.experiment import Prepared
from engine.workflows.compare import manifests, prepare_comparison, random_count
from engine.workflows.export import export

TRAINING, HELDOUT = 30, 24
TOWNS = ("Bergen", "Cadiz", "Dover", "Essen", "Fulda", "Genoa")


def row(number: int) -> dict[str, object]:
    town = TOWNS[number % 6]
    asked = f"Is parcel {number * 37 + 5} for {town} on its way, and who signed for item {number}?"
    return alpaca(asked, f"Signed in {town} by clerk {number}.") | {"town": town, "year": 2019 + number % 3}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """30 training rows, 20 of them accepted, one edited; 24 held-out rows, 22 of them accepted."""
    rows = [row(number) for number in range(TRAINING + HELDOUT)]
    opened = open_project(make_project(tmp_path, rows), reviewer="ann")
    ids = [opened.rows.id(number) for number in range(TRAINING + HELDOUT)]
    opened.decide([Act("holdout", tuple(ids[TRAINING:]))])
    opened.decide([Act("accept", tuple(ids[:20]))], why="by eye", seen=ids[:5])
    opened.decide([Act("accept", tuple(ids[TRAINING : TRAINING + 22]))])
    opened.decide([Act("reject", (ids[-1],))])
    opened.decide([Act("edit", (ids[0],), {ids[0]: row(0) | {"output": "Better."}})])
    return opened


def prepared(project: Project, *arms: str) -> Prepared:
    return prepare_comparison(project, arms=arms, seeds=1, steps=5)


def test_arms_by_name(project: Project, tmp_path: Path) -> None:
    export(project, tmp_path / "earlier")
    found = prepared(project, "base", "raw", "random", "random-7", "curated", str(tmp_path / "earlier"))
    assert {name: len(rows) for name, rows in found.arms.items()} == {
        "base": 0,
        "raw": TRAINING,
        "random-20": 20,
        "random-7": 7,
        "curated": 20,
        "earlier": 20,
    }
    assert found.arms["raw"][0].messages[-1]["content"] != "Better."
    assert found.arms["curated"][0].messages[-1]["content"] == "Better."
    raw = {each.id for each in found.arms["raw"]}
    assert {each.id for each in found.arms["random-20"]} <= raw
    assert prepared(project, "random").arms["random-20"] == found.arms["random-20"]
    assert {item.job.spec.steps.value for item in found.items} == {5}
    assert len(found.items) == 5
    with pytest.raises(UsageError, match="unknown arm 'nowhere'"):
        prepared(project, "nowhere")
    assert random_count("raw-random-N", 9) == 9
    with pytest.raises(UsageError, match="unknown arm 'random-x'"):
        random_count("random-x", 9)


def test_an_earlier_run_is_an_arm(project: Project) -> None:
    run = project.folder / "runs" / "20260101T000000Z-old"
    (run / "data").mkdir(parents=True)
    line = {"id": "a", "messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}
    (run / "data" / "train.jsonl").write_text(json.dumps(line) + "\n")
    assert [each.id for each in prepared(project, run.name).arms[run.name]] == ["a"]


def test_the_held_out_set_is_told_as_drawn_and_as_reviewed(project: Project) -> None:
    found = prepared(project, "raw")
    assert found.heldout == {"drawn": 24, "measured": 22, "edited": 0, "left_out": {"undecided": 1, "rejected": 1}}
    one = found.slices[project.rows.id(TRAINING)]
    assert one == {"year": "2019", "town": "Bergen"}
    assert len(found.slices) == 22


def test_a_held_out_twin_in_other_words_is_left_out_of_the_projects_arms(project: Project) -> None:
    twin = row(TRAINING + 3)
    twin["instruction"] = f"  {twin['instruction']!s}".upper()
    identifier = project.rows.id(4)
    project.decide([Act("edit", (identifier,), {identifier: twin})])
    found = prepared(project, "raw")
    assert len(found.arms["curated"]) == 19
    assert identifier not in {each.id for each in found.arms["curated"]}
    assert len(found.arms["raw"]) == TRAINING


def test_a_file_that_leaks_is_refused_with_the_rows(project: Project, tmp_path: Path) -> None:
    twin = row(TRAINING + 3)
    twin["instruction"] = f"  {twin['instruction']!s}".upper()
    twin["output"] = "Something else."
    lines = [json.dumps(each) for each in (row(0), row(1), twin)]
    (tmp_path / "other.jsonl").write_text("\n".join(lines) + "\n")
    with pytest.raises(TrainingError, match=r"1 rows of arm other\.jsonl ask what held-out rows ask"):
        prepared(project, str(tmp_path / "other.jsonl"))


def test_an_export_of_the_held_out_rows_themselves_is_refused(project: Project, tmp_path: Path) -> None:
    export(project, tmp_path / "set")
    with pytest.raises(TrainingError, match=r"are the training rows of arm heldout\.jsonl"):
        prepared(project, str(tmp_path / "set" / "heldout.jsonl"))


def test_too_few_reviewed_rows_are_refused_although_enough_were_drawn(project: Project) -> None:
    project.decide([Act("reject", tuple(project.rows.id(number) for number in range(TRAINING, TRAINING + 5)))])
    with pytest.raises(TrainingError, match="17 held-out rows cannot measure anything: 20 or more do"):
        prepared(project, "raw")
    project.decide([Act("reject", tuple(project.rows.id(number) for number in project.heldout))])
    with pytest.raises(TrainingError, match="nothing to measure with"):
        prepared(project, "raw")


def test_the_manifest_names_every_row_a_run_saw_and_who_passed_it(project: Project) -> None:
    found = prepared(project, "raw")
    curated = manifests(project, found)("curated", "run-1")
    assert [entry["id"] for entry in curated["rows"]] == [each.id for each in found.arms["curated"]]
    first, *_, last = curated["rows"]
    assert (first["by"], first["why"], first["edited"], first["read"]) == ("ann", "by eye", True, True)
    assert (last["by"], last["edited"], last["read"]) == ("ann", False, False)
    assert curated["export"] == {"rows": 20, "run": "run-1", "arm": "curated", "holdout_rows": 22}
    raw = manifests(project, found)("raw", "run-2")
    assert [entry["by"] for entry in raw["rows"]][19:21] == ["ann", ""]
    assert raw["rows"][0]["sha256"] != first["sha256"]
