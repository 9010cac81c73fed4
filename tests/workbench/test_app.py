"""The workbench driven by keys: stories of a person at 80x24."""

from __future__ import annotations

from pathlib import Path

import planted
import pytest
from planted import journal, screen_text, workbench
from textual.widgets import TextArea

from engine.model import Cluster, Findings
from engine.project.create import create_project
from workbench.text.cells import cells


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return planted.make_folder(tmp_path)


async def test_one_lands_on_the_overview_and_enter_opens_the_best_group(folder: Path) -> None:
    async with workbench(folder) as (app, pilot):
        text = screen_text(app)
        assert text[0].split() == ["raw.jsonl", "✓0", "✗0", "→0", "·20", "left"]
        assert text[3].startswith("▌  1 exact group")
        await pilot.press("enter")
        text = screen_text(app)
        assert text[0].endswith("/ kind:exact  1/4")
        assert text[1].startswith("▌▾ exact ×3")
        assert text[-1].startswith(" enter keep  x reject")


async def test_a_sitting(folder: Path) -> None:
    """Keep a group, reject a row, edit one, undo it, leave: the journal holds exactly that."""
    async with workbench(folder) as (app, pilot):
        await pilot.press("enter", "enter")
        assert "accepted 1 row and rejected 2 rows" in screen_text(app)[-2]
        await planted.type_filter(pilot, "row:10-11")
        await pilot.press("x")
        assert screen_text(app)[0].startswith(" raw.jsonl  ✓1 ✗3 →0 ·16 left")
        await pilot.press("e", "end", "e", "ctrl+s")
        assert app.session.project.current_row(11)["output"] == "one two three"
        await pilot.press("u")
        assert screen_text(app)[-2].startswith(" undone: edit 1 row")
        await pilot.press("q")
    assert [[act["do"] for act in line.get("acts", [])] for line in journal(folder)] == [
        ["accept", "reject"],
        ["reject"],
        ["edit"],
        [],
    ]
    async with workbench(folder) as (app, _):
        assert app.session.place.entry is not None
        assert app.session.place.entry.row == 11
        assert screen_text(app)[0].endswith("/ row:10-11  2/2")


async def test_the_reader_shows_members_as_differences(folder: Path) -> None:
    async with workbench(folder) as (app, pilot):
        await planted.type_filter(pilot, "kind:near")
        text = "\n".join(screen_text(app))
        assert "the keeper" in text
        assert " ·  4      1 the keeper: its sentence ends" in text
        assert " ·  3      2 … to Ann in French." in text
        assert " ·  5      3 Say hello to Ann in French.→french!" in text


async def test_the_reason_is_always_in_sight_and_w_tells_all(folder: Path) -> None:
    async with workbench(folder) as (app, pilot):
        await planted.type_filter(pilot, "row:10")
        assert screen_text(app)[-3] == ' drop refusal: the answer refuses: "I am sorry"'
        await pilot.press("w")
        assert screen_text(app)[5].split() == ["why", "refusal", "the", "answer", "refuses:", '"I', "am", 'sorry"']


async def test_a_key_that_cannot_act_says_why(folder: Path) -> None:
    async with workbench(folder) as (app, pilot):
        await planted.type_filter(pilot, "row:12")
        await pilot.press("enter")
        assert "this row is in no group" in screen_text(app)[-2]
        await planted.type_filter(pilot, "kind:exact")
        await pilot.press("e")
        assert "this is a group" in screen_text(app)[-2]
        await pilot.press("u")
        assert "nothing to undo" in screen_text(app)[-2]


async def test_why_on_a_group_says_that_all_is_shown(folder: Path) -> None:
    async with workbench(folder) as (app, pilot):
        await pilot.press("enter", "w")
        assert "found about the group is shown already" in screen_text(app)[-2]
        await pilot.press("z")
        assert "go to one of its rows" in screen_text(app)[-2]


async def test_a_filter_counts_while_typing_and_refuses_nonsense(folder: Path) -> None:
    async with workbench(folder) as (app, pilot):
        await pilot.press("enter", "slash", *"bucket:drop")
        await pilot.pause(0.3)
        assert screen_text(app)[-3] == " 5 rows"
        # The keys of the list do nothing now: the footer names those that do.
        assert screen_text(app)[-1] == " enter show these rows  esc leave  ↑ ↓ earlier filters"
        await pilot.press(*"s", "enter")
        assert "bucket:'drops' is unknown" in screen_text(app)[-3]
        await pilot.press("escape")
        assert screen_text(app)[-1].startswith(" enter keep")
        assert app.session.place.filter_text == "kind:exact"
        await pilot.press("j")
        assert app.session.place.cursor == 1


async def test_an_edit_left_by_escape_comes_back_as_a_draft(folder: Path) -> None:
    async with workbench(folder) as (app, pilot):
        await planted.type_filter(pilot, "row:11")
        await pilot.press("e", *"so ", "escape")
        assert "the draft is kept" in screen_text(app)[-2]
        assert journal(folder) == []
    async with workbench(folder) as (app, pilot):
        await pilot.press("e")
        assert "with the draft you left" in screen_text(app)[0]
        await pilot.press("ctrl+j")
        assert app.session.project.current_row(11)["output"] == "so one two thre"


async def test_an_edit_without_an_answer_is_refused(folder: Path) -> None:
    async with workbench(folder) as (app, pilot):
        await planted.type_filter(pilot, "row:8")
        await pilot.press("e", "delete", "ctrl+s")
        assert "the answer is empty" in screen_text(app)[-2]
        assert journal(folder) == []
        await pilot.press("7", "ctrl+s")
        assert app.session.project.current_row(8)["output"] == "7"


async def test_revert_puts_back_the_text_as_it_stands_and_then_as_it_was_read(folder: Path) -> None:
    async with workbench(folder) as (app, pilot):
        await planted.type_filter(pilot, "row:8")
        await pilot.press("e", *"once ", "ctrl+s", "r", "u")
        assert app.session.project.current_row(8)["output"] == "once 4"
        await pilot.press("e", *"twice ")
        area = app.screen.query_one("#field-2", TextArea)
        assert area.text == "twice once 4"
        await pilot.press("ctrl+r")
        assert area.text == "once 4"
        assert "as it stands now; ctrl+r again: as it was read" in screen_text(app)[-2]
        await pilot.press("ctrl+r")
        assert area.text == "4"
        assert "as it was read, before any edit" in screen_text(app)[-2]
        await pilot.press("ctrl+s")
        assert app.session.project.current_row(8) == app.session.project.rows.raw(8)


async def test_z_shows_exactly_what_the_file_holds(tmp_path: Path) -> None:
    """Spacing, escapes, the order of keys, a key that is there twice: the bytes, not what a parser makes of them."""
    line = r'{ "output" :"caf\u00e9  \"x\"",   "instruction": "a", "n": 1.50, "n": 1e3, "instruction":"Say it."}'
    source = tmp_path / "raw.jsonl"
    source.write_text(line + "\n", encoding="utf-8")
    async with workbench(create_project(source), (120, 30)) as (app, pilot):
        await planted.type_filter(pilot, "row:0")
        assert line not in "\n".join(screen_text(app))
        await pilot.press("z")
        told = [text.rpartition("\u2595")[2][11:] for text in screen_text(app)]
        at = next(number for number, text in enumerate(told) if text.startswith("as it was read"))
        assert f"{len(line.encode())} bytes" in told[at]
        # Wrapped at a blank, which the wrap takes.
        assert " ".join(told[at + 1 : at + 3]) == line
        await pilot.press("z")
        assert "as it was read" not in "\n".join(screen_text(app))


async def test_the_external_editor_is_not_a_decision_where_nothing_changed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with workbench(folder) as (app, pilot):
        await planted.type_filter(pilot, "row:8")
        await pilot.press("ctrl+e")
        # A pilot has no terminal to hand over; the real thing is told in tests/terminal.
        assert "cannot hand over" in screen_text(app)[-2]
        assert journal(folder) == []
        assert not list(folder.glob("row-*"))


async def test_help_export_and_train_do_nothing_by_themselves(folder: Path) -> None:
    async with workbench(folder) as (app, pilot):
        await pilot.press("question_mark")
        assert "accept the row, or every row of the group" in "\n".join(screen_text(app))
        await pilot.press("escape", "E")
        assert "What enter would write" in screen_text(app)[1]
        await pilot.press("enter")
        assert "no training row is accepted" in screen_text(app)[-2]
        await pilot.press("q", "T", "q")
        assert not (folder / "exports").exists()
        assert not (folder / "runs").exists()
        assert app.session.place.screen == "overview"


async def test_the_export_screen_writes_on_enter(folder: Path) -> None:
    async with workbench(folder) as (app, pilot):
        await pilot.press("enter", "enter", "E", "enter")
        await app.workers.wait_for_complete()
        await pilot.pause()
        # The path may be longer than the line, which goes on below.
        assert any(line.startswith(" wrote 1 row to") for line in screen_text(app))
        assert (folder / "exports" / "train.jsonl").read_bytes() == app.session.project.rows.raw_bytes(0) + b"\n"


async def test_leaving_a_pane_returns_to_the_list_and_counts_it(folder: Path) -> None:
    async with workbench(folder) as (app, pilot):
        await pilot.press("enter", "E", "escape", "enter", "o")
        assert app.session.place.screen == "overview"
        assert screen_text(app)[3].startswith("▌  1 near group")


async def test_a_window_that_only_reads_says_so_and_leaves_the_place_alone(folder: Path) -> None:
    with planted.opened(folder), planted.opened(folder) as second:
        app = planted.TamisApp(second)
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            assert "read-only" in screen_text(app)[0]
            await pilot.press("enter", "a")
            assert screen_text(app)[-2] == " read-only: another window decides here; :take-over makes it this one"
    assert journal(folder) == []
    assert not (folder / "session.json").exists()


@pytest.mark.parametrize("size", [(40, 10), (60, 20), (80, 24), (100, 30), (200, 60)])
async def test_every_size_shows_list_reader_and_reason(folder: Path, size: tuple[int, int]) -> None:
    async with workbench(folder, size) as (app, pilot):
        await planted.type_filter(pilot, "row:10")
        text = "\n".join(screen_text(app))
        assert "Write a poem." in text
        assert "I am sorry, I cannot" in text
        assert "refusal" in text


async def test_too_small_a_terminal_says_so(folder: Path) -> None:
    async with workbench(folder, (39, 9)) as (app, pilot):
        assert "enlarge the terminal to 40x10" in "\n".join(screen_text(app))
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert "What can be settled" in "\n".join(screen_text(app))


@pytest.mark.parametrize("theme", ["night", "day", "contrast", "safe", "terminal", "mono"])
async def test_every_theme_paints(folder: Path, theme: str) -> None:
    async with workbench(folder, theme=theme) as (app, pilot):
        await pilot.press("enter", "j", "w")
        assert "keeper" in "\n".join(screen_text(app))


async def test_an_unknown_theme_is_named_and_does_not_stop_anything(folder: Path) -> None:
    async with workbench(folder, theme="nigth") as (app, _):
        assert "no theme is called 'nigth': did you mean 'night'?" in screen_text(app)[-2]


async def test_a_keymap_moves_a_key(folder: Path) -> None:
    async with workbench(folder, keymap={"accept": "Z", "reject": "a", "nonsense": "z"}) as (app, pilot):
        assert "no command is called 'nonsense'" in screen_text(app)[-2]
        await planted.type_filter(pilot, "row:12-13")
        await pilot.press("Z")
        assert app.session.project.verdict(12) == "accepted"
        await pilot.press("a")
        assert app.session.project.verdict(13) == "rejected"


HOSTILE = "\x1b]52;c;aGk=\x07 \x1b[2J \u202egnp.exe [/x] [bold] \x00 \x9b31m \u200b zero"


async def test_hostile_rows_reach_no_cell(tmp_path: Path) -> None:
    content = [
        {"instruction": f"{HOSTILE}{n}", "input": HOSTILE, "output": HOSTILE + "x" * 200_000 * n} for n in range(3)
    ]
    folder = planted.make_folder(tmp_path, content, Findings.empty(3))
    async with workbench(folder) as (app, pilot):
        await pilot.press("slash", "enter", "j", "j", "J", "w", "e")
        for line in screen_text(app):
            assert not set(line) & set("\x1b\x00\x07\x9b\u202e\u200b")
        await pilot.press("escape", "slash", *"row:0", "enter", "a")
        assert app.session.project.verdict(0) == "accepted"


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (150, 40)])
async def test_hostile_answers_side_by_side_reach_no_cell_but_their_own(tmp_path: Path, size: tuple[int, int]) -> None:
    content = [
        {"instruction": f"Say it. {HOSTILE}", "input": "", "output": f"{n} {HOSTILE} \u4f60\u597d"} for n in range(3)
    ]
    cluster = Cluster("cc1", "conflict", (0, 1, 2), 0, (f"they disagree {HOSTILE}",))
    found = Findings((cluster,), (), ("check", "check", "check"), {"total": 0.1})
    async with workbench(planted.make_folder(tmp_path, content, found), size) as (app, pilot):
        bar = 3 if size[0] == 150 else 2
        for keys in ((), ("enter",), ("j",)):
            await pilot.press(*keys)
            text = screen_text(app)
            assert not set("".join(text)) & set("\x1b\x00\x07\x9b\u202e\u200b")
            # Whatever the texts hold, the line between two answers stands straight.
            if keys == ("enter",):
                text = (await planted.shown(app, pilot, lambda text: text.count("\u2502") >= bar)).splitlines()
                columns = {cells(line.partition("\u2502")[0]) for line in text if "\u2502" in line}
                assert len(columns) == 1
        await pilot.press("b", "b")
        assert [app.session.project.verdict(row) for row in range(3)] == ["accepted"] * 3


async def test_a_click_moves_the_cursor(folder: Path) -> None:
    async with workbench(folder) as (app, pilot):
        await pilot.press("enter")
        await pilot.click("#list", offset=(5, 2))
        assert app.session.place.cursor == 2
        await pilot.press("o")
        await pilot.click("#items", offset=(5, 2))
        assert app.session.overview.item is not None
        assert app.session.overview.item.filter_text == "kind:near"


async def test_what_lies_on_a_list_says_what_it_is_and_a_wide_status_line_uses_words(folder: Path) -> None:
    async with workbench(folder, (120, 30)) as (app, pilot):
        status = "raw.jsonl ✓0 accepted ✗0 rejected →0 skipped ·20 left"
        assert screen_text(app)[0].split() == status.split()
        await pilot.press("R")
        assert screen_text(app)[0].split() == [*status.split(), "runs"]
        assert (await planted.shown(app, pilot, lambda text: "No run yet" in text)).count("T plans one") == 1


async def test_help_begins_with_the_screen_one_came_from(folder: Path) -> None:
    async with workbench(folder, (80, 40)) as (app, pilot):
        await pilot.press("question_mark")
        assert screen_text(app)[1].strip() == "Overview"
        await pilot.press("q", "enter", "question_mark")
        text = screen_text(app)
        assert text[1].strip() == "Triage"
        assert any(line.split()[:1] == ["a"] for line in text)
