"""`tamis check`: is all of a project as it was written, and is a file of rows one that can be read whole?"""

from __future__ import annotations

import json
import zipfile
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.errors import TamisError
from engine.export.write import MANIFEST_NAME
from engine.links import check_folder_links
from engine.model import Quarantined
from engine.phrases import counted
from engine.places import sha256_of
from engine.project.integrity import Checked, Told, check_files
from engine.small_files import read_regular
from engine.sources.records.formats import source_format
from engine.sources.records.read import read_source
from engine.sources.shapes.guess import count_shapes
from engine.training.runs.status import parsed, read_run, run_folders
from engine.training.worker.events import read_json

Progress = Callable[[str, int, int], None]
PROGRESS_EVERY = 2000
SAMPLED = 500
MOST_LINES = 1000
MOST_MANIFEST = 64 << 20


def check_project(folder: Path, *, dry_run: bool = False, progress: Progress | None = None) -> Checked:
    """Look at everything in a project; caches are made again but in a `dry_run`. Raises ProjectError where it is
    none."""
    found = Checked(folder, mends=not dry_run, progress=progress)
    check_files(found)
    _scan_cache(found)
    for run in run_folders(folder / "runs"):
        if (run / "spec.json").exists() or (run / "events.jsonl").exists():
            found.looked_at["runs"] = found.looked_at.get("runs", 0) + 1
            _run(found, run)
    for manifest in sorted((folder / "exports").rglob(MANIFEST_NAME)):
        _export(found, manifest)
    return found


def _scan_cache(found: Checked) -> None:
    """What a scan keeps for the next one: a zip, whose parts have checks of their own."""
    path = found.folder / "scan.cache"
    if not path.is_file():
        return
    try:
        with zipfile.ZipFile(path) as parts:
            is_whole = parts.testzip() is None
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError, EOFError, NotImplementedError, zipfile.LargeZipFile):
        is_whole = False
    if not is_whole:
        found.remove(path.name, "is damaged", "the next scan works it out anew")


def _run(found: Checked, run: Path) -> None:
    """Whether the files of a run can be read, and its rows are those it was started on."""
    where, do = f"runs/{run.name}", "what it trained is as it was; restore the file from a copy, or train again"
    try:
        read_run(run)
    except (TamisError, KeyError, TypeError, ValueError, AttributeError) as error:
        found.wrong.append(Told(f"{where}/spec.json", f"cannot be read ({error})", do))
        return
    said = (read_json(run / "spec.json") or {}).get("data", {})
    for name, about in said.items() if isinstance(said, Mapping) else ():
        path = run / "data" / f"{name}.jsonl"
        if "/" in name:
            continue
        if not isinstance(about, Mapping) or not path.is_file():
            found.wrong.append(Told(f"{where}/data/{name}.jsonl", "is not there", do))
        elif "sha256" in about and sha256_of(path) != about["sha256"]:
            found.wrong.append(Told(f"{where}/data/{name}.jsonl", "is not what the run was started on", do))
    events = run / "events.jsonl"
    if events.is_file():
        with events.open("rb") as stream:
            bad = [place for place, line in enumerate(stream, start=1) if line.strip() and parsed(line) is None]
        if bad:
            what = f"{counted(len(bad), 'line')} cannot be read (line {bad[0]:,})"
            found.notes.append(Told(f"{where}/events.jsonl", what, "they are passed over"))


def _export(found: Checked, manifest: Path) -> None:
    """Whether the files of an export are those that its manifest names."""
    where = manifest.relative_to(found.folder)
    try:
        check_folder_links(manifest.parent)
        hashes = dict(json.loads(read_regular(manifest, MOST_MANIFEST))["export"]["sha256"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError, TamisError) as error:
        found.wrong.append(Told(str(where), f"cannot be read ({error})", "export again"))
        return
    for name, digest in hashes.items():
        path = manifest.parent / Path(name)
        if not _is_below(name):
            found.wrong.append(
                Told(str(where), f"names {name}, which lies elsewhere and is not looked at", "see to it")
            )
            continue
        if not path.is_file() or sha256_of(path) != digest:
            what = f"{name} is not the file that was written" if path.exists() else f"{name} is not there"
            found.wrong.append(Told(str(where), what, "export again"))


def _is_below(name: str) -> bool:
    """Whether a name that a file of the folder gives stays in the folder."""
    return not Path(name).is_absolute() and ".." not in Path(name).parts


@dataclass(slots=True)
class CheckedFile:
    """A file of rows: how many there are, what was odd about some and read all the same, which records cannot be read
    (1-based line, reason), and what shape the first rows have."""

    path: Path
    format: str
    rows: int = 0
    notes: Counter[str] = field(default_factory=Counter)
    quarantined: list[tuple[int, str]] = field(default_factory=list)
    more: int = 0
    shapes: str = ""

    def to_json(self) -> dict[str, Any]:
        aside = [{"line": line, "reason": reason} for line, reason in self.quarantined]
        return {
            "file": str(self.path),
            "format": self.format,
            "rows": self.rows,
            "quarantined": len(aside) + self.more,
            "lines": aside,
            "notes": dict(self.notes),
            "shapes": self.shapes,
        }


def check_source(path: Path, encoding: str | None = None, progress: Progress | None = None) -> CheckedFile:
    """Read a file of rows to its end and keep nothing of it. Raises SourceError where it is none."""
    found = CheckedFile(path, source_format(path, encoding))
    first: list[dict[str, Any]] = []
    for done, piece in enumerate(read_source(path, found.format)):
        if progress is not None and done % PROGRESS_EVERY == 0:
            progress("reading", done, 0)
        if isinstance(piece, Quarantined):
            if len(found.quarantined) < MOST_LINES:
                found.quarantined.append((piece.line, piece.reason))
            else:
                found.more += 1
            continue
        found.rows += 1
        found.notes.update(piece.notes)
        if len(first) < SAMPLED:
            first.append(piece.raw)
    found.shapes = count_shapes(first).told if first else ""
    return found
