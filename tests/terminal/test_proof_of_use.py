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
from pseudo import Terminal, tamis

from engine.jobs.scan import scan_project
from engine.project.create import create_project
from engine.project.folder import Project, open_project
from engine.project.heldout import reserve_file
from engine.project.replay import replay
from engine.shipped import shipped_dir

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
        person.press("K", "K", "K", "K")  # exact, then near: the keeper of each
        person.wait_for("10 rows flagged refusal")
        print(person.text)
        print(person.pressed)
