"""From nodes to judged pairs: candidates, scores, verdicts."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from rapidfuzz import fuzz
from rapidfuzz.process import cdist, cpdist

from engine.scan.duplicates.candidates import (
    Pairs,
    distinct,
    family_pairs,
    long_pairs,
    no_pairs,
    same_signature_groups,
    signature_pairs,
)
from engine.scan.duplicates.guard import Judgement, judge
from engine.scan.duplicates.key import Key, key_of
from engine.scan.duplicates.requests import Node
from engine.scan.duplicates.vocabulary import build_vocabulary
from engine.scan.text import SCORED_HEAD, SCORED_TAIL, exact_form, score_form, sorted_form

EXHAUSTIVE_BELOW = 3000
"""Below this many different requests every pair is scored; above, the joins of `candidates` propose."""
LEAST_SCORE = 75.0
"""Requests less alike than this are not looked at (better of plain and word-sorted ratio)."""
LEAST_FIELD_SCORE = 80.0
"""Where both requests have a first line and more below it, each of the two parts must be this alike."""
EXHAUSTIVE_COST = 300_000_000
"""Rows times characters up to which all pairs are scored: about a third of a second."""
FAMILY_SCORE = 90.0
FAMILY_RULES = frozenset(("number", "operator", "verb", "question", "negation", "direction", "content", "field"))
MOST_JUDGED_PER_ROW = 4
WORKERS = 2

_POINTER = re.compile(
    r"[ \t]{1,3}(?:the|this|these|those)[ \t]{1,3}(?:(?:following|given|provided|above|below)[ \t]{1,3})?"
    r"(?:(?:two|three|four|five|\d)[ \t]{1,3})?"
    r"(?:type|item|thing|term|word|concept|topic|subject|phrase|statement|text|passage|expression|option|choice|object|case)s?"
    r"(?:[ \t]{1,3}(?:given|provided|below|above))?[ \t]{0,3}[.:?]?[ \t]*$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Edge:
    """Two nodes (the smaller number first) that were judged: the similarity of their texts (0-100) and the verdict."""

    left: int
    right: int
    score: float
    judgement: Judgement


@dataclass(slots=True)
class Judged:
    """What `judge_pairs` found, and the means to judge further pairs of the same nodes."""

    nodes: Sequence[Node]
    rows_with: dict[str, int]
    same: list[Edge] = field(default_factory=list)
    siblings: list[Edge] = field(default_factory=list)
    judged: int = 0
    _keys: dict[str, Key] = field(default_factory=dict)
    _forms: dict[int, str] = field(default_factory=dict)

    def key(self, text: str) -> Key:
        """The key of one turn, made once."""
        key = self._keys.get(text)
        if key is None:
            key = self._keys[text] = key_of(text)
        return key

    def form(self, node: int) -> str:
        """The form of a node's text that is scored, made once."""
        form = self._forms.get(node)
        if form is None:
            form = self._forms[node] = score_form(self.nodes[node].text)
        return form

    def score(self, left: int, right: int) -> float:
        """How alike two nodes are, 0-100: the better of plain and word-sorted ratio."""
        one, other = self.form(left), self.form(right)
        return max(fuzz.ratio(one, other), fuzz.ratio(sorted_form(one), sorted_form(other)))

    def verdict(self, left: int, right: int) -> Judgement:
        """Whether two nodes ask the same, turn by turn. Symmetric."""
        self.judged += 1
        one, other = self.nodes[left], self.nodes[right]
        if one.persona != other.persona:
            return Judgement(False, "system prompt")
        if len(one.turns) != len(other.turns):
            return Judgement(False, "turns")
        if len(one.turns) == 1:
            judgement = self._turn_verdict(one.turns[0], other.turns[0])
            return (
                Judgement(True, judgement.rule, True, judgement.words)
                if judgement.same and (one.leans or other.leans)
                else judgement
            )
        weak = False
        words: tuple[str, ...] = ()
        asked = False
        for mine, theirs in zip(one.turns, other.turns, strict=True):
            if exact_form(mine) == exact_form(theirs):
                asked = asked or not self.key(mine).is_generic
                continue
            judgement = self._turn_verdict(mine, theirs)
            if not judgement.same:
                return judgement
            asked, weak, words = True, weak or judgement.weak, words + judgement.words
        return Judgement(True, "same", weak, words) if asked else Judgement(False, "generic")

    def _turn_verdict(self, one: str, other: str) -> Judgement:
        left, right = self.key(one), self.key(other)
        judgement = judge(left, right, self.rows_with)
        inside, outside = _body(one), _body(other)
        if not judgement.same and bool(inside) != bool(outside):
            # One names its object in a field below ("the two types"), the other in the sentence: the pointer says
            # nothing.
            bare = without_pointer(one if inside else other)
            if bare is not None:
                judgement = judge(self.key(bare), right if inside else left, self.rows_with)
        if judgement.same and inside and outside and not _fields_alike(one, other):
            return Judgement(False, "field")
        return judgement

    def is_generic(self, node: int) -> bool:
        """Whether nothing in the node could be compared ("hi", "go on", "?")."""
        return all(self.key(turn).is_generic for turn in self.nodes[node].turns)


def judge_pairs(nodes: Sequence[Node], tick: Callable[[int, int], None]) -> Judged:
    """Find and judge all pairs of `nodes` worth it. `tick(done, of)` is called on the way; `of` changes as candidates
    come in.
    """
    texts = [node.text for node in nodes]
    bare = [(number, without_pointer(text)) for number, text in enumerate(texts) if "\n" in text]
    further = [(number, text) for number, text in bare if text is not None]
    vocabulary = build_vocabulary(
        texts + [text for _, text in further],
        lambda done: tick(min(done, len(texts)), 3 * len(texts)),
        counted=len(texts),
    )
    judged = Judged(nodes, vocabulary.rows_with)
    owner = np.concatenate((np.arange(len(texts)), np.array([number for number, _ in further], np.int64)))
    groups = [sorted(set(owner[group].tolist())) for group in same_signature_groups(vocabulary)]
    by_signature = signature_pairs([group for group in groups if len(group) > 1], lambda group: _star(judged, group))
    likely = distinct(np.concatenate((by_signature, owner[long_pairs(vocabulary)])))
    tick(len(texts), 3 * len(texts))
    if _is_small(nodes):
        alike = _all_pairs(judged)
    else:
        alike = distinct(owner[family_pairs(vocabulary)])
    tick(2 * len(texts), 3 * len(texts))
    _judge(judged, likely, lambda share: tick(int((2 + share / 2) * len(texts)), 3 * len(texts)), by_words=True)
    settled = {(edge.left, edge.right) for edge in judged.same}
    further_pairs = _unsettled(alike, settled)
    _judge(
        judged, further_pairs, lambda share: tick(int((2.5 + share / 2) * len(texts)), 3 * len(texts)), by_words=False
    )
    tick(3 * len(texts), 3 * len(texts))
    return judged


def _is_small(nodes: Sequence[Node]) -> bool:
    """Whether all pairs can be scored in a fraction of a second: few rows, and not too long ones."""
    if len(nodes) >= EXHAUSTIVE_BELOW:
        return False
    return len(nodes) * sum(min(len(node.text), SCORED_HEAD + SCORED_TAIL) for node in nodes) <= EXHAUSTIVE_COST


def _all_pairs(judged: Judged) -> Pairs:
    """Every pair of nodes with a plain score of 75 and more, in blocks. Pairs that other word orders make alike have
    equal signatures.
    """
    forms = [judged.form(node) for node in range(len(judged.nodes))]
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
        found.append(np.stack((left + first, right + first), axis=1))
    return np.concatenate(found)


def _unsettled(pairs: Pairs, settled: set[tuple[int, int]]) -> Pairs:
    """`pairs` without those that were judged the same already."""
    fresh = [at for at, pair in enumerate(pairs.tolist()) if (pair[0], pair[1]) not in settled]
    return pairs[fresh]


def _judge(judged: Judged, pairs: Pairs, tick: Callable[[float], None], *, by_words: bool) -> None:
    """Score `pairs` and judge those that are alike enough.

    Verdicts go to `judged.same`; what is very alike and not the same goes to `judged.siblings`. `by_words`: a pair that
    is not alike as it stands is scored by its sorted words too. Without it only the closest pairs are judged, four a
    row and 40,000 in all: one template can make a whole set alike.
    """
    scores = np.zeros(len(pairs))
    for first in range(0, len(pairs), 20_000):
        tick(first / (len(pairs) + 1))
        part = slice(first, first + 20_000)
        left = [judged.form(node) for node in pairs[part, 0].tolist()]
        right = [judged.form(node) for node in pairs[part, 1].tolist()]
        scores[part] = cpdist(left, right, scorer=fuzz.ratio, score_cutoff=LEAST_SCORE, workers=WORKERS)
        low = np.flatnonzero(scores[part] < LEAST_SCORE) if by_words else np.zeros(0, np.int64)
        if len(low):
            ordered = [[sorted_form(side[at]) for at in low] for side in (left, right)]
            scores[first + low] = cpdist(*ordered, scorer=fuzz.ratio, score_cutoff=LEAST_SCORE, workers=WORKERS)
    alike = np.flatnonzero(scores >= LEAST_SCORE)
    most = MOST_JUDGED_PER_ROW * len(judged.nodes)
    if not by_words and len(alike) > most:
        alike = np.sort(alike[np.argsort(-scores[alike], kind="stable")[:most]])
    for done, at in enumerate(alike.tolist()):
        if done % 500 == 0:
            tick(done / len(alike))
        one, other = int(pairs[at, 0]), int(pairs[at, 1])
        judgement = judged.verdict(one, other)
        edge = Edge(one, other, float(scores[at]), judgement)
        if judgement.same:
            judged.same.append(edge)
        elif edge.score >= FAMILY_SCORE and judgement.rule in FAMILY_RULES:
            judged.siblings.append(edge)


def _star(judged: Judged, group: list[int]) -> Pairs:
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
        first = firsts.setdefault((judged.nodes[node].persona, shape), node)
        if first != node:
            found.append((first, node))
    heads = list(firsts.values())
    for step in (1, 2, 3):
        found += zip(heads, heads[step:], strict=False)
    found += [(heads[0], head) for head in heads[1:]]
    return distinct(np.array(found, np.int64).reshape(-1, 2)) if found else no_pairs()


def _body(text: str) -> str:
    return text.strip().partition("\n")[2].strip()


def _fields_alike(one: str, other: str) -> bool:
    """The field rule: two tasks on one long text are alike as a whole; each part must be by itself."""
    for mine, theirs in zip(_parts(one), _parts(other), strict=True):
        left, right = score_form(mine), score_form(theirs)
        if left == right or fuzz.ratio(left, right) >= LEAST_FIELD_SCORE:
            continue
        if fuzz.ratio(sorted_form(left), sorted_form(right)) < LEAST_FIELD_SCORE:
            return False
    return True


def _parts(text: str) -> tuple[str, str]:
    head, _, body = text.strip().partition("\n")
    return head, body


def without_pointer(text: str) -> str | None:
    """`text` without the phrase at the end of its first line that only points at the lines below; None where there is
    none.
    """
    head, _, body = text.strip().partition("\n")
    if not body or len(head) > 300:
        return None
    bare, found = _POINTER.subn("", head)
    return f"{bare}\n{body}" if found else None
