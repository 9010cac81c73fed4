"""Commands that are asked about: given twice they act, given once and followed by anything else they do nothing.

The table says which they are; each is walked through on every screen it is on, by its key.
"""

from __future__ import annotations

import fcntl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import planted
import pytest
from planted import journal, screen_text, shown, workbench
from test_answer_screens import make_run as make_answering_run
from test_compare_screen import COMPARISON, make_comparison
from textual.pilot import Pilot

from engine.model import Act, BucketName, Cluster, Findings
from engine.project.project import open_project
from engine.project.proposals import NewProposal, add_proposals
from workbench.commands.registry import BY_ID, COMMANDS
from workbench.state.proposals import Bar, Board, Change, Offer, PickedRow, SliceBoard
from workbench.state.session import Session
from workbench.ui.app import TamisApp
from workbench.ui.screens.try_run import TryScreen

ROWS, GROUP = 64, 30
Stage = Callable[[TamisApp, Pilot[int], Path], Awaitable[None]]


def make_folder(place: Path) -> Path:
    """Rows 0-29 are one near group, 30-63 without an issue; all of one year. Rows 12 and 13 are those of a held-out
    prompt where a run is tried."""
    rows = [{"instruction": f"Question {n}?", "input": "", "output": f"Answer {n}.", "year": 2020} for n in range(ROWS)]
    buckets: list[BucketName] = ["drop"] * GROUP + ["clean"] * (ROWS - GROUP)  # type: ignore[list-item]
    found = Findings((Cluster("cn0001", "near", tuple(range(GROUP)), 0),), (), tuple(buckets), {"total": 0.1})
    return planted.make_folder(place, rows, found)


def decided(folder: Path, act: str, rows: range) -> None:
    with planted.opened(folder) as project:
        project.decide([Act(act, tuple(map(project.rows.id, rows)))])  # type: ignore[arg-type]


# -- how one comes to where a command asks


async def on_bulk_line(app: TamisApp, pilot: Pilot[int], folder: Path) -> None:
    items = app.session.overview.items
    app.session.overview.cursor = next(place for place, item in enumerate(items) if item.bulk and item.rows > 20)
    app.sync_screen()
    await pilot.pause()


async def on_group_line(app: TamisApp, pilot: Pilot[int], folder: Path) -> None:
    items = app.session.overview.items
    app.session.overview.cursor = next(place for place, item in enumerate(items) if item.keeps)
    app.sync_screen()
    await pilot.pause()


async def on_marked_rows(app: TamisApp, pilot: Pilot[int], folder: Path) -> None:
    await planted.type_filter(pilot, "row:30-63")
    await pilot.press("asterisk")


async def on_rejected_rows(app: TamisApp, pilot: Pilot[int], folder: Path) -> None:
    rows = app.session.project.rows
    app.session.project.decide([Act("reject", tuple(map(rows.id, range(30, ROWS))))])
    await on_marked_rows(app, pilot, folder)


async def on_group(app: TamisApp, pilot: Pilot[int], folder: Path) -> None:
    await planted.type_filter(pilot, "kind:near")


def after_a_large_act(reach: Stage | None = None, *, undone: bool = False) -> Stage:
    async def stage(app: TamisApp, pilot: Pilot[int], folder: Path) -> None:
        rows = app.session.project.rows
        app.session.project.decide([Act("reject", tuple(map(rows.id, range(30, ROWS))))])
        if undone:
            app.session.project.undo()
        if reach is not None:
            await reach(app, pilot, folder)

    return stage


async def in_triage(app: TamisApp, pilot: Pilot[int], folder: Path) -> None:
    await planted.type_filter(pilot, "row:30-63")


async def where_it_is_advised_to_stop(app: TamisApp, pilot: Pilot[int], folder: Path) -> None:
    await planted.type_filter(pilot, "row:30-63")
    app.session.queue.sorted_by = "risk"
    app.session.queue.outcomes["row:30-63"] = [False] * 30


async def on_pick(app: TamisApp, pilot: Pilot[int], folder: Path) -> None:
    picked = tuple(PickedRow(row, 0, "topic none (1)", False) for row in range(30, 60))
    app.session.proposals.pick = Board(30, picked, stale=False)
    await pilot.press("P")


async def on_slices(app: TamisApp, pilot: Pilot[int], folder: Path) -> None:
    bar = Bar("2020", "", "field.year=2020", ROWS, (30, 31))
    app.session.proposals.slices = SliceBoard("year", (bar,), stale=False)
    await pilot.press("H")


async def on_repairs(app: TamisApp, pilot: Pilot[int], folder: Path) -> None:
    app.session.proposals.offer = Offer("one change", "by hand", (Change(40, "mend", lambda row: {**row, "year": 1}),))
    app.go("offer")
    await pilot.pause()


async def on_a_run(app: TamisApp, pilot: Pilot[int], folder: Path) -> None:
    await pilot.press("T")
    await shown(app, pilot, lambda text: "compare-raw-seed1" in text and "running" in text)


async def on_a_comparison(app: TamisApp, pilot: Pilot[int], folder: Path) -> None:
    await pilot.press("V")
    await shown(app, pilot, lambda text: COMPARISON in text)


async def on_an_answer(app: TamisApp, pilot: Pilot[int], folder: Path) -> None:
    app.push_screen(TryScreen(next((folder / "runs").glob("*-tried"))))
    await shown(app, pilot, lambda text: "base to Question 12?" in text)


def proposed(reach: Stage | None = None) -> Stage:
    async def stage(app: TamisApp, pilot: Pilot[int], folder: Path) -> None:
        project = app.session.project
        new = [NewProposal(project.rows.id(row), "reject") for row in range(30, ROWS)]
        add_proposals(folder, "import:prodigy", new)
        project.follow_journals()
        app.session.refresh_counts()
        places = [place for place, item in enumerate(app.session.overview.items) if item.section == "proposed"]
        app.session.overview.cursor = places[0]
        await (on_proposed_line if reach is None else reach)(app, pilot, folder)

    return stage


async def on_proposed_line(app: TamisApp, pilot: Pilot[int], folder: Path) -> None:
    app.sync_screen()
    await pilot.pause()


LISTS: dict[str, Stage] = {"overview": on_bulk_line, "triage": on_marked_rows}
BOARDS: dict[str, Stage] = {"offer": on_repairs, "pick": on_pick, "slices": on_slices}
STAGES: dict[tuple[str, str], Stage] = {
    **{(verb, where): stage for verb in ("accept", "reject", "skip") for where, stage in LISTS.items()},
    **{(verb, "overview"): proposed() for verb in ("take", "decline-proposed")},
    **{(verb, "triage"): proposed(on_marked_rows) for verb in ("take", "decline-proposed")},
    ("reset", "triage"): on_rejected_rows,
    ("keep", "triage"): on_group,
    ("keep-all", "overview"): on_group_line,
    ("undo", "overview"): after_a_large_act(),
    ("undo", "triage"): after_a_large_act(in_triage),
    ("redo", "overview"): after_a_large_act(undone=True),
    ("redo", "triage"): after_a_large_act(in_triage, undone=True),
    ("accept-rest", "triage"): where_it_is_advised_to_stop,
    ("pick-accept", "pick"): on_pick,
    ("slice-reject", "slices"): on_slices,
    ("slice-accept", "slices"): on_slices,
    **{("board-undo", where): after_a_large_act(stage) for where, stage in BOARDS.items()},
    ("stop-run", "train"): on_a_run,
    ("stop-compare", "compare"): on_a_comparison,
    **{(f"answer-{what}", "try"): on_an_answer for what in ("base", "tuned", "edit")},
}


def test_the_walk_leaves_out_no_command_that_asks_twice() -> None:
    assert set(STAGES) == {(command.id, where) for command in COMMANDS if command.asks_twice for where in command.where}


@asynccontextmanager
async def going_on(folder: Path) -> AsyncIterator[Path]:
    """A comparison one of whose runs is held alive, as its supervisor would."""
    make_comparison(folder, whole=False)
    run = folder / "runs" / "20260101T000000Z-compare-raw-seed1"
    (run / "control").mkdir()
    with (run / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield run


def effects(folder: Path) -> int:
    """What a command leaves behind: lines of the journal, requests to stop."""
    return len(journal(folder)) + len(list(folder.glob("runs/*/control/stop")))


async def give(pilot: Pilot[int], command: str) -> None:
    """The command by its key; an answer is mended, unchanged, on a screen of its own."""
    await pilot.press(BY_ID[command].keys[0])
    if command == "answer-edit":
        await pilot.press("ctrl+s")
    await pilot.pause()


@pytest.mark.parametrize(("command", "where"), STAGES)
async def test_given_twice_it_acts_and_given_once_with_another_key_behind_it_does_nothing(
    command: str, where: str, tmp_path: Path
) -> None:
    folder = make_folder(tmp_path)
    if where == "try":
        with planted.opened(folder) as project:
            project.decide([Act("holdout", (project.rows.id(12), project.rows.id(13)))])
            project.save_findings(Findings.empty(ROWS))
        make_answering_run(folder, "20260101T000000Z-tried")
    async with going_on(folder), workbench(folder) as (app, pilot):
        app.session.remembered.asked.add("heldout")
        await STAGES[command, where](app, pilot, folder)
        assert app.session.place.screen == where
        before = effects(folder)
        # ctrl+y is no command of any screen.
        for other in ("ctrl+y", "escape"):
            await give(pilot, command)
            assert app.session.pending is not None
            assert app.session.pending.command == command
            await pilot.press(other)
            assert app.session.pending is None
            assert app.session.place.screen == where
            assert effects(folder) == before
        await give(pilot, command)
        assert effects(folder) == before
        await give(pilot, command)
        assert effects(folder) == before + 1
        assert app.session.pending is None


# -- stepping back


async def test_u_behind_a_question_steps_back_from_it_and_not_through_the_held_out_set(tmp_path: Path) -> None:
    folder = make_folder(tmp_path)
    with planted.opened(folder) as project:
        project.decide([Act("holdout", tuple(map(project.rows.id, range(40, 50))))], why="held out 10 rows, seed 0")
        project.save_findings(Findings.empty(ROWS))
    async with workbench(folder) as (app, pilot):
        await on_bulk_line(app, pilot, folder)
        await pilot.press("x")
        assert "same key again" in screen_text(app)[-2]
        await pilot.press("u")
        assert screen_text(app)[-2] == " not done, nothing has changed"
        assert len(app.session.project.heldout) == 10
        # A second one is meant: it says what it takes back, and takes its key twice.
        await pilot.press("u")
        assert screen_text(app)[-2].startswith(" same key again takes back: hold out 10 rows")
        assert len(app.session.project.heldout) == 10
        await pilot.press("u")
        assert app.session.project.heldout == frozenset()


async def test_twenty_rows_are_undone_at_once_and_twenty_one_are_asked_about(tmp_path: Path) -> None:
    folder = make_folder(tmp_path)
    decided(folder, "reject", range(30, 50))
    async with workbench(folder) as (app, pilot):
        await pilot.press("u")
        assert "undone: reject 20 rows" in screen_text(app)[-2]
    decided(folder, "reject", range(30, 51))
    async with workbench(folder) as (app, pilot):
        await pilot.press("u")
        assert screen_text(app)[-2] == " same key again takes back: reject 21 rows"
        assert app.session.project.tally()["rejected"] == 21


async def test_a_question_is_asked_anew_where_other_rows_came_under_it(tmp_path: Path) -> None:
    folder = make_folder(tmp_path)
    async with workbench(folder) as (app, pilot):
        await on_marked_rows(app, pilot, folder)
        await pilot.press("x")
        app.session.selection.marked.add(3)
        await pilot.press("x")
        assert "reject 35 rows" in screen_text(app)[-2]
        assert journal(folder) == []


async def test_news_from_beside_the_keys_takes_no_question_and_no_complaint_off(tmp_path: Path) -> None:
    with planted.opened(make_folder(tmp_path)) as project:
        session = Session(project)
        session.say("keymap: no command is called 'acept'; the default stays", "error")
        session.tell("scanned", "done")
        assert session.message.text.startswith("keymap")
        session.say("")
        session.tell("scanned", "done")
        assert session.message.text == "scanned"
        session.confirms("these", "reject 30 rows: same key again")
        session.tell("scanned", "done")
        assert "same key again" in session.message.text


def test_a_held_out_set_is_reserved_in_one_line_of_the_journal(tmp_path: Path) -> None:
    """What undo takes back, and says, is the whole of it."""
    folder = make_folder(tmp_path)
    decided(folder, "holdout", range(40, 44))
    with open_project(folder, reviewer="ann") as project:
        found = project.next_reversal("undo")
        assert found is not None
        assert (found.rows, found.is_basic) == (4, True)
