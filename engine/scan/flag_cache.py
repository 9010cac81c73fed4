"""What signals found, filed by the content of each row, for the next scan.

A signal that looks at one row alone is asked again only where the row is new. One that compares a row with its set is
asked again where anything in the set has changed: what it learns from the set is a function of all rows in their order.
All of it is dropped where the rules themselves have changed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

from engine.model import Example, Span
from engine.scan.signals.signal import Found

# What signals look things up in; another version may answer otherwise.
LOOKED_UP_IN = ("codespell", "ftfy", "py3langid")

FoundBySignal = Mapping[str, Found]
"""Signal to what it found in a row."""


@dataclass(slots=True)
class FlagCache:
    """`rows` are the keys of all rows that were read, `found` what was found in some of them; `asked` are the signals
    that read them. `of_set` is the digest of the set that comparing signals saw.

    `looked_up` and `worked_out` count answers of signals of the last scan: taken from here, and made anew.
    """

    rules: str = ""
    of_set: str = ""
    asked: frozenset[str] = frozenset()
    rows: frozenset[int] = frozenset()
    found: dict[int, FoundBySignal] = field(default_factory=dict)
    looked_up: int = 0
    worked_out: int = 0


def row_keys(examples: Iterable[Example]) -> list[int]:
    """64 bits of each row's content: all of its conversation, and the fields it came from. Not its id, which an edit
    keeps.
    """
    keys = []
    for example in examples:
        digest = blake2b(digest_size=8)
        # Links and metadata too: what a signal reads of a row may be any of it.
        digest.update(repr(example.conversation).encode("utf-8", "surrogatepass"))
        digest.update(json.dumps(example.raw, default=str).encode())
        keys.append(int.from_bytes(digest.digest(), "big"))
    return keys


def digest_of(keys: Sequence[int]) -> str:
    """The set as one value: its rows in their order."""
    digest = blake2b(digest_size=16)
    for key in keys:
        digest.update(key.to_bytes(8, "big"))
    return digest.hexdigest()


# -- what they hang on beside the rows: the code that made them


@lru_cache(maxsize=4)
def sources_of(room: str) -> bytes:
    """16 bytes that change with any source of the scan itself or of one of its rooms (`signals`, `duplicates`)."""
    digest = blake2b(digest_size=16)
    folder = Path(__file__).parent
    for path in (
        folder.parent / "secret_patterns.py",
        *sorted((folder / room).glob("*.py")),
        *(p for name in (".", "requests", "answers") for p in sorted((folder / name).glob("*.py"))),
    ):
        digest.update(path.read_bytes())
    return digest.digest()


@lru_cache(maxsize=1)
def rules_digest() -> str:
    """A value that changes with the rules: the sources of the signals, and the versions of what they look things up
    in."""
    from importlib import metadata

    digest = blake2b(sources_of("signals"), digest_size=16)
    for name in LOOKED_UP_IN:
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            version = ""
        digest.update(f"{name} {version}\n".encode())
    return digest.hexdigest()


# -- to the disk and back


def to_json(kept: FlagCache) -> str:
    """Everything but the counts."""
    found = {
        f"{key:x}": {name: [one.reason, _place(one.span), one.severity] for name, one in by_signal.items()}
        for key, by_signal in kept.found.items()
    }
    content = {
        "rules": kept.rules,
        "set": kept.of_set,
        "asked": sorted(kept.asked),
        "rows": "".join(f"{key:016x}" for key in sorted(kept.rows)),
        "found": found,
    }
    return json.dumps(content)


def from_json(text: str) -> FlagCache:
    """Raises ValueError, KeyError, TypeError or AttributeError where the text is not of this form."""
    content = json.loads(text)
    found: dict[int, FoundBySignal] = {
        int(key, 16): {name: _found(one) for name, one in row.items()} for key, row in content["found"].items()
    }
    packed = str(content["rows"])
    rows = frozenset(int(packed[start : start + 16], 16) for start in range(0, len(packed), 16))
    return FlagCache(str(content["rules"]), str(content["set"]), frozenset(content["asked"]), rows, found)


def _place(span: Span | None) -> list[int] | None:
    return None if span is None else [span.turn, span.start, span.end]


def _found(one: list[Any]) -> Found:
    reason, place, severity = one
    return Found(reason, None if place is None else Span(*place), severity)
