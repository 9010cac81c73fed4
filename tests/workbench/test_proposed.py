"""What others propose, in the workbench: seen beside the row, taken or declined by a key or in bulk."""

from __future__ import annotations

import json
from pathlib import Path

import planted
import pytest
from planted import journal, screen_text, shown, workbench

from engine.errors import UsageError
from engine.model import Act
from engine.project.create import create_project
from engine.project.project import open_project
from engine.project.proposals import NewProposal, add_proposals, waiting
from workbench.actions.typed_commands import run_headless

EDITED = {"instruction": "Count to three.", "input": "", "output": "One, two, three.", "year": 2020}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Row 10 is proposed to be rejected, 11 to get another text, 12 and 7 to be accepted, 13 to be tagged; of 14 two
    authors propose different things."""
    folder = planted.make_folder(tmp_path)
    with open_project(folder, readonly=True) as project:
        ids = [project.rows.id(row) for row in range(len(project.rows))]
    verdicts = [NewProposal(ids[10], "reject", why="answer: reject")]
    verdicts += [NewProposal(ids[row], "accept", why="answer: accept") for row in (12, 7, 14)]
    add_proposals(folder, "import:prodigy", [*verdicts, NewProposal(ids[13], tag="sport", why="topic: sport")])
    edit = NewProposal(ids[11], edited=EDITED, why="output")
    add_proposals(folder, "model:judge", [edit, NewProposal(ids[14], "reject", why="score 2")])
    return folder


async def test_the_overview_tells_of_them_and_p_shows_them(folder: Path) -> None:
    async with workbench(folder) as (app, pilot):
        text = screen_text(app)
        assert text[-2] == " 6 verdicts came along (import:prodigy, model:judge): p shows them"
        lines = [line for line in text if "proposed by" in line]
        assert [line.split()[:4] for line in lines] == [
            ["proposed", "by", "import:prodigy", "5"],
            ["proposed", "by", "model:judge", "2"],
        ]
        await pilot.press("p")
        assert screen_text(app)[0].endswith("/ is:proposed  1/6")
        marks = {int(line[4:6]): line[1:3] for line in screen_text(app)[1:7] if line[4:6].strip().isdigit()}
        assert marks == {10: "?x", 11: "?e", 7: "?a", 12: "?a", 13: "?t", 14: "?d"}
    async with workbench(folder) as (app, _):
        assert "came along" not in screen_text(app)[-2]


async def test_one_key_takes_one_and_the_journal_names_it(folder: Path) -> None:
    async with workbench(folder) as (app, pilot):
        await planted.type_filter(pilot, "is:proposed row:10-12")
        text = "\n".join(screen_text(app))
        assert "import:prodigy proposes reject: answer: reject \u00b7 + takes, - declines" in text
        assert screen_text(app)[-1].startswith(" + take  - decline  a accept")
        await pilot.press("plus")
        assert screen_text(app)[0].startswith(" raw.jsonl  \u27130 \u27171")
        text = "\n".join(screen_text(app))
        assert "model:judge proposes this text: output" in text
        assert "thre\u2192three." in text
        await pilot.press("plus")
        assert app.session.project.current_row(11) == EDITED
        await pilot.press("u")
        assert waiting(app.session.project, 11)
        named = [app.session.project.proposals.of(app.session.project.rows.id(row))[0].id for row in (10, 11)]
    reject, edit, _ = journal(folder)
    assert [(act["do"], act["proposal"]) for line in (reject, edit) for act in line["acts"]] == [
        ("reject", named[0]),
        ("edit", named[1]),
    ]
    assert (reject["why"], edit["why"]) == ("import:prodigy: answer: reject", "model:judge: output")


async def test_what_is_declined_waits_no_longer_and_is_undecided(folder: Path) -> None:
    async with workbench(folder) as (app, pilot):
        await planted.type_filter(pilot, "row:10")
        await pilot.press("minus")
        assert screen_text(app)[-2].startswith(" declined what was proposed for row 10")
        assert screen_text(app)[1].startswith("\u258c\u00b7")
        assert app.session.project.verdict(10) == "undecided"
        await pilot.press("plus")
        assert "nothing waits here" in screen_text(app)[-2]
        await pilot.press("w")
        assert "import:prodigy proposed reject: answer: reject" in "\n".join(screen_text(app))
        await pilot.press("u")
        assert screen_text(app)[1].startswith("\u258c?x")


async def test_a_tag_is_taken_and_the_row_stays_undecided(folder: Path) -> None:
    async with workbench(folder) as (app, pilot):
        await planted.type_filter(pilot, "row:13")
        await pilot.press("plus")
        project = app.session.project
        assert (project.tags(13), project.verdict(13), waiting(project, 13)) == ({"sport"}, "undecided", ())


async def test_where_they_differ_a_person_says_which(folder: Path) -> None:
    async with workbench(folder) as (app, pilot):
        await planted.type_filter(pilot, "row:14")
        await pilot.press("plus")
        assert "its proposals differ: a, x or e decides it" in screen_text(app)[-2]
        assert app.session.project.verdict(14) == "undecided"
        await pilot.press("x")
        assert not waiting(app.session.project, 14)


async def test_a_line_of_the_overview_is_asked_about_first(folder: Path) -> None:
    async with workbench(folder) as (app, pilot):
        labels = [item.label for item in app.session.overview.items]
        app.session.overview.cursor = labels.index("proposed by import:prodigy")
        await pilot.press("plus")
        asked = " ".join(screen_text(app)[-3:-1])
        assert "reject 1 row and accept 1 row and tag 1 row" in asked
        assert "same key again" in asked
        assert not journal(folder)
        await pilot.press("plus")
        counts = app.session.project.counts()
        # Row 7 stands in a conflict that nobody has seen, row 14 has proposals that differ.
        assert (counts["accepted"], counts["rejected"], counts["undecided"]) == (1, 1, 18)


def test_typed_it_is_counted_first_and_leaves_the_held_out_rows(folder: Path) -> None:
    with planted.opened(folder) as project:
        project.decide([Act("holdout", (project.rows.id(12),))], why="drawn")
        dry = run_headless(project, "take is:proposed", dry_run=True)
        assert dry.text.startswith("would have ")
        assert "1 held-out row left alone" in dry.text
        assert run_headless(project, "take is:proposed", yes=True).rows == 3
        assert project.verdict(12) == "undecided"
        assert run_headless(project, "take row:12").n is not None
        assert run_headless(project, "decline proposed:reject").rows == 1
        with pytest.raises(UsageError, match="no row matches"):
            run_headless(project, "take proposed:skip")
        with pytest.raises(UsageError, match="Did you mean by:import:prodigy"):
            run_headless(project, "take by:import:prodogy")


def test_a_text_that_nobody_could_train_on_is_left_alone(folder: Path) -> None:
    with planted.opened(folder) as project:
        empty = NewProposal(project.rows.id(15), edited={"instruction": "Question 15?", "input": "", "output": " "})
        add_proposals(folder, "model:judge", [empty])
        project.follow_journals()
        assert run_headless(project, "take row:15").n is None
        assert waiting(project, 15)


def test_a_score_proposes_once_a_person_says_from_where_on(folder: Path) -> None:
    with planted.opened(folder) as project:
        dry = run_headless(project, "propose year>=2019", dry_run=True)
        assert dry.text == "would have proposed: accept for 13 rows, reject for 7 rows (year>=2019)"
        assert not project.proposals.of(project.rows.id(0))
        assert run_headless(project, "propose year>=2019").rows == 20
        assert waiting(project, 0)[0].by == "import:year"
        assert not journal(folder)
        with pytest.raises(UsageError, match="no row has a number"):
            run_headless(project, "propose stars>3")


async def test_on_the_rows_of_a_new_file_the_key_told_is_one_of_that_screen(tmp_path: Path) -> None:
    """`p` goes to the match before there."""
    source = tmp_path / "raw.jsonl"
    row = {"prompt": "Name a sea.", "completion": "The Aral Sea.", "answer": "reject"}
    source.write_text(json.dumps(row) + "\n")
    async with workbench(create_project(source)) as (app, pilot):
        assert app.session.place.screen == "triage"
        await shown(app, pilot, lambda text: "1 verdict came along (import:prodigy): / is:proposed shows them" in text)


async def test_many_authors_are_counted_and_none_of_their_names_reaches_the_terminal_raw(folder: Path) -> None:
    """Also where a file says more of itself than any tool of ours would write."""
    with open_project(folder, readonly=True) as project:
        ids = [project.rows.id(row) for row in range(3)]
    for place, author in enumerate(("agent:../../x", "model:<b>&[red]", f"model:{'y' * 60}")):
        add_proposals(folder, author, [NewProposal(ids[place], "accept")])
    async with workbench(folder) as (app, _):
        text = "\n".join(screen_text(app))
        assert "9 verdicts came along (import:prodigy, model:judge, 3 more): p shows them" in text
        assert "proposed by model:<b>&[red]" in text
    assert sorted(path.name for path in (folder / "proposals").iterdir())[0].startswith("agent_")


async def test_a_text_that_does_not_fit_says_so(folder: Path) -> None:
    with open_project(folder, readonly=True) as project:
        identifier = project.rows.id(15)
    add_proposals(folder, "model:judge", [NewProposal(identifier, edited={})])
    async with workbench(folder) as (app, pilot):
        await planted.type_filter(pilot, "row:15")
        await pilot.press("plus")
        assert "its proposed text does not fit the row: a, x or e decides it" in screen_text(app)[-2]
        await pilot.press("minus")
        assert not waiting(app.session.project, 15)
