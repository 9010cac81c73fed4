"""Pairs of requests worth judging, without looking at all pairs.

Three joins over the arrays of `vocabulary`, each a sort and a comparison of neighbours:

* equal signatures: the same stems (mistypings and split compounds joined) and numbers. Every pair the guard accepts by
  rules other than the 6 % rule for long texts has equal signatures, so nothing it would accept is lost.
* shared rare stems of long requests: two sets that differ in at most 6 % of their words share one of their few rarest
  stems (prefix filtering: Chaudhuri, Ganti and Kaushik 2006; Bayardo, Ma and Srikant 2007).
* one word or the numbers apart: siblings that are shown as families, never merged.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from engine.scan.duplicates.vocabulary import Hashes, Ints, Vocabulary
from engine.scan.requests.guard import LONG_BAG, LONG_SHARE

Pairs = npt.NDArray[np.int64]
"""An (n, 2) array of row numbers, the smaller first, without repeats."""

LARGEST_GROUP = 64
SKETCH_WORDS = 16
LARGEST_PREFIX_GROUP = 48
LARGEST_FAMILY = 12
NEIGHBOURS = 3
FEWEST_FAMILY_STEMS, MOST_FAMILY_STEMS = 3, 24


def same_signature_groups(vocabulary: Vocabulary) -> list[list[int]]:
    """Rows with equal signatures (second guesses counted), as groups of two and more, each ascending."""
    keys = np.concatenate((vocabulary.signatures, vocabulary.guessed_signatures))
    rows = np.concatenate((np.arange(vocabulary.size), vocabulary.guessed_rows))
    order = np.lexsort((rows, keys))
    starts, sizes = _runs(keys[order])
    several = sizes > 1
    groups = (
        rows[order[start : start + size]].tolist()
        for start, size in zip(starts[several].tolist(), sizes[several].tolist(), strict=True)
    )
    distinct_groups = (sorted(set(group)) for group in groups)
    return [group for group in distinct_groups if len(group) > 1]


def signature_pairs(groups: list[list[int]], refine: Callable[[list[int]], Pairs]) -> Pairs:
    """All pairs of small groups; a group of more than 64 goes through `refine`, which must answer in linear size."""
    found: list[Pairs] = []
    for group in groups:
        if len(group) > LARGEST_GROUP:
            found.append(refine(group))
        elif len(group) == 2:
            found.append(np.array([group], np.int64))
        else:
            left, right = np.triu_indices(len(group), 1)
            rows = np.array(group, np.int64)
            found.append(np.stack((rows[left], rows[right]), axis=1))
    return distinct(np.concatenate(found)) if found else no_pairs()


def long_pairs(vocabulary: Vocabulary) -> Pairs:
    """Pairs of long requests (12 stems and more) that may differ in 6 % of their words at most."""
    words = ~vocabulary.spaceless[vocabulary.stems]
    rows, stems = vocabulary.rows[words], vocabulary.stems[words]
    # The bag may repeat words, the set does not: a bag of 12 can be a set of 9.
    sizes = np.bincount(rows, minlength=vocabulary.size)
    long_enough = sizes[rows] >= LONG_BAG * 3 // 4
    rows, stems = rows[long_enough], stems[long_enough]
    if not len(rows):
        return no_pairs()
    rows, stems = _rarest_first(rows, stems, vocabulary.common)
    starts, counts = _runs(rows)
    rank = np.arange(len(rows)) - np.repeat(starts, counts)
    # |X| + |Y| <= 6 % of both sizes; twice over where all of it is on one side, and a repeated word counts once in a
    # set.
    prefix = np.floor(2 * LONG_SHARE * sizes[rows] * 4 / 3).astype(np.int64) + 1
    kept = (rank < prefix) & (vocabulary.common[stems] > 1)
    pairs = _pairs_within(stems[kept].astype(np.uint64), rows[kept], LARGEST_PREFIX_GROUP)
    paired = np.zeros(vocabulary.size, np.bool_)
    paired[pairs.ravel()] = True
    rows, stems = rows[paired[rows]], stems[paired[rows]]
    return _nearly_equal_sets(pairs, rows, vocabulary.hashes[stems], sizes)


def _rarest_first(rows: Ints, stems: Ints, common: Ints) -> tuple[Ints, Ints]:
    """The entries of each row in order of how rare their stems are. One sort of packed numbers; very common stems count
    as equally common where the bits do not suffice.
    """
    for_stems, for_rows = int(stems.max()).bit_length(), int(rows.max()).bit_length()
    for_common = 63 - for_stems - for_rows
    packed = rows << for_common | np.minimum(common[stems], (1 << for_common) - 1)
    packed = np.sort(packed << for_stems | stems)
    return packed >> (for_common + for_stems), packed & ((1 << for_stems) - 1)


def _nearly_equal_sets(pairs: Pairs, rows: Ints, hashes: Hashes, sizes: Ints) -> Pairs:
    """The pairs whose sets may differ in as few stems as the guard allows.

    1,024 bits a row, one for each of its stems: sets that differ in few stems differ in no more bits, and two that
    share only some rare words differ in hundreds.
    """
    bits = np.zeros((len(sizes), SKETCH_WORDS), np.uint64)
    np.bitwise_or.at(
        bits,
        (rows, ((hashes >> np.uint64(6)) % np.uint64(SKETCH_WORDS)).astype(np.int64)),
        np.uint64(1) << (hashes & np.uint64(63)),
    )
    kept: list[Pairs] = [no_pairs()]
    for first in range(0, len(pairs), 100_000):
        part = pairs[first : first + 100_000]
        left, right = part[:, 0], part[:, 1]
        most = LONG_SHARE * 4 / 3 * (sizes[left] + sizes[right])
        near = np.abs(sizes[left] - sizes[right]) <= most
        part, left, right, most = part[near], left[near], right[near], most[near]
        apart = np.bitwise_count(bits[left] ^ bits[right]).sum(axis=1, dtype=np.int64)
        kept.append(part[apart <= most])
    return np.concatenate(kept)


def family_pairs(vocabulary: Vocabulary) -> Pairs:
    """Pairs that differ in one stem, or in their numbers alone: what a template makes."""
    sizes = np.bincount(vocabulary.rows, minlength=vocabulary.size)
    words = vocabulary.signatures - vocabulary.numbers
    siblings = np.flatnonzero(sizes >= FEWEST_FAMILY_STEMS)
    found = [_pairs_within(words[siblings], siblings, LARGEST_FAMILY)]
    fits = (sizes[vocabulary.rows] >= FEWEST_FAMILY_STEMS) & (sizes[vocabulary.rows] <= MOST_FAMILY_STEMS)
    rows = vocabulary.rows[fits]
    without_one = vocabulary.signatures[rows] - vocabulary.hashes[vocabulary.stems[fits]]
    found.append(_pairs_within(without_one, rows, LARGEST_FAMILY))
    # One word more on one side: its signature without that word is the other's whole signature.
    whole = np.concatenate((vocabulary.signatures[siblings], without_one))
    found.append(_pairs_within(whole, np.concatenate((siblings, rows)), LARGEST_FAMILY))
    return distinct(np.concatenate(found))


def _pairs_within(keys: Hashes, rows: Ints, largest: int) -> Pairs:
    """All pairs of rows with equal keys; of a group larger than `largest`, each row with its next three and with the
    first.
    """
    shared = _shared(keys)
    keys, rows = keys[shared], rows[shared]
    order = np.lexsort((rows, keys))
    keys, rows = keys[order], rows[order]
    starts, sizes = _runs(keys)
    size_here = np.repeat(sizes, sizes)
    after = np.repeat(starts + sizes, sizes) - np.arange(len(keys)) - 1  # members of the group that follow
    reach = np.where(size_here <= largest, after, np.minimum(after, NEIGHBOURS))
    found: list[Pairs] = []
    for distance in range(1, int(reach.max()) + 1 if len(reach) else 0):
        left = np.flatnonzero(reach >= distance)
        found.append(np.stack((rows[left], rows[left + distance]), axis=1))
    crowded = np.flatnonzero(size_here > largest)
    found.append(np.stack((rows[np.repeat(starts, sizes)[crowded]], rows[crowded]), axis=1))
    return distinct(np.concatenate(found))


def _shared(keys: Hashes) -> npt.NDArray[np.bool_]:
    """Which keys may stand more than once: those that share some bits with another one. Two thirds of all keys stand
    alone; dropping them takes less time than sorting them.
    """
    bits = max(1, len(keys).bit_length() + 2)
    place = ((keys * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(64 - bits)).astype(np.int64)
    shared: npt.NDArray[np.bool_] = np.bincount(place, minlength=1 << bits)[place] > 1
    return shared


def _runs(values: npt.NDArray[np.generic]) -> tuple[Ints, Ints]:
    """Start and length of each run of equal values."""
    if not len(values):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    starts = np.flatnonzero(np.concatenate(([True], values[1:] != values[:-1])))
    return starts, np.diff(np.append(starts, len(values)))


def distinct(pairs: Pairs) -> Pairs:
    """`pairs` with the smaller row first, without repeats and without a row paired with itself, sorted."""
    low, high = pairs.min(axis=1), pairs.max(axis=1)
    packed = np.sort((low << 32 | high)[low != high])
    if not len(packed):
        return no_pairs()
    packed = packed[np.concatenate(([True], packed[1:] != packed[:-1]))]
    return np.stack((packed >> 32, packed & 0xFFFFFFFF), axis=1)


def no_pairs() -> Pairs:
    """No pairs at all."""
    return np.zeros((0, 2), np.int64)
