"""What stands at a place already: the exports that its manifest speaks of, and whether a file is still as written."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.places import sha256_of

# Manifests of earlier versions hold no hash of these; they are known by what stands in them.
CARD_NAME = "README.md"
CARD_MARKS = ("## How it was decided", "## What was not checked")
DATASET_FILES = frozenset({"dataset_dict.json", "state.json", "dataset_info.json"})


@dataclass(frozen=True, slots=True)
class Standing:
    """The documents of the exports in a folder, by the name of their training file, newest first."""

    manifest: Path
    documents: Mapping[str, Mapping[str, Any]]

    @property
    def folder(self) -> Path:
        return self.manifest.parent

    def is_ours(self, path: Path) -> bool:
        """Whether a file is one that an export wrote there, unchanged since."""
        name = path.relative_to(self.folder).as_posix()
        if path == self.manifest:
            return bool(self.documents)
        documents = self.documents.values()
        return any(name in files_of(document) and self._is_as_written(name, document) for document in documents)

    def is_own_folder(self, path: Path) -> bool:
        """Whether a folder (a split of a `datasets` export) holds nothing but what an export wrote there, and what the
        library keeps beside it for itself."""
        files = (found for found in path.rglob("*") if not found.is_dir())
        return all(self.is_ours(found) or found.match("cache-*.arrow") for found in files)

    def others(self, training: str, written: Iterable[str]) -> dict[str, Mapping[str, Any]]:
        """The other exports whose files still stand there as they were written, `written` being written now."""
        gone = set(written)
        return {
            name: document
            for name, document in self.documents.items()
            if name != training and not gone & hashes_in(document).keys() and self._stands(document)
        }

    def _stands(self, document: Mapping[str, Any]) -> bool:
        return all(self._is_as_written(name, document) for name in hashes_in(document))

    def _is_as_written(self, name: str, document: Mapping[str, Any]) -> bool:
        path = self.folder / name
        digest = files_of(document)[name]
        if not path.is_file():
            return False
        if digest:
            return sha256_of(path) == digest
        if name == CARD_NAME:
            text = path.read_text(encoding="utf-8", errors="replace")
            return all(mark in text for mark in CARD_MARKS)
        return True


def standing_at(manifest: Path) -> Standing:
    """What the manifest at this place, if any, says of its folder."""
    try:
        document = json.loads(manifest.read_bytes())
    except (OSError, ValueError):
        # None there, or none of ours: nothing is known of the files beside it.
        document = None
    documents: dict[str, Mapping[str, Any]] = {}
    if isinstance(document, dict):
        older = document.get("exports")
        for each in (document, *(older.values() if isinstance(older, dict) else ())):
            name = training_name(each)
            if name:
                documents.setdefault(name, {key: value for key, value in each.items() if key != "exports"})
    return Standing(manifest, documents)


def training_name(document: Any) -> str:
    """Under which name an export goes: its training file, or the folder of its first split; '' for what is none."""
    return next(iter(hashes_in(document)), "").split("/")[0]


def hashes_in(document: Any) -> Mapping[str, str]:
    """File -> hash, as a document says it of its two halves."""
    export = document.get("export") if isinstance(document, dict) else None
    hashes = export.get("sha256") if isinstance(export, dict) else None
    known = isinstance(hashes, dict) and all(isinstance(digest, str) for digest in hashes.values())
    return hashes if known and isinstance(hashes, dict) else {}


def files_of(document: Mapping[str, Any]) -> dict[str, str]:
    """Every file of an export with its hash; with none where an earlier version kept none."""
    hashes = dict(hashes_in(document))
    others = document.get("other_files")
    if isinstance(others, dict):
        return hashes | others
    folders = {name.split("/")[0] for name in hashes if "/" in name}
    beside = {f"{folder}/{name}": "" for folder in folders for name in DATASET_FILES}
    return {CARD_NAME: "", "dataset_dict.json": ""} | beside | hashes
