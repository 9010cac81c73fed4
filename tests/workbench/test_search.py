"""A filter that takes long: rows come as they are found, keys go on, and the end is that of any filter."""

from __future__ import annotations

import json
from pathlib import Path

import planted
import pytest
from planted import screen_text, workbench

from engine.select import select
from workbench.state.search import ROWS_AT_ONCE, Search

WORD = "photosynthesis"
ROWS = [
    {
        "instruction": f"row {number}",
        "input": "",
        "output": "Chlorophyll and PhotoSynthesis." if number % 9 == 4 else "no",
    }
    for number in range(190)
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return planted.make_folder(tmp_path, ROWS)


def test_a_slice_looks_at_some_rows_and_goes_on_where_it_stopped(folder: Path) -> None:
    with planted.opened(folder) as project:
        search = Search(project, WORD)
        now = iter(range(1000))
        looked_at = []
        while not search.go_on(0.5, lambda: next(now)):
            looked_at.append(search.looked_at)
        assert looked_at == [ROWS_AT_ONCE * times for times in range(1, 3)]
        assert search.found == select(project, WORD) == list(range(4, 190, 9))


def test_a_slice_may_end_with_the_first_row_found(tmp_path: Path) -> None:
    rows = [
        {"instruction": f"row {number}", "input": "", "output": "late" if number > 130 else "-"}
        for number in range(300)
    ]
    with planted.opened(planted.make_folder(tmp_path, rows)) as project:
        search = Search(project, "late")
        assert not search.go_on(1.0, lambda: 0.0, to_first=True)
        assert (search.looked_at, search.found[0]) == (3 * ROWS_AT_ONCE, 131)
        assert search.go_on(1.0, lambda: 0.0)
        assert search.found == list(range(131, 300))


@pytest.mark.parametrize("word", [WORD, "chlorophyll", "kelvin", "xphotox", "none", "slash"])
def test_words_told_from_bytes_are_those_of_the_text(tmp_path: Path, word: str) -> None:
    lines = [
        json.dumps({"instruction": WORD.upper(), "input": "", "output": "a"}),
        '{"instruction": "\\u0070hotosynthesis", "input": "", "output": "\\u212aelvin"}',
        json.dumps({"instruction": "\u212aELVIN ſlaſh", "input": "", "output": "xPHOTOx"}, ensure_ascii=False),
        json.dumps({"instruction": "photo\nsynthesis", "input": None, "output": "a/slash\\chlorophyll"}),
        '{"instruction": "sla\\/sh", "input": "", "output": "chloro\\u0070hyll"}',
    ]
    source = tmp_path / "raw.jsonl"
    source.write_text("\n".join(lines) + "\n", encoding="utf-8")
    folder = planted.create_project(source, tmp_path / "raw.tamis")
    with planted.opened(folder) as project:
        texts = [[turn.text.casefold() for turn in project.example(row).messages] for row in range(len(lines))]
        assert select(project, word) == [row for row, found in enumerate(texts) if any(word in text for text in found)]


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Searches stop after their first slice until the gate holds something."""
    go_on, opened = Search.go_on, list[bool]()

    def held_back(search: Search, seconds: float, *, to_first: bool = False) -> bool:
        return go_on(search, 0.0) if opened or not search.looked_at else False

    monkeypatch.setattr("workbench.actions.search.AT_ONCE_SECONDS", 0.0)
    monkeypatch.setattr(Search, "go_on", held_back)
    return opened


async def test_keys_go_on_while_rows_are_looked_for(folder: Path, gate: list[bool]) -> None:
    async with workbench(folder) as (app, pilot):
        await pilot.press("slash", *WORD, "enter")
        session = app.session
        # The first rows are shown and can be walked through; a verdict is on the row one sees.
        assert session.place.entry is not None
        assert session.place.entry.row == 4
        await pilot.press("j", "x")
        assert session.project.verdict(13) == "rejected"
        gate.append(True)
        while session.place.searching is not None:
            await pilot.pause(0.01)
        assert session.place.entries.matched == len(range(4, 190, 9))
        assert session.place.entry.row == 22
        assert "rows match" in screen_text(app)[-2]


async def test_esc_stops_a_search_and_keeps_what_was_found(folder: Path, gate: list[bool]) -> None:
    async with workbench(folder) as (app, pilot):
        await pilot.press("slash", *WORD, "enter")
        await pilot.press("escape")
        assert app.session.place.searching is None
        assert app.session.place.entries.matched == len(range(4, ROWS_AT_ONCE, 9))
        assert "stopped searching" in screen_text(app)[-2]
