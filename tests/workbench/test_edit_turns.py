"""Long conversations: a turn at a time, edits of whole turns, the bytes as they were read, answers merged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import planted
import pytest
from planted import CONFLICT, journal, screen_text, workbench
from textual.widgets import TextArea

from engine.errors import UsageError
from engine.sources.conversation.turn_edits import cut_after, drop_turn, toggle_trained
from engine.sources.mapping import Mapping
from workbench.ui.widgets.reader import Reader

MESSAGES = Mapping("messages", {"messages": "messages"})
SYSTEM = "You help people with kettles. " * 8
ARGUMENTS = {"order": 12345, "with": ["lines", "invoice"], "language": "en", "deep": True}
CALL = {"type": "function", "function": {"name": "find_order", "arguments": json.dumps(ARGUMENTS)}}
FOUND = {"status": "shipped", "carrier": "Swift", "lines": [1, 2, 3], "notes": ["left with a neighbour", "signed"]}


def chat() -> dict[str, Any]:
    return {
        "messages": [
            {"role": "system", "content": SYSTEM},
            {"role": "user", "content": "Where is my kettle?"},
            {"role": "assistant", "content": "", "tool_calls": [CALL]},
            {"role": "tool", "content": json.dumps(FOUND)},
            {"role": "assistant", "content": "It is on its way."},
            {"role": "user", "content": "And the bill?"},
            {"role": "assistant", "content": "I am sorry, I cannot"},
        ],
        "kept": {"as": ["it", "was"]},
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return planted.make_folder(tmp_path, [chat(), chat() | {"kept": 2}])


async def test_a_conversation_is_read_a_turn_at_a_time(folder: Path) -> None:
    async with workbench(folder) as (app, pilot):
        await pilot.press("slash", *"row:0", "enter")
        text = "\n".join(screen_text(app))
        assert "7 turns" in text
        assert "in 2 rows; w unfolds)" in " ".join(text.split())
        assert " user ~5 " in text
        await pilot.press("l", "l")
        text = "\n".join(screen_text(app))
        assert "turn 2 of 7, user · ~5 tokens" in text
        assert "Where is my kettle?" in text
        assert "on its way" not in text
        await pilot.press("l", "l")
        text = screen_text(app)
        # The JSON of a tool is laid out, z shows it as the file holds it.
        assert any(line.split() == ['"carrier":', '"Swift",'] for line in text)
        await pilot.press("z")
        assert "as it was read" in "\n".join(screen_text(app))
        shown = " ".join(line.strip() for line in screen_text(app)[9:-3])
        assert '\\"notes\\": [\\"left with a neighbour\\"' in shown
        await pilot.press("z", "h", "h", "h", "h")
        assert "the whole row" in screen_text(app)[-2]


async def test_a_count_of_tokens_is_left_out_rather_than_cut(folder: Path) -> None:
    async with workbench(folder, (56, 20)) as (app, pilot):
        await pilot.press("slash", *"row:0", "enter")
        text = "\n".join(screen_text(app))
        assert "user Where is my kettle?" in text
        assert "user ~" not in text


async def test_what_follows_a_turn_is_cut_off_and_the_difference_shown(folder: Path) -> None:
    async with workbench(folder) as (app, pilot):
        await pilot.press("slash", *"row:0", "enter", *"lllll")
        await pilot.press("C")
        assert "2 turns after turn 5 cut off" in screen_text(app)[-2]
        row = app.session.project.current_row(0)
        assert row == chat() | {"messages": chat()["messages"][:5]}
        text = "\n".join(screen_text(app))
        assert "And the bill?" in text or app.screen.query_one("#reader", Reader).more_below
        await pilot.press("u")
        assert app.session.project.current_row(0) == chat()
    assert [act["do"] for act in journal(folder)[0]["acts"]] == ["edit"]


async def test_a_turn_edit_that_leaves_nothing_to_learn_is_refused(folder: Path) -> None:
    async with workbench(folder) as (app, pilot):
        await pilot.press("slash", *"row:0", "enter", "C")
        assert "no turn is in focus" in screen_text(app)[-2]
        await pilot.press("l", "l", "C")
        said = " ".join(line.strip() for line in screen_text(app)[-4:-1])
        assert said.endswith("it would end on a user turn, there would be no answer to learn. x rejects the row")
        assert not app.session.project.is_edited(0)
    assert journal(folder) == []


async def test_a_turn_is_left_out_of_the_loss_and_taken_in_again(folder: Path) -> None:
    async with workbench(folder) as (app, pilot):
        await pilot.press("slash", *"row:0", "enter", *"lllll", "W")
        assert app.session.project.current_row(0)["messages"][4]["weight"] == 0
        assert "not trained on" in "\n".join(screen_text(app))
        await pilot.press("W")
        assert app.session.project.current_row(0) == chat()


def test_turn_edits_leave_everything_else_as_it_is() -> None:
    row = chat()
    dropped = drop_turn(row, MESSAGES, 4)
    assert dropped["messages"] == [turn for number, turn in enumerate(row["messages"]) if number != 4]
    assert dropped["kept"] == row["kept"]
    assert row == chat()
    with pytest.raises(UsageError, match="speak twice"):
        drop_turn(row, MESSAGES, 5)
    with pytest.raises(UsageError, match="this is a user turn"):
        toggle_trained(row, MESSAGES, 1)
    pair = Mapping("alpaca", {"instruction": "instruction", "output": "output"})
    with pytest.raises(UsageError, match="no list of turns"):
        cut_after({"instruction": "a", "output": "b"}, pair, 0)


def test_turns_in_other_shapes_are_edited_in_their_own() -> None:
    talk = [{"from": who, "value": said} for who, said in (("human", "a"), ("gpt", "b"), ("human", "c"), ("gpt", "d"))]
    shape = Mapping("sharegpt", {"conversations": "conversations", "system": "system"})
    row = {"system": "Be brief.", "conversations": talk}
    # The system prompt is turn 0 and stands in a field of its own.
    assert cut_after(row, shape, 2) == {"system": "Be brief.", "conversations": talk[:2]}
    with pytest.raises(UsageError, match="field of its own"):
        drop_turn(row, shape, 0)
    written = json.dumps(chat()["messages"], indent=1).replace("kettle?", "kett\\u006ce?")
    cut = cut_after({"messages": written}, MESSAGES, 4)["messages"]
    # What stays is written as it was: blanks, escapes and all.
    assert cut == written[: written.index("}", written.index("It is on its way."))] + "}\n]"
    unweighed = toggle_trained({"messages": written}, MESSAGES, 4)["messages"]
    assert json.loads(unweighed)[4]["weight"] == 0
    assert "kett\\u006ce?" in unweighed
    as_text = {"messages": json.dumps(chat()["messages"])}
    assert json.loads(cut_after(as_text, MESSAGES, 4)["messages"]) == chat()["messages"][:5]


async def test_the_answers_of_a_conflict_are_merged(tmp_path: Path) -> None:
    folder = planted.make_folder(tmp_path)
    async with workbench(folder, (80, 30)) as (app, pilot):
        await pilot.press("slash", *f"cluster:{CONFLICT}", "enter", "M")
        await pilot.pause()
        area = app.screen.query(TextArea).last()
        assert area.text == "<<<<<<< row 6\nYes, from nine.\n======= row 7\nNo, never.\n>>>>>>>"
        await pilot.press("ctrl+s")
        assert "still between their marks" in "\n".join(screen_text(app))
        area.text = "Yes, from nine; not in August."
        await pilot.press("ctrl+s")
        assert "row 6 holds the merged answer, rejected 1 row" in screen_text(app)[-2]
        project = app.session.project
        assert project.current_row(6)["output"] == "Yes, from nine; not in August."
        assert [project.verdict(row) for row in (6, 7)] == ["accepted", "rejected"]
        await pilot.press("u")
        assert [project.verdict(row) for row in (6, 7)] == ["undecided", "undecided"]
    assert len(journal(folder)) == 2


async def test_code_keeps_its_indentation_where_it_is_wrapped(tmp_path: Path) -> None:
    code = "Use this:\n\n```python\ndef f(a):\n    return " + " + ".join(f"a{n}" for n in range(30)) + "\n```\nDone."
    folder = planted.make_folder(tmp_path, [{"instruction": "Write f.", "input": "", "output": code}])
    async with workbench(folder) as (app, pilot):
        await pilot.press("enter")
        text = screen_text(app)
        first = next(index for index, line in enumerate(text) if "return a0" in line)
        start = text[first].index("return")
        assert text[first + 1][: start + 2].isspace()
        assert text[first + 1][start + 2] in "a+"
        styles = {
            segment.text.strip(): segment.style for segment in app.screen._compositor.render_strips(app.size)[first]
        }
        assert any(text.startswith("return") and style == app.role_styles["code"] for text, style in styles.items())
