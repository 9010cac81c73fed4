"""Triage without a terminal: what the keys do, in which order, and what is on disk before anything is marked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import planted
import pytest

from engine.errors import ProjectError, UsageError
from engine.model import Act, Cluster, Findings
from engine.project.project import Project
from workbench.actions.decide import decide_here, keep
from workbench.actions.edit import draft, edit_fields, save_edit
from workbench.actions.navigate import next_group
from workbench.state.saved import load_state
from workbench.state.session import Session


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return planted.make_folder(tmp_path)


@pytest.fixture
def project(folder: Path) -> Iterator[Project]:
    with planted.opened(folder) as project:
        yield project


@pytest.fixture
def session(project: Project) -> Session:
    session = Session(project)
    session.place.screen = "triage"
    return session


def entries(session: Session) -> list[str]:
    """The list in words: `exact`, `  0`, …"""
    out = []
    for index in range(len(session.place.entries)):
        entry = session.place.entries.entry(index)
        header = entry.cluster.kind if entry.is_header and entry.cluster else ""
        out.append(header or f"{'  ' if entry.cluster else ''}{entry.row}")
    return out


def test_groups_come_first_then_single_rows_by_bucket(session: Session) -> None:
    assert entries(session) == [
        *("exact", "  0", "  1", "  2"),
        *("near", "  4", "  3", "  5"),
        *("conflict", "  6", "  7"),
        *("10", "8", "9", "11"),
        *map(str, range(12, 20)),
    ]


def test_larger_groups_come_before_smaller_ones(tmp_path: Path) -> None:
    content = [{"instruction": f"q{n}", "output": "a"} for n in range(6)]
    found = Findings((Cluster("c1", "exact", (0, 1), 0), Cluster("c2", "exact", (2, 3, 4), 2)), (), ("clean",) * 6, {})
    folder = planted.make_folder(tmp_path, content, found)
    with planted.opened(folder) as project:
        assert entries(Session(project)) == ["exact", "  2", "  3", "  4", "exact", "  0", "  1", "5"]


def test_enter_on_a_group_keeps_the_keeper_in_one_line_with_two_acts(session: Session, folder: Path) -> None:
    next_group(session)
    keep(session)
    lines = planted.journal(folder)
    assert len(lines) == 1
    ids = session.project.rows.id
    assert [(act["do"], act["ids"]) for act in lines[0]["acts"]] == [
        ("accept", [ids(4)]),
        ("reject", [ids(3), ids(5)]),
    ]
    assert lines[0]["why"] == "cluster:cn0002"
    assert session.place.entry is not None
    assert session.place.entry.cluster is not None
    assert session.place.entry.cluster.kind == "conflict"


def test_verbs_advance_to_the_next_undecided_entry(session: Session) -> None:
    keep(session)
    decide_here(session, "reject")
    assert session.message.text == "rejected 3 rows"
    session.place.move_to(session.place.entries.find(10, None) or 0)
    decide_here(session, "reject")
    session.place.move(-1)
    decide_here(session, "accept")
    assert session.place.entry is not None
    assert session.place.entry.row == 8


def test_a_single_verdict_gives_the_top_flag_as_its_reason(session: Session, folder: Path) -> None:
    session.set_filter("row:10-12")
    decide_here(session, "reject")
    decide_here(session, "accept")
    decide_here(session, "skip")
    assert [line["why"] for line in planted.journal(folder)] == ["refusal", "truncated", "by eye"]
    assert "all decided here" in session.message.text


def test_a_conflict_has_to_be_chosen(session: Session, folder: Path) -> None:
    session.set_filter("kind:conflict")
    keep(session)
    assert "go to the one to keep" in session.message.text
    assert planted.journal(folder) == []
    session.place.move(2)
    keep(session)
    assert session.project.verdict(7) == "accepted"
    assert session.project.verdict(6) == "rejected"


def test_a_member_can_be_kept_instead_of_the_keeper(session: Session) -> None:
    session.set_filter("kind:near")
    session.place.move(2)
    keep(session)
    assert [session.project.verdict(row) for row in (3, 4, 5)] == ["accepted", "rejected", "rejected"]


def test_undo_goes_back_to_where_the_act_was_made(session: Session) -> None:
    keep(session)
    session.place.move_to(12)
    session.undo()
    assert session.place.cursor == 0
    assert session.progress.tally["undecided"] == 20
    session.redo()
    assert session.progress.tally["rejected"] == 2
    assert session.project.verdict(0) == "accepted"


def test_counts_follow_every_verdict(session: Session) -> None:
    keep(session)
    decide_here(session, "skip")
    session.undo()
    assert +session.progress.tally == {"accepted": 1, "rejected": 2, "undecided": 17}


def test_nothing_is_marked_where_nothing_could_be_written(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    def full_disk(*_: object, **__: object) -> int:
        raise ProjectError("the decision was not saved", "No space left on device")

    monkeypatch.setattr(session.project, "decide", full_disk)
    before = session.place.cursor
    with pytest.raises(ProjectError):
        decide_here(session, "accept")
    assert session.progress.tally["accepted"] == 0
    assert session.place.cursor == before


def test_seen_names_what_was_on_the_screen(session: Session, folder: Path) -> None:
    session.on_screen = {0, 1}
    keep(session)
    ids = session.project.rows.id
    assert planted.journal(folder)[0]["seen"] == [ids(0), ids(1)]


def test_a_large_unseen_group_takes_its_key_twice(tmp_path: Path) -> None:
    content = [{"instruction": "q", "output": "a"} for _ in range(30)]
    found = Findings((Cluster("c1", "near", tuple(range(30)), 0),), (), ("clean",) * 30, {})
    folder = planted.make_folder(tmp_path, content, found)
    with planted.opened(folder) as project:
        session = Session(project)
        session.place.screen = "triage"
        keep(session)
        assert "30 rows, 30 not yet seen: same key again" in session.message.text
        assert planted.journal(folder) == []
        keep(session)
        assert len(planted.journal(folder)) == 1
        assert session.progress.tally["rejected"] == 29
        session.undo()
        session.undo()
        assert session.progress.tally["undecided"] == 30


def test_copies_of_a_text_on_the_screen_take_one_key(tmp_path: Path) -> None:
    content = [{"instruction": "q", "output": "a"} for _ in range(50)]
    found = Findings((Cluster("c1", "exact", tuple(range(50)), 0),), (), ("clean",) * 50, {})
    folder = planted.make_folder(tmp_path, content, found)
    with planted.opened(folder) as project:
        session = Session(project)
        session.place.screen = "triage"
        session.on_screen = {0}
        keep(session)
        assert session.progress.tally["rejected"] == 49


def test_bulk_leaves_held_out_rows_alone(tmp_path: Path) -> None:
    folder = planted.make_folder(tmp_path)
    with planted.opened(folder) as project:
        from engine.model import Act

        project.decide([Act("holdout", (project.rows.id(1),))])
        project.save_findings(planted.findings())
        session = Session(project)
        session.place.screen = "triage"
        keep(session)
        assert session.message.text == "accepted 1 row and rejected 1 row; 1 held-out row left alone"
        assert project.verdict(1) == "undecided"
        session.set_filter("row:1")
        decide_here(session, "accept")
        assert project.verdict(1) == "accepted"


def test_the_overview_ranks_by_rows_per_key(session: Session) -> None:
    settle = [(item.label, item.rows, item.keys) for item in session.overview.items if item.section == "settle"]
    assert settle == [
        ("1 exact group", 3, 1),
        ("1 near group", 3, 1),
        ("1 conflict", 2, 1),
        ("1 row flagged refusal", 1, 1),
    ]


def test_an_overview_line_is_rejected_on_the_second_press(session: Session, folder: Path) -> None:
    session.place.screen = "overview"
    lines = session.overview.items
    session.overview.cursor = next(index for index, item in enumerate(lines) if item.filter_text == "bucket:check")
    decide_here(session, "reject")
    assert session.message.text.startswith("reject 1 row, 1 not yet seen")
    assert "2 unseen conflict rows left alone, 2 unseen variant rows left alone" in session.message.text
    assert planted.journal(folder) == []
    decide_here(session, "reject")
    assert [session.project.verdict(row) for row in (6, 7, 8, 9, 11)] == ["undecided"] * 4 + ["rejected"]
    assert planted.journal(folder)[0]["why"] == "bucket:check"


def test_one_comes_back_to_the_same_row_and_filter(folder: Path) -> None:
    with planted.opened(folder) as project:
        session = Session(project)
        session.place.screen = "triage"
        session.set_filter("bucket:clean")
        session.place.move_to(session.place.entries.find(15, None) or 0)
        session.save_place()
    with planted.opened(folder) as project:
        again = Session(project)
        assert (again.place.screen, again.place.filter_text) == ("triage", "bucket:clean")
        assert again.place.entry is not None
        assert again.place.entry.row == 15


def test_a_damaged_session_file_starts_afresh(folder: Path) -> None:
    (folder / "session.json").write_text('{"row": 3, "drafts": [1]}')
    with planted.opened(folder) as project:
        assert Session(project).place.screen == "overview"


def test_a_filter_that_makes_no_sense_changes_nothing(session: Session) -> None:
    before = len(session.place.entries)
    with pytest.raises(UsageError):
        session.set_filter("bucket:nonsense")
    assert len(session.place.entries) == before


def test_a_group_is_shown_only_where_all_of_it_matches(session: Session) -> None:
    session.set_filter("bucket:drop")
    assert entries(session) == ["1", "2", "3", "5", "10"]


def test_an_edit_is_one_decision_and_counts_as_accepted(session: Session, folder: Path) -> None:
    path = edit_fields(session, 11)[-1].path
    assert save_edit(session, 11, {path: "one two three"})
    assert session.project.verdict(11) == "accepted"
    assert session.project.current_row(11)["output"] == "one two three"
    assert planted.journal(folder)[0]["acts"][0]["do"] == "edit"
    session.undo()
    assert session.project.current_row(11)["output"] == "one two thre"


def test_an_unchanged_edit_is_no_decision(session: Session, folder: Path) -> None:
    field = edit_fields(session, 11)[-1]
    assert not save_edit(session, 11, {field.path: field.text})
    assert planted.journal(folder) == []


def test_an_empty_answer_is_refused_and_kept_as_a_draft(session: Session, folder: Path) -> None:
    path = edit_fields(session, 11)[-1].path
    with pytest.raises(UsageError, match="answer is empty"):
        save_edit(session, 11, {path: "  "})
    assert planted.journal(folder) == []
    assert draft(session, 11) == {path: "  "}
    assert list(load_state(folder).drafts.values()) == [{path: "  "}]


def test_the_held_out_set_is_no_part_of_what_is_left(tmp_path: Path) -> None:
    folder = planted.make_folder(tmp_path)
    with planted.opened(folder) as project:
        ids = [project.rows.id(row) for row in (13, 14, 15)]
        project.decide([Act("holdout", tuple(ids)), Act("accept", (ids[0],))])
        project.save_findings(planted.findings())
    with planted.opened(folder) as project:
        session = Session(project)
        tally = session.progress.tally
        assert (tally["undecided"], tally["accepted"]) == (17, 0)
        session.refresh_overview()
        counted = [item for item in session.overview.items if item.section in ("buckets", "decided")]
        lines = {item.label.split()[0]: item for item in counted}
        assert (lines["clean"].rows, lines["clean"].of) == (7, 7)
        assert lines["held"].label == "held out (1 judged)"
        assert sum(tally.values()) == 17
