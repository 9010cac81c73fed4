"""Bringing an export to its place: whether it may go there, and then all of its files at once."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from engine.errors import ProjectError, UsageError
from engine.export.put import (
    can_be_swapped,
    cannot_write,
    folder_to_be,
    hashes_of,
    placing,
    put_beside_others,
    swap_folder,
)
from engine.export.standing import CARD_NAME, files_of, hashes_in, standing_at
from engine.export.write import MANIFEST_NAME, Target
from engine.places import refuse_folder, refuse_place

DATASET_HEAD = "dataset_dict.json"
Document = dict[str, Any]


def refuse_target(target: Target, sources: list[Path], *, force: bool) -> None:
    """Raise UsageError where the target is a source, lies in one, is a part of a project, or would take the place of
    what tamis did not write. With `force` the last is let through.

    One that is being put there meanwhile is waited for, and one that was cut off brought to its end: in between its
    files seem to be nobody's. Raises LockedError, ProjectError as well.
    """
    with _nobody_else_places(target.manifest.parent):
        _refuse_target(target, sources, force=force)


def _refuse_target(target: Target, sources: list[Path], *, force: bool) -> None:
    standing = standing_at(target.manifest)
    files, folders = [target.manifest], []
    if target.container == "datasets" and target.folder is not None:
        folders += [target.training, target.heldout]
        files.append(target.folder / DATASET_HEAD)
    else:
        files += [target.training, target.heldout]
    if target.folder is not None:
        refuse_folder(target.folder, sources)
        files.append(target.folder / CARD_NAME)
    for path in folders:
        refuse_folder(path, sources)
        if path.is_dir() and not force and not standing.is_own_folder(path):
            raise UsageError(
                f"{path}: holds files that tamis did not write", "", "choose another folder, or add --force"
            )
    for path in files:
        refuse_place(path, sources, standing.is_ours, force=force)


@contextmanager
def _nobody_else_places(folder: Path) -> Iterator[None]:
    if not folder.is_dir():
        yield
        return
    with ExitStack() as held:
        try:
            held.enter_context(placing(folder))
        except OSError as error:
            raise cannot_write(folder, error) from error
        yield


def deliver(
    target: Target, sources: list[Path], make: Callable[[Path], tuple[Document, str]], *, force: bool
) -> Document:
    """Let `make` write the files of an export into a folder that it is given, and put them in place with its manifest.

    `make` returns that and the text of the card. Returns the manifest. Raises UsageError as `refuse_target` does,
    ProjectError where the disk refuses: the old export is then whole, or the next one finishes what was begun.
    """
    folder = target.manifest.parent
    with made_where_missing(folder.parent if target.folder is not None else folder):
        swapped = _is_swappable(target)
        with folder_to_be(folder, swapped=swapped) as made:
            document, card = make(made)
            if target.folder is not None:
                (made / CARD_NAME).write_bytes(card.encode("utf-8", "backslashreplace"))
            hashes = hashes_of(made)
            named = hashes_in(document)
            document["other_files"] = {name: hashes[name] for name in sorted(hashes.keys() - named.keys())}
            # Making it took a while: what lies there may be another's by now.
            refuse_target(target, sources, force=force)
            if swapped and _is_swappable(target):
                _write_manifest(made, document)
                if swap_folder(made, folder):
                    return document
            folder.mkdir(exist_ok=True)
            _place(target, made, document)
    return document


def _place(target: Target, made: Path, document: Document) -> None:
    """Put the files of `made` into a folder that holds others as well. Raises OSError."""
    folder, training = target.manifest.parent, target.training.name
    with placing(folder):
        standing = standing_at(target.manifest)
        others = standing.others(training, files_of(document))
        _write_manifest(made, document | ({"exports": others} if others else {}))
        before = files_of(standing.documents.get(training, {}))
        kept = {name for other in others.values() for name in files_of(other)} | files_of(document).keys()
        gone = {name: digest for name, digest in before.items() if digest and name not in kept}
        put_beside_others(made, folder, MANIFEST_NAME, gone)


def _is_swappable(target: Target) -> bool:
    """Whether the folder of an export may be swapped as a whole: nothing else lies in it."""
    if target.folder is None:
        return False
    standing, training = standing_at(target.manifest), target.training.name
    if standing.others(training, ()):
        return False
    known = files_of(standing.documents.get(training, {}))
    own = {name.split("/")[0] for name in known}
    return can_be_swapped(target.folder, frozenset({*own, MANIFEST_NAME, CARD_NAME}))


def _write_manifest(made: Path, document: Document) -> None:
    text = json.dumps(document, ensure_ascii=False, indent=2) + "\n"
    (made / MANIFEST_NAME).write_bytes(text.encode("utf-8", "backslashreplace"))


@contextmanager
def made_where_missing(folder: Path) -> Iterator[None]:
    """The folder, and those above it, made where they are missing, and taken away again where they stay empty."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ProjectError(f"{folder}: cannot be made", error.strerror or "", "choose another folder") from error
    try:
        yield
    finally:
        for path in missing:
            with contextlib.suppress(OSError):
                # Not empty: the export is in it.
                os.rmdir(path)
