"""The command table and its headless half: `tamis do` obeys the same rules as the keys."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import planted
import pytest

from engine.errors import UsageError
from engine.model import Act, Cluster, Findings
from engine.project.project import Project
from workbench.actions.typed_commands import run_headless
from workbench.commands.hints import HINTS, PART_HINTS
from workbench.commands.key_table import key_table_markdown
from workbench.commands.registry import BY_ID, COMMANDS


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with planted.opened(planted.make_folder(tmp_path)) as project:
        yield project


def verdicts(project: Project) -> str:
    """One letter a row."""
    return "".join(project.verdict(row)[0] for row in range(len(project.rows)))


def test_a_row_called_by_its_number(project: Project) -> None:
    outcome = run_headless(project, "accept row:12")
    assert (outcome.text, outcome.rows, outcome.n) == ("accepted row 12", 1, 1)
    assert project.decision(12).why == "row:12"


def test_a_bucket_at_once_is_one_line_and_one_undo(project: Project) -> None:
    assert run_headless(project, "reject bucket:drop").text == "rejected 5 rows"
    assert verdicts(project) == "urrruruuuur" + "u" * 9 or verdicts(project).count("r") == 5
    assert run_headless(project, "undo").text == "undone: reject 5 rows (bucket:drop)"
    assert verdicts(project) == "u" * 20
    assert run_headless(project, "redo").text == "done again: reject 5 rows (bucket:drop)"
    assert verdicts(project).count("r") == 5


def test_bulk_leaves_unseen_conflicts_and_variants_alone(project: Project) -> None:
    outcome = run_headless(project, "accept bucket:check")
    assert outcome.text == "accepted row 11; 2 unseen conflict rows left alone, 2 unseen variant rows left alone"
    project.decide([Act("skip", (project.rows.id(8),))], seen=[project.rows.id(8)])
    assert run_headless(project, "accept kind:variant").text == "accepted row 8; 1 unseen variant row left alone"


def test_bulk_leaves_held_out_rows_alone_but_a_number_reaches_them(project: Project) -> None:
    project.decide([Act("holdout", (project.rows.id(13),))])
    project.save_findings(planted.findings())
    assert run_headless(project, "accept row:12-14").text == "accepted 2 rows; 1 held-out row left alone"
    assert run_headless(project, "accept row:13").text == "accepted row 13"


def test_keep_settles_a_cluster(project: Project) -> None:
    outcome = run_headless(project, "keep cluster:ce0")
    assert (outcome.text, outcome.rows) == ("accepted 1 row and rejected 2 rows", 3)
    assert verdicts(project)[:3] == "arr"
    assert run_headless(project, "undo").text.startswith("undone: accept 1 row and reject 2 rows")


def test_keep_settles_every_group_of_a_kind(project: Project) -> None:
    assert run_headless(project, "keep kind:near").rows == 3
    assert run_headless(project, "keep kind:exact or kind:near").text == "accepted 2 rows and rejected 4 rows"


def test_keep_of_a_conflict_needs_the_row(project: Project) -> None:
    with pytest.raises(UsageError, match="is a conflict"):
        run_headless(project, "keep cluster:cc0003")
    assert run_headless(project, "keep row:7").rows == 2
    assert verdicts(project)[6:8] == "ra"


def test_keep_in_bulk_leaves_alternatives_alone(tmp_path: Path) -> None:
    content = [{"instruction": f"q{n}", "output": f"a{n}"} for n in range(4)]
    clusters = (Cluster("c1", "near", (0, 1), 0), Cluster("c2", "near", (2, 3), 2, alternatives=True))
    folder = planted.make_folder(tmp_path, content, Findings(clusters, (), ("clean",) * 4, {}))
    with planted.opened(folder) as project:
        outcome = run_headless(project, "keep kind:near")
        assert outcome.text == "accepted 1 row and rejected 1 row; 2 unseen alternative rows left alone"
        assert run_headless(project, "keep cluster:c2").rows == 2


def test_two_overlapping_groups_never_accept_and_reject_a_row_at_once(tmp_path: Path) -> None:
    content = [{"instruction": f"q{n}", "output": "a"} for n in range(3)]
    clusters = (Cluster("c1", "exact", (0, 1), 0), Cluster("c2", "near", (0, 2), 2))
    folder = planted.make_folder(tmp_path, content, Findings(clusters, (), ("clean",) * 3, {}))
    with planted.opened(folder) as project:
        assert run_headless(project, "keep kind:exact or kind:near").text == "accepted 1 row and rejected 2 rows"
        assert verdicts(project) == "rra"


def test_a_dry_run_counts_and_decides_nothing(project: Project) -> None:
    outcome = run_headless(project, "reject bucket:drop", dry_run=True)
    assert (outcome.text, outcome.rows, outcome.n) == ("would have rejected 5 rows", 5, None)
    assert verdicts(project) == "u" * 20


def test_a_second_time_there_is_nothing_to_do(project: Project) -> None:
    run_headless(project, "skip flag:truncated")
    outcome = run_headless(project, "skip flag:truncated")
    assert (outcome.text, outcome.rows, outcome.n) == ("nothing to do", 0, None)


@pytest.mark.parametrize(
    "line",
    ["", "dance row:1", "accept", "accept row:99", "undo row:1", "keep row:12", "keep row:12-13", "accept bucket:x"],
)
def test_a_line_that_makes_no_sense_is_refused(project: Project, line: str) -> None:
    with pytest.raises(UsageError):
        run_headless(project, line)
    assert verdicts(project) == "u" * 20


def test_ids_are_unique_and_no_screen_has_a_key_twice() -> None:
    assert len(BY_ID) == len(COMMANDS)
    screens = {where for command in COMMANDS for where in command.where}
    for screen in screens:
        keys = [key for command in COMMANDS if screen in command.where for key in command.keys]
        assert len(keys) == len(set(keys)), screen


def test_every_hint_is_a_command_of_its_screen() -> None:
    screens = {where for command in COMMANDS for where in command.where}
    assert all("mapping" in BY_ID[name].where for names in PART_HINTS.values() for name in names)
    for where, names in HINTS.items():
        screen = where.partition("-")[0]
        screen = screen if screen in screens else "triage"
        assert len(names) <= 7
        assert all(screen in BY_ID[name].where for name in names)


def test_the_key_table_names_every_command_once() -> None:
    lines = key_table_markdown().splitlines()
    # The nine digits stand in one line.
    assert len(lines) == len(COMMANDS) - 8 + 2
    assert lines[2] == "| `a` | overview, triage | accept the row, or every row of the group |"


def test_the_table_and_the_session_know_no_terminal() -> None:
    code = (
        "import sys, workbench.commands, workbench.render.row; print(*(n in sys.modules for n in ('textual', 'rich')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_help_has_a_section_for_every_screen_of_the_table() -> None:
    from workbench.ui.screens.help import SECTIONS

    assert set(SECTIONS) == {where for command in COMMANDS for where in command.where}
