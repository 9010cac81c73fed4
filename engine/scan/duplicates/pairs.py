"""From nodes to judged pairs: candidates, scores, verdicts."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from rapidfuzz import fuzz
from rapidfuzz.process import cdist, cpdist

from engine.scan.cache import ScanCache
from engine.scan.duplicates.candidates import (
    LARGEST_FAMILY,
    Pairs,
    distinct,
    family_pairs,
    long_pairs,
    no_pairs,
    same_signature_groups,
    signature_pairs,
)
from engine.scan.duplicates.pair_judge import (
    FAMILY_SCORE,
    LEAST_SCORE,
    LEAST_SCORE_OF_EQUAL_WORDS,
    Edge,
    JudgedPairs,
    is_believed,
    other_reading,
)
from engine.scan.duplicates.tokens import Tokens
from engine.scan.duplicates.vocabulary import Ints, build_vocabulary
from engine.scan.parallel import second_process
from engine.scan.requests.guard import Judgement
from engine.scan.requests.requests import Node
from engine.scan.text import SCORED_HEAD, SCORED_TAIL, sorted_form

EXHAUSTIVE_BELOW = 3000
"""Below this many different requests every pair is scored; above, the joins of `candidates` propose."""
EXHAUSTIVE_COST = 300_000_000
"""Rows times characters up to which all pairs are scored: about a third of a second."""
FAMILY_RULES = frozenset(("number", "operator", "verb", "question", "negation", "direction", "content", "field"))
MOST_JUDGED_PER_ROW, MOST_JUDGED = 4, 40_000
LEAST_SCORE_OF_MISREAD = 85.0
"""Of 548 such pairs below it none was the same (six samples of 9,000 rows with 4,000 planted)."""
FEWEST_PAIRS = 400
"""Fewer pairs are judged before a second process is of help."""
OWN_SHARE = 0.7
"""Of the pairs that likely ask the same; the second process has other pairs to look for as well."""
WORKERS = 2


def judge_pairs(
    nodes: Sequence[Node],
    tick: Callable[[int, int], None],
    cache: ScanCache | None = None,
    split: tuple[int, Callable[[], Tokens]] | None = None,
    *,
    both: bool = False,
) -> JudgedPairs:
    """Find and judge all pairs of `nodes` worth it. `tick(done, of)` is called on the way; `of` changes as candidates
    come in. `split` waits for the words of so many of the first rows, which are being split already; `both` lets a
    second process judge half of the pairs.
    """
    judged, likely, others = candidate_pairs(nodes, tick, cache, split)
    judged.both = both
    rows = len(nodes)
    # What only the joins for families propose is a family, or the same but for a slip that was read wrongly.
    least = LEAST_SCORE if _is_small(nodes) else LEAST_SCORE_OF_MISREAD
    forked = both and len(likely) >= FEWEST_PAIRS and not (cache is not None and cache.pairs)
    here = int(len(likely) * OWN_SHARE) if forked else len(likely)

    def rest(wanted: Callable[[], None]) -> bytes:
        # Keys and forms are shared; what is found is told apart from what this process finds.
        found = replace(judged, same=[], siblings=[], judged=0, used_pairs={}, both=False)

        def asked(share: float) -> None:
            wanted()

        _judge(found, *_scored(found, likely[here:], asked, LEAST_SCORE_OF_EQUAL_WORDS), asked)
        close, scores = _scored(found, others(), asked, least)
        most = len(likely) // 2
        _judge(found, close[:most], scores[:most], asked)
        return _told(found, (close[most:], scores[most:]))

    with second_process(rest, forked) as theirs:
        judged.both = both and not forked
        own = _scored(
            judged, likely[:here], lambda share: tick(int((1 + share) * rows), 3 * rows), LEAST_SCORE_OF_EQUAL_WORDS
        )
        _judge(judged, *own, lambda share: tick(int((1.5 + share / 2) * rows), 3 * rows))
        if forked:
            close, scores = _taken_in(judged, theirs())
        else:
            close, scores = _scored(judged, others(), lambda share: tick(int((2 + share) * rows), 3 * rows), least)
    judged.both = both
    _judge(judged, close, scores, lambda share: tick(int((2.5 + share / 2) * rows), 3 * rows))
    tick(3 * rows, 3 * rows)
    return judged


def candidate_pairs(
    nodes: Sequence[Node],
    tick: Callable[[int, int], None],
    cache: ScanCache | None = None,
    split: tuple[int, Callable[[], Tokens]] | None = None,
) -> tuple[JudgedPairs, Pairs, Callable[[], Pairs]]:
    """What the joins propose: pairs that likely ask the same, and other pairs that are alike; these are looked for when
    they are asked for. Nothing is judged yet."""
    texts = [node.text for node in nodes]
    bare = [(number, other_reading(text)) for number, text in enumerate(texts)]
    further = [(number, text) for number, text in bare if text is not None]
    vocabulary = build_vocabulary(
        texts + [text for _, text in further],
        lambda done: tick(min(done, len(texts)), 3 * len(texts)),
        counted=len(texts),
        cache=cache,
        split=(_first_rows(nodes, split[0]), split[1]) if split is not None else None,
    )
    odd_words = vocabulary.odd[: len(texts)].tolist()
    judged = JudgedPairs(nodes, vocabulary.rows_with, odd_words=odd_words, cache=cache)
    owner = np.concatenate((np.arange(len(texts)), np.array([number for number, _ in further], np.int64)))
    groups = [sorted(set(owner[group].tolist())) for group in same_signature_groups(vocabulary)]
    by_signature = signature_pairs([group for group in groups if len(group) > 1], lambda group: _star(judged, group))
    likely = distinct(np.concatenate((by_signature, owner[long_pairs(vocabulary)])))
    tick(len(texts), 3 * len(texts))

    def others() -> Pairs:
        alike = _all_pairs(judged) if _is_small(nodes) else distinct(owner[family_pairs(vocabulary)])
        return _without(alike, likely)

    return judged, likely, others


def _first_rows(nodes: Sequence[Node], rows: int) -> Ints:
    """For each of the first `rows` rows the node that it is the first row of, -1 where it is of none."""
    numbers = np.full(rows, -1, np.int64)
    firsts = np.fromiter((node.rows[0] for node in nodes), np.int64, len(nodes))
    inside = np.flatnonzero(firsts < rows)
    numbers[firsts[inside]] = inside
    return numbers


def _is_small(nodes: Sequence[Node]) -> bool:
    """Whether all pairs can be scored in a fraction of a second: few rows, and not too long ones."""
    if len(nodes) >= EXHAUSTIVE_BELOW:
        return False
    return len(nodes) * sum(min(len(node.text), SCORED_HEAD + SCORED_TAIL) for node in nodes) <= EXHAUSTIVE_COST


def _all_pairs(judged: JudgedPairs) -> Pairs:
    """Every pair of nodes with a plain score of 75 and more, in blocks. Pairs that other word orders make alike have
    equal signatures.
    """
    forms = [judged.form(node) for node in range(len(judged.nodes))]
    frames = _frames(judged.nodes)
    numbering: dict[str, int] = {}
    words = np.array([numbering.setdefault(form, len(numbering)) for form in forms], np.int64)
    found: list[Pairs] = [no_pairs()]
    for first in range(0, len(forms), 512):
        block = cdist(
            forms[first : first + 512],
            forms[first:],
            scorer=fuzz.ratio,
            score_cutoff=LEAST_SCORE,
            workers=WORKERS,
            dtype=np.uint8,
        )
        left, right = np.nonzero(np.triu(block, 1))
        if frames is not None:
            # Other pictures, tools or personas: another request, however often the words are asked.
            alike = (frames[left + first] == frames[right + first]) | (words[left + first] != words[right + first])
            left, right = left[alike], right[alike]
        found.append(np.stack((left + first, right + first), axis=1))
    return np.concatenate(found)


def _frames(nodes: Sequence[Node]) -> Ints | None:
    """One number for all nodes with one system prompt and context; None where no node has any."""
    if not any(node.system_prompt or node.context for node in nodes):
        return None
    numbering: dict[object, int] = {}
    return np.array(
        [numbering.setdefault((node.system_prompt, node.frame), len(numbering)) for node in nodes], np.int64
    )


def _without(pairs: Pairs, done: Pairs) -> Pairs:
    """`pairs` that are not among `done`."""
    return pairs[~np.isin(pairs[:, 0] << 32 | pairs[:, 1], done[:, 0] << 32 | done[:, 1])]


Scored = tuple[list[tuple[int, int]], list[float]]
"""Pairs and how alike each is."""


def _scored(judged: JudgedPairs, pairs: Pairs, tick: Callable[[float], None], least: float) -> Scored:
    """Those of `pairs` that are alike to `least` and more.

    Where little likeness is asked for, a pair that is not alike as it stands is scored by its sorted words too. Else
    only the closest pairs are given, four a row and 40,000 (or one a row) in all: one template can make a whole set
    alike.
    """
    scores = np.zeros(len(pairs))
    by_words = least < LEAST_SCORE
    for first in range(0, len(pairs), 20_000):
        tick(first / (len(pairs) + 1) / 2)
        part = slice(first, first + 20_000)
        left = [judged.form(node) for node in pairs[part, 0].tolist()]
        right = [judged.form(node) for node in pairs[part, 1].tolist()]
        scores[part] = cpdist(left, right, scorer=fuzz.ratio, score_cutoff=least, workers=WORKERS)
        low = np.flatnonzero(scores[part] < LEAST_SCORE) if by_words else np.zeros(0, np.int64)
        if len(low):
            ordered = [[sorted_form(side[at]) for at in low] for side in (left, right)]
            by_order = cpdist(*ordered, scorer=fuzz.ratio, score_cutoff=least, workers=WORKERS)
            scores[first + low] = np.maximum(scores[first + low], by_order)
    alike = np.flatnonzero(scores >= least)
    most = min(MOST_JUDGED_PER_ROW * len(judged.nodes), max(MOST_JUDGED, len(judged.nodes)))
    if not by_words and len(alike) > most:
        # The first row of a template is paired with all others: these pairs say how large the family is.
        links = np.bincount(pairs[alike].ravel(), minlength=len(judged.nodes))
        crowded = links[pairs[alike]].max(axis=1) > LARGEST_FAMILY * MOST_JUDGED_PER_ROW
        alike = np.sort(alike[np.lexsort((-scores[alike], ~crowded))[:most]])
    return [(one, other) for one, other in pairs[alike].tolist()], scores[alike].tolist()


def _judge(
    judged: JudgedPairs,
    wanted: list[tuple[int, int]],
    scores: list[float],
    tick: Callable[[float], None],
) -> None:
    """Verdicts on pairs go to `judged.same`; what is very alike and not the same goes to `judged.siblings`."""
    for (one, other), score, judgement in zip(wanted, scores, _verdicts(judged, wanted, tick), strict=True):
        edge = Edge(one, other, score, judgement)
        if is_believed(edge.score, judgement):
            judged.same.append(edge)
        elif edge.score >= FAMILY_SCORE and judgement.rule in FAMILY_RULES:
            judged.siblings.append(edge)


def _told(found: JudgedPairs, left: Scored) -> bytes:
    """What a second process found, and the pairs that it left to judge."""
    edges = [[edge.to_json() for edge in some] for some in (found.same, found.siblings)]
    return json.dumps([*edges, found.judged, found.used_pairs, left]).encode("ascii")


def _taken_in(judged: JudgedPairs, sent: bytes) -> Scored:
    """What `_told` says, taken over; the pairs that are left to judge."""
    same, siblings, count, used, (pairs, scores) = json.loads(sent)
    judged.same += map(Edge.from_json, same)
    judged.siblings += map(Edge.from_json, siblings)
    judged.judged += count
    judged.used_pairs |= used
    return [(one, other) for one, other in pairs], scores


def _verdicts(judged: JudgedPairs, pairs: list[tuple[int, int]], tick: Callable[[float], None]) -> list[Judgement]:
    """The verdict on each pair. Every second one may come from a second process, where few are known already."""
    forked = judged.both and len(pairs) >= FEWEST_PAIRS and not (judged.cache is not None and judged.cache.pairs)

    def other_half(wanted: Callable[[], None]) -> bytes:
        return json.dumps([judged.record(*pair) for pair in pairs[1::2]]).encode("ascii")

    with second_process(other_half, forked) as theirs:
        found: list[Judgement] = []
        for done, pair in enumerate(pairs[::2] if forked else pairs):
            if done % 250 == 0:
                tick(done / len(pairs))
            found.append(judged.verdict(*pair))
        if not forked:
            return found
        others = [judged.take_in(pair, record) for pair, record in zip(pairs[1::2], json.loads(theirs()), strict=True)]
    both: list[Judgement] = [found[0]] * len(pairs)
    both[::2], both[1::2] = found, others
    return both


def _star(judged: JudgedPairs, group: list[int]) -> Pairs:
    """Pairs for a crowded signature: rows with equal keys each with the first of them, and those firsts in a row.
    Linear.
    """
    firsts: dict[object, int] = {}
    found: list[tuple[int, int]] = []
    for node in group:
        turns = judged.nodes[node].turns
        keys = [judged.key(turn) for turn in turns]
        shape = tuple(
            (key.numbers, key.signs, key.task, key.questions, frozenset(key.bag.items()), key.spaceless) for key in keys
        )
        first = firsts.setdefault((judged.nodes[node].system_prompt, judged.nodes[node].frame, shape), node)
        if first != node:
            found.append((first, node))
    heads = list(firsts.values())
    for step in (1, 2, 3):
        found += zip(heads, heads[step:], strict=False)
    found += [(heads[0], head) for head in heads[1:]]
    return distinct(np.array(found, np.int64).reshape(-1, 2)) if found else no_pairs()
