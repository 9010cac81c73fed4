"""A person curates the samples by real keys in a real terminal; every key is counted.

Texts are typed in the person's own editor, which a script stands in for: it types what the shipped journal holds for
the rows that were mended there, and leaves the others as they are. Keys inside that editor are not keys of tamis.
"""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from planted import journal
from pseudo import Terminal, tamis

from engine.jobs.scan import scan_project
from engine.paths import shipped_dir
from engine.project.create import create_project
from engine.project.heldout import reserve_file
from engine.project.project import Project, open_project
from engine.project.replay import replay

ENTER, CTRL_E = "\r", "\x05"
# What the person types in the editor: for each row of the file that has an edit in the journal, its fields.
EDITOR = """
import json, re, sys
wanted = json.load(open(sys.argv[1]))
path = sys.argv[2]
parts = re.split(r"(?m)^(=+ row (\\d+), (.+?) =+)\\n", open(path, encoding="utf-8").read())
out = [parts[0]]
for fence, row, label, text in zip(parts[1::4], parts[2::4], parts[3::4], parts[4::4]):
    text = wanted.get(row, {}).get(label, text.removesuffix("\\n")) + "\\n"
    out += [fence, "\\n", text]
open(path, "w", encoding="utf-8").write("".join(out))
"""


class Person(Terminal):
    """A terminal at which the keys are counted."""

    pressed = 0

    def press(self, *keys: str) -> None:
        for key in keys:
            self.pressed += 1
            self.keys(key)


def project_of(place: Path, name: str) -> Path:
    """A scanned project on a copy of a sample, its held-out rows reserved where there are any."""
    sample = shipped_dir("sample_data")
    shutil.copyfile(sample / f"{name}.jsonl", place / f"{name}.jsonl")
    folder = create_project(place / f"{name}.jsonl")
    if (sample / f"{name}.heldout.jsonl").exists():
        reserve_file(folder, sample / f"{name}.heldout.jsonl", "ann")[0].close()
    with open_project(folder, reviewer="ann") as project:
        scan_project(project)
    return folder


def state(project: Project) -> list[tuple[str, dict[str, Any]]]:
    """Verdict of every row that is not held out, and its text as it stands."""
    return [(project.verdict(row), dict(project.current_row(row))) for row in project.training]


@pytest.fixture(scope="module")
def journal_result(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, dict[str, Any]]]:
    """What the shipped journal leads to."""
    folder = project_of(tmp_path_factory.mktemp("journal"), "support")
    with open_project(folder, reviewer="ann") as project:
        replay(project, shipped_dir("sample_data") / "support.decisions.jsonl")
        return state(project)


def editor_that_types(place: Path, folder: Path, result: list[tuple[str, dict[str, Any]]]) -> str:
    """The command of an editor that mends the rows the journal mends."""
    with open_project(folder, readonly=True) as project:
        wanted = {
            str(row): {key: value for key, value in text.items() if isinstance(value, str)}
            for row, (_, text) in zip(project.training, result, strict=True)
            if text != project.current_row(row)
        }
    assert len(wanted) == 59
    (place / "wanted.json").write_text(json.dumps(wanted))
    (place / "editor.py").write_text(EDITOR)
    return shlex.join([sys.executable, str(place / "editor.py"), str(place / "wanted.json")])


def test_the_support_set_in_sixty_keys(tmp_path: Path, journal_result: list[tuple[str, dict[str, Any]]]) -> None:
    """Verdict and text of all 480 rows end as in the shipped journal."""
    folder = project_of(tmp_path, "support")
    editor = editor_that_types(tmp_path, folder, journal_result)
    with Person(tamis(folder), columns=100, rows=48, environment={"VISUAL": editor}) as person:
        person.wait_for("6 exact groups")
        person.press("K", "K", "K", "K")  # exact groups, then near ones: the keeper of each
        person.press("x", "x")  # refusals
        person.press(ENTER, *"441113113111", "o")  # conflicts: the answer that the ticket bears out, by its digit
        person.press("]", CTRL_E)  # format_majority: prose to JSON, spelling
        person.press("j", CTRL_E)  # stale: the renamed product
        person.press("j", "x", "x")  # requested_format: enough of the kind were rewritten
        person.press("x", "x")  # off_topic
        person.press(CTRL_E, "x", "x")  # placeholder_input: the ticket moved to where it belongs, or lost
        person.press("k", "x", "x")  # truncated
        person.press("/", *"chimel", ENTER, "*", "x", "o")  # what is left of the old product
        person.press("G", "k", "a", "a")  # the rest was read: right label, clean form
        person.press("q")
        assert person.wait_for_end() == 0
        assert person.pressed <= 60, person.pressed
    with open_project(folder, readonly=True) as project:
        assert state(project) == journal_result


def test_the_junk_half_of_the_phrases_in_twelve_keys(tmp_path: Path) -> None:
    """Four hundred rows say eight things: one of each is kept first, then these eight are read and rejected."""
    folder = project_of(tmp_path, "phrases")
    with Person(tamis(folder), columns=100, rows=40) as person:
        person.wait_for("exact groups")
        person.press("K")  # one of each
        person.wait_for("before you decide?")
        person.press("n", "K")
        person.wait_for("accepted 8 rows and rejected 392 rows")
        with open_project(folder, readonly=True) as project:
            lines = {(row["instruction"], row["output"]) for row in map(project.current_row, project.training)}
            kept = [row for row in project.training if project.verdict(row) == "accepted"]
            assert len(kept) == len(lines) == 8
        person.press("]", ENTER)  # the eight, one below the other
        person.press("*", "x")
        person.wait_for("400")
        person.press("q")
        assert person.wait_for_end() == 0
        assert person.pressed <= 12
    with open_project(folder, readonly=True) as project:
        assert project.tally()["rejected"] == 400
    # Two acts: one undo brings the eight back.
    assert len(journal(folder)) == 2
