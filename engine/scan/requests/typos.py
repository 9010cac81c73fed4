"""Likely mistypings among all words of a set, and words that elsewhere stand as two."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
from rapidfuzz.distance import OSA
from rapidfuzz.process import cdist, cpdist

from engine.scan.requests.guard import RARE
from engine.scan.requests.lexicon import KNOWN_BY_LETTER, KNOWN_STEMS, first_letter, has_typos, stem

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
    letters = _letters(words, lengths)
    found: list[tuple[Ints, Ints]] = []
    for own, longer in _sized(_typo_blocks(words), words):
        most = max(rows[own].max(), rows[longer].max() if len(longer) else 0)
        own_rare, longer_rare = (some[(rows[some] <= RARE) | (rows[some] * 100 <= most)] for some in (own, longer))
        for rare, others in ((own_rare, own), (own_rare, longer), (longer_rare, own)):
            if len(rare) and len(others):
                found.append(_few_letters_apart(rare, others, letters, lengths))
    if not found:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64)
    one, other = (np.concatenate(column) for column in zip(*found, strict=True))
    mine, theirs = stem_number[one], stem_number[other]
    kept = (mine != theirs) & (common[mine] <= common[theirs])
    kept &= common[mine] <= np.maximum(RARE, common[theirs] // 100)
    one, other, mine, theirs = one[kept], other[kept], mine[kept], theirs[kept]
    slips = cpdist(
        [words[n] for n in one.tolist()],
        [words[n] for n in other.tolist()],
        scorer=OSA.distance,
        score_cutoff=2,
        dtype=np.uint8,
    )
    kept = slips <= np.where(np.minimum(lengths[one], lengths[other]) >= 8, 2, 1)
    return mine[kept], theirs[kept], slips[kept].astype(np.int64)


def _letters(words: list[str], lengths: Ints) -> npt.NDArray[np.uint64]:
    """Which letters stand in each word, and which of them twice or more, a bit for each (letters outside ASCII share
    bits).
    """
    if not words:
        return np.zeros(0, np.uint64)
    codes = np.frombuffer("".join(words).encode("utf-32-le", "surrogatepass"), "<u4").astype(np.int64) & 31
    placed = np.sort(np.repeat(np.arange(len(words)), lengths) << 5 | codes)
    again = np.zeros(len(placed), np.int64)
    again[1:] = 32 * (placed[1:] == placed[:-1])
    bits = np.uint64(1) << ((placed & 31) + again).astype(np.uint64)
    return np.bitwise_or.reduceat(bits, np.cumsum(lengths) - lengths)


def _few_letters_apart(rare: Ints, others: Ints, letters: npt.NDArray[np.uint64], lengths: Ints) -> tuple[Ints, Ints]:
    """The pairs that one slip (two, where both words have eight letters) can make: a slip brings one letter in and
    takes one out at most. Counting bits is ten times as fast as counting slips, and leaves one pair in fifty.
    """
    apart = np.bitwise_count(letters[rare][:, None] ^ letters[others][None, :])
    least = np.minimum(lengths[rare].min(), lengths[others].min())
    left, right = np.divmod(np.flatnonzero(apart.ravel() <= (4 if least >= 8 else 2)), len(others))
    return rare[left], others[right]


def _sized(blocks: Iterable[tuple[Ints, Ints]], words: list[str]) -> Iterator[tuple[Ints, Ints]]:
    """The blocks; a crowded one (a template with thousands of names) by the halves of its words, one of which a single
    slip leaves whole. Comparing all with all is quadratic.
    """
    nothing = np.zeros(0, np.int64)
    for own, longer in blocks:
        if len(own) + len(longer) <= LARGEST_BLOCK:
            yield own, longer
            continue
        halves: dict[tuple[bool, str], list[int]] = {}
        for number in (*own.tolist(), *longer.tolist()):
            word = words[number]
            half = (len(word) - 1) // 2
            halves.setdefault((True, word[: half + 1]), []).append(number)
            halves.setdefault((False, word[-half:]), []).append(number)
            if len(word) % 2 == 0:
                # The other word may be one letter longer, and its half begin one letter later.
                halves.setdefault((False, word[-half - 1 :]), []).append(number)
        for some in halves.values():
            for first in range(0, len(some) if len(some) > 1 else 0, LARGEST_BLOCK):
                yield np.array(some[first : first + LARGEST_BLOCK], np.int64), nothing


def _typo_blocks(names: list[str]) -> Iterator[tuple[Ints, Ints]]:
    """Words that can be mistypings of each other: those of one first letter and length, with those a slip or two
    longer; and words but for the first two letters equal, which are swapped.
    """
    blocks: dict[tuple[str, int], list[int]] = {}
    for number, name in enumerate(names):
        blocks.setdefault((first_letter(name), len(name)), []).append(number)
    arrays = {shape: np.array(block, np.int64) for shape, block in blocks.items()}
    nothing = np.zeros(0, np.int64)
    for (letter, length), block in arrays.items():
        reach = 2 if length >= 8 else 1
        near = [arrays[letter, length + more] for more in range(1, reach + 1) if (letter, length + more) in arrays]
        yield block, np.concatenate(near) if near else nothing
    known = set(names)
    swapped: dict[str, list[int]] = {}
    for number, name in enumerate(names):
        other = name[1] + name[0] + name[2:]
        if other in known and other != name:
            swapped.setdefault(min(name, other), []).append(number)
    for members in swapped.values():
        yield np.array(members, np.int64), nothing


def function_word_typos(words: Sequence[str]) -> set[str]:
    """Those of `words` that `is_function_word_typo` names, found for many at once."""
    by_letter: dict[str, list[str]] = {}
    for word in words:
        if has_typos(word) and word not in KNOWN_STEMS:
            by_letter.setdefault(word[0], []).append(word)
    found: set[str] = set()
    for letter, some in by_letter.items():
        forms = [(form, len(known)) for known in KNOWN_BY_LETTER.get(letter, ()) for form in {known, stem(known)}]
        forms = [(form, length) for form, length in forms if len(form) >= 4]
        if not forms:
            continue
        slips = cdist(some, [form for form, _ in forms], scorer=OSA.distance, score_cutoff=2, dtype=np.uint8)
        lengths = np.fromiter(map(len, some), np.int64, len(some))[:, None]
        allowed = np.where(np.minimum(lengths, [len(form) for form, _ in forms]) < 8, 1, 2)
        meant = (slips <= allowed) & (np.abs(lengths - [length for _, length in forms]) <= 2)
        found.update(some[number] for number in np.flatnonzero(meant.any(axis=1)).tolist())
    return found


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
    # Of the million neighbours few are a half on the left and a half on the right.
    is_half = np.zeros((2, len(tokens)), np.bool_)
    is_half[0, found[:, 1]], is_half[1, found[:, 2]] = True, True
    beside = is_half[0, token_ids[:-1]] & is_half[1, token_ids[1:]] & (token_rows[:-1] == token_rows[1:])
    seen = (token_ids[:-1] << 32 | token_ids[1:])[beside]
    found = stem_of[found[np.isin(found[:, 1] << 32 | found[:, 2], seen)]]
    # A half that is a compound itself is not taken apart again.
    return found[~np.isin(found[:, 1:], found[:, 0]).any(axis=1)] if len(found) else found.reshape(-1, 3)
