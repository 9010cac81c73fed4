"""A project in which every cache is filled, what it says of itself, and what became of that once a file was damaged."""

from __future__ import annotations

import json
import random
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from damages import OF_BYTES, OF_LINES, damaged

from engine.errors import TamisError
from engine.jobs.scan import scan_project
from engine.model import Act
from engine.project.create import create_project
from engine.project.fold import Fold
from engine.project.journal import journal_paths, read_journal
from engine.project.project import Project, open_project
from engine.project.snapshot import save_snapshot
from engine.workflows.check import check_project
from engine.workflows.export import export

FILES = {
    "rows.jsonl": OF_BYTES + OF_LINES,
    "rows.idx": OF_BYTES,
    "scan.bin": OF_BYTES,
    "snapshot.bin": OF_BYTES,
    "project.toml": OF_BYTES + OF_LINES,
}
TOPICS = ("rivers", "lamps", "bridges", "bread", "clocks", "maps")


def make(folder: Path) -> Path:
    """Rows with duplicates, a contradiction, a held-out set and a second source with a mapping of its own; scanned,
    with a journal and a snapshot of it."""
    rows = [
        {"instruction": f"Tell me about {topic} of number {number}.", "input": "", "output": f"They are {number**3}."}
        for number, topic in enumerate(TOPICS * 2)
    ]
    rows += [rows[0], {"instruction": rows[1]["instruction"], "input": "", "output": "They are 17, and never were 1."}]
    source, other = folder / "raw.jsonl", folder / "other.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows) + "{bad\n", encoding="utf-8")
    asked = ({"prompt": f"What is {number} and {number}?", "completion": f"It is {2 * number}."} for number in range(5))
    other.write_text("".join(json.dumps(row) + "\n" for row in asked), encoding="utf-8")
    made = create_project(source, further=[other])
    with open_project(made, reviewer="ann") as project:
        scan_project(project)
        ids = [project.rows.id(number) for number in range(len(project.rows))]
        project.decide([Act("holdout", (ids[3], ids[4]))])
        project.decide([Act("accept", tuple(ids[:10]) + tuple(ids[14:17]))])
        project.decide([Act("reject", (ids[11], ids[12]))], why="stale")
        project.decide([Act("edit", (ids[5],), {ids[5]: {**rows[5], "output": "By hand."}})])
        scan_project(project)
        folds = {path: Fold() for path in journal_paths(made / "decisions")[0]}
        for path, fold in folds.items():
            fold.take(read_journal(path))
        save_snapshot(made, project.rows, folds)
    return made


@dataclass(frozen=True)
class Said:
    """What a project says: of all rows, of its files, and what it tells a person beside."""

    facts: dict[str, Any]
    shown: tuple[str, ...]
    told_of_rows: frozenset[int]
    notes: frozenset[str]


def facts_of(project: Project, out: Path) -> dict[str, Any]:
    numbers = range(len(project.rows))
    findings = project.findings
    said: dict[str, Any] = {
        "ids": [project.rows.id(number) for number in numbers],
        "lines": [project.rows.line(number) for number in numbers],
        "sources": [(project.rows.source(number).path, project.rows.source(number).sha256) for number in numbers],
        "verdicts": [(project.verdict(number), project.decision(number).why) for number in numbers],
        "counts": project.counts(),
        "heldout": project.heldout,
    }
    if findings is not None:
        said["clusters"] = [(one.id, one.kind, one.rows, one.keeper, one.evidence) for one in findings.clusters]
        said["flags"] = [(one.row, one.signal, one.severity, one.reason) for one in findings.flags]
        said["buckets"] = list(findings.buckets)
    else:
        # `tamis status`, the export and its card say that there is no scan.
        said["counts"] = {name: value for name, value in said["counts"].items() if not name.endswith("_open")}
    shutil.rmtree(out, ignore_errors=True)
    # Each export says where no scan fits.
    for format_name in ("same", "messages") if findings is not None else ():
        try:
            summary = export(project, out, format_name=format_name)
        except TamisError:
            continue
        proof = [(one["identical"], one["untouched"]) for one in summary["proof"]]
        said[f"export as {format_name}"] = (
            summary["sha256"],
            summary["untouched_identical"],
            proof,
            summary["left_out"],
        )
    return said


def listen(folder: Path, out: Path) -> Said:
    """Raises TamisError where it does not open."""
    with open_project(folder, readonly=True) as project:
        numbers = range(len(project.rows))
        shown = tuple(repr(project.example(number, edited=False).conversation) for number in numbers)
        told = frozenset(number for number in numbers if not project.rows.is_as_read(number))
        return Said(facts_of(project, out), shown, told, frozenset(project.notes))


def outcome(folder: Path, before: Said, out: Path) -> str:
    """`same`, `refused`, `told`, or `silent: …` where the project says something else and tells nobody."""
    try:
        now = listen(folder, out)
    except TamisError:
        return "refused"
    silent = [number for number, (one, other) in enumerate(zip(before.shown, now.shown, strict=False)) if one != other]
    silent = [number for number in silent if number not in now.told_of_rows]
    new_notes = now.notes - before.notes
    if silent and not new_notes:
        return f"silent: rows {silent} are shown otherwise"
    # What is not there was refused, or is told to be missing.
    kept = {name: value for name, value in before.facts.items() if name in now.facts}
    if "buckets" not in now.facts:
        kept["counts"] = {name: value for name, value in kept["counts"].items() if name in now.facts["counts"]}
    differs = [name for name, value in kept.items() if now.facts[name] != value]
    if differs == ["as same"] and now.facts["as same"][1] < before.facts["as same"][1]:
        # The same values in other bytes: the export tells how many rows are not the source's own lines.
        return "told"
    if differs and not new_notes:
        return f"silent: {differs}"
    return "told" if new_notes or now.told_of_rows or len(kept) < len(before.facts) else "same"


def torture(made: Path, work: Path, damages: int, seed: int) -> dict[str, int]:
    """How often a random damage of each file came to what; fails where one was silent, or `check` found nothing."""
    before = listen(made, work / "out")
    dice = random.Random(seed)
    outcomes: dict[str, int] = {}
    for turn in range(damages):
        name = list(FILES)[turn % len(FILES)]
        copy = work / "copy.tamis"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(made, copy)
        way, content = damaged((copy / name).read_bytes(), dice, FILES[name])
        (copy / name).write_bytes(content)
        came_to = outcome(copy, before, work / "out")
        assert not came_to.startswith("silent"), (seed, turn, name, way, came_to)
        if came_to != "same":
            try:
                found = check_project(copy, dry_run=True)
            except TamisError:
                continue
            assert found.wrong or found.mended, (seed, turn, name, way, came_to)
        outcomes[f"{name} {came_to}"] = outcomes.get(f"{name} {came_to}", 0) + 1
    return outcomes
