"""The files of a curated set: each whole or not at all, the untouched rows proven to be the source's own lines."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import ProjectError, UsageError
from engine.export.convert import CONVERSIONS, Converted, json_line, needs_wide
from engine.export.curated import Curated
from engine.files import sync_folder, write_atomic

if TYPE_CHECKING:
    from engine.project.project import Project

MANIFEST_NAME = "tamis-manifest.json"
Progress = Callable[[str, int, int], None]
PROGRESS_EVERY = 2000
# What the end of a file name says about its form; a path without one of these is a folder of JSONL files.
SUFFIXES = {".jsonl": "jsonl", ".jsonl.gz": "jsonl.gz", ".parquet": "parquet", ".csv": "csv"}
CONTAINERS = (*SUFFIXES.values(), "datasets")


@dataclass(frozen=True, slots=True)
class Target:
    """Where an export goes: its container, the files of its two halves, the manifest, and the folder if it is one."""

    container: str
    training: Path
    heldout: Path
    manifest: Path
    folder: Path | None


def target_of(to: Path, container: str | None = None) -> Target:
    """What `--to` means: a file (its suffix says which kind), or a folder. Raises UsageError."""
    if container is not None and container not in CONTAINERS:
        raise UsageError(f"unknown container {container!r}", "", f"known: {', '.join(CONTAINERS)}")
    for suffix in sorted(SUFFIXES, key=len, reverse=True):
        if to.name.endswith(suffix) and container in (None, SUFFIXES[suffix]):
            stem = to.name.removesuffix(suffix)
            return Target(
                SUFFIXES[suffix], to, to.with_name(f"{stem}.heldout{suffix}"), to.with_name(MANIFEST_NAME), None
            )
    kind = container or "jsonl"
    end = "" if kind == "datasets" else next(suffix for suffix, name in SUFFIXES.items() if name == kind)
    names = ("train", "validation") if kind == "datasets" else ("train" + end, "heldout" + end)
    return Target(kind, to / names[0], to / names[1], to / MANIFEST_NAME, to)


def export_paths(to: Path) -> tuple[Path, Path, Path]:
    """(training file, held-out file, manifest) of an export to `to`."""
    target = target_of(to)
    return target.training, target.heldout, target.manifest


def losses(project: Project, curated: Curated, format_name: str) -> tuple[dict[str, list[int]], list[str]]:
    """(what a conversion would lose -> the rows it would lose it from, names of fields it leaves behind)."""
    lost: dict[str, list[int]] = {}
    left_behind: dict[str, None] = {}
    if format_name == "same":
        return lost, []
    convert = _converter(project, curated, format_name)
    for number in (*curated.training, *curated.heldout):
        converted = convert(number)
        for what in converted.losses:
            lost.setdefault(what, []).append(number)
        left_behind.update(dict.fromkeys(converted.left_behind))
    return lost, list(left_behind)


def _converter(project: Project, curated: Curated, format_name: str) -> Callable[[int], Converted]:
    """The conversion of this export: one variant for the whole set, so that a trainer sees one kind of column."""
    conversion = CONVERSIONS[format_name]
    every = (*curated.training, *curated.heldout)
    wide = conversion.wide is not None and any(needs_wide(project.example(number)) for number in every)
    convert = conversion.wide if wide and conversion.wide is not None else conversion.convert
    return lambda number: convert(project.example(number))


def write_files(
    project: Project, curated: Curated, format_name: str, target: Target, progress: Progress | None
) -> dict[str, Any]:
    """Write both halves; {"sha256": {file: hash}}, and for JSONL in the source's form how many lines are proven to be
    the source's own. Raises ProjectError where the disk refuses."""
    files = {target.training: _content(project, curated, curated.training, format_name, target.container, progress)}
    if curated.heldout:
        files[target.heldout] = _content(project, curated, curated.heldout, format_name, target.container, progress)
    for path, content in files.items():
        write_atomic(path, content, mode=0o644)
    said: dict[str, Any] = {
        "sha256": {path.name: hashlib.sha256(content).hexdigest() for path, content in files.items()}
    }
    if format_name == "same" and target.container.startswith("jsonl"):
        said["untouched"], said["untouched_identical"] = _proven(project, curated.training, target.training)
    return said


def _content(
    project: Project,
    curated: Curated,
    numbers: Sequence[int],
    format_name: str,
    container: str,
    progress: Progress | None,
) -> bytes:
    if container in ("parquet", "csv"):
        from engine.export import columnar

        write = columnar.parquet_bytes if container == "parquet" else columnar.csv_bytes
        return write(_plain_rows(project, curated, numbers, format_name))
    lines: list[bytes] = []
    convert = None if format_name == "same" else _converter(project, curated, format_name)
    for done, number in enumerate(numbers):
        if convert is not None:
            lines.append(json_line(convert(number).row))
        elif project.is_edited(number):
            lines.append(json_line(project.current_row(number)))
        else:
            lines.append(project.rows.raw_bytes(number) + b"\n")
        if progress is not None and done % PROGRESS_EVERY == 0:
            progress("writing", done, len(numbers))
    content = b"".join(lines)
    # No time in the gzip head: the same rows give the same bytes.
    return gzip.compress(content, mtime=0) if container == "jsonl.gz" else content


def _plain_rows(project: Project, curated: Curated, numbers: Sequence[int], format_name: str) -> list[Any]:
    if format_name == "same":
        return [project.current_row(number) for number in numbers]
    convert = _converter(project, curated, format_name)
    return [convert(number).row for number in numbers]


def write_dataset(project: Project, curated: Curated, format_name: str, target: Target) -> dict[str, Any]:
    """A DatasetDict, made beside its place and moved there split by split; {"sha256": {file: hash}, "columns"}.

    Raises ProjectError where the disk refuses.
    """
    from engine.export import columnar

    assert target.folder is not None
    splits = {"train": _plain_rows(project, curated, curated.training, format_name)}
    if curated.heldout:
        splits["validation"] = _plain_rows(project, curated, curated.heldout, format_name)
    made: str | None = None
    try:
        made = tempfile.mkdtemp(prefix=".tamis-", dir=target.folder)
        columns = columnar.save_dataset_dict(splits, Path(made) / "set")
        hashes = {}
        for split in splits:
            shutil.rmtree(target.folder / split, ignore_errors=True)
            os.replace(Path(made) / "set" / split, target.folder / split)
            for path in sorted((target.folder / split).glob("*.arrow")):
                hashes[f"{split}/{path.name}"] = hashlib.sha256(path.read_bytes()).hexdigest()
        os.replace(Path(made) / "set" / "dataset_dict.json", target.folder / "dataset_dict.json")
        sync_folder(target.folder)
    except OSError as error:
        raise ProjectError(
            f"cannot write {target.folder}", error.strerror or str(error), "free space or choose another folder"
        ) from error
    finally:
        if made is not None:
            shutil.rmtree(made, ignore_errors=True)
    return {"sha256": hashes, "columns": columns}


def _proven(project: Project, numbers: Sequence[int], path: Path) -> tuple[int, int]:
    """(untouched rows, those of them that stand in the written file byte for byte as they came).

    The file is read back from disk and compared with the rows, so that a fault in writing shows as a difference.
    """
    content = path.read_bytes()
    written = (gzip.decompress(content) if path.name.endswith(".gz") else content).split(b"\n")
    untouched = identical = 0
    for line, number in zip(written, numbers, strict=False):
        if not project.is_edited(number):
            untouched += 1
            identical += line == project.rows.raw_bytes(number)
    return untouched, identical


def refuse_foreign(project: Project, target: Target) -> None:
    """Raise UsageError where the target is a source of the project, or a file that tamis did not write."""
    sources = {Path(source.path) for source in project.settings.sources}
    known = _names_in(target.manifest)
    for path in (target.training, target.heldout):
        if path.resolve() in sources:
            raise UsageError(f"{path}: is the source of this project", "", "export to another name")
        if path.exists() and path.name not in known:
            raise UsageError(f"{path}: exists and was not written by tamis", "", "choose another name, or move it away")


def _names_in(manifest_path: Path) -> set[str]:
    try:
        return {str(name).split("/")[0] for name in json.loads(manifest_path.read_bytes())["export"]["sha256"]}
    except (OSError, ValueError, KeyError, TypeError):
        return set()
