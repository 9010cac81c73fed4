"""Under which licence a set may be published: what its source says of itself, as the Hub spells it."""

from __future__ import annotations

import re
from pathlib import Path

from engine.nesting import loads

UNKNOWN = "unknown"
# What the Hub takes as an id: `mit`, `apache-2.0`, `cc-by-sa-4.0`.
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]{0,63}")
_HEAD = re.compile(r"\A---[ \t]*\n(.*?)\n---[ \t]*$", re.DOTALL | re.MULTILINE)
_LINE = re.compile(r"^license:[ \t]*[\"']?([^\"'#\n]*?)[\"']?[ \t]*(?:#.*)?$", re.MULTILINE)
CARD_BYTES = 65536


def is_licence(text: str) -> bool:
    """Whether a text can stand as a licence in the head of a dataset card."""
    return _ID.fullmatch(text) is not None


def source_licence(source: Path) -> str:
    """The licence that a source names: in the card or `dataset_info.json` of its folder; `unknown` where neither does.

    A lone file is spoken for by the card beside it only where that card lists files, as a clone of a data set does.
    """
    folders = [source, *sorted(path for path in source.glob("*") if path.is_dir())] if source.is_dir() else []
    for folder in folders:
        for found in (_card_licence(folder / "README.md"), _info_licence(folder / "dataset_info.json")):
            if found:
                return found
    if not source.is_dir():
        for folder in (source.parent, source.parent.parent):
            card = folder / "README.md"
            if "data_files:" in _head(card) and source.name in _head(card):
                return _card_licence(card) or UNKNOWN
    return UNKNOWN


def _head(card: Path) -> str:
    try:
        if not card.is_file():
            return ""
        with card.open("rb") as stream:
            text = stream.read(CARD_BYTES).decode("utf-8", "replace")
    except OSError:
        # No card there: nothing is said.
        return ""
    found = _HEAD.search(text.replace("\r\n", "\n"))
    return found.group(1) if found else ""


def _card_licence(card: Path) -> str:
    found = _LINE.search(_head(card))
    return found.group(1) if found and is_licence(found.group(1)) else ""


def _info_licence(info: Path) -> str:
    try:
        named = loads(info.read_bytes().decode("utf-8")).get("license", "") if info.is_file() else ""
    except (OSError, ValueError, AttributeError):
        # Not there, or not what `datasets` writes: nothing is said.
        return ""
    return named if isinstance(named, str) and is_licence(named) else ""
