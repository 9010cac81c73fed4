"""What an edit did not touch stays byte for byte, and an edit of blanks alone is one that can be seen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import planted
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planted import journal, screen_text, workbench
from textual.app import App
from textual.document._document import Document
from textual.widgets import TextArea

from engine.model import Findings
from engine.project.create import create_project
from engine.project.project import open_project
from workbench.text.escape import seen_blanks
from workbench.text.line_ends import stand_ins, with_ends_of
from workbench.text.worddiff import word_diff
from workbench.ui.external_editor import edit_in_external_editor, fenced, texts_left

NASTY = "one\r\ntwo\rthree\nfour\x0bfive\x0csix\x85seven\u2028eight\u2029nine\ud800 ten\x00\t\x1c\x1d\x1e\ufeff \r\n\n"
PIECES = st.sampled_from(
    [*"\r\n\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029\ud800\x00\t \ufeffa", "\r\n", "word", "\ufdd0", "\u0301"]
)
TEXTS = st.lists(PIECES, max_size=12).map("".join)


def folder_of(place: Path, rows: list[dict[str, Any]]) -> Path:
    """A project of rows whose lone surrogates are written as JSON writes them."""
    (place / "raw.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    folder = create_project(place / "raw.jsonl")
    with open_project(folder, readonly=True) as project:
        project.save_findings(Findings.empty(len(rows)))
    return folder


def chat() -> dict[str, Any]:
    said = (("system", NASTY), ("user", f"Why?{NASTY}"), ("assistant", NASTY), ("user", "So?"), ("assistant", NASTY))
    return {"messages": [{"role": role, "content": text} for role, text in said], "kept": NASTY}


def pair() -> dict[str, Any]:
    return {"instruction": f"Say it.{NASTY}", "input": NASTY, "output": f"Said:{NASTY}"}


@given(TEXTS, st.integers(0, 99))
@settings(deadline=None)
def test_a_document_gives_back_what_it_was_given_but_for_the_word_that_was_typed(text: str, place: int) -> None:
    hidden = stand_ins(text)
    shown = {stand_in: end for end, stand_in in hidden.items()}
    document = Document(text.translate(hidden))
    assert document.text.translate(shown) == text
    row = place % document.line_count
    column = place % (len(document[row]) + 1)
    document.replace_range((row, column), (row, column), "WORD")
    assert document.text.translate(shown).replace("WORD", "", 1) == text


@pytest.mark.parametrize("content", [pair(), chat()], ids=["pair", "chat"])
async def test_saved_without_a_key_is_no_decision(tmp_path: Path, content: dict[str, Any]) -> None:
    folder = folder_of(tmp_path, [content])
    async with workbench(folder) as (app, pilot):
        await pilot.press("slash", *"row:0", "enter", "e", "ctrl+s")
        assert "nothing was changed" in screen_text(app)[-2]
        await pilot.press("e", "escape")
        assert "nothing was changed" in screen_text(app)[-2]
        assert app.session.project.verdict(0) == "undecided"
    assert journal(folder) == []
    assert not json.loads((folder / "session.json").read_text())["drafts"]


@pytest.mark.parametrize("content", [pair(), chat()], ids=["pair", "chat"])
async def test_a_word_typed_is_all_that_changes_also_by_way_of_a_draft(tmp_path: Path, content: dict[str, Any]) -> None:
    folder = folder_of(tmp_path, [content])
    async with workbench(folder) as (app, pilot):
        await pilot.press("slash", *"row:0", "enter", "e", *"WORD", "escape")
        assert "the draft is kept" in screen_text(app)[-2]
    async with workbench(folder) as (app, pilot):
        await pilot.press("e", "ctrl+s")
        assert app.session.project.is_edited(0)
        edited = app.session.project.current_row(0)
    last = content["output"] if "output" in content else content["messages"][-1]["content"]
    expected = json.loads(json.dumps(content))
    if "output" in content:
        expected["output"] = f"WORD{last}"
    else:
        expected["messages"][-1]["content"] = f"WORD{last}"
    assert edited == expected


async def test_typing_at_the_end_of_a_line_stands_before_its_return(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, [{"instruction": "Say it.", "input": "", "output": "one\r\ntwo\nthree"}])
    async with workbench(folder) as (app, pilot):
        await pilot.press("slash", *"row:0", "enter", "e")
        area = app.screen.query(TextArea).last()
        assert "one\u240d" in "\n".join(screen_text(app))
        await pilot.press("end", "exclamation_mark", "enter", "x")
        assert area.text == "one!\r\nx\r\ntwo\nthree"
        await pilot.press("down", "end", "y", "enter")
        assert area.text == "one!\r\nx\r\ntwoy\n\nthree"
        # The glyph is a character: taken out, the line ends in a line feed.
        area.move_cursor((0, 5))
        await pilot.press("backspace")
        assert area.text == "one!\nx\r\ntwoy\n\nthree"
        await pilot.press("ctrl+z")
        assert area.text == "one!\r\nx\r\ntwoy\n\nthree"


async def test_one_of_the_answers_merged_is_that_answer(tmp_path: Path) -> None:
    folder = planted.make_folder(tmp_path)
    async with workbench(folder, (80, 30)) as (app, pilot):
        await pilot.press("slash", *f"cluster:{planted.CONFLICT}", "enter", "M")
        await pilot.pause()
        app.screen.query(TextArea).last().text = "Yes, from nine.\n"
        await pilot.press("ctrl+s")
        assert not app.session.project.is_edited(6)
        assert app.session.project.verdict(7) == "rejected"


# -- an editor of one's own

LABELS = ["a", "b"]


@given(TEXTS, TEXTS)
@settings(deadline=None)
def test_an_editor_that_writes_what_it_read_changes_nothing(one: str, other: str) -> None:
    texts = [one, other]
    content = fenced("row 3", list(zip(LABELS, texts, strict=True)))
    assert texts_left(content, content, LABELS, texts) == texts
    # Neither does one that cuts blank lines off the end of the file, or adds one.
    assert texts_left(content, content.rstrip("\n"), LABELS, texts) == texts
    assert texts_left(content, content + "\n", LABELS, texts) == texts


def unix(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def dos(text: str) -> str:
    return unix(text).replace("\n", "\r\n")


@pytest.mark.parametrize("even_out", [unix, dos])
def test_an_editor_that_evens_out_the_ends_of_lines_touches_the_changed_line_alone(even_out: Any) -> None:
    texts = [NASTY, "a\r\nb\nc\rd\r\n"]
    content = fenced("row 3", list(zip(LABELS, texts, strict=True)))
    assert texts_left(content, even_out(content), LABELS, texts) == texts
    left = even_out(content.replace("two", "2").replace("d\r\n", "d\r\ne\r\n"))
    assert texts_left(content, left, LABELS, texts) == [NASTY.replace("two", "2"), "a\r\nb\nc\rd\r\ne\r\n"]


def test_a_return_that_the_person_took_out_of_one_line_is_gone() -> None:
    texts = ["a\r\nb\r\n", "c"]
    content = fenced("row 3", list(zip(LABELS, texts, strict=True)))
    left = content.replace("a\r\n", "a\n")
    assert texts_left(content, left, LABELS, texts) == ["a\nb\r\n", "c"]
    assert with_ends_of("a\r\nb", "a\nb", set()) == "a\nb"


@pytest.mark.parametrize(
    ("editor", "edited"),
    [
        ("true", False),
        ("""python3 -c 'import sys; p = sys.argv[1]; b = open(p, "rb").read(); open(p, "wb").write(b)'""", False),
        ("""python3 -c 'import sys; open(sys.argv[1], "a").write("\\n")'""", False),
        ("""python3 -c 'import sys; p = sys.argv[1]; t = open(p).read(); open(p, "w").write(t)'""", False),
        ("sed -i 's/six/6/'", True),
    ],
    ids=["leaves it", "writes it again", "adds a line feed", "reads lines", "one word"],
)
async def test_ones_own_editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, editor: str, edited: bool) -> None:
    content = {key: text.replace("\ud800", "") for key, text in pair().items()}
    folder = folder_of(tmp_path, [content])
    monkeypatch.setenv("VISUAL", editor)

    def suspended(self: App[Any]) -> Any:
        from contextlib import nullcontext

        return nullcontext()

    # The tests' driver has no terminal to hand over.
    monkeypatch.setattr(App, "suspend", suspended)
    async with workbench(folder) as (app, pilot):
        await pilot.press("slash", *"row:0", "enter")
        edit_in_external_editor(app, app.session)
        assert ("nothing was changed" in app.session.message.text) is not edited
        expected = {key: text.replace("six", "6") for key, text in content.items()} if edited else content
        assert app.session.project.current_row(0) == expected
        assert app.session.project.is_edited(0) is edited


# -- blanks


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        ("a b", "a  b", "a\u00b7\u2192\u00b7\u00b7b"),
        ("a b ", "a b", "a b\u00b7"),
        ("a b", "a\tb", "a\u00b7\u2192\u21e5b"),
        ("a\r\nb", "a\nb", "a\u240d\u21b5\u2192\u21b5 b"),
        ("a b", "a\u00a0b", "a\u00b7\u2192\u27e8A0\u27e9b"),
        ("end\n\n", "end", "end\u21b5\u21b5"),
    ],
)
async def test_an_edit_of_blanks_alone_is_an_edit_and_can_be_seen(
    tmp_path: Path, old: str, new: str, shown: str
) -> None:
    folder = folder_of(tmp_path, [{"instruction": "Say it.", "input": "", "output": old}])
    async with workbench(folder) as (app, pilot):
        await pilot.press("slash", *"row:0", "enter", "e")
        app.screen.query(TextArea).last().text = new
        await pilot.press("ctrl+s")
        assert app.session.project.current_row(0)["output"] == new
        assert "only white space changed by hand" in "\n".join(screen_text(app))
        await pilot.press("w")
        lines = [" ".join(line.split()) for line in screen_text(app)]
        assert shown in " ".join(lines), lines
    assert len(journal(folder)) == 1


def test_a_small_edit_of_a_long_text_is_found() -> None:
    text = "word " * 20_000
    assert word_diff(text, text + " ") == [("same", text[:-1]), ("removed", " "), ("added", "  ")]
    pieces = word_diff(text + "old " + text, text + "new " + text)
    assert pieces == [("same", text), ("removed", "old"), ("added", "new"), ("same", f" {text}")]


def test_every_blank_has_a_glyph() -> None:
    assert seen_blanks(" \t\n\u3000a", breaks=True) == "\u00b7\u21e5\u21b5\n\u27e83000\u27e9a"


async def test_of_a_conversation_of_thousands_of_turns_those_around_the_focus_are_edited(tmp_path: Path) -> None:
    talk = [{"role": "user" if at % 2 == 0 else "assistant", "content": f"x{at}"} for at in range(3000)]
    folder = folder_of(tmp_path, [{"messages": talk}])
    async with workbench(folder) as (app, pilot):
        await pilot.press("slash", *"row:0", "enter", "e")
        assert app.screen.query(TextArea).last().text == "x2999"
        assert "60 of 3,000 texts" in "\n".join(screen_text(app))
        await pilot.press("y", "ctrl+s")
        edited = app.session.project.current_row(0)["messages"]
        assert [turn for turn, was in zip(edited, talk, strict=True) if turn != was] == [
            {"role": "assistant", "content": "yx2999"}
        ]
        app.session.place.focus_turn(4)
        await pilot.press("e")
        assert app.screen.query(TextArea).first().text == "x0"
