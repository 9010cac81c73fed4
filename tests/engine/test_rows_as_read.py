"""A row whose bytes rotted in `rows.jsonl` is told wherever it is met, and leaves in no export and no training set;
what is called the source's own lines was compared with the source."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from projects import alpaca, as_of_before, make_project, numbered, write_jsonl

from engine.errors import ProjectError
from engine.jobs.scan import scan_project
from engine.model import Act
from engine.project.create import create_project
from engine.project.project import Project, open_project
from engine.project.rows import UNREADABLE
from engine.workflows.compare import raw_rows
from engine.workflows.export import export
from engine.workflows.rescore import untouched
from engine.workflows.training_sets import training_sets
from workbench.cli.export import export_lines
from workbench.cli.main import main
from workbench.render.row import NOT_AS_READ, row_paragraphs


def accepted(folder: Path) -> Path:
    with open_project(folder, reviewer="ann") as project:
        project.decide([Act("accept", tuple(map(project.rows.id, range(len(project.rows)))))])
    return folder


def shown(project: Project, row: int) -> str:
    return "".join(text for block in row_paragraphs(project, row, None, why=False) for text, _ in block.styled)


def rot(folder: Path, before: bytes, after: bytes, name: str = "rows.jsonl") -> None:
    rows = folder / name
    content = rows.read_bytes()
    assert content.count(before) == 1
    assert len(before) == len(after)
    rows.write_bytes(content.replace(before, after))


USES: dict[str, Callable[[Project, Path], Any]] = {
    "export": lambda project, out: export(project, out),
    "export as messages": lambda project, out: export(project, out, format_name="messages"),
    "training": lambda project, out: training_sets(project),
    "the raw arm of a comparison": lambda project, out: raw_rows(project),
}


@pytest.mark.parametrize("use", USES)
def test_a_changed_row_leaves_in_no_way(use: str, tmp_path: Path) -> None:
    folder = accepted(make_project(tmp_path, numbered(8)))
    rot(folder, b"Answer 5.", b"Answer 7.")
    said = pytest.raises(ProjectError, match=r"1 row is not what was read from the source \(row 5\)")
    with open_project(folder, readonly=True) as project, said as told:
        USES[use](project, tmp_path / "out")
    assert f"`tamis check {folder}`" in str(told.value)
    assert not (tmp_path / "out").exists()


def test_an_undecided_row_that_changed_is_not_measured(tmp_path: Path) -> None:
    folder = make_project(tmp_path, numbered(4))
    rot(folder, b"Answer 2.", b"Answer 3.")
    with open_project(folder, readonly=True) as project, pytest.raises(ProjectError, match=r"\(row 2\)"):
        untouched(project)


def test_a_changed_row_that_is_rejected_or_edited_keeps_nothing_from_leaving(tmp_path: Path) -> None:
    folder = accepted(make_project(tmp_path, numbered(4)))
    rot(folder, b"Answer 2.", b"Answer 3.")
    rot(folder, b"Answer 1.", b"Answer 9.")
    with open_project(folder, reviewer="ann") as project:
        project.decide([Act("reject", (project.rows.id(2),))])
        project.decide([Act("edit", (project.rows.id(1),), {project.rows.id(1): alpaca("Question 1?", "By hand.")})])
        export(project, tmp_path / "out")
    rows = [json.loads(line) for line in (tmp_path / "out" / "train.jsonl").read_text().splitlines()]
    assert [row["output"] for row in rows] == ["Answer 0.", "By hand.", "Answer 3."]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"Answer 2.", b"Answer 3."),
        (b'{"instruction": "Question 2', b'["instruction": "Question 2'),
        (b'"Question 2?", "input"', b'"Question 2?",\n"input"'),
    ],
)
def test_a_changed_row_is_told_where_it_is_shown_and_scanned(before: bytes, after: bytes, tmp_path: Path) -> None:
    folder = make_project(tmp_path, numbered(4))
    rot(folder, before, after)
    told: list[str] = []
    with open_project(folder, readonly=True) as project:
        assert [NOT_AS_READ in shown(project, row) for row in range(4)] == [False, False, True, False]
        scan_project(project, tell=told.append)
        assert (UNREADABLE in project.rows.raw(2)) == after.startswith(b"[")
    assert told == [f"{folder}/rows.jsonl: 1 row is not what was read from the source (row 2)"]


def test_rows_of_another_project_are_not_taken_for_these(tmp_path: Path) -> None:
    folder = make_project(tmp_path, numbered(4))
    (tmp_path / "b").mkdir()
    other = make_project(tmp_path / "b", [alpaca(f"Question {number}!", f"Answer {number}!") for number in range(4)])
    shutil.copy(other / "rows.jsonl", folder / "rows.jsonl")
    with pytest.raises(ProjectError, match=r"its rows are not those that rows\.idx speaks of"):
        open_project(folder, readonly=True)
    shutil.copy(make_project(_made(tmp_path / "c"), numbered(3)) / "rows.idx", folder / "rows.idx")
    with pytest.raises(ProjectError, match=r"speaks of 3 rows, project\.toml of 4"):
        open_project(folder, readonly=True)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


# -- the source's own lines


def exported(folder: Path, out: Path) -> dict[str, Any]:
    with open_project(folder, readonly=True) as project:
        return export(project, out)


@pytest.mark.parametrize("is_there", [True, False])
def test_other_bytes_with_the_same_values_are_another_row(is_there: bool, tmp_path: Path) -> None:
    folder = accepted(make_project(tmp_path, numbered(3)))
    rot(folder, b'{"instruction": "Question 1', b'{"instruction":\t"Question 1')
    if not is_there:
        (tmp_path / "raw.jsonl").unlink()
    with pytest.raises(ProjectError, match=r"1 row is not what was read from the source \(row 1\)"):
        exported(folder, tmp_path / "out")


def test_in_a_project_of_an_earlier_version_they_are_not_called_the_lines_of_the_source(tmp_path: Path) -> None:
    folder = as_of_before(accepted(make_project(tmp_path, numbered(3))))
    rot(folder, b'{"instruction": "Question 1', b'{"instruction":\t"Question 1')
    said = exported(folder, tmp_path / "out")
    assert (said["untouched"], said["untouched_identical"], said["written_anew"]) == (3, 2, {"jsonl": 1})
    assert said["proof"] == [{"name": "raw.jsonl", "against": "source", "why": "", "untouched": 3, "identical": 2}]
    told = "\n".join(export_lines(said))
    assert "2 of 3 untouched rows are the source's own lines, byte for byte" in told
    assert "1 untouched row is in other bytes than in the source" in told


@pytest.mark.parametrize(
    ("harm", "why"),
    [
        (lambda source: source.unlink(), "is not there any more"),
        (lambda source: rot(source.parent, b"Answer 2", b"Answer 7", source.name), "has changed since it was read"),
        (lambda source: source.write_bytes(source.read_bytes() + b"\n"), "has changed since it was read"),
    ],
)  # fmt: skip
def test_where_the_source_is_gone_or_changed_the_copy_is_named(
    harm: Callable[[Path], Any], why: str, tmp_path: Path
) -> None:
    folder = accepted(make_project(tmp_path, numbered(3)))
    harm(tmp_path / "raw.jsonl")
    said = exported(folder, tmp_path / "out")
    assert said["proof"] == [{"name": "raw.jsonl", "against": "copy", "why": why, "untouched": 3, "identical": 3}]
    told = "\n".join(export_lines(said))
    assert "the source's own lines" not in told
    assert f"3 of 3 untouched rows of raw.jsonl are byte for byte as the project keeps them: the source {why}" in told
    assert (
        f"byte for byte what the project kept of the source (the source {why})"
        in (tmp_path / "out/README.md").read_text()
    )
    assert json.loads((tmp_path / "out/tamis-manifest.json").read_text())["export"]["proof"] == said["proof"]


def test_every_kind_of_line_is_found_in_its_source(tmp_path: Path) -> None:
    lines = [json.dumps(alpaca(f"Question {number}?", f"Answer {number}.")).encode() for number in range(4)]
    sources = {
        "plain.jsonl": b"\xef\xbb\xbf" + b"\n\n".join(lines),
        "crlf.jsonl": b"\r\n".join(lines).replace(b"Question", b"Crlf"),
        "cr.jsonl": b"\r".join(lines).replace(b"Question", b"Cr"),
        "commas.jsonl": b",\n".join(lines).replace(b"Question", b"Comma"),
        "packed.jsonl.gz": gzip.compress(b"\n".join(lines).replace(b"Question", b"Packed")),
        "bad.jsonl": b"{bad\n" + b"\n".join(lines).replace(b"Question", b"Bad") + b"\n{bad",
    }
    for name, content in sources.items():
        (tmp_path / name).write_bytes(content)
    first, *further = (tmp_path / name for name in sources)
    said = exported(accepted(create_project(first, tmp_path / "p.tamis", further=further)), tmp_path / "out")
    assert {
        one["name"]: (one["against"], one["identical"], one["untouched"]) for one in said["proof"]
    } == dict.fromkeys(sources, ("source", 4, 4))


def test_rows_that_were_laid_out_over_lines_are_not_called_lines(tmp_path: Path) -> None:
    rows = numbered(3)
    (tmp_path / "raw.jsonl").write_text(
        "\n".join([json.dumps(rows[0]), json.dumps(rows[1], indent=1), json.dumps(rows[2])])
    )
    said = exported(accepted(create_project(tmp_path / "raw.jsonl")), tmp_path / "out")
    assert (said["untouched"], said["untouched_identical"], said["written_anew"]) == (3, 2, {"jsonl": 1})


def test_the_gate_does_not_pass_a_row_that_changed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = accepted(make_project(tmp_path, numbered(4)))
    rot(folder, b"Answer 2.", b"Answer 3.")
    assert main(["gate", str(folder)]) == 2
    assert "(row 2)" in capsys.readouterr().err


def test_an_export_without_a_scan_says_so(tmp_path: Path) -> None:
    folder = accepted(make_project(tmp_path, numbered(4)))
    with open_project(folder, readonly=True) as project:
        scan_project(project)
    assert "no scan fits" not in "\n".join(export_lines(exported(folder, tmp_path / "out")))
    scan = folder / "scan.bin"
    scan.write_bytes(scan.read_bytes()[:-9])
    said = exported(folder, tmp_path / "out")
    assert not said["scanned"]
    assert "no scan fits these rows: leaks and secrets were not looked for" in "\n".join(export_lines(said))
    with open_project(folder, readonly=True) as project:
        assert any("scan.bin is damaged" in note for note in project.notes)


def test_settings_that_were_changed_are_told_and_nothing_leaves(tmp_path: Path) -> None:
    folder = accepted(make_project(tmp_path, numbered(3)))
    settings = folder / "project.toml"
    whole = settings.read_text()
    settings.write_text(whole.replace('"output" = "output"', '"output" = "answer"'))
    with open_project(folder, readonly=True) as project:
        assert any("is not as tamis wrote it" in note for note in project.notes)
        with pytest.raises(ProjectError, match="take its first line away to keep the change"):
            export(project, tmp_path / "out")
    write_jsonl(tmp_path / "more.jsonl", [alpaca("New?", "Yes.")])
    assert main(["add", str(folder), str(tmp_path / "more.jsonl"), "--as", "ann"]) == 2
    settings.write_text(whole.partition("\n")[2])
    with open_project(folder, readonly=True) as project:
        assert project.notes == []
        assert exported(folder, tmp_path / "out")["rows"] == 3
