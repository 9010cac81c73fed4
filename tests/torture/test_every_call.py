"""Every command that writes, killed before each of its system calls, and each of those calls refused by the disk.

Afterwards the project opens, says what it said before or what it says after an undisturbed run, and the command done
again comes to the same end, with no litter left. What a command told of as done is there.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from projects import alpaca, make_project, write_jsonl
from system_calls import CALLS, CHANGES, Fault, Watched, watch, why_not

from engine.files import remove_dead
from engine.project.project import open_project
from workbench.cli.main import main

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not() or "calls can be watched")
DISK_FAULTS = {"EIO": errno.EIO, "ENOSPC": errno.ENOSPC, "ENOMEM": errno.ENOMEM}
ASKED = (
    "Name the capital of Portugal.", "How is bread baked?", "Why does ice float?", "Translate 'house' into French.",
    "Sort 9, 4 and 7.", "Who wrote Emma?", "What do bees eat?", "Explain compound interest.", "Draw up a packing list.",
    "When did the Berlin wall fall?", "Give three uses of a spoon.", "Which planet has rings?", "Spell 'rhythm'.",
)  # fmt: skip
"""Requests so different that no bulk act passes one over as the variant of another."""
MANY = 10_030
"""Rows of a project whose bulk acts need a side file."""

# -- what a folder says


def project_state(folder: Path) -> dict[str, Any]:
    """All that a project says of its rows, however it was come to."""
    with open_project(folder, readonly=True) as project:
        numbers = range(len(project.rows))
        marked = numbers if len(numbers) < MANY else ()
        rows = hashlib.sha256()
        for number in numbers:
            rows.update(project.rows.raw_bytes(number) + b"\n")
        return {
            "rows": (len(numbers), rows.hexdigest()),
            "verdicts": hashlib.sha256(project.verdict_codes).hexdigest(),
            "counts": project.tally(),
            "edited": {number: project.current_row(number) for number in marked if project.is_edited(number)},
            "tags": {number: sorted(project.tags(number)) for number in marked if project.tags(number)},
            "disputed": sorted(project.disputed),
            "heldout": sorted(project.heldout),
            "changed": {number: project.changed_from(number) for number in marked if project.changed_from(number)},
            "sources": [(Path(source.path).name, source.first_row, source.rows) for source in project.settings.sources],
            "quarantined": sum(source.quarantined for source in project.settings.sources),
        }


def export_state(folder: Path) -> dict[str, Any] | None:
    """What a manifest and the files beside it say; None where there is no manifest. They must fit."""
    place = folder / "tamis-manifest.json"
    if not place.exists():
        return None
    told = json.loads(place.read_bytes())["export"]
    found = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in told["sha256"]}
    assert found == told["sha256"], "the manifest does not fit the files"
    return {"rows": told["rows"], "files": found}


def everything(work: Path) -> dict[str, Any]:
    """The state of every project and export below a folder, and of the pages in it."""
    projects = {path.name: project_state(path) for path in sorted(work.glob("*.tamis")) if (path / "rows.idx").exists()}
    exports = {path.name: export_state(path) for path in sorted(work.glob("out*")) if path.is_dir()}
    exports = {name: state for name, state in exports.items() if state is not None}
    pages = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(work.glob("*.html"))}
    return {"projects": projects, "exports": exports, "pages": pages}


def names(work: Path) -> set[str]:
    """The files below a folder, but for what only names a process or a moment."""
    found = (path.relative_to(work).as_posix() for path in work.rglob("*"))
    return {name for name in found if not name.endswith((".owner", ".lock")) and ".torn-" not in name}


# -- the commands


@dataclass(frozen=True)
class Case:
    """A command line, run in a folder that `prepare` has filled. `again`: what doing it twice says is what once says;
    else it is done again only where the first time came to nothing. `between`: for a moment there is no manifest."""

    name: str
    prepare: Callable[[Path], None]
    words: Sequence[str]
    again: bool = True
    between: bool = False
    preload: Sequence[str] = ()


def _do(*words: object) -> None:
    assert _run([str(word) for word in words], Path(os.devnull), Path(os.devnull)) == 0, words


def questions() -> list[dict[str, Any]]:
    return [alpaca(asked, f"{asked[:-1]}: {asked[::-1]}") for asked in ASKED]


def _project(work: Path) -> Path:
    folder = make_project(work, questions())
    _do("scan", folder)
    return folder


def decided(work: Path) -> None:
    _do("do", _project(work), "accept row:0-8", "reject row:9", "tag good row:2")


def decided_and_undone(work: Path) -> None:
    decided(work)
    _do("do", work / "raw.tamis", "undo")


def many(work: Path) -> None:
    make_project(work, [alpaca(f"Q{number * 7919}", f"A{number * 104729}") for number in range(MANY)])
    _do("scan", work / "raw.tamis")


def new_version(work: Path) -> None:
    decided(work)
    rows = questions()
    rows[3]["output"], rows[7]["output"] = "The answer changed.", "This one as well."
    (work / "new").mkdir()
    write_jsonl(work / "new" / "raw.jsonl", [*rows, alpaca("A new one?", "Yes.")])
    with (work / "new" / "raw.jsonl").open("a") as stream:
        stream.write("{bad\n")


def held_file(work: Path) -> None:
    _project(work)
    write_jsonl(work / "held.jsonl", [alpaca(f"Held {number}?", f"H{number}.") for number in range(4)])


def another_copy(work: Path) -> None:
    """A copy with further acts of the same person, of another one, and a bulk act of each."""
    many(work)
    _do("do", work / "raw.tamis", "accept row:0")
    shutil.copytree(work / "raw.tamis", work / "other.tamis")
    _do("do", work / "raw.tamis", "accept row:1-10020")
    _do("do", work / "other.tamis", "reject row:5-10025")
    _do("do", work / "other.tamis", "accept row:0-10010", "skip row:3", "--as", "ben")


def exported(work: Path) -> None:
    decided(work)
    _do("holdout", work / "raw.tamis", "2")
    for words in (["--to", work / "out"], ["--to", work / "out_file" / "a.jsonl"]):
        _do("export", work / "raw.tamis", *words)
    _do("do", work / "raw.tamis", "reject row:0-1", "accept row:9")


def exported_dataset(work: Path) -> None:
    decided(work)
    _do("export", work / "raw.tamis", "--to", work / "out", "--container", "datasets")
    _do("do", work / "raw.tamis", "reject row:0-1")


def source_alone(work: Path) -> None:
    write_jsonl(work / "raw.jsonl", questions())


def unscanned(work: Path) -> None:
    make_project(work, questions())


COLUMNAR = ("pyarrow.parquet", "datasets", "engine.export.columnar")
CASES = (
    Case("do accept", decided, ["do", "raw.tamis", "accept row:9-11"]),
    Case("do accept, with a scan", unscanned, ["do", "raw.tamis", "accept row:1"]),
    Case("do reject of 10,021 rows", many, ["do", "raw.tamis", "reject row:2-10022"]),
    Case("do tag", decided, ["do", "raw.tamis", "tag fine row:1-3"]),
    Case("do undo", decided, ["do", "raw.tamis", "undo"], again=False),
    Case("do redo", decided_and_undone, ["do", "raw.tamis", "redo"], again=False),
    Case("holdout N", decided, ["holdout", "raw.tamis", "3"], again=False),
    Case("holdout FILE", held_file, ["holdout", "raw.tamis", "held.jsonl"], again=False),
    Case("add a new version", new_version, ["add", "raw.tamis", "new/raw.jsonl"]),
    Case("add another file", held_file, ["add", "raw.tamis", "held.jsonl"]),
    Case("merge", another_copy, ["merge", "raw.tamis", "other.tamis"]),
    Case("export to a folder", decided, ["export", "raw.tamis", "--to", "out"]),
    Case("export to a folder again", exported, ["export", "raw.tamis", "--to", "out"]),
    Case("export to a file again", exported, ["export", "raw.tamis", "--to", "out_file/a.jsonl"], between=True),
    Case("export to Parquet", decided, ["export", "raw.tamis", "--to", "out/a.parquet"], preload=COLUMNAR),
    Case("export as datasets again", exported_dataset,
         ["export", "raw.tamis", "--to", "out", "--container", "datasets"], preload=COLUMNAR),
    Case("scan of a file", source_alone, ["scan", "raw.jsonl", "--project", "raw.tamis"]),
    Case("scan of a project", unscanned, ["scan", "raw.tamis"]),
    Case("report as a page", decided, ["report", "raw.tamis", "--html", "page.html"]),
    Case("pick", decided, ["pick", "raw.tamis", "3"]),
)  # fmt: skip


# -- running them


def _run(words: Sequence[str], out: Path, err: Path) -> int:
    """The exit code of a command, run in a copy of this process; what it says goes to two files."""
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    code = 70
    with contextlib.suppress(BaseException):
        code = _in_child(words, out, err)
    os._exit(code)


def _in_child(words: Sequence[str], out: Path, err: Path) -> int:
    for descriptor, path in ((1, out), (2, err)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), descriptor)
    # pytest has put its own objects in their place.
    sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)  # noqa: SIM115
    code = main(words)
    for stream in (sys.stdout, sys.stderr):
        # What a full disk does not take is not said; the command has done what it did.
        with contextlib.suppress(OSError):
            stream.flush()
    return code


@dataclass
class Stage:
    """The folder a case is prepared in, and a copy of it that each disturbed run gets anew at the same place."""

    base: Path
    work: Path
    out: Path
    err: Path
    case: Case

    def anew(self) -> None:
        shutil.rmtree(self.work, ignore_errors=True)
        shutil.copytree(self.base, self.work, symlinks=True)
        os.chdir(self.work)
        self.out.write_bytes(b"")
        self.err.write_bytes(b"")

    def short(self, call: str) -> str:
        return call.replace(str(self.work.parent) + "/", "")

    def undisturbed(self) -> dict[str, Any]:
        self.anew()
        code = _run(self.case.words, self.out, self.err)
        assert code in (0, 1), self.err.read_text()
        return everything(self.work)

    def disturbed(self, fault: Fault, calls: Sequence[str] = CHANGES) -> Watched:
        self.anew()
        return watch(lambda: _in_child(self.case.words, self.out, self.err), self.work.parent, fault, calls=calls)


@pytest.fixture(params=CASES, ids=lambda case: case.name)
def stage(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    case: Case = request.param
    monkeypatch.setenv("TAMIS_REVIEWER", "ann")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for module in (*case.preload, "engine.jobs.scan", "engine.project.merge"):
        __import__(module)
    made = Stage(tmp_path / "base", tmp_path / "work", tmp_path / "out.txt", tmp_path / "err.txt", case)
    made.work.mkdir()
    # Made at the place where it will be used: a project names its source by its whole path.
    os.chdir(made.work)
    case.prepare(made.work)
    os.chdir(tmp_path)
    made.work.rename(made.base)
    yield made
    os.chdir(tmp_path)


@contextlib.contextmanager
def _noted(troubles: list[str], where: str) -> Iterator[None]:
    """All points are looked at before any is told of."""
    try:
        yield
    except Exception as error:  # noqa: BLE001
        troubles.append(f"{where}: {type(error).__name__} {str(error)[:300]}")


def check_after(stage: Stage, before: Any, after: Any, known: set[str]) -> None:
    """The state is one of the two, and the command done again comes to the end of an undisturbed run."""
    found = everything(stage.work)
    if stage.case.between and not found["exports"].get("out_file"):
        found["exports"]["out_file"] = before["exports"]["out_file"]
    assert found in (before, after), f"neither before nor after: {_difference(found, after)}"
    if stage.out.read_bytes().strip():
        assert found == after, f"it told that it was done: {stage.out.read_text()!r}"
    if stage.case.again or found != after:
        code = _run(stage.case.words, stage.out, stage.err)
        assert code in (0, 1), f"done again: {stage.err.read_text()}"
        found = everything(stage.work)
        assert found == after, f"done again: {_difference(found, after)}"
    if "raw.tamis" in found["projects"]:
        # Whoever decides next finds what a killed process left.
        open_project(stage.work / "raw.tamis", reviewer="ann").close()
    litter = names(stage.work) - known
    if litter and all(name.endswith(".tamis-tmp") for name in litter):
        # Taken away by whoever writes there next.
        for folder in sorted({path.parent for path in stage.work.rglob("*.tamis-tmp")}):
            remove_dead(folder)
        litter = names(stage.work) - known
    assert not litter, f"left behind: {sorted(litter)}"


def _difference(found: dict[str, Any], wanted: dict[str, Any]) -> str:
    told = []
    for kind in wanted:
        for name in {**wanted[kind], **found[kind]}:
            ours, theirs = found[kind].get(name), wanted[kind].get(name)
            if ours != theirs:
                keys = [key for key in theirs if ours.get(key) != theirs[key]] if ours and theirs else "whole"
                told.append(f"{name}: {keys}")
    return "; ".join(told)


def check_kills(stage: Stage, every: int = 1) -> int:
    """Kill before each call (or each `every`-th); how many kills there were."""
    after = stage.undisturbed()
    known = names(stage.work)
    stage.anew()
    before = everything(stage.work)
    known |= names(stage.work)
    count, troubles = 0, []
    at = 1
    while True:
        ended = stage.disturbed(Fault(at))
        if ended.code != -9:
            break
        count += 1
        with _noted(troubles, f"kill {at} before {stage.short(ended.last)}"):
            check_after(stage, before, after, known)
        at += every
    assert not troubles, f"{len(troubles)} of {count} kills:\n" + "\n".join(troubles[:12])
    return count


def check_refusals(stage: Stage, fault: str, every: int = 1, *, lasting: bool = False) -> int:
    """Refuse each call with an error of the disk; how many refusals there were."""
    after = stage.undisturbed()
    known = names(stage.work)
    stage.anew()
    before = everything(stage.work)
    known |= names(stage.work)
    calls = tuple(CALLS) if fault != "ENOSPC" else CHANGES
    count, troubles = 0, []
    at = 1
    while True:
        ended = stage.disturbed(Fault(at, DISK_FAULTS[fault], lasting), calls)
        if not ended.last:
            break
        count += 1
        said = stage.err.read_text(errors="replace")
        with _noted(troubles, f"{fault} {at} at {stage.short(ended.last)}"):
            # The error's own number: the two files could not even be opened.
            assert ended.code in (0, 1, 2, DISK_FAULTS[fault]), f"exit {ended.code} {said}"
            assert "Traceback" not in said, said
            assert "a fault inside" not in said, said
            assert ended.code != 2 or said.strip() or "err.txt" in ended.last, "exit 2 without a word"
            check_after(stage, before, after, known)
        at += every
    assert not troubles, f"{len(troubles)} of {count} refusals:\n" + "\n".join(troubles[:12])
    return count


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_kill_before_any_call_loses_nothing(stage: Stage) -> None:
    print(f"{stage.case.name}: {check_kills(stage)} kills")


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("fault", DISK_FAULTS)
def test_a_call_that_the_disk_refuses_loses_nothing(stage: Stage, fault: str) -> None:
    print(f"{stage.case.name}: {check_refusals(stage, fault)} times {fault}")


def test_a_journal_that_the_disk_does_not_tell_of_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAMIS_REVIEWER", "ann")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    decided(tmp_path)
    (journal,) = (tmp_path / "raw.tamis" / "decisions").glob("ann@*.jsonl")
    out, err = tmp_path / "out.txt", tmp_path / "err.txt"
    words = ["status", str(tmp_path / "raw.tamis")]
    ended = watch(lambda: _in_child(words, out, err), journal, Fault(1, errno.EIO), calls=("newfstatat",))
    assert (ended.code, out.read_text()) == (2, "")
    assert err.read_text().startswith(f"tamis: {journal}: cannot be read: Input/output error")
