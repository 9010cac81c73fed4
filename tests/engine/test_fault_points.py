"""A command that is killed, or whose disk refuses, at every call: before, after, or doing it again reaches the same."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fault_points import KILLED, PASSED, RAISED, fresh_copy, left_over, struck
from projects import alpaca, make_project, numbered, write_jsonl

from engine.errors import TamisError
from engine.model import Act
from engine.project.add_rows import grow
from engine.project.create import continue_reading, create_project, waiting_sources
from engine.project.heldout import reserve_drawn, reserve_file
from engine.project.project import open_project
from engine.project.row_change import names_in_force
from engine.trust import trust
from engine.workflows.export import export

State = Any
Act_ = Callable[[Path], object]
# Of all points, in the tests that everybody runs; `make torture` takes every one.
EVERY = 7


def decided(base: Path, count: int = 12) -> Path:
    folder = make_project(base, numbered(count))
    with open_project(folder, reviewer="ann") as project:
        project.decide([Act("accept", tuple(project.rows.id(n) for n in range(count)))])
    return folder


def state(work: Path) -> State:
    """What a person sees of the project, and that every row is what its id says."""
    with open_project(work / "raw.tamis", readonly=True) as project:
        numbers = range(len(project.rows))
        aside = project.folder / names_in_force(project.folder)["quarantine.jsonl"]
        return {
            "rows": [project.rows.raw_bytes(n) for n in numbers],
            "verdicts": [project.verdict(n) for n in numbers],
            "heldout": sorted(project.heldout),
            "changed": [project.changed_from(n) for n in numbers],
            "sources": [(Path(s.path).name, s.first_row, s.rows, s.quarantined) for s in project.settings.sources],
            "aside": aside.read_bytes() if aside.exists() else b"",
            "unknown": project.unknown_ids(),
            "complete": project.is_complete,
        }


def data_set(work: Path) -> State:
    """The files of a `datasets` export; there is a manifest only where it speaks of just these."""
    out = work / "out"
    files = {path.relative_to(out).as_posix(): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}
    said = json.loads(files.pop("tamis-manifest.json", b"null"))
    if said is not None:
        hashes = {**said["export"]["sha256"], **said["other_files"]}
        assert hashes == {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    # The fingerprint of a split is another one each time.
    return {name: content for name, content in files.items() if not name.endswith("state.json")}


def exported(work: Path) -> State:
    """The files of an export, and the manifest, which must speak of just these where there is one."""
    out = work / "out"
    manifest = out / "tamis-manifest.json"
    files = {path.name: path.read_bytes() for path in sorted(out.glob("*.jsonl"))}
    if manifest.exists():
        document = json.loads(manifest.read_bytes())
        for each in (document, *document.get("exports", {}).values()):
            said = each["export"]["sha256"]
            found = {name: hashlib.sha256(files[name]).hexdigest() for name in said}
            assert said == found, "the manifest does not fit the files"
    return {"files": files, "manifest": manifest.exists()}


def prepare_new_version(base: Path) -> None:
    decided(base)
    rows = numbered(12)
    rows[3]["output"], rows[7]["output"] = "The answer changed.", "This one as well."
    (base / "new").mkdir()
    write_jsonl(base / "new" / "raw.jsonl", [*rows, alpaca("A new one?", "Yes."), "no object"])


def prepare_heldout(base: Path) -> None:
    decided(base)
    write_jsonl(base / "held.jsonl", [alpaca(f"Held {n}?", f"H{n}.") for n in range(4)])


def prepare_several(base: Path) -> None:
    write_jsonl(base / "raw.jsonl", [*numbered(5), "no object"])
    write_jsonl(base / "b.jsonl", [*({"text": f"t{n}", "chosen": "a", "rejected": "b"} for n in range(4)), "no object"])


def prepare_reading(base: Path) -> None:
    prepare_several(base)
    create_project(base / "raw.jsonl", further=[base / "b.jsonl"], first=2)


def prepare_exported(base: Path) -> None:
    folder = decided(base, 20)
    with open_project(folder, reviewer="ann") as project:
        project.decide([Act("holdout", tuple(project.rows.id(n) for n in (3, 4)))])
        export(project, base / "out")
        project.decide([Act("reject", tuple(project.rows.id(n) for n in (0, 3)))])


def prepare_data_set(base: Path) -> None:
    folder = decided(base, 8)
    export_to("out", "datasets")(base)
    with open_project(folder, reviewer="ann") as project:
        project.decide([Act("reject", (project.rows.id(0),))])


def prepare_exported_beside_others(base: Path) -> None:
    folder = decided(base, 20)
    with open_project(folder, reviewer="ann") as project:
        project.decide([Act("holdout", tuple(project.rows.id(n) for n in (3, 4)))])
        export(project, base / "out" / "a.jsonl")
        export(project, base / "out" / "b.jsonl")
        (base / "out" / "notes.txt").write_text("mine")
        # No held-out row is accepted any more: the old file of them goes.
        project.decide([Act("reject", tuple(project.rows.id(n) for n in (0, 3, 4)))])


def add_new_version(work: Path) -> None:
    grow(work / "raw.tamis", work / "new" / "raw.jsonl", "ann")


def hold_file_out(work: Path) -> None:
    reserve_file(work / "raw.tamis", work / "held.jsonl", "ann")[0].close()


def hold_some_out(work: Path) -> None:
    with open_project(work / "raw.tamis", reviewer="ann") as project:
        reserve_drawn(project, 3)


def read_on(work: Path) -> None:
    # A copy of what was begun elsewhere.
    for each in waiting_sources(work / "raw.tamis"):
        trust(each.kind, each.place, each.content)
    continue_reading(work / "raw.tamis")


def make_anew(work: Path) -> None:
    create_project(work / "raw.jsonl", work / "raw.tamis", further=[work / "b.jsonl"])


def export_to(name: str, container: str | None = None) -> Act_:
    def act(work: Path) -> None:
        with open_project(work / "raw.tamis", readonly=True) as project:
            export(project, work / name, container=container)

    return act


CASES: dict[str, tuple[Callable[[Path], None], Act_, Callable[[Path], State]]] = {
    "add a new version": (prepare_new_version, add_new_version, state),
    "hold a file out": (prepare_heldout, hold_file_out, state),
    "hold some rows out": (lambda base: void(decided(base)), hold_some_out, state),
    "read on": (prepare_reading, read_on, state),
    "make a project": (prepare_several, make_anew, state),
    "export again": (prepare_exported, export_to("out"), exported),
    "export a data set again": (prepare_data_set, export_to("out", "datasets"), data_set),
    "export beside others": (prepare_exported_beside_others, export_to("out/a.jsonl"), exported),
}


def void(_: object) -> None:
    return None


def seen(view: Callable[[Path], State], work: Path) -> State:
    try:
        return view(work)
    except TamisError as error:
        return str(error)


def again(act: Act_, work: Path) -> None:
    """Do it once more, as a person would; that it was done already is an answer as well."""
    told = ""
    try:
        act(work)
    except TamisError as error:
        told = str(error)
    assert not told or any(words in told for words in ("held out already", "already exists")), told


def campaign(name: str, tmp_path: Path, every: int, *, kill: bool) -> Counter[str]:
    prepare, act, view = CASES[name]
    base, work = tmp_path / "base", tmp_path / "work"
    base.mkdir()
    prepare(base)
    before = seen(view, fresh_copy(base, work))
    act(work)
    wanted = view(work)
    fresh_copy(base, work)
    outcomes: Counter[str] = Counter()
    point = 1
    while (code := struck(point, lambda: act(work), kill=kill)) != 0:
        told = f"{name}, point {point}"
        assert code == KILLED if kill else code in (RAISED, PASSED), told
        middle = seen(view, work)
        if view is state:
            assert middle in (before, wanted) or name == "read on", told
        elif name in ("export again", "export a data set again"):
            assert middle in (before, wanted), told
        again(act, work)
        assert view(work) == wanted, told
        outcomes["after" if middle == wanted else "before" if middle == before else "between"] += 1
        assert left_over(work) == [], told
        point += every
        fresh_copy(base, work)
    outcomes["points"] = point - 1
    return outcomes


@pytest.mark.parametrize("kill", [True, False], ids=["killed", "disk refuses"])
@pytest.mark.parametrize("name", CASES)
def test_a_command_that_is_struck_now_and_then(name: str, kill: bool, tmp_path: Path) -> None:
    campaign(name, tmp_path, EVERY, kill=kill)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kill", [True, False], ids=["killed", "disk refuses"])
@pytest.mark.parametrize("name", CASES)
def test_a_command_that_is_struck_at_every_call(name: str, kill: bool, tmp_path: Path) -> None:
    print(name, "killed" if kill else "refused", dict(campaign(name, tmp_path, 1, kill=kill)))
