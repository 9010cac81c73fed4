"""A project that grows: new rows, a new version of its source, another copy's journals, a second reviewer."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from projects import alpaca, make_project, numbered, write_jsonl

from engine.errors import ProjectError, SourceError
from engine.model import Act
from engine.project.add_rows import grow
from engine.project.create import create_project
from engine.project.merge import merge
from engine.project.project import open_project
from engine.project.reviewers import agreement, cohens_kappa
from engine.select import select


def decide(folder: Path, reviewer: str, **verdicts: list[int]) -> None:
    with open_project(folder, reviewer=reviewer) as project:
        for verdict, numbers in verdicts.items():
            project.decide([Act(verdict, tuple(project.rows.id(n) for n in numbers))])


def test_only_new_rows_are_added_and_come_in_undecided(tmp_path: Path) -> None:
    rows = numbered(6)
    folder = make_project(tmp_path, [*rows, rows[0]])
    decide(folder, "ann", accept=[0, 1, 6], reject=[2])
    more = write_jsonl(tmp_path / "more.jsonl", [rows[0], rows[0], rows[0], rows[3], alpaca("new", "row"), "no object"])
    found = grow(folder, more, "ann")
    assert (found.added, found.known, found.changed, found.vanished, found.quarantined) == ((7, 8), 3, {}, (), 1)
    with open_project(folder, readonly=True) as project:
        assert [project.verdict(n) for n in range(9)] == [
            *("accepted", "accepted", "rejected", "undecided", "undecided", "undecided", "accepted"),
            *("undecided", "undecided"),
        ]
        assert project.rows.raw(8) == alpaca("new", "row")
        assert project.counts()["quarantined"] == 1
    assert grow(folder, more, "ann").added == ()


def version(tmp_path: Path, old: list[dict[str, Any]], new: list[dict[str, Any]], key: str | None = None) -> Any:
    folder = create_project(write_jsonl(tmp_path / "raw.jsonl", old), key=key)
    decide(folder, "ann", accept=list(range(len(old))))
    write_jsonl(tmp_path / "raw.jsonl", new)
    return folder, grow(folder, tmp_path / "raw.jsonl", "ann")


def test_a_changed_row_is_paired_by_its_key(tmp_path: Path) -> None:
    old = [alpaca(f"Q{n}", "A", key=n) for n in range(4)]
    new = [old[3], alpaca("other words", "B", key=1), old[0], alpaca("more", "C", key=9)]
    folder, found = version(tmp_path, old, new, key="key")
    assert found.changed == {4: 1}
    assert found.added == (4, 5)
    assert found.vanished == (2,)
    with open_project(folder, reviewer="ann") as project:
        assert [project.verdict(n) for n in range(6)] == [
            "accepted",
            "rejected",
            "accepted",
            "accepted",
            "undecided",
            "undecided",
        ]
        assert select(project, "is:changed") == [4]
        assert project.changed_from(4) == project.rows.id(1)
        project.undo()
        assert project.verdict(1) == "accepted"
        assert select(project, "is:changed") == []


def test_a_changed_row_is_paired_by_its_prompt_or_its_neighbours(tmp_path: Path) -> None:
    old = numbered(8)
    new = [dict(row) for row in old]
    new[2] = alpaca("Question 2?", "A better answer.")
    new[5] = alpaca("Wholly other", "words")
    assert version(tmp_path, old, new)[1].changed == {8: 2, 9: 5}


def test_an_ambiguous_pair_is_not_paired(tmp_path: Path) -> None:
    old = [alpaca("Same", "1"), *numbered(3), alpaca("Same", "2"), alpaca("x", "y")]
    new = [alpaca("Same", "3"), alpaca("Same", "4"), *numbered(3), alpaca("p", "q"), alpaca("r", "s")]
    found = version(tmp_path, old, new)[1]
    assert found.changed == {}
    assert found.vanished == (0, 4, 5)
    assert len(found.added) == 4


def test_merging_brings_journals_and_rewrites_none(tmp_path: Path) -> None:
    folder = make_project(tmp_path, numbered(6))
    decide(folder, "ann", accept=[0])
    laptop = tmp_path / "laptop.tamis"
    shutil.copytree(folder, laptop)
    decide(folder, "ann", accept=[1])
    decide(laptop, "bob", reject=[0], accept=[2])
    found = merge(folder, laptop)
    assert (len(found.brought), found.grown, found.parted, found.disputed, found.unknown) == (1, (), (), 1, 0)
    with open_project(folder, readonly=True) as project:
        assert [project.verdict(n) for n in range(4)] == ["undecided", "accepted", "accepted", "undecided"]
        assert select(project, "is:disputed") == [0]
    again = merge(folder, laptop)
    assert (again.brought, again.grown, again.parted) == ((), (), ())
    decide(laptop, "bob", accept=[3])
    assert len(merge(folder, laptop).grown) == 1
    with pytest.raises(ProjectError, match="is the same project"):
        merge(folder, folder)
    (tmp_path / "else").mkdir()
    with pytest.raises(ProjectError, match="shares no row"):
        merge(folder, make_project(tmp_path / "else", [alpaca("other", "rows")]))


def test_rows_of_another_shape_altogether_are_refused(tmp_path: Path) -> None:
    folder = make_project(tmp_path, numbered(3))
    with pytest.raises(SourceError, match="none of its new rows reads as alpaca"):
        grow(folder, write_jsonl(tmp_path / "more.jsonl", [{"title": "a"}, {"title": "b"}]), "ann")
    with open_project(folder, readonly=True) as project:
        assert len(project.rows) == 3


def test_a_journal_that_went_two_ways_stands_twice(tmp_path: Path) -> None:
    folder = make_project(tmp_path, numbered(4))
    decide(folder, "ann", accept=[0])
    copy = tmp_path / "copy.tamis"
    shutil.copytree(folder, copy)
    decide(folder, "ann", accept=[1])
    decide(copy, "ann", accept=[2], reject=[3])
    found = merge(folder, copy)
    assert len(found.parted) == 1
    with open_project(folder, readonly=True) as project:
        assert [project.verdict(n) for n in range(4)] == ["accepted", "accepted", "accepted", "rejected"]
    assert merge(folder, copy).parted == ()


def test_a_very_large_act_travels_with_its_side_file(tmp_path: Path) -> None:
    folder = make_project(tmp_path, numbered(10_050))
    other = tmp_path / "other.tamis"
    shutil.copytree(folder, other)
    decide(other, "bob", reject=list(range(10_050)))
    merge(folder, other)
    with open_project(folder, readonly=True) as project:
        assert project.counts()["rejected"] == 10_050


def test_a_settled_row_is_disputed_no_more_and_still_counts_for_agreement(tmp_path: Path) -> None:
    folder = make_project(tmp_path, numbered(4))
    decide(folder, "ann", accept=[0, 1], reject=[2, 3])
    decide(folder, "bob", accept=[0, 1, 2], reject=[3])
    with open_project(folder, reviewer="cleo") as project:
        assert project.counts()["agreement"]["kappa"] == 0.5
        project.decide([Act("settle", (project.rows.id(2),), extra={"verdict": "rejected"})])
        assert (project.verdict(2), project.counts()["disputed"]) == ("rejected", 0)
        assert project.counts()["agreement"]["kappa"] == 0.5
        project.undo()
        assert project.counts()["disputed"] == 1


def test_kappa_against_a_worked_example() -> None:
    # Cohen's own layout: 20 both yes, 5 and 10 split, 15 both no: po = .7, pe = .5, kappa = .4.
    pairs = [("a", "a")] * 20 + [("a", "r")] * 5 + [("r", "a")] * 10 + [("r", "r")] * 15
    assert cohens_kappa(pairs) == pytest.approx(0.4)
    assert cohens_kappa([("a", "a")] * 9) == 1.0
    assert agreement({"ann": {"1": "accepted"}, "bob": {"2": "accepted"}}) is None


def test_blind_reviewers_see_their_own_verdicts_until_a_row_is_settled(tmp_path: Path) -> None:
    folder = make_project(tmp_path, numbered(4))
    decide(folder, "ann", accept=[0, 1], reject=[2])
    with open_project(folder, reviewer="bob", blind=True) as project:
        assert project.counts()["undecided"] == 4
        project.decide([Act("reject", (project.rows.id(0),)), Act("accept", (project.rows.id(1),))])
        assert [project.verdict(n) for n in range(4)] == ["rejected", "accepted", "undecided", "undecided"]
        assert select(project, "is:disputed") == [0]
        project.decide([Act("settle", (project.rows.id(0),), extra={"verdict": "accepted"})])
        assert (project.verdict(0), select(project, "is:disputed")) == ("accepted", [])
    with open_project(folder, reviewer="ann", blind=True) as project:
        assert [project.verdict(n) for n in range(4)] == ["accepted", "accepted", "rejected", "undecided"]


def test_shares_can_overlap_for_agreement(tmp_path: Path) -> None:
    with open_project(make_project(tmp_path, numbered(400)), readonly=True) as project:
        first, second = (set(select(project, f"shard:{part}/2+20%")) for part in (1, 2))
        assert first | second == set(range(400))
        assert 50 < len(first & second) < 110
        assert not set(select(project, "shard:1/2")) & set(select(project, "shard:2/2"))
