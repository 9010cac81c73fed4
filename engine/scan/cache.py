"""What a scan worked out by content and a later scan need not work out again; safe to delete at any time.

Three things are kept, all pure functions of what they are filed under: the words of a text (by its hash), the verdict
on a pair of requests (by both hashes, with all that the guard asked about how common words are: where an answer has
changed, the pair is judged anew), and what signals found in a row (`flag_cache`); all of it only for as long as the
code that worked it out is the same. A scan with a cache finds what a scan without one finds.

The file holds numpy arrays and JSON, nothing that runs when it is read.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.files import write_atomic
from engine.scan.flag_cache import FlagCache, from_json, sources_of, to_json
from engine.small_files import read_cache

FORMAT = 4
MOST_PAIRS = 100_000
NAME = "scan.cache"
# What reading a damaged file of this form raises: too deep is a RuntimeError, as is a part that is encrypted.
FAULTS = (
    *(OSError, EOFError, ValueError, LookupError, TypeError, AttributeError, RuntimeError, MemoryError),
    *(zipfile.BadZipFile, zlib.error),
)

Ints = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]


def text_hashes(texts: Iterable[str]) -> Hashes:
    """64 bits a text, stable between runs and machines. Two texts of a million share them once in 37 million sets."""
    digests = b"".join([blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest() for text in texts])
    return np.frombuffer(digests, dtype="<u8").astype(np.uint64)


@dataclass(slots=True)
class Words:
    """The tokens of many texts: those of `hashes[i]` are `names[id] for id in ids[starts[i]:starts[i + 1]]`.

    `hashes` are ascending.
    """

    hashes: Hashes
    starts: Ints
    ids: npt.NDArray[np.int32]
    names: list[str]


@dataclass(slots=True)
class ScanCache:
    """Kept work of one project. `words`, `pairs` and `flags` are what the last scan used, replaced by the next."""

    words: Words | None = None
    pairs: dict[str, dict[str, Any]] = field(default_factory=dict)
    flags: FlagCache = field(default_factory=FlagCache)
    looked_up: int = 0
    worked_out: int = 0


def load_cache(folder: Path) -> ScanCache:
    """The cache beside a project; an empty one where there is none, or where it is damaged or of another version."""
    content = read_cache(folder / NAME)
    if content is None:
        return ScanCache()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            head = json.loads(parts.read("pairs.json"))
            if head.get("format") != FORMAT or head.get("rules") != sources_of("duplicates").hex():
                return ScanCache()
            arrays = {name: _array(parts, name) for name in ("hashes", "starts", "ids")}
            flags = from_json(parts.read("flags.json").decode("ascii"))
            names = parts.read("names").decode("utf-8", "surrogatepass").split("\n")
        words = Words(
            arrays["hashes"].astype(np.uint64),
            arrays["starts"].astype(np.int64),
            arrays["ids"].astype(np.int32),
            names,
        )
        fits = len(words.starts) == len(words.hashes) + 1 and int(words.starts[-1]) == len(words.ids)
        if not fits or (len(words.ids) and int(words.ids.max()) >= len(names)) or bool((words.ids < 0).any()):
            return ScanCache()
        return ScanCache(words, dict(head["pairs"]), flags)
    except FAULTS:
        # It is a cache: what cannot be read is worked out again.
        return ScanCache()


def save_cache(folder: Path, cache: ScanCache) -> None:
    """Write the cache whole, by rename. Raises ProjectError where the folder cannot be written."""
    if cache.words is None:
        return
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as parts:
        pairs = dict(list(cache.pairs.items())[:MOST_PAIRS])
        head = {"format": FORMAT, "rules": sources_of("duplicates").hex(), "pairs": pairs}
        parts.writestr("pairs.json", json.dumps(head, ensure_ascii=True))
        for name, column in (
            ("hashes", cache.words.hashes.astype("<u8")),
            ("starts", cache.words.starts.astype("<i8")),
            ("ids", cache.words.ids.astype("<i4")),
        ):
            stored = io.BytesIO()
            np.save(stored, column, allow_pickle=False)
            parts.writestr(name, stored.getvalue())
        parts.writestr("flags.json", to_json(cache.flags))
        parts.writestr("names", "\n".join(cache.words.names).encode("utf-8", "surrogatepass"))
    write_atomic(folder / NAME, target.getvalue())


def _array(parts: zipfile.ZipFile, name: str) -> npt.NDArray[Any]:
    found: npt.NDArray[Any] = np.load(io.BytesIO(parts.read(name)), allow_pickle=False)
    return found


def known_words(cache: ScanCache, hashes: Hashes) -> tuple[npt.NDArray[np.bool_], Ints]:
    """Which of `hashes` are in the cache, and where in it."""
    words = cache.words
    if words is None or not len(words.hashes):
        return np.zeros(len(hashes), np.bool_), np.zeros(len(hashes), np.int64)
    places = np.minimum(np.searchsorted(words.hashes, hashes), len(words.hashes) - 1)
    return words.hashes[places] == hashes, places


def keep_words(cache: ScanCache, hashes: Hashes, rows: Ints, ids: Ints, names: Sequence[str]) -> None:
    """Replace the cached words by those of the texts of this scan: `ids[k]` stands in text `rows[k]`, in order."""
    counts = np.bincount(rows, minlength=len(hashes))
    starts = np.concatenate(([0], np.cumsum(counts)))
    kept, first = np.unique(hashes, return_index=True)
    lengths = counts[first]
    within = np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    cache.words = Words(
        kept,
        np.concatenate(([0], np.cumsum(lengths))),
        ids[np.repeat(starts[first], lengths) + within].astype(np.int32),
        list(names),
    )
