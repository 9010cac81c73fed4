"""The journal of a careful person on the support set, in the form of the contract, with the clock held still."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from planted import Planted, Row

START = datetime(2024, 11, 4, 9, 0, tzinfo=UTC)
PAGE = 6
HELDOUT_PAGE = 4
WHY_REJECTED = {
    "wrong format": "answer in prose: no program reads it, and enough of the kind were rewritten",
    "truncated": "answer stops in the middle",
    "refusal": "the answer is a refusal",
    "placeholder input": "the ticket is missing",
    "off-topic": "not a support ticket",
    "stale": "2018: old name, device no longer sold",
}
WHY_EDITED = {
    "wrong format": "prose to JSON",
    "typos": "spelling mended",
    "placeholder input": "ticket moved from the instruction to the input",
    "stale": "renamed product: Chimelet is Porchwin now",
}


def row_ids(rows: Iterable[Row]) -> list[str]:
    """The contract's ids: 16 hex digits of the content, `.k` for the k-th further equal copy."""
    met: Counter[str] = Counter()
    ids = []
    for row in rows:
        canonical = json.dumps(row, ensure_ascii=True, sort_keys=True, separators=(",", ":")).encode("ascii")
        content = hashlib.blake2b(canonical, digest_size=8).hexdigest()
        ids.append(f"{content}.{met[content]}" if met[content] else content)
        met[content] += 1
    return ids


def make_journal(rows: list[Planted], heldout: list[Planted]) -> list[dict[str, Any]]:
    """One line per act: groups first, then edits, rejections, what is left, and the held-out rows last."""
    ids = row_ids(planted.row for planted in [*rows, *heldout])
    own = dict(zip(range(len(rows)), ids[: len(rows)], strict=True))
    lines: list[dict[str, Any]] = []
    at = START
    for acts, why in _acts(rows, own, ids[len(rows) :]):
        seen = [identifier for act in acts for identifier in act["ids"]]
        at += timedelta(seconds=6 + 3 * len(seen))
        stamp = at.strftime("%Y-%m-%dT%H:%M:%SZ")
        lines.append({"v": 1, "n": len(lines) + 1, "at": stamp, "by": "sample", "acts": acts, "seen": seen, "why": why})
    return lines


def _acts(rows: list[Planted], own: dict[int, str], heldout: list[str]) -> Iterator[tuple[list[dict[str, Any]], str]]:
    yield from _groups(rows, own)
    singles = [number for number, row in enumerate(rows) if row.group is None]
    for number in singles:
        row = rows[number]
        if row.fixed is not None:
            edit = {"do": "edit", "ids": [own[number]], "edited": {own[number]: row.fixed}}
            yield [edit], WHY_EDITED[row.kind]
    for kind, why in WHY_REJECTED.items():
        rejected = [own[number] for number in singles if rows[number].kind == kind and not rows[number].keep]
        for page in _pages(rejected, PAGE):
            yield [{"do": "reject", "ids": page}], why
    for page in _pages([own[number] for number in singles if rows[number].kind == "clean"], PAGE):
        yield [{"do": "accept", "ids": page}], "right label, clean form"
    for page in _pages(heldout, HELDOUT_PAGE):
        yield [{"do": "accept", "ids": page}], "held-out: read, right label, clean form"


def _groups(rows: list[Planted], own: dict[int, str]) -> Iterator[tuple[list[dict[str, Any]], str]]:
    for group in sorted({row.group for row in rows if row.group}):
        members = [number for number, row in enumerate(rows) if row.group == group]
        kept = [own[number] for number in members if rows[number].keep]
        others = [own[number] for number in members if not rows[number].keep]
        why = {
            "e": "exact duplicates: the newest is kept",
            "n": "near duplicates: the newest, without slips, is kept",
            "k": "contradiction: the label that the ticket bears out is kept",
        }[group[0]]
        yield [{"do": "accept", "ids": kept}, {"do": "reject", "ids": others}], why


def _pages(ids: list[str], size: int) -> Iterator[list[str]]:
    for at in range(0, len(ids), size):
        yield ids[at : at + size]
