"""What others propose: written beside the journals, never into them; without effect until a person takes it."""

from __future__ import annotations

import json
import os
import shutil
import stat
from pathlib import Path
from typing import Any

import pytest
from fault_points import KILLED, PASSED, RAISED, fresh_copy, struck
from projects import alpaca, make_project, write_jsonl

from engine.errors import ProjectError, UsageError
from engine.model import Act
from engine.project.add_rows import grow
from engine.project.came_along import by_score, parse_threshold, propose_by_score
from engine.project.create import continue_reading, create_project, waiting_sources
from engine.project.line_sums import LENGTH, with_sum
from engine.project.merge import merge
from engine.project.project import Project, open_project
from engine.project.proposals import NewProposal, add_proposals, waiting, waiting_rows
from engine.select import select
from engine.trust import trust
from engine.workflows.export import export


def judged(number: int, answer: str, **more: Any) -> dict[str, Any]:
    return alpaca(f"Question {number}?", f"Answer {number}.", answer=answer, _task_hash=number, **more)


ROWS = [judged(0, "accept"), judged(1, "reject"), judged(2, "ignore"), alpaca("Question 3?", "Answer 3.")]


def told(project: Project) -> dict[int, tuple[str, ...]]:
    return {number: tuple(f"{one.by} {one.kind}" for one in found) for number, found in waiting_rows(project)}


CAME = {0: ("import:prodigy accept",), 1: ("import:prodigy reject",), 2: ("import:prodigy skip",)}


def test_verdicts_come_along_and_are_no_decisions(tmp_path: Path) -> None:
    folder = make_project(tmp_path, ROWS)
    with open_project(folder, reviewer="ana") as project:
        assert told(project) == CAME
        assert project.counts()["undecided"] == 4
        assert waiting(project, 1)[0].why == "answer: reject"
        assert project.next_reversal("undo") is None
    written = folder / "proposals" / "import_prodigy.jsonl"
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    assert stat.S_IMODE(written.parent.stat().st_mode) == 0o700
    line = json.loads(written.read_bytes().splitlines()[0])
    assert {"v", "id", "by", "ids", "verdict", "why", "at"} <= line.keys()
    assert [path.read_bytes() for path in (folder / "decisions").glob("*.jsonl")] == [b""]


def test_a_project_says_the_same_with_its_proposals_and_without(tmp_path: Path) -> None:
    folder = make_project(tmp_path, ROWS)
    bare = tmp_path / "bare.tamis"
    shutil.copytree(folder, bare)
    shutil.rmtree(bare / "proposals")
    said = []
    for place in (folder, bare):
        with open_project(place, reviewer="ana") as project:
            project.decide([Act("accept", (project.rows.id(3),))], why="by eye")
            export(project, tmp_path / f"{place.name}-out.jsonl", format_name="same")
            said.append((project.counts(), (tmp_path / f"{place.name}-out.jsonl").read_bytes()))
    assert said[0] == said[1]


def test_a_decided_row_waits_no_longer_and_is_remembered(tmp_path: Path) -> None:
    with open_project(make_project(tmp_path, ROWS), reviewer="ana") as project:
        project.decide([Act("accept", (project.rows.id(1),))])
        assert 1 not in told(project)
        assert [one.kind for one in project.proposals.of(project.rows.id(1))] == ["reject"]
        assert select(project, "by:import:prodigy") == [0, 1, 2]
        assert select(project, "is:proposed") == [0, 2]
        assert select(project, "proposed:accept or proposed:reject") == [0]
        project.undo()
        assert told(project) == CAME


def test_a_declined_proposal_stays_declined_until_that_is_undone(tmp_path: Path) -> None:
    folder = make_project(tmp_path, ROWS)
    with open_project(folder, reviewer="ana") as project:
        one = waiting(project, 1)[0]
        project.decide([Act("tag", (project.rows.id(1),), extra={"tags": [], "declined": one.id})])
        assert project.counts()["undecided"] == 4
    with open_project(folder, reviewer="ana") as project:
        assert set(told(project)) == {0, 2}
        assert project.undo() == "decline what is proposed for 1 row"
        assert told(project) == CAME


def test_another_persons_no_hides_no_tag(tmp_path: Path) -> None:
    folder = make_project(tmp_path, ROWS)
    with open_project(folder, reviewer="ana") as project:
        project.decide([Act("tag", (project.rows.id(1),), extra={"tags": ["later"]})])
    with open_project(folder, reviewer="ben") as project:
        one = waiting(project, 1)[0]
        project.decide([Act("tag", (project.rows.id(1),), extra={"tags": [], "declined": one.id})])
        assert project.tags(1) == {"later"}


def test_further_rows_bring_theirs(tmp_path: Path) -> None:
    folder = make_project(tmp_path, ROWS)
    more = write_jsonl(tmp_path / "more.jsonl", [judged(1, "reject"), judged(7, "accept")])
    grow(folder, more, "ana")
    with open_project(folder, reviewer="ana") as project:
        assert told(project) == CAME | {4: ("import:prodigy accept",)}


def test_what_is_read_later_of_a_large_file_brings_theirs(tmp_path: Path) -> None:
    folder = create_project(write_jsonl(tmp_path / "raw.jsonl", ROWS), first=1)
    with open_project(folder, readonly=True) as project:
        assert told(project) == {0: CAME[0]}
    continue_reading(folder)
    with open_project(folder, readonly=True) as project:
        assert told(project) == CAME


def test_equal_rows_have_a_proposal_each(tmp_path: Path) -> None:
    with open_project(make_project(tmp_path, [ROWS[0], ROWS[0]]), readonly=True) as project:
        assert set(told(project)) == {0, 1}


def test_the_same_is_not_proposed_twice_and_a_new_word_replaces_the_old(tmp_path: Path) -> None:
    folder = make_project(tmp_path, ROWS)
    with open_project(folder, readonly=True) as project:
        three = project.rows.id(3)
        for verdict in ("accept", "accept", "reject"):
            add_proposals(folder, "model:judge", [NewProposal(three, verdict, why="so")])
        assert project.follow_journals()
        assert told(project)[3] == ("model:judge reject",)
        add_proposals(folder, "agent:x", [NewProposal(three, edited=alpaca("Question 3?", "Better.", note="\ud800"))])
        project.follow_journals()
        assert told(project)[3] == ("agent:x edit", "model:judge reject")
        assert waiting(project, 3)[0].edited(three) == alpaca("Question 3?", "Better.", note="\ud800")
    assert len((folder / "proposals" / "model_judge.jsonl").read_bytes().splitlines()) == 2


@pytest.mark.parametrize("by", ["ana", "import:", "import:a b", "model:a\n", 'x:"y"', "model:\x1b[2J", "model:\u202ex"])
def test_nobody_else_proposes(by: str, tmp_path: Path) -> None:
    folder = make_project(tmp_path, ROWS)
    with pytest.raises(UsageError, match="no author"):
        add_proposals(folder, by, [NewProposal("0" * 16, "accept")])


BAD_LINES = [
    b"{", b"3", b'"a"', b"\xff\xfe", b"[" * 100_000, b'{"v":1}',
    b'{"v":9,"by":"import:a","ids":["x"],"verdict":"accept"}',
    b'{"by":"ana","ids":["x"],"verdict":"accept"}', b'{"by":"import:a","ids":"x","verdict":"accept"}',
    b'{"by":"import:a","ids":["x"],"verdict":"destroy"}', b'{"by":"import:a","ids":[3],"verdict":"accept"}',
    b'{"by":"import:a","ids":["x"],"edited":{"y":{}}}', b'{"by":"import:a","ids":["x"],"edited":{"x":3}}',
    b'{"by":"import:a","ids":["x"],"verdict":"accept","tag":"t"}', b'{"by":"import:a","ids":["x"],"tag":["t"]}',
    b'{"by":"import:\\u001b[2J","ids":["x"],"tag":"t"}', b'{"by":"model:\\u202ex","ids":["x"],"tag":"t"}',
    b'{"by":"import:a","ids":["x"],"tag":"two words"}', b'{"by":"import:a","ids":["x"],"tag":"%s"}' % (b"t" * 100_000),
]  # fmt: skip


@pytest.mark.parametrize("bad", BAD_LINES, ids=map(str, range(len(BAD_LINES))))
def test_a_bad_line_costs_itself_alone_and_is_told(bad: bytes, tmp_path: Path) -> None:
    folder = make_project(tmp_path, ROWS)
    path = folder / "proposals" / "import_prodigy.jsonl"
    first, *others = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first + bad + b"\n" + b"".join(others))
    with open_project(folder, readonly=True) as project:
        assert told(project) == CAME
        assert sum("import_prodigy.jsonl: line 2" in note for note in project.notes) == 1


def test_a_torn_line_costs_itself_alone_and_a_line_of_its_own_follows(tmp_path: Path) -> None:
    folder = make_project(tmp_path, ROWS)
    path = folder / "proposals" / "import_prodigy.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    with open_project(folder, readonly=True) as project:
        assert set(told(project)) == {0, 1}
        identifier = project.rows.id(3)
    add_proposals(folder, "import:prodigy", [NewProposal(identifier, "accept")])
    with open_project(folder, readonly=True) as project:
        assert set(told(project)) == {0, 1, 3}
        assert len(project.notes) == 1


def test_unknown_keys_stay(tmp_path: Path) -> None:
    folder = make_project(tmp_path, ROWS)
    path = folder / "proposals" / "import_prodigy.jsonl"
    lines = path.read_bytes().splitlines()
    before = b"".join(with_sum(line[:-LENGTH] + b',"later":[1]}') + b"\n" for line in lines)
    path.write_bytes(before)
    with open_project(folder, readonly=True) as project:
        assert told(project) == CAME
        add_proposals(folder, "import:prodigy", [NewProposal(project.rows.id(3), "accept")])
    assert path.read_bytes().startswith(before)


def test_what_is_no_file_is_told(tmp_path: Path) -> None:
    folder = make_project(tmp_path, ROWS)
    (folder / "proposals" / "model_x.jsonl").mkdir()
    os.mkfifo(folder / "proposals" / "model_y.jsonl")
    with open_project(folder, readonly=True) as project:
        assert told(project) == CAME
        assert len(project.notes) == 2


def test_proposals_of_another_copy_come_along_once(tmp_path: Path) -> None:
    folder = make_project(tmp_path, ROWS)
    other = tmp_path / "other.tamis"
    shutil.copytree(folder, other)
    with open_project(other, reviewer="ben") as project:
        add_proposals(other, "model:judge", [NewProposal(project.rows.id(3), "accept")])
        add_proposals(other, "import:prodigy", [NewProposal(project.rows.id(3), tag="t")])
    assert [merge(folder, other).proposals for _ in range(2)] == [2, 0]
    with open_project(folder, readonly=True) as project:
        assert told(project)[3] == ("import:prodigy tag", "model:judge accept")


def test_of_another_copy_the_last_word_is_the_last_here_too(tmp_path: Path) -> None:
    """Said, unsaid and said again: the third line has the id of the first."""
    folder = make_project(tmp_path, ROWS)
    other = tmp_path / "other.tamis"
    shutil.copytree(folder, other)
    with open_project(other, readonly=True) as project:
        for verdict in ("accept", "reject", "accept"):
            add_proposals(other, "model:judge", [NewProposal(project.rows.id(3), verdict)])
    merge(folder, other)
    with open_project(folder, readonly=True) as project:
        assert told(project)[3] == ("model:judge accept",)


def test_a_merge_that_cannot_bring_the_proposals_brings_no_journal(tmp_path: Path) -> None:
    folder = make_project(tmp_path, ROWS)
    other = tmp_path / "other.tamis"
    shutil.copytree(folder, other)
    with open_project(other, reviewer="ben") as project:
        project.decide([Act("accept", (project.rows.id(3),))])
    shutil.rmtree(folder / "proposals")
    (folder / "proposals").write_text("")
    with pytest.raises(ProjectError, match="the proposals cannot be written"):
        merge(folder, other)
    with open_project(folder, readonly=True) as project:
        assert project.counts()["accepted"] == 0


def test_a_reason_of_megabytes_is_cut_and_a_tag_of_another_tool_is_a_word(tmp_path: Path) -> None:
    folder = make_project(tmp_path, [*ROWS, judged(4, "accept", accept=["\x1b[2J two"])])
    with open_project(folder, readonly=True) as project:
        add_proposals(folder, "model:judge", [NewProposal(project.rows.id(3), "accept", why="w" * 1_000_000)])
        project.follow_journals()
        assert len(waiting(project, 3)[0].why) == 200
        assert {one.tag for one in waiting(project, 4)} <= {"", "[2J-two"}
        with pytest.raises(UsageError, match="cannot be a tag"):
            add_proposals(folder, "model:judge", [NewProposal(project.rows.id(3), tag="a:b")])


def test_a_person_says_from_where_on_a_score_is_good(tmp_path: Path) -> None:
    rows = [alpaca(f"Question {score}?", "Answer.", score=score) for score in (1, 3, 4, 5)] + [alpaca("None?", "None.")]
    folder = make_project(tmp_path, rows)
    with open_project(folder, readonly=True) as project:
        assert told(project) == {}
        for text, wanted in (("score>=4", "rraa"), ("score > 1", "raaa"), ("score<=1", "arrr")):
            threshold = parse_threshold(text)
            by = propose_by_score(folder, project.rows, threshold, *by_score(project.rows, threshold))
            project.follow_journals()
            assert by == "import:score"
            assert "".join(found[0].split()[1][0] for _, found in sorted(told(project).items())) == wanted
    for odd in ("score", "score>=", ">=4", "score>=four", "score==4"):
        with pytest.raises(UsageError):
            parse_threshold(odd)


@pytest.mark.parametrize("kill", [True, False], ids=["killed", "disk refuses"])
def test_rows_never_come_without_what_is_proposed_for_them(kill: bool, tmp_path: Path) -> None:
    """Struck now and then while rows are read on: either none of them, or each with its proposal; again ends well."""
    base = tmp_path / "base"
    base.mkdir()
    create_project(write_jsonl(base / "raw.jsonl", [judged(number, "accept") for number in range(6)]), first=2)
    work = tmp_path / "work"
    for at in range(1, 1000, 5):
        # The source has its place in the settings: the copy is read on from the first one.
        folder = fresh_copy(base, work) / "raw.tamis"
        for each in waiting_sources(folder):  # a copy of what was begun elsewhere
            trust(each.kind, each.place, each.content)
        code = struck(at, lambda: continue_reading(work / "raw.tamis"), kill=kill)
        if code == 0:
            break
        assert code in (KILLED, RAISED, PASSED)
        for rows in (None, 6):
            if rows:
                continue_reading(folder)
            with open_project(folder, readonly=True) as project:
                assert set(told(project)) == set(range(len(project.rows)))
                assert rows in (None, len(project.rows))
