"""How far the work is: pace, tokens, goal; and what a wide terminal shows beside the reader."""

from __future__ import annotations

from pathlib import Path

import planted
import pytest
from planted import screen_text, shown, workbench

from engine.model import Act
from engine.project.token_counts import row_key, save_counts
from engine.select import select
from engine.tokens import CHARS_PER_TOKEN, about_tokens
from workbench.state.progress import Pace, Progress, TokenCount, progress_words
from workbench.state.saved import MOST_FILTERS, Remembered


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_pace_counts_work_by_hand_and_no_pauses() -> None:
    clock = Clock()
    pace = Pace(clock)
    for seconds, rows in ((5, 1), (5, 1), (3600, 3), (5, 400), (5, 1), (10, 4)):
        clock.now += seconds
        pace.note(rows)
    # Ten rows by hand in 5 + 5 + 60 (a pause counts as a minute) + 5 + 5 + 10 seconds.
    assert pace.rows_a_minute == 10 / 90 * 60
    assert Pace(clock).rows_a_minute is None


def test_the_words_of_the_progress() -> None:
    assert progress_words(24, 2100, 300, None, 12.0, 411) == (
        "accepted 24 of 300 (8 %) · ~2,100 tokens · 12 rows a minute by hand: about 34 min for the 411 left"
    )
    assert progress_words(0, 0, None, None, None, 9).startswith("no goal set")
    assert progress_words(5, 900, None, 90_000, None, 9) == "accepted 5 · ~900 of 90,000 (1 %) tokens"


def test_tokens_are_told_from_the_size_of_rows_within_a_tenth(tmp_path: Path) -> None:
    folder = planted.make_folder(tmp_path)
    with planted.opened(folder) as project:
        count = TokenCount(project)
        assert count.accepted() == 0
        rows = range(0, 20, 2)
        project.decide([Act("accept", tuple(map(project.rows.id, rows)))])
        real = sum(len(turn.text) for row in rows for turn in project.example(row).messages) / CHARS_PER_TOKEN
        assert abs(count.accepted() - real) <= real / 10


def test_an_act_is_counted_without_a_pass_over_all_rows_and_the_held_out_set_never(tmp_path: Path) -> None:
    with planted.opened(planted.make_folder(tmp_path)) as project:
        ids = list(map(project.rows.id, range(20)))
        project.decide([Act("holdout", (ids[19],))])
        progress = Progress(project)
        assert +progress.tally == {"undecided": 19}
        rows = (17, 18, 19)
        before = progress.verdicts_of(rows)
        project.decide([Act("accept", tuple(ids[row] for row in rows))])
        progress.note_act(rows, before)
        assert +progress.tally == {"accepted": 2, "undecided": 17}
        progress.count_verdicts()
        assert +progress.tally == {"accepted": 2, "undecided": 17}


def test_tokens_are_counted_again_only_once_they_were_asked_for(tmp_path: Path) -> None:
    with planted.opened(planted.make_folder(tmp_path)) as project:
        progress = Progress(project)
        project.decide([Act("accept", (project.rows.id(0),))])
        progress.recount_tokens()
        assert progress.accepted_tokens is None
        progress.count_tokens()
        one = progress.accepted_tokens
        project.decide([Act("accept", (project.rows.id(12),))])
        progress.recount_tokens()
        assert one is not None
        assert progress.accepted_tokens is not None
        assert progress.accepted_tokens > one > 0


def test_a_filter_is_remembered_once_with_the_latest_last() -> None:
    remembered = Remembered(filters=[f"row:{number}" for number in range(MOST_FILTERS)])
    for text in (" row:7 ", "tag:good", ""):
        remembered.add_filter(text)
    assert len(remembered.filters) == MOST_FILTERS
    assert remembered.filters[-2:] == ["row:7", "tag:good"]
    assert remembered.filters.count("row:7") == 1


async def test_the_overview_tells_goal_and_pace(tmp_path: Path) -> None:
    async with workbench(planted.make_folder(tmp_path)) as (app, pilot):
        app.session.progress.goal = (10, None)
        await pilot.press("enter", "enter", "o")
        assert "accepted 1 of 10 (10 %)" in screen_text(app)[1]


async def test_beside_the_overview_stands_what_a_line_holds_and_none_of_it_counts_as_seen(tmp_path: Path) -> None:
    folder = planted.make_folder(tmp_path)
    async with workbench(folder, (150, 40)) as (app, pilot):
        beside = [line.rpartition("\u258f")[2].strip() for line in screen_text(app)]
        assert beside[2:4] == ["1 exact group", "3 rows left to judge"]
        assert any(line.startswith("K      keeps one of each group") for line in beside)
        assert beside.count("\u00b7  0 Name a fruit.") == 1
        await pilot.press("right_square_bracket", "right_square_bracket")
        text = await shown(app, pilot, lambda text: "I am sorry" not in text and "10 Write a poem." in text)
        assert "refusal" in text
        assert "shows the mechanical repair" in text
        assert app.session.on_screen == set()
        await pilot.resize_terminal(120, 40)
        await pilot.pause()
        assert not any("10 Write a poem." in line for line in screen_text(app))


async def test_a_wide_terminal_has_a_third_column(tmp_path: Path) -> None:
    """Beside duplicates their keeper whole, which then counts as seen; beside a row why it is where it is."""
    folder = planted.make_folder(tmp_path)
    async with workbench(folder, (150, 40)) as (app, pilot):
        await pilot.press("enter")
        text = screen_text(app)
        assert "1 the keeper: it comes first" in text[1]
        assert sum("Name a fruit." in line.rpartition("\u258f")[2] for line in text) == 1
        assert {0, 1, 2} <= app.session.on_screen
        await pilot.press("slash", *"row:10", "enter")
        assert screen_text(app)[1].rpartition("\u258f")[2].strip() == "Why"
        # A conflict takes the room of both columns for its answers.
        await pilot.press("slash", *"kind:conflict", "enter")
        text = await shown(app, pilot, lambda text: "Yes, from nine." in text and "\u2502 No, never." in text)
        assert "Why" not in text
        await pilot.press("slash", *"kind:exact", "enter")
        await pilot.resize_terminal(120, 40)
        await pilot.pause()
        assert not app.screen.query_one("#side").display
        # No row number is cut where the reader is narrow.
        await pilot.resize_terminal(100, 40)
        await pilot.press("slash", *"kind:near", "enter")
        assert any("·  3" in line for line in screen_text(app))


def test_tokens_are_those_of_the_chosen_model_once_they_are_counted(tmp_path: Path) -> None:
    folder = planted.make_folder(tmp_path)
    with planted.opened(folder) as project:
        project.decide([Act("accept", tuple(map(project.rows.id, range(5))))])
        save_counts(folder, "/models/small", "a key", {row_key(project, row): 100 + row for row in range(20)})
        progress = Progress(project)
        progress.count_tokens()
        assert (progress.accepted_tokens, progress.tokens_of, progress.tokens_about) == (510, "/models/small", False)
        words = progress_words(5, 510, None, 1_000, None, 9, "/models/small", about=False)
        assert words == "accepted 5 \u00b7 510 of 1,000 (51 %) tokens of small"
        assert select(project, "tokens>=118") == [18, 19]
        # An edit is another row to count; until then it is told about, and so is the sum.
        edited = {"instruction": "Say it.", "input": "", "output": "\u3053\u3093\u306b\u3061\u306f" * 100}
        project.decide([Act("edit", (project.rows.id(3),), {project.rows.id(3): edited})])
        progress.recount_tokens()
        of_edit = round(about_tokens(["Say it.", edited["output"]]))
        assert (progress.accepted_tokens, progress.tokens_about) == (510 - 103 + of_edit, True)
        assert select(project, "tokens>=500") == [3]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("a" * 40, 10), ("\u4e2d" * 40, 40), ("\u0e01" * 40, 40), ("\u304b\u30ab" * 20, 40), ("\u00e4" * 40, 10)],
)
def test_scripts_without_spaces_have_about_a_token_a_character(text: str, tokens: int) -> None:
    assert about_tokens([text]) == tokens
