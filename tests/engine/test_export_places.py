"""Where an export goes, beside what, and what it speaks of: never a source, never another's file, one moment."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest
from projects import make_project, numbered

from engine.errors import TamisError, UsageError
from engine.model import Act
from engine.places import is_own_page, signed_page
from engine.project.create import create_project
from engine.project.project import open_project
from engine.workflows.export import export
from workbench.cli.main import main

ALL_FOUR = tuple(range(4))


def accepted(folder: Path, numbers: tuple[int, ...] = ALL_FOUR) -> Path:
    with open_project(folder, reviewer="ann") as project:
        project.decide([Act("accept", tuple(project.rows.id(n) for n in numbers))])
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return accepted(make_project(tmp_path, numbered(4)))


def write(folder: Path, to: Path | str, **how: Any) -> dict[str, Any]:
    with open_project(folder, readonly=True) as project:
        return export(project, to, **how)


def manifest_that_fits(folder: Path) -> dict[str, Any]:
    """The manifest in a folder; every hash in it is that of the file beside it."""
    document: dict[str, Any] = json.loads((folder / "tamis-manifest.json").read_bytes())
    for each in (document, *document.get("exports", {}).values()):
        for name, digest in {**each["export"]["sha256"], **each["other_files"]}.items():
            assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest, name
    return document


# -- one moment


@pytest.mark.parametrize("deciding", ["in this window", "in another window"])
def test_what_is_decided_while_an_export_is_written_is_not_in_it(deciding: str, folder: Path, tmp_path: Path) -> None:
    with open_project(folder, reviewer="ann") as project:
        ids = [project.rows.id(n) for n in range(4)]

        def decide(*_: object) -> None:
            if project.verdict(0) == "accepted" and deciding == "in this window":
                project.decide([Act("reject", (ids[0],)), Act("edit", (ids[1],), {ids[1]: {"instruction": "x"}})])
            elif deciding == "in another window":
                with open_project(folder, reviewer="bob") as other:
                    other.decide([Act("reject", (ids[0],))])

        (journal,) = project.journal_ends()
        before = hashlib.sha256(journal.read_bytes()).hexdigest()
        said = export(project, tmp_path / "out", progress=decide)
    assert (said["rows"], said["untouched"]) == (4, 4)
    assert (tmp_path / "out" / "train.jsonl").read_bytes() == (tmp_path / "raw.jsonl").read_bytes()
    document = manifest_that_fits(tmp_path / "out")
    counts = document["counts"]
    assert (counts["accepted"], counts["edited"], counts["rejected"], counts["disputed"]) == (4, 0, 0, 0)
    assert document["journals"] == {journal.name: before}
    assert document["reviewers"] == ["ann"]
    assert "4 training rows and 0 held-out rows" in (tmp_path / "out" / "README.md").read_text()


def test_a_blind_reviewer_exports_what_they_see(tmp_path: Path) -> None:
    folder = accepted(make_project(tmp_path, numbered(4)), (0, 1))
    with open_project(folder, reviewer="bob", blind=True) as project:
        project.decide([Act("accept", (project.rows.id(3),))])
        assert export(project, tmp_path / "own.jsonl")["rows"] == 1
    assert write(folder, tmp_path / "all.jsonl")["rows"] == 3


# -- several exports in one folder


def test_of_several_exports_in_one_folder_each_is_spoken_of_and_written_again(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    for name in "abcde":
        write(folder, out / f"{name}.jsonl")
    document = manifest_that_fits(out)
    assert list(document["export"]["sha256"]) == ["e.jsonl"]
    assert sorted(document["exports"]) == ["a.jsonl", "b.jsonl", "c.jsonl", "d.jsonl"]
    accepted(folder)
    for name in "abcde":
        write(folder, out / f"{name}.jsonl")
    assert sorted(manifest_that_fits(out)["exports"]) == ["a.jsonl", "b.jsonl", "c.jsonl", "d.jsonl"]
    (out / "b.jsonl").write_text("another's words")
    (out / "c.jsonl").unlink()
    with pytest.raises(UsageError, match=r"b\.jsonl: exists and was not written by tamis"):
        write(folder, out / "b.jsonl")
    write(folder, out / "a.jsonl")
    # One that was changed and one that went are spoken of no more.
    assert sorted(manifest_that_fits(out)["exports"]) == ["d.jsonl", "e.jsonl"]


def test_a_folder_that_holds_nothing_else_is_swapped_as_a_whole(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    write(folder, out)
    out.chmod(0o750)
    first = out.stat().st_ino
    write(folder, out)
    assert out.stat().st_ino != first
    assert out.stat().st_mode & 0o777 == 0o750
    # Where another's file lies in it, the folder stays and the file too.
    (out / "notes.txt").write_text("mine")
    second = out.stat().st_ino
    write(folder, out)
    assert out.stat().st_ino == second
    assert (out / "notes.txt").read_text() == "mine"
    manifest_that_fits(out)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_folder_in_which_a_shell_stands_keeps_its_place(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    write(folder, out)
    first = out.stat().st_ino
    shell = subprocess.Popen(["cat"], cwd=out, stdin=subprocess.PIPE)
    try:
        write(folder, out)
    finally:
        shell.communicate()
    assert out.stat().st_ino == first
    manifest_that_fits(out)


def test_a_data_set_beside_other_files_loses_nothing_when_it_is_written_again(folder: Path, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    out = tmp_path / "set"
    with open_project(folder, reviewer="ann") as project:
        project.decide([Act("holdout", (project.rows.id(3),))])
    write(folder, out, container="datasets")
    assert set(datasets.load_from_disk(str(out))) == {"train", "validation"}
    (out / "notes.txt").write_text("mine")
    with open_project(folder, reviewer="ann") as project:
        project.decide([Act("reject", (project.rows.id(3),))])
    write(folder, out, container="datasets")
    assert set(datasets.load_from_disk(str(out))) == {"train"}
    assert sorted(path.name for path in out.iterdir()) == [
        *("README.md", "dataset_dict.json", "notes.txt", "tamis-manifest.json", "train")
    ]
    (out / "train" / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="train: holds files that tamis did not write"):
        write(folder, out, container="datasets")
    assert len(manifest_that_fits(out)["export"]["sha256"]) == 1


# -- what is never written over


def test_a_source_is_never_written_over_whatever_it_is_called(folder: Path, tmp_path: Path) -> None:
    source = tmp_path / "raw.jsonl"
    before = source.read_bytes()
    (tmp_path / "linked").mkdir()
    os.link(source, tmp_path / "linked" / "train.jsonl")
    (tmp_path / "soft.jsonl").symlink_to(source)
    os.link(source, tmp_path / "a.heldout.jsonl")
    for to in (source, tmp_path / "linked", tmp_path / "soft.jsonl", tmp_path / "a.jsonl", tmp_path / "x/../raw.jsonl"):
        with pytest.raises(UsageError, match="is the source of these rows"):
            write(folder, to, force=True)
    assert source.read_bytes() == before
    assert not (tmp_path / "tamis-manifest.json").exists()


def test_nothing_is_written_into_a_folder_that_is_the_source(folder: Path, tmp_path: Path) -> None:
    source = tmp_path / "set"
    write(folder, source, container="parquet")
    before = {path.name: path.read_bytes() for path in source.iterdir()}
    with pytest.raises(UsageError, match=r"lies in .*set, which is the source of these rows"):
        create_project(source, source / "my.tamis")
    own = accepted(create_project(source), (0,))
    os.link(source / "train.parquet", tmp_path / "part.jsonl")
    (tmp_path / "way").symlink_to(source)
    for to in (
        source,
        source / "new",
        source / "deep" / "x.jsonl",
        tmp_path / "way" / "x.jsonl",
        tmp_path / "part.jsonl",
    ):
        with pytest.raises(UsageError, match="source of these rows"):
            write(own, to, force=True, container="parquet" if to == source else None)
    assert {path.name: path.read_bytes() for path in source.iterdir()} == before


def test_nothing_is_written_over_a_part_of_a_project(folder: Path, tmp_path: Path) -> None:
    other = create_project(tmp_path / "raw.jsonl", tmp_path / "other.tamis")
    for to in (folder, folder / "decisions", folder / "rows.jsonl", other / "runs" / "x", other / "decisions/a.jsonl"):
        with pytest.raises(UsageError, match="is a part of the project"):
            write(folder, to, force=True)
    assert write(folder, folder / "exports")["rows"] == 4
    assert write(folder, folder / "exports")["rows"] == 4
    # A project.toml of another program makes no project.
    (tmp_path / "repo").mkdir()
    (tmp_path / "repo" / "project.toml").write_text("[project]\n")
    assert write(folder, tmp_path / "repo")["rows"] == 4


def test_what_a_person_wrote_is_kept_unless_it_is_given_up(folder: Path, tmp_path: Path) -> None:
    for name in ("README.md", "tamis-manifest.json", "train.jsonl", "heldout.jsonl"):
        out = tmp_path / f"{name} here"
        out.mkdir()
        (out / name).write_text("# three months of work\n")
        with pytest.raises(UsageError, match=f"{name}: exists and was not written by tamis.*--force"):
            write(folder, out)
        assert {path.name: path.read_text() for path in out.iterdir()} == {name: "# three months of work\n"}
        write(folder, out, force=True)
        if name != "heldout.jsonl":
            manifest_that_fits(out)
    out = tmp_path / "card"
    write(folder, out)
    (out / "README.md").write_text((out / "README.md").read_text() + "\nWhat I found out about it.\n")
    with pytest.raises(UsageError, match=r"README\.md: exists and was not written by tamis"):
        write(folder, out)
    # An export of before kept no hash of its card: the card is known by what stands in it.
    document = json.loads((out / "tamis-manifest.json").read_bytes())
    del document["other_files"]
    (out / "tamis-manifest.json").write_text(json.dumps(document))
    write(folder, out)


def test_what_is_no_place_is_told_in_one_line(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe.jsonl")
    (tmp_path / "folder.jsonl").mkdir()
    (tmp_path / "file").write_text("mine")
    cases = {
        "": "names no place",
        "pipe.jsonl": "is a device or a pipe",
        "/dev/null": "is a device or a pipe, not a folder",
        "folder.jsonl": "is a folder. Name a file in it",
        "file": "is a file. Name a folder",
        "file/out.jsonl": "is no folder",
    }
    monkeypatch.chdir(tmp_path)
    for to, told in cases.items():
        with pytest.raises(TamisError, match=told):
            write(folder, to)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert write(folder, ".")["rows"] == 4
    assert write(folder, Path())["rows"] == 4
    assert sorted(os.listdir()) == ["README.md", "tamis-manifest.json", "train.jsonl"]


# -- pages


def test_a_page_takes_the_place_of_a_page_of_ours_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_project(tmp_path, numbered(3))
    source, page = tmp_path / "raw.jsonl", tmp_path / "page.html"
    before = source.read_bytes()
    os.link(source, tmp_path / "linked.html")
    for to in (source, tmp_path / "linked.html", tmp_path / "raw.tamis" / "rows.jsonl", tmp_path):
        assert main(["report", str(source), "--html", str(to), "--force"]) == 2
    assert main(["report", str(tmp_path / "raw.tamis"), "--html", str(source), "--force"]) == 2
    assert main(["report", str(source), "--html", ""]) == 2
    assert source.read_bytes() == before
    assert main(["report", str(source), "--html", str(page)]) == 0
    assert main(["report", str(source), "--html", str(page)]) == 0
    assert is_own_page(page)
    capsys.readouterr()
    page.write_text(page.read_text().replace("<h1>", "<h1>My own words about "))
    assert main(["report", str(source), "--html", str(page)]) == 2
    assert "exists and was not written by tamis" in capsys.readouterr().err
    assert main(["compare", str(source), "--html", str(page)]) == 2
    assert main(["report", str(source), "--html", str(page), "--force"]) == 0
    assert is_own_page(page)


def test_a_page_is_known_by_its_own_hash(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_bytes(signed_page('<!doctype html><head><meta charset="utf-8"></head>caf\u00e9 \udc80\n'))
    assert is_own_page(page)
    page.write_bytes(page.read_bytes() + b"more")
    assert not is_own_page(page)
    assert not is_own_page(tmp_path / "none.html")


def test_an_export_waits_for_another_that_is_being_put_there(folder: Path, tmp_path: Path) -> None:
    """In between the manifest is away, and files of an export seem to be somebody's own."""
    write(folder, tmp_path / "curated.jsonl")
    manifest, away = tmp_path / "tamis-manifest.json", tmp_path / "away"
    other = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_EX)
    manifest.rename(away)

    def put_there() -> None:
        away.rename(manifest)
        os.close(other)

    threading.Timer(0.3, put_there).start()
    write(folder, tmp_path / "curated.jsonl")
    manifest_that_fits(tmp_path)


def test_an_export_says_which_acts_could_not_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They are in a side file that was not copied yet: an export of what is left must not look like all there is."""
    folder = make_project(tmp_path, numbered(10_011))
    with open_project(folder, reviewer="ann") as project:
        ids = tuple(project.rows.id(n) for n in range(10_011))
        project.decide([Act("accept", ids[:10_010])])
        project.decide([Act("accept", ids[10_010:])])
    next((folder / "decisions").glob("*.ids")).unlink()
    for words in (
        ["export", folder, "--to", tmp_path / "out"],
        ["do", folder, "--as", "ann", "--dry-run", "accept row:2"],
        ["gate", folder],
    ):
        assert main([str(word) for word in words]) == 0
        assert "line 1 cannot be read" in capsys.readouterr().err, words


def test_links_that_lead_back_to_themselves_are_told_in_one_line(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loop = tmp_path / "loop.jsonl"
    loop.symlink_to(loop)
    for words in (
        ["scan", loop],
        ["status", loop],
        ["add", folder, loop],
        ["export", folder, "--to", loop],
        ["report", folder, "--html", loop],
        ["merge", folder, loop],
        ["holdout", folder, loop],
        ["do", loop, "accept row:0"],
    ):
        assert main([str(word) for word in words]) == 2, words
        told = capsys.readouterr().err
        assert "a fault" not in told, words
        assert told.count("\n") == 1, words
    # A source that became such a link is no reason to refuse an export.
    (tmp_path / "raw.jsonl").unlink()
    (tmp_path / "raw.jsonl").symlink_to("raw.jsonl")
    write(folder, tmp_path / "out")
    manifest_that_fits(tmp_path / "out")
