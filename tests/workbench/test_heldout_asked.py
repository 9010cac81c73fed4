"""The held-out set is asked about at the first key that decides, once, in one line; the key then does its work."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from planted import TamisApp, journal, make_folder, opened, screen_text, shown, type_filter, workbench

from engine.model import Cluster, Findings
from engine.project.project import open_project
from workbench.state.saved import SavedState, load_state, save_state

QUESTION = "hold out 40 of 240 rows to measure with, before you decide?"


def content(count: int) -> list[dict[str, str]]:
    return [{"instruction": f"What is {n} times {n}?", "output": f"{n * n}"} for n in range(count)]


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """240 rows of which 3 and 4 are a group; somebody was in the list before."""
    group = Cluster("cn0001", "near", (3, 4), 3, ("alike",), (100.0, 98.0))
    found = Findings((group,), (), ("clean",) * 240, {"total": 0.1})
    folder = make_folder(tmp_path, content(240), found)
    save_state(folder, SavedState(screen="triage"))
    return folder


def heldout_and_rest(folder: Path) -> list[str]:
    return [act["do"] for line in journal(folder) for act in line.get("acts", [])]


async def test_nothing_is_asked_before_something_is_decided(many: Path) -> None:
    async with workbench(many) as (app, pilot):
        await pilot.press("j", "w", "o", "j", "enter", "m", "m")
        assert "hold out" not in "\n".join(screen_text(app))


async def test_yes_reserves_and_the_key_goes_to_the_row_it_was_meant_for(many: Path) -> None:
    async with workbench(many) as (app, pilot):
        await type_filter(pilot, "row:17")
        await pilot.press("x")
        text = screen_text(app)
        assert text[-2] == f" {QUESTION}"
        assert text[-1] == " enter yes  n no  + more  - fewer  then x reject"
        # The row that is decided on stays in sight.
        assert "What is 17 times 17?" in "\n".join(text)
        await pilot.press("plus")
        assert "hold out 50 of 240 rows" in screen_text(app)[-2]
        assert journal(many) == []
        await pilot.press("enter")
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert len(app.session.project.heldout) == 50
        assert app.session.project.verdict(17) == "rejected"
        assert app.session.progress.tally["rejected"] == 1
        assert "H50" in screen_text(app)[0]
        assert heldout_and_rest(many) == ["holdout", "reject"]
        assert journal(many)[0]["acts"][0]["seed"] == 0
        # One act each: the verdict, then the held-out set, which is asked about.
        await pilot.press("u")
        assert app.session.project.verdict(17) == "undecided"
        await pilot.press("u", "u")
        assert not app.session.project.heldout


async def test_no_goes_on_with_the_key_and_it_is_never_asked_again(many: Path) -> None:
    async with workbench(many) as (app, pilot):
        await type_filter(pilot, "row:5-9")
        await pilot.press("a", "n")
        assert app.session.project.verdict(5) == "accepted"
        assert "tamis holdout PROJECT 40" in "\n".join(screen_text(app))
        await pilot.press("a")
        assert app.session.project.verdict(6) == "accepted"
    assert load_state(many).asked == {"heldout"}
    async with workbench(many) as (app, pilot):
        await pilot.press("x")
        assert "hold out" not in "\n".join(screen_text(app))
    assert "holdout" not in heldout_and_rest(many)


async def test_keys_typed_before_the_question_was_seen_answer_nothing_and_come_after_it(many: Path) -> None:
    """`n` is the next row, `enter` keeps a group: neither is an answer to what nobody has seen."""
    with opened(many) as project:
        app = TamisApp(project)
        async with app.run_test(size=(80, 24)) as pilot:
            await type_filter(pilot, "row:20-29")
            from textual import events

            for key in "anx":
                app.post_message(events.Key(key, key))
            await shown(app, pilot, lambda text: QUESTION in text)
            assert not heldout_and_rest(many)
            await pilot.press("n")
            await shown(app, pilot, lambda text: "rejected row" in text)
            assert [project.verdict(row) for row in range(20, 24)] == ["accepted", "undecided", "rejected", "undecided"]


async def test_another_key_does_nothing_and_says_so(many: Path) -> None:
    async with workbench(many) as (app, pilot):
        await type_filter(pilot, "row:20-29")
        await pilot.press("a", "x")
        assert screen_text(app)[-2] == " enter or n first: that key did nothing"
        assert journal(many) == []
        await pilot.press("escape")
        assert [app.session.project.verdict(row) for row in (20, 21)] == ["accepted", "undecided"]


async def test_a_key_on_a_group_is_asked_for_again_since_groups_are_found_anew(many: Path) -> None:
    async with workbench(many) as (app, pilot):
        await type_filter(pilot, "cluster:cn0001")
        await pilot.press("enter", "enter")
        assert len(app.session.project.heldout) == 40
        assert heldout_and_rest(many) == ["holdout"]
        assert "enter again once the groups are found anew" in app.session.message.text


async def test_a_key_on_a_group_goes_through_where_nothing_is_held_out(many: Path) -> None:
    async with workbench(many) as (app, pilot):
        await type_filter(pilot, "cluster:cn0001")
        await pilot.press("enter", "n")
        assert [app.session.project.verdict(row) for row in (3, 4)] == ["accepted", "rejected"]


async def test_a_line_of_the_overview_takes_its_key_twice_as_ever(many: Path) -> None:
    save_state(many, SavedState(screen="overview"))
    async with workbench(many) as (app, pilot):
        await shown(app, pilot, lambda text: "no issue found" in text)
        while app.session.overview.item is not None and app.session.overview.item.filter_text != "bucket:clean":
            await pilot.press("j")
        await pilot.press("x", "n")
        assert "same key again" in app.session.message.text
        assert journal(many) == []
        await pilot.press("x")
        assert app.session.progress.tally["rejected"] == 240


@pytest.mark.parametrize("case", ["few", "held out", "not scanned", "only reading"])
async def test_where_nothing_can_be_held_out_nothing_is_asked(tmp_path: Path, case: str) -> None:
    rows = 199 if case == "few" else 240
    found = Findings((), (), ("clean",) * rows, {}, complete=case != "not scanned")
    folder = make_folder(tmp_path, content(rows), found)
    save_state(folder, SavedState(screen="triage"))
    if case == "held out":
        with opened(folder) as project:
            from engine.project.heldout import reserve_drawn

            reserve_drawn(project, 40)
            project.save_findings(found)
    with open_project(folder, reviewer=None if case == "only reading" else "ann") as project:
        app = TamisApp(project)
        async with app.run_test(size=(80, 24)) as pilot:
            app.background.cancel()
            await pilot.press("x")
            assert "hold out" not in "\n".join(screen_text(app))
    assert json.dumps(journal(folder)).count("reject") == (case != "only reading")


async def press_unseen(app: TamisApp, keys: str) -> None:
    """Keys that come in one packet, before anything of what they do is painted."""
    from textual import events

    for key in keys:
        app.post_message(events.Key("enter" if key == "\r" else key, key))


async def test_keys_typed_for_rows_of_another_list_are_dropped_and_counted(many: Path) -> None:
    """Behind yes the list is another one: what was meant for the next row must not fall on whichever stands there."""
    async with workbench(many) as (app, pilot):
        await type_filter(pilot, "row:20-29")
        await press_unseen(app, "xjx")
        await shown(app, pilot, lambda text: QUESTION in text)
        await pilot.press("enter")
        await shown(app, pilot, lambda text: "2 keys typed before the row was shown: dropped" in text)
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert [row for row in range(240) if app.session.project.verdict(row) != "undecided"] == [20]


async def test_of_very_many_keys_none_is_lost_unsaid(many: Path) -> None:
    async with workbench(many) as (app, pilot):
        await type_filter(pilot, "row:20-29")
        await press_unseen(app, "x" + "j" * 130)
        await shown(app, pilot, lambda text: QUESTION in text)
        await pilot.press("n")
        await shown(app, pilot, lambda text: "130" in text and "keys typed before the row was shown: dropped" in text)


@pytest.mark.parametrize("key", ["e", "A"])
async def test_a_text_or_an_advice_decides_too(many: Path, key: str) -> None:
    async with workbench(many) as (app, pilot):
        await type_filter(pilot, "row:17")
        await pilot.press(key)
        assert QUESTION in "\n".join(screen_text(app))
        assert not journal(many)


async def test_what_is_typed_into_a_text_goes_there_behind_the_answer(many: Path) -> None:
    async with workbench(many) as (app, pilot):
        await type_filter(pilot, "row:17")
        await press_unseen(app, "exax")
        await shown(app, pilot, lambda text: QUESTION in text)
        await pilot.press("n")
        await shown(app, pilot, lambda text: "xax" in text)
        assert not heldout_and_rest(many)


async def test_a_typed_verb_with_a_selector_asks_first_and_the_line_stays(many: Path) -> None:
    async with workbench(many) as (app, pilot):
        await pilot.press("colon", *"reject row:5-9", "enter")
        assert QUESTION in "\n".join(screen_text(app))
        await pilot.press("enter")
        text = "\n".join(screen_text(app))
        assert "reject row:5-9" in text
        assert "H40" in text
        await pilot.press("enter")
        assert "would have rejected" in "\n".join(screen_text(app))
        await pilot.press("enter")
        await app.workers.wait_for_complete()
        left = set(range(5, 10)) - app.session.project.heldout
        assert {row for row in range(240) if app.session.project.verdict(row) == "rejected"} == left
        assert heldout_and_rest(many) == ["holdout", "reject"]


async def test_a_typed_verb_that_decides_nothing_asks_nothing(many: Path) -> None:
    async with workbench(many) as (_, pilot):
        await pilot.press("colon", *"tag good row:5-9", "enter", "enter")
        assert heldout_and_rest(many) == ["tag"]


async def test_a_slice_asks_before_it_decides(tmp_path: Path) -> None:
    rows = [{**row, "date": f"20{10 + number % 4}-01-01"} for number, row in enumerate(content(240))]
    folder = make_folder(tmp_path, rows, Findings((), (), ("clean",) * 240, {"total": 0.1}))
    save_state(folder, SavedState(screen="triage"))
    async with workbench(folder) as (app, pilot):
        await pilot.press("H")
        await app.workers.wait_for_complete()
        await shown(app, pilot, lambda text: "2013" in text)
        await pilot.press("x")
        assert QUESTION in "\n".join(screen_text(app))
        await pilot.press("n")
        assert "same key again" in app.session.message.text
        await pilot.press("x")
        assert app.session.progress.tally["rejected"] == 60
        assert "holdout" not in heldout_and_rest(folder)
