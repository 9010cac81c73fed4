"""The methods that are compared: each answers with pairs of row numbers that it puts together, and its seconds.

Seconds run from rows in memory to the result, imports of the method's libraries included.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

from engine.model import Conversation, Example, Message
from tests.benchmarks.duplicate_rows import Row


def ours(rows: list[Row]) -> tuple[list[tuple[int, int]], dict[str, Any]]:
    return pairs_in(
        [
            Example(
                _identity(prompt, n),
                n,
                Conversation((Message("user", prompt), Message("assistant", answer))),
                "",
                n + 1,
                {},
            )
            for n, (prompt, answer) in enumerate(rows)
        ]
    )


def _identity(text: str, number: int) -> str:
    """Row ids are hashes of the content."""
    return blake2b(f"{number} {text}".encode("utf-8", "replace"), digest_size=8).hexdigest()


def pairs_in(examples: Sequence[Example]) -> tuple[list[tuple[int, int]], dict[str, Any]]:
    """The scan itself, without signals; its clusters as pairs."""
    started = time.perf_counter()
    from engine.scan.pipeline import scan

    found = scan(examples, signals=())
    seconds = time.perf_counter() - started
    pairs = [
        pair
        for cluster in found.clusters
        if cluster.kind in ("exact", "near", "conflict", "prefix")
        for pair in itertools.combinations(cluster.rows, 2)
    ]
    return pairs, {"seconds": seconds, "clusters": len(found.clusters)}


def _normalised(rows: list[Row]) -> list[str]:
    import re
    import unicodedata

    split = re.compile(r"[\W_]+")
    return [split.sub(" ", unicodedata.normalize("NFKC", prompt).casefold()).strip() for prompt, _ in rows]


def gaoya(rows: list[Row]) -> tuple[list[tuple[int, int]], dict[str, Any]]:
    started = time.perf_counter()
    from gaoya.minhash import MinHashStringIndex

    texts = _normalised(rows)
    index = MinHashStringIndex(
        hash_size=32,
        jaccard_threshold=0.6,
        num_bands=32,
        band_size=4,
        analyzer="char",
        lowercase=False,
        ngram_range=(5, 5),
    )
    index.par_bulk_insert_docs(list(range(len(texts))), texts)
    pairs = {(n, other) for n, found in enumerate(index.par_bulk_query(texts)) for other in found if n < other}
    return list(pairs), {"seconds": time.perf_counter() - started}


def _shingles(text: str) -> set[str]:
    padded = f" {text} "
    return {padded[place : place + 5] for place in range(max(1, len(padded) - 4))}


def rensa(rows: list[Row]) -> tuple[list[tuple[int, int]], dict[str, Any]]:
    started = time.perf_counter()
    from rensa import RMinHash, RMinHashLSH

    sketches = RMinHash.from_token_sets([list(_shingles(text)) for text in _normalised(rows)], 128, 42)
    lsh = RMinHashLSH(0.5, 128, 32)
    lsh.insert_pairs(list(enumerate(sketches)))
    pairs = {
        (n, other)
        for n, found in enumerate(lsh.query_all(sketches))
        for other in found
        if n < other and sketches[n].jaccard(sketches[other]) >= 0.6
    }
    return list(pairs), {"seconds": time.perf_counter() - started}


def datasketch(rows: list[Row]) -> tuple[list[tuple[int, int]], dict[str, Any]]:
    started = time.perf_counter()
    from datasketch import MinHash, MinHashLSH

    sets = [{shingle.encode() for shingle in _shingles(text)} for text in _normalised(rows)]
    sketches = MinHash.bulk(sets, num_perm=128)
    lsh = MinHashLSH(threshold=0.5, num_perm=128)
    for n, sketch in enumerate(sketches):
        lsh.insert(n, sketch)
    pairs = {
        (n, other)
        for n, sketch in enumerate(sketches)
        for other in lsh.query(sketch)
        if n < other and sketch.jaccard(sketches[other]) >= 0.6
    }
    return list(pairs), {"seconds": time.perf_counter() - started}


METHODS = {"ours": ours, "gaoya": gaoya, "rensa": rensa, "datasketch": datasketch}
