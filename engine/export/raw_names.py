"""How the row itself names a part of its conversation, so that a loss is told in the words of the file."""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from typing import Any

from engine.model import Leaf, Part, Row
from engine.nesting import loads

# Keys that say how something is written down, not what it is.
FORM_KEYS = frozenset(
    (
        *("content", "contents", "text", "value", "values", "parts", "part", "role", "from", "function", "type"),
        *("data", "url", "path", "bytes", "uri", "base64", "message", "messages", "conversation", "conversations"),
    )
)
LABEL_KEYS = frozenset(
    ("label", "kto_tag", "kto_label", "desirable", "is_desirable", "is_good", "thumbs_up", "feedback")
)
HASH = "sha256:"
# The first bytes of the kinds of pictures that people train with.
PICTURES = ((b"\x89PNG", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"GIF8", "image/gif"), (b"RIFF", "image/webp"))


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The keys that lead to each value that is no container, and the value; lists and objects that are JSON text are
    opened."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from leaves(inner, (*path, str(key)))
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner, path)
    else:
        yield path, value
        if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
            opened = _opened(value)
            if isinstance(opened, list | dict):
                yield from leaves(opened, path)


def _opened(text: str) -> Any:
    try:
        return loads(text)
    except ValueError:
        return None


def name_of_text(row: Row, text: str) -> str:
    """The field that holds `text`, '' where it has no name of its own."""
    wanted = text.strip()
    if not wanted:
        return ""
    for path, value in leaves(row):
        if isinstance(value, str) and value.strip() == wanted:
            return _own_name(path)
    return ""


def name_of_truth(row: Row, truth: bool) -> str:
    """The field that says `truth`, as a flag, else in a word or a number under a name that labels have."""
    flag = next((_own_name(path) for path, value in leaves(row) if value is truth), "")
    return flag or next((path[-1] for path, _ in leaves(row) if path and path[-1].lower() in LABEL_KEYS), "")


def name_of_list(row: Row, first: Any, length: int) -> str:
    """The field that holds a list (or the JSON text of one) of `length` things, of which `first` is the first."""
    for path, value in _lists(row):
        if len(value) == length and value[0] == first:
            return _own_name(path)
    return ""


def _lists(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], list[Any]]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _lists(inner, (*path, str(key)))
    elif isinstance(value, list):
        if value:
            yield path, value
        for inner in value:
            yield from _lists(inner, path)
    elif isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        yield from _lists(_opened(value), path)


def name_of_leaf(leaf: Leaf) -> str:
    """Its dotted path without the places in lists."""
    steps = [step for step in leaf.path.split(".") if not step.isdigit()]
    return ".".join(steps) or leaf.path


def _own_name(path: tuple[str, ...]) -> str:
    return next((key for key in reversed(path) if key not in FORM_KEYS), "")


def named(known: str, own: str) -> str:
    """What is lost in the common word, and behind it the word of the row where that is another one."""
    return known if own in ("", known) else f"{known} ({own})"


def address_of(row: Row, part: Part) -> str:
    """The URL or path of a picture, sound, film or file; of one whose bytes lie in the row a `data:` URL. '' where the
    row does not have it."""
    if not part.value.startswith(HASH):
        return part.value
    found = _media_text(row, part)
    return found[1] if found is not None else ""


def name_of_media(row: Row, part: Part) -> str:
    """The field of the row that holds it."""
    if not part.value.startswith(HASH):
        return name_of_text(row, part.value)
    found = _media_text(row, part)
    return found[0] if found is not None else ""


def _media_text(row: Row, part: Part) -> tuple[str, str] | None:
    """Where the bytes of this hash stand in the row, and them as a `data:` URL."""
    wanted = part.value.removeprefix(HASH)
    for path, value in leaves(row):
        if not isinstance(value, str) or not value:
            continue
        _, mark, packed = value.partition(";base64,")
        content = _unpacked(packed if mark else value)
        if wanted in (_hash(content), _hash(value.encode("utf-8", "surrogatepass"))):
            if mark:
                return _own_name(path), value
            kind = next((kind for start, kind in PICTURES if content.startswith(start)), "application/octet-stream")
            return _own_name(path), f"data:{kind};base64,{b64encode(content).decode('ascii')}"
    return None


def _unpacked(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except ValueError:
        return b""


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
