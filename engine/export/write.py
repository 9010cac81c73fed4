"""Writing the curated set: every file whole or not at all, the untouched rows proven to be the source's own lines."""

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
from engine.export.card import card
from engine.export.convert import CONVERSIONS, Converted, checked_format, json_line, needs_wide
from engine.export.curated import Curated, curate
from engine.export.licence import is_licence
from engine.export.manifest import manifest
from engine.files import sync_folder, write_atomic
from engine.model import Act
from engine.phrases import counted

if TYPE_CHECKING:
    from engine.project.project import Project

MANIFEST_NAME = "tamis-manifest.json"
CARD_NAME = "README.md"
Progress = Callable[[str, int, int], None]
PROGRESS_EVERY = 2000
# What the end of a file name says about its form; a path without one of these is a folder of JSONL files.
SUFFIXES = {".jsonl": "jsonl", ".jsonl.gz": "jsonl.gz", ".parquet": "parquet", ".csv": "csv"}
CONTAINERS = (*SUFFIXES.values(), "datasets")
SHOWN_ROWS = 5
SECRET_SIGNAL = "secrets"


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


def export(
    project: Project,
    to: Path | str,
    *,
    format_name: str = "same",
    container: str | None = None,
    include_undecided: bool = False,
    lossy: bool = False,
    override: str = "",
    licence: str = "",
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Write the accepted rows; the contract's `export` object.

    `override` are the words that let rows with secrets through; they go into the manifest, and into the journal of a
    project that is open for deciding. `licence` is what the card says instead of what the source says.

    Raises UsageError where nothing is accepted, a row holds a secret, a conversion would lose something and `lossy` is
    not set, the target is a source of the project, or a file that tamis did not write; ProjectError where the disk
    refuses.
    """
    checked_format(format_name)
    if licence and not is_licence(licence):
        raise UsageError(f"{licence!r} is no licence id", "", "write it as the Hub does: mit, apache-2.0, cc-by-4.0")
    to = Path(to)
    curated = curate(project, include_undecided=include_undecided)
    if not curated.training:
        raise UsageError(
            "nothing to export: no training row is accepted", "", "accept rows first, or add --include undecided"
        )
    target = target_of(to, container)
    _refuse_foreign(project, target)
    secrets = unresolved_secrets(project, (*curated.training, *curated.heldout))
    if secrets and not override.strip():
        raise UsageError(
            f"{counted(len(secrets), 'row')} {'holds' if len(secrets) == 1 else 'hold'} secrets ({_some(secrets)})",
            "",
            "mask them (flag:secrets), or say why they may leave: --override 'why'",
        )
    lost, left_behind = losses(project, curated, format_name)
    if lost and not lossy:
        raise UsageError(
            f"exporting as {format_name} would lose {_told(lost)}", "", "add --lossy to do it all the same"
        )
    summary: dict[str, Any] = {
        "to": str(to),
        "format": format_name,
        "container": target.container,
        "rows": len(curated.training),
        "holdout_rows": len(curated.heldout),
        "untouched": 0,
        "untouched_identical": 0,
        "left_out": curated.counts(),
        "lost": {what: len(numbers) for what, numbers in lost.items()},
        "left_behind": left_behind,
        "secrets_let_through": {"rows": secrets, "why": override} if secrets else None,
    }
    try:
        target.training.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ProjectError(
            f"{target.training.parent}: cannot be made", error.strerror or "", "choose another folder"
        ) from error
    if target.container == "datasets":
        summary |= _write_dataset(project, curated, format_name, target)
    else:
        summary |= _write_files(project, curated, format_name, target, progress)
    if secrets and not project.readonly:
        ids = tuple(project.rows.id(number) for number in secrets)
        project.decide([Act("override", ids, extra={"of": SECRET_SIGNAL})], why=override)
    document = manifest(project, summary) | ({"licence": licence} if licence else {})
    if target.folder is not None:
        write_atomic(target.folder / CARD_NAME, card(project, document).encode("utf-8", "backslashreplace"), mode=0o644)
    text = json.dumps(document, ensure_ascii=False, indent=2) + "\n"
    write_atomic(target.manifest, text.encode("utf-8", "backslashreplace"), mode=0o644)
    return summary


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


def _told(lost: dict[str, list[int]]) -> str:
    parts = []
    for what, numbers in lost.items():
        parts.append(f"{what} in {counted(len(numbers), 'row')} ({_some(numbers)})")
    return "; ".join(parts)


def _some(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers[:SHOWN_ROWS])) + (", …" if len(numbers) > SHOWN_ROWS else "")


def unresolved_secrets(project: Project, numbers: Sequence[int]) -> list[int]:
    """Rows that still hold what the scan marked as a secret; an edit that took it out resolves it."""
    found: list[int] = []
    for number in numbers:
        for flag in project.flags_of(number):
            if flag.signal != SECRET_SIGNAL:
                continue
            before, now = project.example(number, edited=False).turns, project.example(number).turns
            marked = ""
            if flag.span is not None and flag.span.turn < len(before):
                marked = before[flag.span.turn].text[flag.span.start : flag.span.end]
            if not project.is_edited(number) or any(marked in turn.text for turn in now):
                found.append(number)
                break
    return found


def _converter(project: Project, curated: Curated, format_name: str) -> Callable[[int], Converted]:
    """The conversion of this export: one variant for the whole set, so that a trainer sees one kind of column."""
    conversion = CONVERSIONS[format_name]
    every = (*curated.training, *curated.heldout)
    wide = conversion.wide is not None and any(needs_wide(project.example(number)) for number in every)
    convert = conversion.wide if wide and conversion.wide is not None else conversion.convert
    return lambda number: convert(project.example(number))


def _write_files(
    project: Project, curated: Curated, format_name: str, target: Target, progress: Progress | None
) -> dict[str, Any]:
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


def _write_dataset(project: Project, curated: Curated, format_name: str, target: Target) -> dict[str, Any]:
    """A DatasetDict, made beside its place and moved there split by split."""
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


def _refuse_foreign(project: Project, target: Target) -> None:
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
