"""What many rows share, and what one pass over all of them finds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import planted

from workbench.state.row_pass import LOOKED_AT_FIRST, RowPass, pass_over_rows
from workbench.state.shared_text import SharedText

PROMPT = "You are a careful clerk. " * 10


def chat(number: int, system: str, **fields: Any) -> dict[str, Any]:
    turns = [("system", system), ("user", f"question {number}"), ("assistant", "4")]
    return {"messages": [{"role": role, "content": text} for role, text in turns if text], **fields}


def found_in(place: Path, content: list[dict[str, Any]]) -> RowPass:
    with planted.opened(planted.make_folder(place, content)) as project:
        return pass_over_rows(project)


def test_an_opening_that_many_rows_share_tells_none_of_them_apart(tmp_path: Path) -> None:
    openings = ["Sort this ticket into JSON."] * 9 + ["Look at this one."]
    content = [{"instruction": f"{text}\n\nticket {row}", "output": "{}"} for row, text in enumerate(openings)]
    with planted.opened(planted.make_folder(tmp_path, content)) as project:
        shared = SharedText(project)
        assert shared.headline(3) == "ticket 3"
        assert shared.headline(9) == "Look at this one.\n\nticket 9"


def test_the_words_of_a_request_stand_before_its_pictures(tmp_path: Path) -> None:
    picture = {"type": "image_url", "image_url": {"url": "https://example.com/a/long/way/to/a/picture.png"}}
    asked = [picture, {"type": "text", "text": "Which animal is it?"}]
    content = [
        {"messages": [{"role": "user", "content": asked}, {"role": "assistant", "content": "A cat."}]},
        {"messages": [{"role": "user", "content": [picture]}, {"role": "assistant", "content": "A cat."}]},
        {"left": ["café"]},
    ]
    with planted.opened(planted.make_folder(tmp_path, content)) as project:
        shared = SharedText(project)
        assert shared.headline(0).startswith("Which animal is it?\n[image: https://example.com")
        assert shared.headline(1).startswith("[image: https://example.com")
        assert "café" in shared.headline(2)
        assert "'" not in shared.headline(2)


def test_a_pass_finds_years_and_long_system_prompts(tmp_path: Path) -> None:
    systems = [PROMPT, "Be brief.", PROMPT, ""]
    found = found_in(tmp_path, [chat(row, text, year=2018 + row) for row, text in enumerate(systems)])
    assert list(found.years or ()) == [2018, 2019, 2020, 2021]
    assert found.prompts == {hash(PROMPT): 2}


def test_what_none_of_the_first_rows_has_is_not_looked_for(tmp_path: Path) -> None:
    rows = LOOKED_AT_FIRST + 5
    found = found_in(tmp_path, [chat(row, PROMPT, **({"year": 2020} if row >= LOOKED_AT_FIRST else {}))
                                for row in range(rows)])  # fmt: skip
    assert found.years is None
    assert found.prompts == {hash(PROMPT): rows}


def test_a_pass_that_is_cancelled_has_found_nothing(tmp_path: Path) -> None:
    with planted.opened(planted.make_folder(tmp_path)) as project:
        looks = iter([False] * 5)
        assert pass_over_rows(project, lambda: next(looks, True)) == RowPass()
