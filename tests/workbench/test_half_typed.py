"""A selector is wrong at most of the keys it takes to type it: whatever stands there is told in its line, no more."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import planted
import pytest
from planted import screen_text, shown, workbench

from engine.errors import TamisError
from engine.project.project import Project
from engine.select.vocabulary import STATES
from workbench.actions import typed_commands
from workbench.state.search import Search
from workbench.ui.widgets import input_line

TERMS = [
    *("row:17", "row:17-40", "row:²", "row:٣", f"row:{'9' * 400}", "cluster:ce0001", "cluster:c", "cluster:\x1b[2J"),
    *("kind:exact", "kind:near", "kind:neer", "bucket:drop", "bucket:²", "flag:refusal", "flag:truncatd", "by:ann"),
    *("by:nobody", "tag:later", "shard:1/2+10%", "shard:1/²", "shard:0/0", "batch:x/²", "batch:../../etc/1", "why:eye"),
    *(f"is:{state}" for state in STATES),
    *("role:tool", "role:asistant", "turns>4", "turns:4", "tokens>=50", "tokens=>5", "tokens>nan", "tokens>1e999"),
    *("chars<9", "len>10", "date<2024-01", "date>yesterday", "field.year<=2018", "field.metta.year>2000", "field..a=1"),
    *(
        "field.²=1",
        "field.output=/x/",
        'field."a b"=1',
        "output=x",
        "http://x.org/a?b=c",
        "12:30",
        "a=b",
        "=>",
        "~",
        ":",
    ),
    *("/refund(ed)?/i", "/(a+)+$/", "/(/", "/[/", "/\\/", "/(?<=a+)b/", "/a{1,99999}{1,9}/", "/((((((((/", "//", "/"),
    *('"order number"', '"', '""', '"a:b"', "café", "\ud800", "\x00", "\u202e", "not", "and", "or", "(", ")", "()"),
]


def selectors() -> list[str]:
    """Every term, and terms joined at random: two hundred selectors over the whole language."""
    dice = random.Random(14)
    joined = []
    while len(TERMS) + len(joined) < 200:
        words = []
        for _ in range(dice.randint(2, 4)):
            words += [dice.choice(("", "and", "or", "not", "(", ")", "and not")), dice.choice(TERMS)]
        joined.append(" ".join(word for word in words if word))
    return [*TERMS, *joined]


def prefixes() -> Iterator[str]:
    """What stands in the line after each key, each once."""
    return iter(sorted({text[:end] for text in selectors() for end in range(len(text) + 1)}))


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    rows = [*planted.rows(), {"instruction": "a" * 34 + "!", "input": "", "output": "x", "year": 10**400}]
    with planted.opened(planted.make_folder(tmp_path, rows, scanned=False)) as project:
        yield project


@pytest.mark.slow
def test_whatever_is_half_typed_is_counted_or_told(project: Project) -> None:
    assert len(selectors()) == 200
    counted, told = 0, list[str]()
    for text in prefixes():
        for ask in (lambda text: Search(project, text).go_on(60.0), lambda text: _ask_first(project, text)):
            try:
                ask(text)
                counted += 1
            except TamisError as error:
                told.append(str(error))
    assert counted > 300
    assert len(told) > 300
    assert all(map(str.isprintable, told))


def _ask_first(project: Project, selector: str) -> None:
    """What the second enter of a typed command would do."""
    for verb in ("reject", "tag good", "keep"):
        typed_commands.run_headless(project, f"{verb} {selector}", dry_run=True)


STORIES = {
    "cluster:c": "more than one cluster",
    "row:²": "is no row number",
    "not token>50": "did you mean tokens>50",
    "(" * 51: "inside each other",
    "flag:truncatd": "did you mean flag:truncated",
}


@pytest.mark.parametrize("text", STORIES, ids=lambda text: text[:12])
async def test_a_pause_after_each_key_leaves_the_line_open(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(input_line, "COUNT_AFTER_SECONDS", 0.001)
    async with workbench(planted.make_folder(tmp_path), size=(200, 24)) as (app, pilot):
        await pilot.press("slash")
        for character in text if len(text) < 50 else [text]:
            await pilot.press(*character)
            await pilot.pause(0.01)
        told = STORIES[text].lower()
        await shown(app, pilot, lambda screen: told in screen.lower())
        # Enter says the same and leaves the line open; escape leaves it, and the next key is a key again.
        await pilot.press("enter")
        await shown(app, pilot, lambda screen: told in screen.lower())
        await pilot.press("escape", "j")
        assert app.is_running


async def test_a_pattern_that_never_ends_is_told_while_it_is_typed(tmp_path: Path) -> None:
    rows = [
        {"instruction": "b", "input": "", "output": "c"},
        {"instruction": "a" * 40 + "!", "input": "", "output": "c"},
    ]
    async with workbench(planted.make_folder(tmp_path, rows), size=(120, 24)) as (app, pilot):
        await pilot.press("slash", *"/(a+)+$/")
        await shown(app, pilot, lambda screen: "takes too long on row 1" in screen)
        await pilot.press("enter")
        await shown(app, pilot, lambda screen: "takes too long on row 1" in screen)
        await pilot.press("escape", "slash", *"/b$/", "enter")
        assert app.session.place.filter_text == "/b$/"
        assert app.session.place.entries.matched == 1


async def test_a_search_that_cannot_go_on_keeps_what_it_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.actions.search.AT_ONCE_SECONDS", 0.0)
    rows = [
        {"instruction": "aa" if number < 150 else "a" * 40 + "!", "input": "", "output": "-"} for number in range(190)
    ]
    async with workbench(planted.make_folder(tmp_path, rows), size=(120, 24)) as (app, pilot):
        await pilot.press("slash", *"/^(a+)+$/", "enter")
        await shown(app, pilot, lambda screen: "takes too long on row 150" in screen)
        assert app.session.place.searching is None
        assert app.session.place.entries.matched == 150


async def test_a_saved_filter_that_is_none_any_more_shows_all_rows(tmp_path: Path) -> None:
    folder = planted.make_folder(tmp_path)
    for saved in ("row:²", "(" * 2_000, "cluster:gone", "token>5", "/(/"):
        text = saved.replace("\\", "\\\\")
        (folder / "session.json").write_text(
            f'{{"screen": "triage", "filter": "{text}", "asked": ["mapping", "heldout"]}}'
        )
        async with workbench(folder) as (app, _):
            await app.workers.wait_for_complete()
            assert app.session.place.entries.matched == 20, saved
    (folder / "session.json").write_text("[" * 100_000)
    async with workbench(folder) as (app, _):
        await app.workers.wait_for_complete()
        assert app.session.place.screen == "overview"


async def test_a_typed_command_asks_about_not_of_nothing(tmp_path: Path) -> None:
    async with workbench(planted.make_folder(tmp_path), size=(160, 24)) as (app, pilot):
        await pilot.press("colon", *"accept not flag:link", "enter")
        text = "\n".join(screen_text(app))
        assert "would have accepted" in text
        assert "no row matches flag:link" in text
        assert app.session.project.tally()["accepted"] == 0
        await pilot.press("enter")
        assert app.session.project.tally()["accepted"] == 16


@pytest.mark.parametrize("width", [40, 80])
async def test_what_to_do_is_not_cut_off_a_sentence_that_is_longer_than_the_line(tmp_path: Path, width: int) -> None:
    async with workbench(planted.make_folder(tmp_path), size=(width, 24)) as (app, pilot):
        await pilot.press("slash", *"conversations=abcdefghijklmnopqrstuvwxyz")
        before = screen_text(app)
        await pilot.press("enter")
        await shown(app, pilot, lambda text: "field.conversations" in text.replace("\n ", ""))
        assert len(screen_text(app)) == len(before) == 24
        await pilot.press("escape")
        await shown(app, pilot, lambda text: "there is no selector" not in text)
        # The line is given back.
        assert any(line.startswith(" next: ") for line in screen_text(app)[-4:])
