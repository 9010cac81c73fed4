"""Whether two short answers say the same: what is left after spelling, order, slips and what repeats the request."""

from __future__ import annotations

import re

from engine.scan.answers.facts import ADDRESS, choice_of
from engine.scan.code import is_query, tight
from engine.scan.requests.guard import turned_around
from engine.scan.requests.key import Key
from engine.scan.requests.key_parser import NEGATION
from engine.scan.requests.lexicon import is_typo
from engine.scan.text import word_set

_LISTED = re.compile(r"[^\W\d_]{1,40}(?:, |,? (?:and|or|und|oder|et|ou|y|o) |[、，;；] ?)[^\W\d_]", re.IGNORECASE)
# Where the order is what was asked for.
_ORDERED = word_set("sort order rank arrang rearrang revers ascend descend sequenc step chronologic chronological")
_FILLER = frozenset("的是在为了于位叫做等")
_RESULT = re.compile(r"(?<![=<>!+*/-])= ?([^=]{1,40})\Z")


def agree(one: str, other: str, left: Key, right: Key, request: Key | None) -> bool:
    """Whether two answers of less than 120 characters say the same; `left` and `right` are what they hold."""
    asked = request.text if request is not None else ""
    labels = choice_of(one, asked), choice_of(other, asked)
    if labels[0] and labels[1]:
        return labels[0] == labels[1]
    if set(ADDRESS.findall(one)) != set(ADDRESS.findall(other)):
        return False
    if left.symbols and right.symbols and left.symbols != right.symbols:
        return False
    if _program_differs(one, other, left, right):
        return False
    if left.bag[NEGATION] != right.bag[NEGATION] or not _signs_agree(one, other, left, right, request):
        return False
    if told_numbers(left, right, request) != told_numbers(right, left, request):
        return False
    if not _in_like_order(one, other, left, right, request):
        return False
    return _words_agree(left, right, request) and not _names_more(one, other, left, right, request)


def _program_differs(one: str, other: str, left: Key, right: Key) -> bool:
    """Whether both are pieces of programs and not the same one, or hold a name in two ways."""
    if is_query(one) and is_query(other):
        return tight(one).lower().split() != tight(other).lower().split()
    if left.pieces and right.pieces and left.pieces != right.pieces:
        return True
    return any(
        (mine := left.written(name)) != (theirs := right.written(name)) and mine and theirs
        for name in left.names | right.names
    )


def _signs_agree(one: str, other: str, left: Key, right: Key, request: Key | None) -> bool:
    """Whether both hold the same signs, or one writes the sum that was asked for in front of its result."""
    if left.signs == right.signs:
        return True
    if request is None or not request.signs:
        return False
    ends = [
        found.group(1).strip() if (found := _RESULT.search(text.strip())) else text.strip() for text in (one, other)
    ]
    return ends[0].strip(" .") == ends[1].strip(" .")


def _in_like_order(one: str, other: str, left: Key, right: Key, request: Key | None) -> bool:
    """Whether order says nothing, or is the same: in a sentence ("A beats B"), and where an order was asked for."""
    if left.bag != right.bag or sorted(left.numbers) != sorted(right.numbers):
        return True
    asked = request is not None and (request.task == "arrange" or not _ORDERED.isdisjoint(request.bag))
    if asked and left.sequence != right.sequence:
        return False
    listed = "," in one or "," in other or "、" in one or "\n" in one
    return listed or not turned_around(left, right)


def _words_agree(left: Key, right: Key, request: Key | None) -> bool:
    """Whether one holds all words of the other, but for slips and what only says the request again."""
    if left.spaceless != right.spaceless:
        return _spaceless_agree(left, right, request)
    mine, theirs = left.bag - right.bag, right.bag - left.bag
    for word in list(mine):
        twin = next((other for other in theirs if is_typo(word, other)), None)
        if twin is not None:
            del mine[word], theirs[twin]
    if mine and theirs and request is not None and (left.bag & right.bag) - request.bag:
        # What both say beside the words of the question is the same.
        asked = {word for word in request.bag if not request.is_name(word)}
        if asked.issuperset(mine) and asked.issuperset(theirs):
            return True
    if mine and theirs:
        return False
    if not mine and not theirs:
        return bool(left.size or left.numbers or left.spaceless)
    if any(len(word) == 1 for word in mine | theirs):
        # Option B is not the option.
        return False
    # Contained: "Paris" in "The capital is Paris". A single shared word of many is not enough to be the same answer.
    smaller = left if theirs else right
    return smaller.size > 0 or bool(smaller.numbers)


def _spaceless_agree(left: Key, right: Key, request: Key | None) -> bool:
    """Whether the longer of two Chinese or Japanese answers is the shorter in words of the request."""
    if left.bag != right.bag or request is None:
        return False
    shorter, longer = sorted(("".join(left.spaceless), "".join(right.spaceless)), key=len)
    if not shorter:
        return False
    before, found, after = longer.partition(shorter)
    return bool(found) and set(before + after) <= _FILLER | set(request.spaceless)


def told_numbers(answer: Key, other: Key, request: Key | None) -> list[str]:
    """The numbers of an answer, but for those that only it says again from the request: "0.5 is 1/2" for "1/2", or
    "the 5 organs are ..." where it asked for 5 organs. A number that is all there is ("room 4") is the answer.
    """
    if request is None or not set(request.numbers).isdisjoint(other.numbers):
        return sorted(answer.numbers)
    rest = sorted(number for number in answer.numbers if number not in request.numbers)
    if rest:
        return rest
    again = {value for value, noun in answer.counted & request.counted if noun}
    return sorted(number for number in answer.numbers if number not in again)


def _names_more(one: str, other: str, left: Key, right: Key, request: Key | None) -> bool:
    """Whether the longer answer lists things that the shorter lacks ("red" against "red and blue"), and does not only
    say the request again.
    """
    extra = (left.bag - right.bag) | (right.bag - left.bag)
    if request is not None:
        extra -= request.bag
    if not extra:
        return False
    listed = sorted((one, other), key=len)
    return _LISTED.search(listed[1]) is not None and _LISTED.search(listed[0]) is None
