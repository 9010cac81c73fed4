"""The mapping screen: a shape that nobody knows becomes right in a few keys, told by the hints alone."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from planted import journal, screen_text, shown, workbench

from engine.project.create import create_project
from engine.project.project import open_project
from engine.project.settings import read_settings, write_settings
from engine.sources.mapping import Mapping
from engine.sources.shapes.map_words import mapping_from_words, words_of
from workbench.state.saved import load_state

NESTED = [
    {
        "id": f"c{n}",
        "log": {
            "session": {
                "start": "2024-01-02",
                "turns": [
                    {"meta": {"who": "A", "n": 1}, "payload": {"txt": f"Is counter {n} open?"}},
                    {"meta": {"who": "B", "n": 2}, "payload": {"txt": f"No, {n} opens on Monday."}},
                ],
            }
        },
    }
    for n in range(4)
]
NUMBERED = [{"nr": n, "q1": f"{n}+1?", "a1": f"{n + 1}.", "q2": "Doubled?", "a2": f"{2 * n + 2}."} for n in range(4)]
PREFIXED = [
    {"ticket": n, "verlauf": [f"Kunde: Bestellung {n} fehlt.", "Mitarbeiterin: Sie kommt.", "Kunde: Gut.",
                              "Mitarbeiterin: Gern."]}
    for n in range(4)
]  # fmt: skip
FLAGS = [
    {
        "kopf": f"Printer {n} stopped",
        "leib": "It blinks red.",
        "erwiderungen": [
            {"txt": "No idea.", "gut": False, "von": "u7"},
            {"txt": f"Open flap {n} and pull the sheet out.", "gut": True, "von": "u9"},
        ],
    }
    for n in range(4)
]
JSON_TEXT = [
    {
        "kayıt": n,
        "veri": json.dumps({"soru": f"{n}. kitap nerede?", "cevap": "İkinci rafta.", "დარგი": "ბიბლიოთეკა"}),
        "tarih": "2024-02-03",
    }
    for n in range(4)
]
# What a person presses where nothing is guessed, what the words then are, what the second row says.
UNKNOWN: dict[str, tuple[list[dict[str, Any]], str, str, list[tuple[str, str]]]] = {
    "nested": (
        NESTED,
        "jjjjm",
        "messages=log.session.turns,role=meta.who,content=payload.txt,user_role=A,assistant_role=B",
        [("user", "Is counter 1 open?"), ("assistant", "No, 1 opens on Monday.")],
    ),
    "numbered": (
        NUMBERED,
        "jpjr",
        "prompt=q*,response=a*",
        [("user", "1+1?"), ("assistant", "2."), ("user", "Doubled?"), ("assistant", "4.")],
    ),
    "prefixed": (
        PREFIXED,
        "jm",
        "messages=verlauf,user_role=Kunde,assistant_role=Mitarbeiterin",
        [("user", "Bestellung 1 fehlt."), ("assistant", "Sie kommt."), ("user", "Gut."), ("assistant", "Gern.")],
    ),
    "flags": (
        FLAGS,
        "pjpjjrjb",
        "prompt=kopf+leib,response=erwiderungen.*.txt,winner=erwiderungen.*.gut",
        [("user", "Printer 1 stopped\n\nIt blinks red."), ("assistant", "Open flap 1 and pull the sheet out.")],
    ),
    "json": (
        JSON_TEXT,
        "jjpjr",
        "prompt=veri.soru,response=veri.cevap",
        [("user", "1. kitap nerede?"), ("assistant", "İkinci rafta.")],
    ),
}


def made(place: Path, rows: list[dict[str, Any]], *, nothing_guessed: bool = False) -> Path:
    source = place / "raw.jsonl"
    source.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    folder = create_project(source, propose=True)
    if nothing_guessed:
        write_settings(folder, replace(read_settings(folder), mapping=Mapping("alpaca", {})))
    return folder


@pytest.mark.parametrize("name", UNKNOWN)
async def test_an_unknown_shape_becomes_right_in_a_few_keys(tmp_path: Path, name: str) -> None:
    rows, keys, words, expected = UNKNOWN[name]
    folder = made(tmp_path, rows, nothing_guessed=True)
    async with workbench(folder) as (app, pilot):
        assert "No known shape" in "\n".join(screen_text(app))
        await pilot.press(*keys, "enter")
        await app.workers.wait_for_complete()
        project = app.session.project
        assert app.session.place.screen == "triage", screen_text(app)
        assert [(turn.role, turn.text) for turn in project.example(1).messages] == expected
        # What the screen says the command line can say.
        assert words_of(project.mapping) == words
        assert mapping_from_words(words) == project.mapping
    assert [line["acts"][0]["do"] for line in journal(folder)] == ["map"]


async def test_what_was_guessed_is_taken_with_enter(tmp_path: Path) -> None:
    folder = made(tmp_path, NESTED)
    async with workbench(folder) as (app, pilot):
        assert "this is a guess" in "\n".join(screen_text(app))
        await pilot.press("enter")
        await app.workers.wait_for_complete()
        assert app.session.project.example(2).answer == "No, 2 opens on Monday."
    assert journal(folder) == []


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)])
async def test_fields_and_their_reading_are_seen_at_once_and_change_with_each_key(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with workbench(made(tmp_path, FLAGS, nothing_guessed=True), size=size) as (app, pilot):
        text = "\n".join(screen_text(app))
        assert "not read kopf" in text
        assert "still missing: p on the field that asks" in text
        for hint in ("p prompt", "r response", "m messages", "- off", "enter done", "? help", "esc leave"):
            assert hint in text
        await pilot.press("p")
        text = "\n".join(screen_text(app))
        assert "prompt   kopf" in text
        assert "still missing: r on the field that answers" in text
        await pilot.press(*"jp")
        assert "--map" not in "\n".join(screen_text(app))
        await pilot.press(*"jjr")
        text = "\n".join(screen_text(app))
        assert "--map prompt=kopf+leib,response=erwiderungen.*.txt" in text
        assert "assistant No idea." in text
        assert "candidate" in text
        await pilot.press("u")
        assert "still missing" in "\n".join(screen_text(app))


async def test_what_is_still_missing_is_told_and_enter_does_not_leave(tmp_path: Path) -> None:
    async with workbench(made(tmp_path, FLAGS, nothing_guessed=True)) as (app, pilot):
        await pilot.press("p", "enter")
        assert app.session.place.screen == "mapping"
        assert "still missing: r on the field that answers" in "\n".join(screen_text(app))


async def test_nothing_is_read_as_empty_in_silence_and_one_can_come_back(tmp_path: Path) -> None:
    folder = made(tmp_path, FLAGS, nothing_guessed=True)
    async with workbench(folder) as (app, pilot):
        await pilot.press("escape")
        await app.workers.wait_for_complete()
        assert "no field is named" in "\n".join(screen_text(app))
        assert "mapping" in load_state(folder).asked
    async with workbench(folder) as (app, pilot):
        # Where no field is named it is asked again.
        assert app.session.place.screen == "mapping"
        await pilot.press("escape", "O", *"pjjjr", "enter")
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert app.session.project.example(2).prompt == "Printer 2 stopped"


async def test_a_word_that_says_who_speaks_is_given_to_the_other_side(tmp_path: Path) -> None:
    async with workbench(made(tmp_path, NESTED)) as (app, pilot):
        await pilot.press(*"jjjjjjj")
        text = "\n".join(screen_text(app))
        assert "= user" in text
        await pilot.press("r", "j", "p")
        text = "\n".join(screen_text(app))
        assert "assistant Is counter 0 open?" in text
        assert "user      No, 0 opens" in text
        await pilot.press("enter")
        await app.workers.wait_for_complete()
        assert app.session.project.mapping.fields["user_role"] == "B"


async def test_metadata_and_content_change_places_and_a_field_is_taken_off(tmp_path: Path) -> None:
    rows = [{"question": "a?", "answer": "b", "hint": "words of the author here", "model": "m1"}] * 2
    async with workbench(made(tmp_path, rows)) as (app, pilot):
        assert app.session.place.screen == "triage"
        await pilot.press("O", *"jj", "full_stop", "j", "full_stop")
        text = "\n".join(screen_text(app))
        assert "--map prompt=question,response=answer,metadata=hint,other=model" in text
        await pilot.press("k", "k", "minus")
        assert "still missing: r" in "\n".join(screen_text(app))
        await pilot.press("u", "enter")
        await app.workers.wait_for_complete()
        held = app.session.project.example(0).conversation
        assert [leaf.path for leaf in held.metadata] == ["hint"]
        assert [leaf.path for leaf in held.other] == ["model"]


async def test_rows_of_other_shapes_are_shown_with_how_many_there_are(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [{"question": f"q{n}?", "answer": "a"} for n in range(5)]
    said = [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}]
    rows += [{"messages": said}, {"messages": said, "rare": "of one row only"}, {"messages": said}]
    async with workbench(made(tmp_path, rows)) as (app, pilot):
        await shown(app, pilot, lambda text: "row 0  pairs by names (question, answer): 5 of 8 rows looked at" in text)
        await pilot.press("tab")
        text = "\n".join(screen_text(app))
        assert "row 6  chat messages: 3 of 8 rows looked at" in text
        await pilot.press("tab")
        assert "row 0" in "\n".join(screen_text(app))


async def test_the_line_of_words_says_the_same(tmp_path: Path) -> None:
    async with workbench(made(tmp_path, FLAGS)) as (app, pilot):
        await pilot.press("w")
        app.screen.line.value = "prompt=kopf,respnse=leib"  # type: ignore[attr-defined]
        await pilot.press("enter")
        assert "Did you mean response?" in "\n".join(screen_text(app))
        app.screen.line.value = "prompt=kopf,response=leib"  # type: ignore[attr-defined]
        await pilot.press("enter")
        assert "response leib" in "\n".join(screen_text(app))
        await pilot.press("enter")
        await app.workers.wait_for_complete()
        assert app.session.project.example(0).answer == "It blinks red."


HOSTILE = {
    "\x1b]52;c;aGk=\x07": "\x1b[2Jask",
    "[/close]": "[bold]said[/]",
    "a.b+c|d,e=f*": "signs",
    '"quoted"': "q" * 2_000_000,
    "\u202eabc": "bidi",
    "": "no name",
}


async def test_names_and_values_of_any_signs_are_shown_safely_and_can_be_chosen(tmp_path: Path) -> None:
    folder = made(tmp_path, [HOSTILE, HOSTILE | {"": "x"}], nothing_guessed=True)
    async with workbench(folder, size=(120, 40)) as (app, pilot):
        text = "\n".join(screen_text(app))
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert "[/close]" in text
        await pilot.press("p", *"jj", "r", "j", "s", "enter")
        await app.workers.wait_for_complete()
        turns = app.session.project.example(0).messages
        assert [turn.role for turn in turns] == ["system", "user", "assistant"]
        assert turns[1].text == "\x1b[2Jask"
        assert turns[2].text == "signs"
    with open_project(folder, readonly=True) as project:
        assert project.example(0).answer == "signs"
        assert mapping_from_words(words_of(project.mapping)) == project.mapping


async def test_ten_thousand_fields_are_gone_through(tmp_path: Path) -> None:
    row: dict[str, Any] = {f"f{n}x": f"text {n}" for n in range(12_000)}
    async with workbench(made(tmp_path, [row])) as (app, pilot):
        await pilot.press("r", "pagedown", "p", "enter")
        await app.workers.wait_for_complete()
        assert app.session.project.example(0).answer == "text 0"
