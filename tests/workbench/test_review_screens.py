"""Orders, repairs, the same fix for all, second looks, advice to stop, pick and slices: by key, on a small project."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import planted
import pytest

from engine.model import Act, BucketName, Findings, Flag, Span
from engine.project.project import Project
from engine.review.store import Queue, load_queue, save_queue
from workbench.actions import decide, pick, repairs, slices
from workbench.actions import order as ordering
from workbench.actions.decide import accept_rest, decide_here
from workbench.actions.edit import edit_fields, save_edit
from workbench.render.row import why_lines
from workbench.state.session import Session

Row = dict[str, Any]


def marked_rows() -> list[Row]:
    """Rows 0-3 hold HTML entities, row 3 is to be dropped as well; 4-9 begin with a prefix that does not belong."""
    rows: list[Row] = [
        {"instruction": f"Name pair {number}", "output": f"Salt &amp; pepper {number}"} for number in range(4)
    ]
    rows += [{"instruction": f"Name river {number}", "output": f"Answer: River {number}"} for number in range(4, 10)]
    return rows


def marked_findings(count: int = 10) -> Findings:
    flags = [Flag(row, "html_entities", "fix", 'HTML entity: "&amp;"', Span(1, 5, 10)) for row in range(4)]
    flags.append(Flag(3, "refusal", "drop", "refuses"))
    buckets: list[BucketName] = ["fix", "fix", "fix", "drop", *["clean"] * (count - 4)]  # type: ignore[list-item]
    return Findings((), tuple(flags), tuple(buckets), {"total": 0.1})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return planted.make_folder(tmp_path, marked_rows(), marked_findings())


def plain_folder(place: Path, count: int) -> Path:
    """Rows without a flag."""
    rows = [{"instruction": f"Question {number}?", "output": f"Answer {number}."} for number in range(count)]
    return planted.make_folder(place, rows)


def in_triage(project: Project) -> Session:
    session = Session(project)
    session.place.screen = "triage"
    return session


def shown_rows(session: Session) -> list[int]:
    return [session.place.entries.entry(index).row for index in range(len(session.place.entries))]


def plant_queue(project: Project, order: list[int], chances: dict[int, float] | None = None) -> None:
    why = {order[0]: (("word:river", 1.5), ("flag:link", -0.2))}
    save_queue(project.folder, Queue(tuple(order), chances or {}, why, 30, 6, None, project.scan_key()))


# -- orders


async def test_s_goes_through_the_orders_and_stays_on_the_row(tmp_path: Path) -> None:
    async with planted.workbench(planted.make_folder(tmp_path)) as (app, pilot):
        await pilot.press("o", "G", "enter")
        session = app.session
        session.set_filter("")
        session.place.cursor = session.place.entries.find(15, None) or 0
        await pilot.press("s")
        assert (session.queue.sorted_by, shown_rows(session)) == ("file", list(range(20)))
        assert session.place.entry is not None
        assert session.place.entry.row == 15
        for expected in ("cluster", "bucket", "length", "newest"):
            await pilot.press("s")
            await app.workers.wait_for_complete()
            assert session.queue.sorted_by == expected
            assert sorted(shown_rows(session)) == list(range(20))
        dates = [session.project.rows.raw(row)["year"] for row in shown_rows(session)]
        assert dates == sorted(dates, reverse=True)
        assert "s newest" in planted.screen_text(app)[0]


async def test_by_risk_the_queue_is_learnt_in_a_job(folder: Path) -> None:
    async with planted.workbench(folder) as (app, pilot):
        await pilot.press("o", "G", "enter")
        app.session.set_filter("")
        ordering.take_order(app.session, "newest", ordering.ranking(app.session, "newest"))
        await pilot.press("s")
        await app.workers.wait_for_complete()
        await pilot.pause()
        queue = load_queue(folder, app.session.project.scan_key())
        assert queue is not None
        assert app.session.queue.learned == queue
        assert "by flags until 20 verdicts" in app.session.message.text
        assert set(shown_rows(app.session)[:4]) <= set(range(4)) | {queue.order[4]}


def test_new_scores_sort_nothing_above_the_cursor(tmp_path: Path) -> None:
    with planted.opened(plain_folder(tmp_path, 8)) as project:
        session = in_triage(project)
        plant_queue(project, [5, 3, 1, 0, 2, 4, 6, 7], {5: 0.9})
        ordering.take_queue(session)
        ordering.take_order(session, "risk", ordering.ranking(session, "risk"))
        assert shown_rows(session) == [5, 3, 1, 0, 2, 4, 6, 7]
        session.place.cursor = 2
        plant_queue(project, [7, 6, 5, 4, 3, 2, 1, 0], {7: 0.9})
        ordering.take_queue(session)
        assert shown_rows(session) == [5, 3, 1, 7, 6, 4, 2, 0]
        assert session.place.entry is not None
        assert session.place.entry.row == 1


# -- what was learnt, on demand


def test_why_tells_the_words_behind_a_score_and_the_record_of_a_signal(folder: Path) -> None:
    with planted.opened(folder) as project:
        session = in_triage(project)
        plant_queue(project, [0, 1, 2, 3], {0: 0.83})
        ordering.take_queue(session)
        session.set_filter("row:1")
        session.on_screen.add(1)
        decide_here(session, "reject")
        text = ["".join(part for part, _ in line) for line in why_lines(session, 0)]
        assert text == [
            "html_entities right 1 of 1 of your verdicts",
            "learnt 83 % likely bad, from 30 verdicts",
            "  +1.50 word river",
            "  -0.20 flag link",
        ]


# -- repairs


async def test_a_repair_is_shown_as_a_diff_and_made_and_undone_by_one_key(folder: Path) -> None:
    async with planted.workbench(folder) as (app, pilot):
        await pilot.press("o", "G", "enter")
        app.session.set_filter("row:1")
        await pilot.press("c")
        await pilot.pause()
        text = "\n".join(planted.screen_text(app))
        assert "&amp;" in text
        assert "enter edits and accepts 1 row" in text
        await pilot.press("enter")
        project = app.session.project
        assert project.current_row(1)["output"] == "Salt & pepper 1"
        assert (project.verdict(1), app.session.message.text) == (
            "accepted",
            "edited and accepted row 1: repair html_entities; u takes it back",
        )
        await pilot.press("u")
        assert project.current_row(1)["output"] == "Salt &amp; pepper 1"
        assert project.verdict(1) == "undecided"


async def test_a_repair_for_all_rows_of_a_flag_is_one_act_and_leaves_out_what_has_more(folder: Path) -> None:
    async with planted.workbench(folder) as (app, pilot):
        session = app.session
        session.overview.cursor = next(
            n for n, item in enumerate(session.overview.items) if item.filter_text == "flag:html_entities"
        )
        await pilot.press("c")
        assert session.proposals.offer is not None
        assert [change.row for change in session.proposals.offer.changes] == [0, 1, 2]
        assert "1 row with other findings left out" in session.proposals.offer.title
        await pilot.press("j", "x", "enter")
        lines = planted.journal(folder)
        assert len(lines) == 1
        assert set(lines[0]["acts"][0]["edited"]) == {planted.opened_id(folder, 0), planted.opened_id(folder, 2)}
        assert session.project.verdict(1) == session.project.verdict(3) == "undecided"


async def test_a_line_of_flags_offers_its_repair_beside_a_held_out_set_too(folder: Path) -> None:
    """Its filter then leaves the held-out rows out; other lines say where repairs are."""
    with planted.opened(folder) as project:
        project.decide([Act("holdout", (project.rows.id(2), project.rows.id(9)))])
    async with planted.workbench(folder) as (app, pilot):
        session = app.session
        # Nobody was here before: the rows come first.
        await pilot.press("o", "c")
        assert "repairs are offered on a line of the flags" in planted.screen_text(app)[-2]
        lines = session.overview.items
        session.overview.cursor = next(n for n, item in enumerate(lines) if item.label == "html_entities")
        assert "is:heldout" in session.overview.items[session.overview.cursor].filter_text
        await pilot.press("c")
        assert session.proposals.offer is not None
        # What was held out after the scan is scanned anew: row 3 is flagged no more for what was planted.
        assert [change.row for change in session.proposals.offer.changes] == [0, 1, 3]


def test_every_change_taken_out_leaves_nothing_to_do(folder: Path) -> None:
    with planted.opened(folder) as project:
        session = in_triage(project)
        session.proposals.offer = repairs.offer_row(session, 0)
        repairs.toggle(session)
        with pytest.raises(repairs.UsageError, match="every change was taken out"):
            repairs.apply_all(session)
        assert repairs.offer_row(session, 6) is None


# -- fix once, offer to all


async def test_an_edit_is_offered_to_the_rows_it_fits(folder: Path) -> None:
    async with planted.workbench(folder) as (app, pilot):
        await pilot.press("o", "G", "enter")
        session = app.session
        session.set_filter("row:5")
        (path,) = [field.path for field in edit_fields(session, 5) if field.path[-1] == "output"]
        save_edit(session, 5, {path: "River 5"})
        app.sync_screen()
        await app.workers.wait_for_complete()
        assert session.proposals.fits is not None
        assert session.proposals.fits[1] == (4, 6, 7, 8, 9)
        assert session.message.text.startswith("F shows 5 more rows that the same change fits (strip")
        await pilot.press("F", "enter")
        assert [session.project.current_row(row)["output"] for row in range(4, 10)] == [
            f"River {row}" for row in range(4, 10)
        ]
        assert len(planted.journal(folder)) == 2
        await pilot.press("u")
        assert session.project.current_row(4)["output"] == "Answer: River 4"


def test_an_edit_that_is_no_mechanical_change_is_offered_to_nobody(folder: Path) -> None:
    with planted.opened(folder) as project:
        session = in_triage(project)
        (path,) = [field.path for field in edit_fields(session, 5) if field.path[-1] == "output"]
        save_edit(session, 5, {path: "It is a long one in the north"})
        assert session.proposals.edit_rule is None


# -- when to stop


def test_advice_to_stop_names_the_risk_and_is_taken_twice(tmp_path: Path) -> None:
    with planted.opened(plain_folder(tmp_path, 60)) as project:
        session = in_triage(project)
        plant_queue(project, list(range(60)), {0: 0.5})
        ordering.take_queue(session)
        ordering.take_order(session, "risk", ordering.ranking(session, "risk"))
        session.set_filter("bucket:clean")
        accept_rest(session)
        assert "no ground to stop yet" in session.message.text
        for _ in range(30):
            assert session.place.entry is not None
            session.on_screen.add(session.place.entry.row)
            decide_here(session, "accept")
        assert (
            session.message.text == "A accepts the rest, at most 9.5 % bad with 95 % confidence: "
            "the last 30 of `clean` changed nothing: accept the remaining 30?"
        )
        accept_rest(session)
        assert project.tally()["accepted"] == 30
        accept_rest(session)
        assert project.tally()["accepted"] == 60
        session.undo()
        assert session.message.text.startswith("same key again takes back: accept 30 rows")
        session.undo()
        assert project.tally()["accepted"] == 30


# -- a second look


def test_a_second_look_hides_the_first_verdict_and_tells_the_agreement(tmp_path: Path) -> None:
    with planted.opened(plain_folder(tmp_path, 6)) as project:
        session = in_triage(project)
        with pytest.raises(decide.UsageError, match="nothing to look at a second time"):
            decide.start_recheck(session)
        session.set_filter("row:0-3")
        for _ in range(4):
            assert session.place.entry is not None
            session.on_screen.add(session.place.entry.row)
            decide_here(session, "accept")
        decide.start_recheck(session)
        assert shown_rows(session) == [0, 1, 2, 3]
        assert session.place.entries.open_from(0, project) == 0
        text = "".join(part for part, _ in _marks(session))
        assert "\u2713" not in text
        for verb in ("accept", "reject", "accept", "accept"):
            decide_here(session, verb)  # type: ignore[arg-type]
        assert session.message.text.startswith("3 of 4 verdicts were the same at the second look (75 %)")
        assert [project.verdict(row) for row in range(4)] == ["accepted", "rejected", "accepted", "accepted"]


def _marks(session: Session) -> list[tuple[str, str]]:
    from workbench.render.parts import mark_of
    from workbench.render.row import decision_words

    marks = [mark_of(session.project, row) for row in shown_rows(session)]
    return [*marks, *((decision_words(session.project, row), "") for row in shown_rows(session))]


# -- pick


async def test_pick_proposes_swaps_and_locks_and_accepts_only_when_asked_twice(tmp_path: Path) -> None:
    words = ("river", "poem", "sorting", "recipe", "planet", "tax")
    rows: list[Row] = [
        {
            "instruction": f"Explain the {words[number % 6]} of {words[number // 6]} town {number}",
            "output": f"It is {number}.",
        }
        for number in range(36)
    ]
    async with planted.workbench(planted.make_folder(tmp_path, rows)) as (app, pilot):
        session = app.session
        session.proposals.pick = pick.Board(6)
        await pilot.press("P")
        await app.workers.wait_for_complete()
        await pilot.pause()
        board = session.proposals.pick
        assert len(board.rows) == 6
        assert all(one.reason.startswith("topic ") for one in board.rows)
        await pilot.press("l", "j")
        out = session.proposals.pick.rows[1].row
        await pilot.press("x")
        await app.workers.wait_for_complete()
        await pilot.pause()
        now = session.proposals.pick
        assert out not in {one.row for one in now.rows}
        assert {one.row for one in board.rows} - {out} <= {one.row for one in now.rows}
        assert [one.row for one in now.rows if one.locked] == [board.rows[0].row]
        assert len(now.rows) == 6
        assert planted.journal(tmp_path / "raw.tamis") == []
        assert "topics" in planted.screen_text(app)[-3]
        await pilot.press("a")
        assert session.project.tally()["accepted"] == 0
        await pilot.press("a")
        assert session.project.tally()["accepted"] == 6
        await pilot.press("u")
        assert session.project.tally()["accepted"] == 0


async def test_a_pick_that_fails_says_so_once(tmp_path: Path) -> None:
    async with planted.workbench(plain_folder(tmp_path, 4)) as (app, pilot):
        for row in range(4):
            app.session.set_filter(f"row:{row}")
            app.session.place.screen = "triage"
            decide_here(app.session, "reject")
        await pilot.press("P")
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert "nothing to pick" in app.session.message.text
        assert app.session.proposals.pick is not None
        assert not app.session.proposals.pick.stale


# -- slices


async def test_a_slice_is_looked_at_and_settled(tmp_path: Path) -> None:
    rows: list[Row] = [
        {"instruction": f"Please send the {'fax' if number < 40 else 'form'} number {number}", "output": "Done.",
         "meta": {"date": f"{2017 + number // 20}-03-0{1 + number % 9}"}}
        for number in range(120)
    ]  # fmt: skip
    async with planted.workbench(planted.make_folder(tmp_path, rows), size=(120, 40)) as (app, pilot):
        await pilot.press("H")
        await app.workers.wait_for_complete()
        await pilot.pause()
        session = app.session
        board = session.proposals.slices
        assert board is not None
        assert [(bar.name, bar.rows) for bar in board.slices] == [(str(2017 + n), 20) for n in range(6)]
        assert [(bar.name, bar.note) for bar in board.words] == [("fax", "last in 2018, none in 80 later rows")]
        assert "words that die out" in "\n".join(planted.screen_text(app))
        await pilot.press("enter")
        await pilot.pause()
        assert session.place.entries.matched == 10
        assert {session.project.rows.raw(row)["meta"]["date"][:4] for row in shown_rows(session)} == {"2017"}
        await pilot.press("H")
        await pilot.pause()
        await pilot.press("x")
        assert session.project.tally()["rejected"] == 0
        await pilot.press("x")
        assert session.project.tally()["rejected"] == 20
        await pilot.press("u", "m")
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert session.project.tally()["rejected"] == 0
        assert session.proposals.slices.slices[0].name == "2017-03"
        slices.move(session, 100)
        slices.show_ten(session)
        assert all("fax" in session.project.example(row).prompt for row in shown_rows(session))
