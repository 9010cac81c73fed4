"""All requests at once as arrays: which row holds which stem, how common each stem is, and one signature a row.

Words are looked at once each, not once per row: 52,000 instructions hold 800,000 words but only 20,000 different ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from engine.scan.cache import ScanCache, keep_words, known_words, text_hashes
from engine.scan.duplicates.tokens import Tokens, clipped, split_texts
from engine.scan.requests.guard import rare_function_typo
from engine.scan.requests.lexicon import (
    CJK_STOP,
    NEGATIONS,
    NUMBER_WORDS,
    ORDINAL_ENDINGS,
    QUESTION_WORDS,
    STOP_WORDS,
    TASK_CLASSES,
    is_cjk,
    stem,
    task_of,
)
from engine.scan.requests.typos import compounds, function_word_typos, typo_links

Ints = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]

MANY_SLIPS = 10
_UNCOUNTED = STOP_WORDS | QUESTION_WORDS | ORDINAL_ENDINGS | NEGATIONS | CJK_STOP
_TASK_STEMS = frozenset(stem(verb) for verb in TASK_CLASSES)


@dataclass(frozen=True, slots=True)
class Part:
    """The words of some rows: word number `ids[i]` of `names` stands in row `rows[i]`; those of a row stand together
    and in order. `covered` are the rows, those without words among them.
    """

    rows: Ints
    ids: Ints
    names: list[str]
    covered: Ints


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
    split: tuple[Ints, Callable[[], Tokens]] | None = None,
) -> Vocabulary:
    """The vocabulary of `texts`, one row each. `tick(rows_done)` is called every 2,000 rows.

    Texts whose words are in `cache` are not split again. Rows from `counted` on are other readings of earlier ones:
    they have signatures, but no say in how common a word is. `split` waits for texts that are being split elsewhere;
    its numbers say which of `texts` each of them is (-1 where it is none).
    """
    parts: list[Part] = []
    if cache is not None:
        text_names = text_hashes(map(clipped, texts))
        parts.append(_kept(cache, text_names))
        cache.looked_up, cache.worked_out = len(texts), len(texts) - len(parts[-1].covered)
    words = _words_of(texts, tick, parts, split)
    if cache is not None:
        _keep(cache, text_names, words)
    token_rows, token_ids, tokens = words.rows, words.ids, words.names
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
    mistyped = function_word_typos(list({form for token, number in spelled for form in (token, name_list[number])}))
    for token, number in spelled:
        if not (token in mistyped or name_list[number] in mistyped):
            continue
        # A task in thousands of rows is mistyped in the same way in some of them.
        if common[number] <= rare or (common[number] <= MANY_SLIPS * rare and task_of(token)):
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
    hashes = text_hashes(name_list).copy()

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


def _words_of(
    texts: Sequence[str],
    tick: Callable[[int], None],
    known: Sequence[Part],
    split: tuple[Ints, Callable[[], Tokens]] | None,
) -> Part:
    """The words of `texts`: some are known, some are being split elsewhere while the rest is split here."""
    done = np.zeros(len(texts), np.bool_)
    for part in known:
        done[part.covered] = True
    if split is not None:
        done[split[0][split[0] >= 0]] = True
    fresh = np.flatnonzero(~done)
    parts = [*known, _placed(split_texts([texts[number] for number in fresh.tolist()], tick), fresh)]
    if split is not None:
        parts.append(_placed(split[1](), split[0]))
    return _joined(parts)


def _placed(tokens: Tokens, numbers: Ints) -> Part:
    """Split texts as arrays; `numbers[i]` is the row of text i, -1 where it is none."""
    ids = np.frombuffer(tokens.ids, np.int32) if len(tokens.ids) else np.zeros(0, np.int32)
    ends = ids == 0
    texts = np.frombuffer(tokens.texts, np.int32) if len(tokens.texts) else np.zeros(0, np.int32)
    rows = numbers[texts[(np.cumsum(ends) - ends)[~ends]]] if len(ids) else np.zeros(0, np.int64)
    ids = ids[~ends].astype(np.int64)
    wanted = rows >= 0
    return Part(rows[wanted], ids[wanted], tokens.names, numbers[numbers >= 0])


def _joined(parts: Sequence[Part]) -> Part:
    """The parts as one, with one numbering. Words that stand in no row are left out."""
    numbering: dict[str, int] = {}
    renumbered = []
    for part in parts:
        number_of = np.zeros(len(part.names), np.int64)
        for old in np.flatnonzero(np.bincount(part.ids, minlength=len(part.names))).tolist():
            number_of[old] = numbering.setdefault(part.names[old], len(numbering))
        renumbered.append(number_of[part.ids])
    return Part(
        np.concatenate([part.rows for part in parts]),
        np.concatenate(renumbered),
        list(numbering),
        np.concatenate([part.covered for part in parts]),
    )


def _kept(cache: ScanCache, hashes: Hashes) -> Part:
    """The words of those texts that an earlier scan has split."""
    known, places = known_words(cache, hashes)
    old, numbers = cache.words, np.flatnonzero(known)
    if old is None or not len(numbers):
        return Part(np.zeros(0, np.int64), np.zeros(0, np.int64), [], numbers)
    first = old.starts[places[numbers]]
    lengths = old.starts[places[numbers] + 1] - first
    within = np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    taken = old.ids[np.repeat(first, lengths) + within].astype(np.int64)
    return Part(np.repeat(numbers, lengths), taken, old.names, numbers)


def _keep(cache: ScanCache, hashes: Hashes, part: Part) -> None:
    """The cache holds the words of these texts from now on."""
    order = np.argsort(part.rows, kind="stable")
    keep_words(cache, hashes, part.rows[order], part.ids[order], part.names)


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
