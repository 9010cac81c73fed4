"""A sitting at the keys, done again without a screen, ends in the same state; and so do its verbs in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import planted
import pytest
from planted import CONFLICT, NEAR, workbench

from engine.errors import UsageError
from engine.project.project import Project
from workbench.actions.typed_commands import run_headless
from workbench.cli.main import main

# Groups kept, told apart, merged and dropped; rows judged, edited, tagged, noted; undo and redo in between.
SITTING: tuple[tuple[str, ...], ...] = (
    ("enter", "enter"),
    ("slash", *f"cluster:{NEAR}", "enter", "j", "j", "m", "S", "enter"),
    ("slash", *f"cluster:{CONFLICT}", "enter", "2", "u", "b", "u", "ctrl+r"),
    ("slash", *"row:10", "enter", "x", "u", "t", *"odd later", "enter", "i", *"ask", "enter"),
    ("slash", *"row:11", "enter", "e", "end", "e", "ctrl+s"),
    ("slash", *"row:12-19", "enter", "asterisk", "a", "G", "x", "r", "f"),
    ("o", "G", "u"),
)


def state(project: Project) -> list[tuple[Any, ...]]:
    """Everything that was said about every row, and about rows together."""
    rows: list[tuple[Any, ...]] = []
    for row in range(len(project.rows)):
        text = dict(project.current_row(row))
        rows.append((project.verdict(row), text, project.tags(row), project.note(row), project.is_seen(row)))
    return [*rows, *((act.do, act.ids) for act in project.constraints())]


async def test_a_sitting_is_replayed_without_a_screen(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    folder, other = planted.make_folder(tmp_path / "one"), planted.make_folder(tmp_path / "two")
    async with workbench(folder) as (app, pilot):
        for keys in SITTING:
            await pilot.press(*keys)
        reached = state(app.session.project)
    assert len(planted.journal(folder)) >= 15
    (written,) = (folder / "decisions").glob("*.jsonl")
    assert main(["do", str(other), "--from", str(written), "--as", "bea"]) == 0
    with planted.opened(other, "bea") as project:
        assert state(project) == reached
        assert {verdict for verdict, *_ in reached[:20]} == {"accepted", "rejected", "undecided"}


WORDS = (
    (f"both-fine cluster:{CONFLICT}", "fine_together", "aa", (6, 8)),
    (f"drop-both cluster:{CONFLICT}", "reject", "rr", (6, 8)),
    ("not-duplicates row:3 or row:5", "not_duplicates", "u", (3, 4)),
    ("split row:5", "split", "u", (5, 6)),
    ("tag good,-draft row:17-18", "tag", "uu", (17, 19)),
    ("note row:17 ask the author", "note", "u", (17, 18)),
)


@pytest.mark.parametrize(("line", "do", "verdicts", "rows"), WORDS)
def test_verbs_in_words_are_one_act_and_one_undo(
    tmp_path: Path, line: str, do: str, verdicts: str, rows: tuple[int, int]
) -> None:
    folder = planted.make_folder(tmp_path)
    with planted.opened(folder) as project:
        before = state(project)
        outcome = run_headless(project, line)
        assert outcome.n == 1
        assert "".join(project.verdict(row)[0] for row in range(*rows)) == verdicts
        assert run_headless(project, "undo").text.startswith("undone")
        assert [said[:4] for said in state(project)] == [said[:4] for said in before]
    assert planted.journal(folder)[0]["acts"][0]["do"] == do


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("rejct row:1", "[Dd]id you mean .reject."),
        (f"both-fine cluster:{NEAR}", "is no conflict"),
        ("both-fine row:6", "which conflict"),
        ("not-duplicates row:5", "no duplicate of itself"),
        ("tag good", "no row matches"),
        ("tag a(b row:3", "cannot be a tag"),
        ("note everywhere x", "which row"),
    ],
)
def test_words_that_make_no_sense_are_refused(tmp_path: Path, line: str, complaint: str) -> None:
    with planted.opened(planted.make_folder(tmp_path)) as project, pytest.raises(UsageError, match=complaint):
        run_headless(project, line)
