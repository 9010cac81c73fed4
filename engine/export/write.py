"""The files of a curated set, made in a folder of their own."""

from __future__ import annotations

import gzip
import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import UsageError
from engine.export.convert import CONVERSIONS, json_line, needs_wide
from engine.export.curated import Curated
from engine.export.losses import Converted, Unwritable
from engine.export.proof import proven
from engine.places import sha256_of
from engine.project.source_files import LINES

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


Convert = Callable[[int], Converted]
"""A row number -> the row in the format of this export."""


def converter(project: Project, curated: Curated, format_name: str) -> Convert | None:
    """The conversion of this export: one variant for the whole set, so that a trainer sees one kind of column. None
    where rows leave in the shape they came in."""
    if format_name == "same":
        return None
    conversion = CONVERSIONS[format_name]
    every = (*curated.training, *curated.heldout)
    wide = conversion.wide is not None and any(needs_wide(project.example(number)) for number in every)
    convert = conversion.wide if wide and conversion.wide is not None else conversion.convert
    return lambda number: convert(project.example(number))


def losses(curated: Curated, convert: Convert | None) -> tuple[dict[str, list[int]], dict[str, list[int]]]:
    """(content that a conversion would lose, names of what else it leaves behind), each with the rows it is about. What
    the format cannot hold is lost whole; where that is every row, Unwritable is raised of the first."""
    lost: dict[str, list[int]] = {}
    left_behind: dict[str, list[int]] = {}
    if convert is None:
        return lost, left_behind
    refused: list[Unwritable] = []
    every = (*curated.training, *curated.heldout)
    for number in every:
        try:
            converted = convert(number)
        except Unwritable as error:
            refused.append(error)
            lost.setdefault(error.loss, []).append(number)
            continue
        for what in converted.losses:
            lost.setdefault(what, []).append(number)
        for what in converted.left_behind:
            left_behind.setdefault(what, []).append(number)
    if refused and len(refused) == len(every):
        raise refused[0]
    return lost, left_behind


def write_files(
    project: Project,
    curated: Curated,
    convert: Convert | None,
    target: Target,
    made: Path,
    progress: Progress | None,
    *,
    csv_safe: bool = False,
) -> dict[str, Any]:
    """Make both halves in the folder `made`; {"sha256": {file: hash}}, and for JSONL in the source's form how many
    lines are proven to be the source's own, and how many cannot be; for CSV how many cells of which field begin a
    formula, which `csv_safe` guards. Raises OSError."""
    halves = {target.training.name: curated.training}
    if curated.heldout:
        halves[target.heldout.name] = curated.heldout
    hashes: dict[str, str] = {}
    formulas: Counter[str] = Counter()
    for name, numbers in halves.items():
        if target.container == "csv":
            content = _csv_content(_plain_rows(project, numbers, convert), formulas, csv_safe)
        else:
            content = _content(project, numbers, convert, target.container, progress)
        (made / name).write_bytes(content)
        hashes[name] = hashlib.sha256(content).hexdigest()
    said: dict[str, Any] = {"sha256": hashes}
    if formulas:
        said |= {"formula_cells": dict(formulas), "csv_safe": csv_safe}
    if convert is None and target.container.startswith("jsonl"):
        said |= proven(project, curated.training, made / target.training.name, progress)
    return said


def _content(
    project: Project, numbers: Sequence[int], convert: Convert | None, container: str, progress: Progress | None
) -> bytes:
    if container == "parquet":
        from engine.export import columnar

        return columnar.parquet_bytes(_plain_rows(project, numbers, convert))
    lines: list[bytes] = []
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


def _csv_content(rows: list[Any], formulas: Counter[str], safe: bool) -> bytes:
    from engine.export import columnar

    formulas.update(columnar.formula_cells(rows))
    return columnar.csv_bytes(rows, safe=safe)


def _plain_rows(project: Project, numbers: Sequence[int], convert: Convert | None) -> list[Any]:
    if convert is None:
        return [project.current_row(number) for number in numbers]
    return [convert(number).row for number in numbers]


def write_dataset(project: Project, curated: Curated, convert: Convert | None, made: Path) -> dict[str, Any]:
    """Make a DatasetDict in the folder `made`; {"sha256": {file: hash}, "columns"}. Raises OSError."""
    from engine.export import columnar

    splits = {"train": _plain_rows(project, curated.training, convert)}
    if curated.heldout:
        splits["validation"] = _plain_rows(project, curated.heldout, convert)
    columns = columnar.save_dataset_dict(splits, made)
    tables = sorted(made.rglob("*.arrow"))
    return {"sha256": {path.relative_to(made).as_posix(): sha256_of(path) for path in tables}, "columns": columns}


def are_lines(project: Project) -> bool:
    """Whether every row is a line of its source, and can leave as that very line."""
    return all(source.kind == LINES for source in project.settings.sources if source.rows)
