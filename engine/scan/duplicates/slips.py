"""Likely mistypings among all words of a set, and words that elsewhere stand as two."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt
from rapidfuzz.distance import OSA
from rapidfuzz.process import cdist

from engine.scan.duplicates.guard import RARE
from engine.scan.duplicates.lexicon import has_typos

Ints = npt.NDArray[np.int64]
MOST_READINGS = 6
LARGEST_BLOCK = 1500
"""Words of one first letter and length that are all compared with each other."""


def typo_links(names: list[str], common: Ints, spelled: list[tuple[str, int]]) -> tuple[Ints, list[tuple[int, int]]]:
    """For each stem the one that most likely was meant, and every other reading of a rare stem as (stem, reading).

    Slips are counted between words as written (`spelled`, with their stems) and between stems. A rare word has one
    likeliest reading (fewest slips, then the commonest) and keeps the others as second guesses; joining all of them
    would chain through rare words until `sentence` and `scientist` are one.
    """
    forms = spelled + [(name, number) for number, name in enumerate(names)]
    forms = list(dict.fromkeys(form for form in forms if has_typos(form[0])))
    words = [word for word, _ in forms]
    stem_number = np.fromiter((number for _, number in forms), np.int64, len(forms))
    readings: dict[int, dict[int, int]] = {}
    for mine, theirs, slips in zip(*(column.tolist() for column in _alike(words, stem_number, common)), strict=True):
        known = readings.setdefault(mine, {})
        known[theirs] = min(slips, known.get(theirs, slips))
    meant = np.arange(len(names))
    guesses: list[tuple[int, int]] = []
    for number, known in readings.items():
        found = sorted(known, key=lambda other: (known[other], -int(common[other]), names[other]))[:MOST_READINGS]
        # Of two equally rare words the first in the alphabet stands for both.
        best = found[0]
        if common[best] > common[number] or names[best] < names[number]:
            meant[number] = best
            guesses.append((number, number))
        guesses += [(number, other) for other in found if other != meant[number]]
    return meant, guesses


def _alike(words: list[str], stem_number: Ints, common: Ints) -> tuple[Ints, Ints, Ints]:
    """What rare stems may be mistypings of, as columns: the rare stem, the other, the slips between them."""
    rows = common[stem_number]
    lengths = np.fromiter(map(len, words), np.int64, len(words))
    found: list[tuple[Ints, Ints, Ints]] = []
    for block in _sized(_typo_blocks(words), words):
        members = np.array(block, np.int64)
        rare = members[(rows[members] <= RARE) | (rows[members] * 100 <= rows[members].max())]
        if not len(rare):
            continue
        distances = cdist(
            [words[n] for n in rare.tolist()],
            [words[n] for n in block],
            scorer=OSA.distance,
            score_cutoff=2,
            dtype=np.uint8,
        )
        left, right = np.nonzero(distances <= 2)
        found.append((rare[left], members[right], distances[left, right].astype(np.int64)))
    if not found:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64)
    one, other, slips = (np.concatenate(column) for column in zip(*found, strict=True))
    mine, theirs = stem_number[one], stem_number[other]
    kept = (mine != theirs) & ((slips < 2) | (np.minimum(lengths[one], lengths[other]) >= 8))
    kept &= (common[mine] <= common[theirs]) & (common[mine] <= np.maximum(RARE, common[theirs] // 100))
    return mine[kept], theirs[kept], slips[kept]


def _sized(blocks: Iterable[list[int]], words: list[str]) -> Iterator[list[int]]:
    """The blocks; a crowded one (a template with thousands of names) by the halves of its words, one of which a single
    slip leaves whole. Comparing all with all is quadratic.
    """
    for block in blocks:
        if len(block) <= LARGEST_BLOCK:
            yield block
            continue
        halves: dict[tuple[bool, str], list[int]] = {}
        for number in block:
            word = words[number]
            half = (len(word) - 1) // 2
            halves.setdefault((True, word[: half + 1]), []).append(number)
            halves.setdefault((False, word[-half:]), []).append(number)
            if len(word) % 2 == 0:
                # The other word may be one letter longer, and its half begin one letter later.
                halves.setdefault((False, word[-half - 1 :]), []).append(number)
        for some in halves.values():
            for first in range(0, len(some) if len(some) > 1 else 0, LARGEST_BLOCK):
                yield some[first : first + LARGEST_BLOCK]


def _typo_blocks(names: list[str]) -> list[list[int]]:
    """Words that can be mistypings of each other by first letter (or the first two swapped) and length."""
    blocks: dict[tuple[str, int], list[int]] = {}
    for number, name in enumerate(names):
        blocks.setdefault((name[0], len(name)), []).append(number)
    joined: list[list[int]] = []
    for (letter, length), block in blocks.items():
        reach = 2 if length >= 8 else 1
        near = [number for more in range(1, reach + 1) for number in blocks.get((letter, length + more), ())]
        joined.append(block + near)
    swapped: dict[str, list[int]] = {}
    for number, name in enumerate(names):
        if name[0] != name[1]:
            swapped.setdefault("".join(sorted(name[:2])) + name[2:], []).append(number)
    return joined + [block for block in swapped.values() if len(block) > 1]


def compounds(token_rows: Ints, token_ids: Ints, tokens: list[str], stem_of: Ints) -> Ints:
    """Words that elsewhere stand as two (`healthcare`, `health care`), as rows of three stems: the whole and its
    halves.
    """
    numbering = {token: number for number, token in enumerate(tokens) if len(token) >= 3 and stem_of[number] >= 0}
    halves = [
        (number, numbering[token[:cut]], numbering[token[cut:]])
        for token, number in numbering.items()
        if 6 <= len(token) <= 30
        for cut in range(3, len(token) - 2)
        if token[:cut] in numbering and token[cut:] in numbering
    ]
    found = np.array(halves, np.int64).reshape(-1, 3)
    neighbours = (token_ids[:-1] << 32 | token_ids[1:])[token_rows[:-1] == token_rows[1:]]
    wanted = found[:, 1] << 32 | found[:, 2]
    known = np.sort(wanted)
    # The few wanted pairs are sorted, not the million neighbours.
    seen = (
        neighbours[np.take(known, np.searchsorted(known, neighbours), mode="clip") == neighbours]
        if len(known)
        else known
    )
    found = stem_of[found[np.isin(wanted, seen)]]
    # A half that is a compound itself is not taken apart again.
    return found[~np.isin(found[:, 1:], found[:, 0]).any(axis=1)] if len(found) else found.reshape(-1, 3)
