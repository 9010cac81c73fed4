"""All requests at once as arrays: which row holds which stem, how common each stem is, and one signature a row.

Words are looked at once each, not once per row: 52,000 instructions hold 800,000 words but only 20,000 different ones.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from engine.scan.cache import ScanCache, keep_words, known_words, text_hashes
from engine.scan.duplicates.guard import rare_function_typo
from engine.scan.duplicates.lexicon import (
    CJK_STOP,
    NEGATIONS,
    NUMBER_WORDS,
    ORDINAL_ENDINGS,
    QUESTION_WORDS,
    STOP_WORDS,
    TASK_CLASSES,
    is_cjk,
    stem,
)
from engine.scan.duplicates.slips import compounds, function_word_typos, typo_links
from engine.scan.duplicates.spelling import NUMBER, WORD, prepare

Ints = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]

HEAD, TAIL = 3000, 1000
"""Characters of a request that its signature is made from. Longer ones are compared whole once they are candidates."""
# Not a space to `str.split`, as the separators from \x1c on are.
_END = "\x00"
_MARK = f" {_END} "
_TOKEN = re.compile(rf"{WORD}|{NUMBER}|{_END}")
_DIGIT = re.compile(r"[0-9]")
# ASCII letters and the mark between two rows; all else parts words.
_ONLY_LETTERS = bytes(code if chr(code).isalpha() or chr(code) == _END else 32 for code in range(128)) + bytes(128)
_CHUNK = 2000
_UNCOUNTED = STOP_WORDS | QUESTION_WORDS | ORDINAL_ENDINGS | NEGATIONS | CJK_STOP
_TASK_STEMS = frozenset(stem(verb) for verb in TASK_CLASSES)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """`rows` and `stems` are parallel: one entry per different stem of a row, sorted by row.

    `canonical[stem]` joins likely mistypings; `common` counts the rows of each canonical stem. `signatures` are sums of
    stem and number hashes (uint64, wrapping): equal for requests that the guard can call the same. `guessed_signatures`
    are further signatures of `guessed_rows`: another reading of one of their rare words. `numbers` is the numbers'
    share of a signature. `odd` counts the stems of a row that stand in no other.
    """

    size: int
    names: tuple[str, ...]
    rows_with: dict[str, int]
    rows: Ints
    stems: Ints
    hashes: Hashes
    common: Ints
    spaceless: npt.NDArray[np.bool_]
    signatures: Hashes
    numbers: Hashes
    guessed_rows: Ints
    guessed_signatures: Hashes
    odd: Ints


def build_vocabulary(
    texts: Sequence[str],
    tick: Callable[[int], None] = lambda done: None,
    *,
    counted: int | None = None,
    cache: ScanCache | None = None,
) -> Vocabulary:
    """The vocabulary of `texts`, one row each. `tick(rows_done)` is called every 2,000 rows.

    Texts whose words are in `cache` are not split again. Rows from `counted` on are other readings of earlier ones:
    they have signatures, but no say in how common a word is.
    """
    token_rows, token_ids, tokens = _tokenise(texts, tick) if cache is None else _tokenise_with(cache, texts, tick)
    names: dict[str, int] = {}
    stem_of = np.full(len(tokens), -1, np.int64)
    number_hash = np.zeros(len(tokens), np.uint64)
    for number, token in enumerate(tokens):
        value = NUMBER_WORDS.get(token, token.replace(",", "") if token[-1].isdigit() else "")
        if value:
            number_hash[number] = _hash("#" + value)
        elif token not in _UNCOUNTED:
            stem_of[number] = names.setdefault(stem(token), len(names))

    kept = stem_of[token_ids] >= 0
    rows, stems = _distinct_pairs(token_rows[kept], stem_of[token_ids[kept]])
    common = np.bincount(stems[rows < (len(texts) if counted is None else counted)], minlength=len(names))
    name_list = list(names)
    # A class word may be the task or a noun; signatures leave it out and the guard looks.
    in_signature = np.fromiter((name not in _TASK_STEMS for name in name_list), np.bool_, len(name_list))
    spelled = [(token, int(stem_of[number])) for number, token in enumerate(tokens) if stem_of[number] >= 0]
    rare = rare_function_typo(name_list)
    odd = [(token, number) for token, number in spelled if common[number] <= rare]
    mistyped = function_word_typos(list({form for token, number in odd for form in (token, name_list[number])}))
    for token, number in odd:
        if token in mistyped or name_list[number] in mistyped:
            in_signature[number] = False
    tick(len(texts))
    canonical, guesses = typo_links(name_list, common, spelled)
    tick(len(texts))
    # Read as it stands, too: the guess of a slip may be wrong.
    guesses += [
        (number, int(canonical[number]))
        for number in np.flatnonzero(~in_signature).tolist()
        if name_list[number] not in _TASK_STEMS
    ]
    hashes = np.fromiter((_hash(name) for name in name_list), np.uint64, len(name_list))

    numbers_sum = np.zeros(len(texts), np.uint64)
    np.add.at(numbers_sum, token_rows, number_hash[token_ids])
    # `healthcare` weighs what `health` and `care` weigh together.
    joined = compounds(token_rows, token_ids, tokens, stem_of)
    hashes[joined[:, 0]] = hashes[canonical[joined[:, 1]]] + hashes[canonical[joined[:, 2]]]
    counted_pairs = in_signature[stems]
    rows_c, stems_c = _distinct_pairs(rows[counted_pairs], canonical[stems[counted_pairs]])
    words_sum = np.zeros(len(texts), np.uint64)
    np.add.at(words_sum, rows_c, hashes[stems_c])
    signatures = words_sum + numbers_sum
    guessed_rows, guessed_signatures = _second_guesses(
        rows, stems, canonical, guesses, in_signature, hashes, signatures
    )
    return Vocabulary(
        size=len(texts),
        names=tuple(name_list),
        rows_with=dict(zip(name_list, common.tolist(), strict=True)),
        rows=rows_c,
        stems=stems_c,
        hashes=hashes,
        common=np.bincount(stems_c, minlength=len(names)),
        spaceless=np.fromiter((is_cjk(name) for name in name_list), np.bool_, len(name_list)),
        signatures=signatures,
        numbers=numbers_sum,
        guessed_rows=guessed_rows,
        guessed_signatures=guessed_signatures,
        odd=np.bincount(rows[common[stems] <= 1], minlength=len(texts)),
    )


def _hash(name: str) -> int:
    """64 stable bits of a word: signatures may be kept between runs and compared between machines."""
    return int.from_bytes(blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def _tokenise(texts: Sequence[str], tick: Callable[[int], None]) -> tuple[Ints, Ints, list[str]]:
    """Row number and token number of every token, and the tokens; the tokens of a row stand together and in order. Many
    rows are split by one call: calls cost more than words.
    """
    numbering: defaultdict[str, int] = defaultdict()
    numbering.default_factory = numbering.__len__
    end = numbering[_END]
    id_parts: list[Ints] = []
    row_parts: list[Ints] = []
    for first in range(0, len(texts), _CHUNK):
        chunk = [prepare(_clipped(text)) for text in texts[first : first + _CHUNK]]
        # Where there are only ASCII letters, parting at everything else is what the pattern does, three times as fast.
        plain = [number for number, text in enumerate(chunk) if text.isascii() and _DIGIT.search(text) is None]
        easy = set(plain)
        other = [number for number in range(len(chunk)) if number not in easy]
        for numbers, split in ((plain, _split_plain), (other, _TOKEN.findall)):
            if not numbers:
                continue
            parts = [chunk[number] for number in numbers]
            # The mark is a word of its own.
            joined = _MARK.join(parts)
            if joined.count(_END) != len(parts) - 1:
                joined = _MARK.join(text.replace(_END, " ") for text in parts)
            found = split(joined)
            found.append(_END)
            ids = np.fromiter(map(numbering.__getitem__, found), np.int64, len(found))
            ends = ids == end
            id_parts.append(ids[~ends])
            row_parts.append(np.array(numbers, np.int64)[np.cumsum(ends)[~ends]] + first)
        tick(first + len(chunk))
    if not id_parts:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), list(numbering)
    return np.concatenate(row_parts), np.concatenate(id_parts), list(numbering)


def _split_plain(text: str) -> list[str]:
    return text.encode("ascii").translate(_ONLY_LETTERS).decode("ascii").split()


def _tokenise_with(cache: ScanCache, texts: Sequence[str], tick: Callable[[int], None]) -> tuple[Ints, Ints, list[str]]:
    """As `_tokenise`, but texts that an earlier scan has split are taken from the cache, which takes in the others."""
    hashes = text_hashes(map(_clipped, texts))
    known, places = known_words(cache, hashes)
    fresh = np.flatnonzero(~known)
    rows, ids, names = _tokenise([texts[number] for number in fresh.tolist()], tick)
    rows = fresh[rows] if len(fresh) else rows
    cache.looked_up, cache.worked_out = len(texts), len(fresh)
    if cache.words is not None and known.any():
        old = cache.words
        numbers = np.flatnonzero(known)
        first = old.starts[places[numbers]]
        lengths = old.starts[places[numbers] + 1] - first
        within = np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        taken = old.ids[np.repeat(first, lengths) + within]
        numbering = {name: number for number, name in enumerate(names)}
        renumbered = np.zeros(len(old.names), np.int64)
        # Words that only stood in rows that are gone must not come back.
        used = np.flatnonzero(np.bincount(taken, minlength=len(old.names)))
        for place in used.tolist():
            renumbered[place] = numbering.setdefault(old.names[place], len(numbering))
        names = list(numbering)
        rows = np.concatenate((rows, np.repeat(numbers, lengths)))
        ids = np.concatenate((ids, renumbered[taken]))
    order = np.argsort(rows, kind="stable")
    rows, ids = rows[order], ids[order]
    tick(len(texts))
    keep_words(cache, hashes, rows, ids, names)
    return rows, ids, names


def _distinct_pairs(rows: Ints, values: Ints) -> tuple[Ints, Ints]:
    """The different (row, value) pairs, sorted."""
    packed = np.sort(rows << 32 | values)
    fresh = np.ones(len(packed), np.bool_)
    fresh[1:] = packed[1:] != packed[:-1]
    packed = packed[fresh]
    return packed >> 32, packed & 0xFFFFFFFF


def _second_guesses(
    rows: Ints,
    stems: Ints,
    canonical: Ints,
    guesses: list[tuple[int, int]],
    counted: npt.NDArray[np.bool_],
    hashes: Hashes,
    whole: Hashes,
) -> tuple[Ints, Hashes]:
    """A further signature for every other reading of a rare stem, in each row that holds it."""
    if not guesses:
        return np.zeros(0, np.int64), np.zeros(0, np.uint64)
    pairs = np.array(guesses, np.int64)
    order = np.argsort(stems, kind="stable")
    first = np.searchsorted(stems[order], pairs[:, 0], side="left")
    count = np.searchsorted(stems[order], pairs[:, 0], side="right") - first
    within = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
    holders = rows[order[np.repeat(first, count) + within]]
    # A stem that was taken for a mistyped function word is not in the signature at all; read as a word it would be.
    inside = counted[pairs[:, 0]]
    change = hashes[pairs[:, 1]] - np.where(inside, hashes[canonical[pairs[:, 0]]], np.uint64(0))
    return holders, whole[holders] + np.repeat(change, count)


def _clipped(text: str) -> str:
    return text if len(text) <= HEAD + TAIL else text[:HEAD] + " " + text[-TAIL:]
