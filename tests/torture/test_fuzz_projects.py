"""Anything in any file of a project: journals, settings, caches, what was remembered, what others propose. It opens and
says what it can, or one clear error; whatever is done then ends well or with one."""

from __future__ import annotations

import contextlib
import io
import json
import random
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "workbench"))
import planted
from fuzzing import CASES, CONFIG, VALUES, fuzz, mutated, odd_json, odd_toml

import engine.project.journals as journals
from engine.errors import TamisError
from engine.jobs.scan import scan_project
from engine.model import Act
from engine.project.line_sums import with_sum
from engine.project.merge import merge
from engine.project.project import Project, open_project
from engine.project.suspects import KINDS, Suspected, Suspects, load_suspects, save_suspects, suspect_flags
from engine.review.store import Queue, save_queue
from engine.workflows.export import export
from engine.workflows.gate import gate, gate_summary
from workbench.actions import order, pick, slices
from workbench.cli.main import main
from workbench.render.list_lines import EntryLines
from workbench.render.row import finding_paragraphs, row_paragraphs, why_lines
from workbench.state.session import Session

pytestmark = [pytest.mark.slow, pytest.mark.timeout(7200)]

ROWS = 12
BAR = {"name": "2018", "note": "old", "selector": "date<2019", "rows": 3, "ten": [1, 2]}
SLICES = {"slices": [BAR], "words": [BAR], "undated": 2}
PICK = {
    "rows": [{"row": 12, "topic": 0, "reason": "alone"}, {"row": 13, "topic": 0, "reason": "unlike"}],
    "topics": [{"words": ["a", "b"], "rows": 3, "picked": 1, "tokens": 9, "tokens_picked": 3}], "coverage": 0.5,
    "sources": [{"name": "a", "of_these": 1, "rows": 2}, {"name": "b", "of_these": 1, "rows": 2}],
}  # fmt: skip
SESSION = {
    "v": 1, "screen": "triage", "filter": "bucket:check", "row": "x", "cluster": planted.NEAR, "header": False,
    "drafts": {"x": [[["output"], "y"], [["messages", 0, "content"], "z"]]}, "asked": ["mapping"], "filters": ["row:1"],
}  # fmt: skip
PROPOSAL = {
    "v": 1,
    "id": "p1",
    "by": "model:m",
    "ids": ["x"],
    "verdict": "reject",
    "why": "odd",
    "at": "2026-01-01T00:00:00Z",
}
GATE = b"""min_accepted = 1
max_duplicate_share = 0.1
max_open_conflicts = 0
max_leaks = 0
min_seen_share = 0.5
min_self_agreement = 0.8
max_stale_share = 1
"""
ACTS = (
    {"do": "accept", "ids": 2}, {"do": "reject", "ids": 1}, {"do": "skip", "ids": 1}, {"do": "reset", "ids": 1},
    {"do": "edit", "ids": 1, "edited": 1}, {"do": "tag", "ids": 2, "tags": ["x", "recheck"], "untag": ["y"]},
    {"do": "note", "ids": 1, "text": "look"}, {"do": "not_duplicates", "ids": 2}, {"do": "fine_together", "ids": 2},
    {"do": "split", "ids": 1}, {"do": "map", "ids": 0, "shape": "alpaca", "fields": {"instruction": "instruction",
    "output": "output"}},
    {"do": "holdout", "ids": 2, "variants": [["a", "b"]]}, {"do": "settle", "ids": 1, "verdict": "accepted"},
    {"do": "override", "ids": 0, "of": "gate", "checks": ["min_accepted"]}, {"do": "add", "ids": 1,
    "changed": {"a": "b"}},
    {"do": "accept", "ids": 1, "proposal": "p1"}, {"do": "reset", "ids": 1, "declined": "p1"},
)  # fmt: skip


def lines(values: Sequence[object]) -> bytes:
    return b"".join(json.dumps(value).encode() + b"\n" for value in values)


class Whole:
    """A sound project with a file of every kind; each case works on a copy."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.folder = planted.make_folder(place)
        with planted.opened(self.folder) as project:
            self.ids = [project.rows.id(number) for number in range(len(project.rows))]
            for number in range(4):
                project.decide(
                    [Act("accept" if number % 2 else "reject", (self.ids[number],))], seen=(self.ids[number],)
                )
            scan_project(project, processes=1)
            project.save_findings(planted.findings())
            save_queue(self.folder, Queue((5, 6, 7), {5: 0.5}, {5: (("word", 1.5),)}, 4, 2, dict.fromkeys(("estimate",
                "least", "most"), 1.0), project.scan_key()))  # fmt: skip
            save_suspects(
                self.folder,
                Suspects(
                    "r", "2026-01-01T00:00:00Z", (Suspected(self.ids[9], KINDS[0], 1, 3, "it"),), {self.ids[9]: 0.5}
                ),
            )
        saved = SESSION | {"row": self.ids[4], "drafts": {self.ids[4]: SESSION["drafts"]["x"]}}  # type: ignore[index]
        self.write("session.json", json.dumps(saved).encode())
        self.write("pick.json", json.dumps(PICK).encode())
        self.write("slices.json", json.dumps(SLICES).encode())
        self.write("gate.toml", GATE)
        self.write("config.toml", CONFIG)
        self.write(
            "proposals/model.jsonl",
            lines([PROPOSAL | {"ids": [self.ids[8]]}, PROPOSAL | {"id": "p2", "ids": [self.ids[9]]}]),
        )
        self.write("quarantine.jsonl", lines([{"line": 3, "offset": 9, "reason": "no JSON", "bytes": "e2E="}]))
        self.write("written.jsonl", lines([planted.rows()[0]]))
        self.case = place / "case" / "raw.tamis"

    def write(self, name: str, content: bytes) -> None:
        (self.folder / name).parent.mkdir(exist_ok=True)
        (self.folder / name).write_bytes(content)

    def copy(self) -> Path:
        shutil.rmtree(self.case.parent, ignore_errors=True)
        shutil.copytree(self.folder, self.case)
        return self.case

    def journal(self) -> bytes:
        """A line of each act, over the rows of this project."""
        rows = iter(self.ids * 9)
        made = []
        for number, act in enumerate(ACTS, 1):
            ids = [next(rows) for _ in range(act["ids"])]  # type: ignore[arg-type]
            said = {**act, "ids": ids}
            if "edited" in said:
                said["edited"] = {ids[0]: planted.rows()[0] | {"output": "other"}}
            line = {
                "v": 1,
                "n": number,
                "at": "2026-01-01T00:00:00Z",
                "by": "eve",
                "acts": [said],
                "seen": ids,
                "why": "so",
            }
            made.append(line)
        made.append({"v": 1, "n": len(made) + 1, "at": "2026-01-01T00:00:00Z", "by": "eve", "undo": 3})
        made.append({"v": 1, "n": len(made) + 1, "at": "2026-01-01T00:00:00Z", "by": "eve", "redo": 3})
        return lines(made)


def told(*words: object) -> None:
    """A command ends well, or with one line."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([str(word) for word in words])
    said = err.getvalue()
    assert "a fault inside" not in said, f"{words[0]}: {said[:300]}"
    assert code in (0, 1, 2), code
    assert code != 2 or said.strip(), words


def shown(project: Project) -> None:
    """What the workbench shows of it, and takes in from the files beside the rows."""
    session = Session(project)
    for take in (order.take_queue, pick.take_pick, slices.take_slices):
        with suppress(TamisError):
            take(session)
    drawn = EntryLines(session)
    for index in range(len(drawn)):
        drawn.line(index, 70)
    for row in range(len(project.rows)):
        for piece in (
            *row_paragraphs(project, row, None, True),
            *finding_paragraphs(project, row),
            *why_lines(session, row),
        ):
            assert piece is not None
    assert session.overview.items is not None
    suspect_flags(load_suspects(project.folder), project.rows)
    session.save_place()


def used(folder: Path, other: Path, dice: random.Random) -> None:
    """Opened, shown, decided in, undone, exported, judged, merged; each in its own right."""
    out = folder.parent / "out"
    with open_project(folder, readonly=True) as project:
        project.counts()
        first = project.rows.id(0)
    with open_project(folder, reviewer="ann") as project:
        for number in range(len(project.rows)):
            project.example(number)
            project.decision(number)
            project.voices(number)
        shown(project)
        project.decide([Act("accept", tuple(project.rows.id(number) for number in range(len(project.rows))))])
        project.decide([Act("tag", (first,), extra={"tags": ["t"]})])
        for step in (project.undo, project.undo, project.redo):
            with suppress(TamisError):
                step()
        # What takes long, one of each kind a case: ten thousand cases meet each often enough.
        with suppress(TamisError):
            if dice.random() < 0.5:
                gate_summary(project, gate(project))
            else:
                export(project, out, override="x", lossy=True, force=True)
        with suppress(TamisError):
            project.take_over()
    match dice.randrange(8):
        case 0:
            told("status", folder, *(["--json"] if dice.random() < 0.5 else []))
        case 1:
            told("journal", folder, *(["--json"] if dice.random() < 0.5 else []))
        case 2:
            told("gate", folder, "--as", "ann")
        case 3:
            told("do", folder, "--as", "ann", "tag later row:1", "undo")
        case 4:
            told("check", folder, *(["--json"] if dice.random() < 0.5 else []))
        case 5:
            told("trust", folder, *(["--yes"] if dice.random() < 0.5 else ["--json"]))
        case _:
            with suppress(TamisError):
                merge(other, folder)
            with suppress(TamisError), open_project(other, reviewer="ann") as project:
                project.counts()


def through(whole: Whole, name: str) -> Callable[[bytes], None]:
    def act(case: bytes) -> None:
        dice = random.Random(case)
        folder = whole.copy()
        other = folder.parent / "other.tamis"
        shutil.copytree(whole.folder, other)
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(case)
        journals.SNAPSHOT_LINES = dice.choice((1, 2000))
        used(folder, other, dice)

    return act


@pytest.fixture
def whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Whole:
    monkeypatch.setattr(journals, "SNAPSHOT_LINES", 2000)
    monkeypatch.setenv("TAMIS_REVIEWER", "ann")
    return Whole(tmp_path)


def one_line(content: bytes, dice: random.Random) -> bytes:
    """One act alone: its fault is not hidden behind that of another."""
    kept = [line for line in content.split(b"\n") if line]
    return dice.choice((mutated, odd_json, odd_json))(dice.choice(kept) + b"\n", dice)


def any_value(content: bytes, dice: random.Random) -> bytes:
    """Any JSON at all under any known key of a line and of an act."""
    act = {"do": dice.choice([act["do"] for act in ACTS]), "ids": []}
    known = [*journals_keys()]
    act_text = ",".join([f'"{dice.choice(known)}":{dice.choice(VALUES)}' for _ in range(dice.randint(1, 3))])
    line_text = "".join([f',"{dice.choice(known)}":{dice.choice(VALUES)}' for _ in range(dice.randint(0, 2))])
    text = f'{{"v":1,"n":{dice.choice((1, 5, 10**15))},"at":"2026-01-01T00:00:00Z","by":"eve"'
    text += f',"acts":[{{"do":"{act["do"]}",{act_text}}}]{line_text}}}\n'
    return text.encode("utf-8", "surrogatepass")


def journals_keys() -> Iterator[str]:
    from engine.project.line_checks import ACT_KEYS, LINE_KEYS

    yield from (*LINE_KEYS, *ACT_KEYS, "v", "shape", "fields", "sum", "read", "seen")


def test_journals_of_anything(whole: Whole) -> None:
    ways = (mutated, odd_json, one_line, one_line, any_value)
    fuzz("journal", [whole.journal()], through(whole, "decisions/eve@00000000.jsonl"), ways=ways)


def test_own_journals_of_anything(whole: Whole) -> None:
    (own,) = (whole.folder / "decisions").glob("ann@*.jsonl")
    fuzz(
        "own journal",
        [own.read_bytes()],
        through(whole, f"decisions/{own.name}"),
        ways=(mutated, odd_json),
        cases=CASES // 4,
    )


JSON_FILES = (
    "session.json", "queue.json", "suspects.json", "pick.json", "slices.json", "proposals/model.jsonl",
    "quarantine.jsonl", "written.jsonl", "plan.json", "journals.json", "decisions/waiting.acts",
    "decisions/merged/eve@00000000.jsonl", "decisions/merged/waiting.acts",
)  # fmt: skip
# What a merge leaves that was cut off, and files that this project has not.
MADE = {
    "plan.json": b'{"asked":"x","answer":{"rows":[]},"check":"y"}\n',
    "decisions/waiting.acts": b'{"line":"0123456789abcdef"}\n',
    "decisions/merged/waiting.acts": b'{"line":"0123456789abcdef"}\n',
}
BINARY_FILES = (
    "scan.bin",
    "scan.cache",
    "rows.idx",
    "rows.jsonl",
    "snapshot.bin",
    "rows.intent",
    "rows.jsonl.next",
    "rows.lock",
)


SUMMED = ("journals.json", "quarantine.jsonl", "decisions/waiting.acts", "decisions/merged/waiting.acts")


def summed(content: bytes, dice: random.Random) -> bytes:
    """Odd values under a checksum that fits: somebody computed it anew."""
    odd = [line for line in odd_json(content, dice).split(b"\n") if line.endswith(b"}")]
    return b"".join(with_sum(line) + b"\n" for line in odd).removesuffix(b"\n")


@pytest.mark.parametrize("name", JSON_FILES)
def test_what_lies_beside_the_rows(name: str, whole: Whole) -> None:
    seed = MADE.get(name) or (whole.journal() if "merged" in name else (whole.folder / name).read_bytes())
    ways = (mutated, odd_json, odd_json, summed) if name in SUMMED else (mutated, odd_json, odd_json, odd_json)
    fuzz(name, [seed], through(whole, name), ways=ways, cases=CASES // len(JSON_FILES))


@pytest.mark.parametrize("name", BINARY_FILES)
def test_caches_and_leftovers(name: str, whole: Whole) -> None:
    if name == "snapshot.bin":
        journals.SNAPSHOT_LINES = 1
        with planted.opened(whole.folder) as project:
            project.decide([Act("skip", (whole.ids[12],))])
            project.decide([Act("skip", (whole.ids[13],))])
        assert (whole.folder / name).exists()
    path = whole.folder / name
    seeds = [path.read_bytes()] if path.exists() and path.stat().st_size else [b'{"rows": 3}', b"12 34\n", b""]
    fuzz(name, seeds, through(whole, name), ways=(mutated, odd_json), cases=CASES // len(BINARY_FILES))


@pytest.mark.parametrize("name", ["config.toml", "gate.toml", "project.toml"])
def test_settings_of_a_project(name: str, whole: Whole) -> None:
    path = whole.folder / name
    fuzz(name, [path.read_bytes()], through(whole, name), ways=(mutated, odd_toml, odd_toml), cases=CASES // 3)
