"""Nodes judged in pairs, turn by turn: the guard, the field rule, and what only points at a field."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from rapidfuzz import fuzz

from engine.scan.cache import ScanCache
from engine.scan.requests.guard import AskedCounts, Judgement, judge, still_holds
from engine.scan.requests.key import Key, key_of
from engine.scan.requests.normalize import without_frame, without_thanks
from engine.scan.requests.requests import Node
from engine.scan.text import exact_form, score_form, sorted_form, words_form

LEAST_SCORE = 75.0
"""Requests less alike than this are not looked at (better of plain and word-sorted ratio), but for those with equal
words.
"""
LEAST_SCORE_OF_EQUAL_WORDS = 45.0
"""Requests of which nothing is left over ("What is an API?", "Explain what an API is.") may be less alike as texts."""
FAMILY_SCORE = 90.0
"""Requests this alike that are not the same are shown as a family."""
LEAST_FIELD_SCORE = 80.0
"""Where both requests have a first line and more below it, each of the two parts must be this alike."""

_THINGS = (
    *("type", "item", "thing", "term", "word", "concept", "topic", "subject", "phrase", "statement", "text"),
    *("passage", "expression", "option", "choice", "object", "case"),
)
_PLACES = ("given", "provided", "below", "above")
_POINTER = re.compile(
    r"[ \t]{1,3}(?:the|this|these|those)[ \t]{1,3}(?:(?:following|given|provided|above|below)[ \t]{1,3})?"
    rf"(?:(?:two|three|four|five|\d)[ \t]{{1,3}})?(?:{'|'.join(_THINGS)})s?"
    rf"(?:[ \t]{{1,3}}(?:{'|'.join(_PLACES)}))?[ \t]{{0,3}}[.:?]?[ \t]*$",
    re.IGNORECASE,
)
# How a line ends that the pattern may match: it is asked of every second row.
_LAST_WORDS = (*_PLACES, *_THINGS, *(f"{thing}s" for thing in _THINGS))


@dataclass(frozen=True, slots=True)
class Edge:
    """Two nodes (the smaller number first) that were judged: the similarity of their texts (0-100) and the verdict."""

    left: int
    right: int
    score: float
    judgement: Judgement

    def to_json(self) -> list[Any]:
        """For another process."""
        found = self.judgement
        return [self.left, self.right, self.score, found.same, found.rule, found.weak, found.words, found.whole]

    @staticmethod
    def from_json(sent: list[Any]) -> Edge:
        left, right, score, same, rule, weak, words, whole = sent
        return Edge(left, right, score, Judgement(same, rule, weak, tuple(words), whole))


def is_believed(score: float, judgement: Judgement) -> bool:
    """Whether two requests that the guard calls the same are alike enough as texts, too."""
    if not judgement.same:
        return False
    return score >= LEAST_SCORE or (score >= LEAST_SCORE_OF_EQUAL_WORDS and judgement.whole)


@dataclass(slots=True)
class JudgedPairs:
    """What `judge_pairs` found, and the means to judge further pairs of the same nodes. `odd_words[node]` counts words
    found in no other node; it is empty before the words were counted. `both`: a second process may do half of the work.
    """

    nodes: Sequence[Node]
    rows_with: dict[str, int]
    same: list[Edge] = field(default_factory=list)
    siblings: list[Edge] = field(default_factory=list)
    odd_words: Sequence[int] = ()
    judged: int = 0
    both: bool = False
    cache: ScanCache | None = None
    used_pairs: dict[str, dict[str, Any]] = field(default_factory=dict)
    _keys: dict[str, Key] = field(default_factory=dict)
    _forms: dict[int, str] = field(default_factory=dict)
    _names: dict[int, str] = field(default_factory=dict)

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

    def is_letter_for_letter(self, left: int, right: int) -> bool:
        """Whether two nodes that ask the same hold the same words, and nothing whose case or spaces say something."""
        if left == right:
            return True
        one, other = self.nodes[left], self.nodes[right]
        if self.form(left) != self.form(right) or words_form(one.text) != words_form(other.text):
            return False
        return not any(self.key(turn).is_to_the_letter for turn in (*one.turns, *other.turns))

    def score(self, left: int, right: int) -> float:
        """How alike two nodes are, 0-100: the better of plain and word-sorted ratio."""
        one, other = self.form(left), self.form(right)
        return max(fuzz.ratio(one, other), fuzz.ratio(sorted_form(one), sorted_form(other)))

    def verdict(self, left: int, right: int) -> Judgement:
        """Whether two nodes ask the same, turn by turn. Symmetric."""
        if self.cache is None:
            return self._judged_now(left, right, self.rows_with)
        return _judgement(self.record(left, right))

    def record(self, left: int, right: int) -> dict[str, Any]:
        """The verdict on two nodes as JSON, with all that it depends on beside the two texts where there is a cache."""
        if self.cache is None:
            return _record(self._judged_now(left, right, self.rows_with), {})
        name = self._pair_name(left, right)
        kept = self.cache.pairs.get(name) or self.used_pairs.get(name)
        if kept is None or not still_holds(kept["asked"], self.rows_with):
            asked = AskedCounts(self.rows_with)
            kept = _record(self._judged_now(left, right, asked), asked.answers)
        self.used_pairs[name] = kept
        return kept

    def take_in(self, pair: tuple[int, int], record: dict[str, Any]) -> Judgement:
        """The verdict on a pair that another process judged."""
        self.judged += 1
        if self.cache is not None:
            self.used_pairs[self._pair_name(*pair)] = record
        return _judgement(record)

    def _pair_name(self, left: int, right: int) -> str:
        return " ".join(sorted((self._name(left), self._name(right))))

    def _name(self, number: int) -> str:
        """A node by its content, for the cache."""
        name = self._names.get(number)
        if name is None:
            node = self.nodes[number]
            content = json.dumps([node.system_prompt, node.frame, *node.turns])
            name = self._names[number] = blake2b(content.encode("ascii"), digest_size=12).hexdigest()
        return name

    def _judged_now(self, left: int, right: int, rows_with: Mapping[str, int]) -> Judgement:
        judgement = self._words_judged(left, right, rows_with)
        one, other = self.nodes[left], self.nodes[right]
        if judgement.same and (one.context or other.context) and one.frame != other.frame:
            # The same words about another picture, with other tools, after other results.
            return Judgement(False, "context")
        return judgement

    def _words_judged(self, left: int, right: int, rows_with: Mapping[str, int]) -> Judgement:
        self.judged += 1
        one, other = self.nodes[left], self.nodes[right]
        if one.system_prompt != other.system_prompt:
            return Judgement(False, "system prompt")
        if len(one.turns) != len(other.turns):
            return Judgement(False, "turns")
        if len(one.turns) == 1:
            judgement = self._turn_verdict(one.turns[0], other.turns[0], rows_with)
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
            judgement = self._turn_verdict(mine, theirs, rows_with)
            if not judgement.same:
                return judgement
            asked, weak, words = True, weak or judgement.weak, words + judgement.words
        return Judgement(True, "same", weak, words) if asked else Judgement(False, "generic")

    def _turn_verdict(self, one: str, other: str, rows_with: Mapping[str, int]) -> Judgement:
        left, right = self.key(one), self.key(other)
        judgement = judge(left, right, rows_with)
        inside, outside = _body(one), _body(other)
        if not judgement.same and bool(inside) != bool(outside):
            # One names its object in a field below ("the two types"), the other in the sentence: the pointer says
            # nothing.
            bare = without_pointer(one if inside else other)
            if bare is not None:
                judgement = judge(self.key(bare), right if inside else left, rows_with)
        if judgement.same and inside and outside and not _fields_alike(one, other):
            # Other words for one task ("the following paragraph", "this paragraph:") are still one task.
            heads = (self.key(_parts(one)[0]), self.key(_parts(other)[0]))
            if not (judge(*heads, rows_with).same and _alike(inside, outside)):
                return Judgement(False, "field")
        return judgement

    def is_generic(self, node: int) -> bool:
        """Whether nothing in the node could be compared ("hi", "go on", "?")."""
        return all(self.key(turn).is_generic for turn in self.nodes[node].turns)


def _record(judgement: Judgement, asked: dict[str, bool]) -> dict[str, Any]:
    return {
        "same": judgement.same,
        "rule": judgement.rule,
        "weak": judgement.weak,
        "words": list(judgement.words),
        "whole": judgement.whole,
        "asked": asked,
    }


def _judgement(record: dict[str, Any]) -> Judgement:
    return Judgement(record["same"], record["rule"], record["weak"], tuple(record["words"]), record["whole"])


def _body(text: str) -> str:
    return text.strip().partition("\n")[2].strip()


def _fields_alike(one: str, other: str) -> bool:
    """The field rule: two tasks on one long text are alike as a whole; each part must be by itself."""
    return all(_alike(mine, theirs) for mine, theirs in zip(_parts(one), _parts(other), strict=True))


def _alike(one: str, other: str) -> bool:
    left, right = score_form(without_thanks(one)), score_form(without_thanks(other))
    if left == right or fuzz.ratio(left, right) >= LEAST_FIELD_SCORE:
        return True
    return fuzz.ratio(sorted_form(left), sorted_form(right)) >= LEAST_FIELD_SCORE


def _parts(text: str) -> tuple[str, str]:
    head, _, body = text.strip().partition("\n")
    return head, body


def other_reading(text: str) -> str | None:
    """`text` without words that only point at what is asked ("the concept of", "the two types" before a field): what it
    is filed under beside its own words. None where there are none.
    """
    shorter = without_pointer(text) if "\n" in text else None
    if "concept" in text or "notion" in text or "term" in text:
        framed = without_frame(text if shorter is None else shorter)
        return framed if framed != (text if shorter is None else shorter) else shorter
    return shorter


def without_pointer(text: str) -> str | None:
    """`text` without the phrase at the end of its first line that only points at the lines below; None where there is
    none.
    """
    head, _, body = text.strip().partition("\n")
    if not body or len(head) > 300 or not head.rstrip(" \t.:?")[-12:].lower().endswith(_LAST_WORDS):
        return None
    bare, found = _POINTER.subn("", head)
    return f"{bare}\n{body}" if found else None
