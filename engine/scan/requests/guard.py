"""The key-difference guard: similarity proposes, this decides.

At a similarity of 80 only one pair in ten of real instruction data asks for the same thing; what the others differ in
is a number, an operator, a negation, the task, a direction or a content word. The guard looks at exactly that
difference.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sized
from dataclasses import dataclass

from engine.scan.requests.key import Key
from engine.scan.requests.key_parser import NEGATION
from engine.scan.requests.lexicon import (
    NEGATIONS,
    TASK_CLASSES,
    differs_at_the_end,
    is_function_word_typo,
    is_typo,
    stem,
)
from engine.scan.requests.marks import marks_differ

RARE = 2
"""A word in at most this many rows may be a mistyping of another; a commoner one must be 100 times rarer than the
other.
"""
TRUSTED_ROWS = 5
"""A word in this many rows is known to be a word; a slip between two rarer words is only believed where the answers
agree.
"""
LONG_BAG, LONG_DELETED, LONG_SUBSTITUTED, LONG_SHARE = 12, 20, 40, 0.06
SHORT_LINE = 12
MOST_LEFTOVERS = 60
LONGEST_PART = 6
"""Words of each of two parts that changed places. They are as long as each other: "the most common word in English" and
"which English word is the most common" ask the same."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether two requests are the same one. `rule` names what decided: "same", or what they differ in.

    `weak`: only believed where the answers agree as well. `words` are the stems left over on either side. `whole`: both
    hold the same words in as many clauses, so that they may be little alike as texts.
    """

    same: bool
    rule: str
    weak: bool = False
    words: tuple[str, ...] = ()
    whole: bool = False


SAME = Judgement(True, "same")


class AskedCounts(Mapping[str, int]):
    """Counts that remember what they were asked (see `is_so`) and the answers: all that a verdict depends on beside the
    two texts.
    """

    def __init__(self, rows_with: Mapping[str, int]) -> None:
        self._rows_with = rows_with
        self.answers: dict[str, bool] = {}

    def __getitem__(self, stem: str) -> int:
        return self._rows_with[stem]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows_with)

    def __len__(self) -> int:
        return len(self._rows_with)


def is_so(rows_with: Mapping[str, int], question: str, *words: str) -> bool:
    """Ask how common one or two words are: "rare", "rare for its set" (one), "rarer" (one much rarer than the other),
    "trusted" (the commoner one known to be a word). Words that were not counted stand in one row.
    """
    counts = sorted(rows_with.get(word, 1) for word in words)
    if question == "rarer":
        answer = counts[0] <= max(RARE, counts[-1] // 100)
    elif question == "trusted":
        answer = counts[-1] >= TRUSTED_ROWS
    else:
        answer = counts[0] <= (RARE if question == "rare" else rare_function_typo(rows_with))
    if isinstance(rows_with, AskedCounts):
        rows_with.answers["\n".join((question, *words))] = answer
    return answer


def still_holds(answers: Mapping[str, bool], rows_with: Mapping[str, int]) -> bool:
    """Whether `rows_with` answers all that was asked as it was answered then."""
    return all(is_so(rows_with, *asked.split("\n")) == answer for asked, answer in answers.items())


def judge(one: Key, other: Key, rows_with: Mapping[str, int]) -> Judgement:
    """Judge two requests; `rows_with[stem]` is the number of rows that hold the stem. Symmetric in its first two
    arguments.
    """
    if one.is_generic or other.is_generic:
        return Judgement(False, "generic")
    if one.beyond != other.beyond:
        return Judgement(False, "content")
    lost = False
    if one.numbers != other.numbers and (sorted(one.numbers) != sorted(other.numbers) or one.counted != other.counted):
        if not _lost_a_number(one, other):
            return Judgement(False, "number", words=_apart(one.numbers, other.numbers))
        lost = True
    elif one.numbers != other.numbers and any(noun == "" for _, noun in one.counted):
        # "3 cats and 2 dogs" may turn round, 12 % of 50 may not.
        return Judgement(False, "direction", words=one.numbers)
    if one.signs != other.signs and not lost:
        return Judgement(False, "operator", words=_apart(one.signs, other.signs))
    if one.symbols != other.symbols or marks_differ(one.marks, other.marks):
        return Judgement(False, "operator", words=_apart(one.symbols + one.marks, other.symbols + other.marks))
    if differ_to_the_letter(one, other):
        return Judgement(False, "content", words=_apart(one.pieces, other.pieces))
    if one.task and other.task and one.task != other.task:
        return Judgement(False, "verb", words=(one.task, other.task))
    if (one.task == "create" and not other.task and other.asks_what) or (
        other.task == "create" and not one.task and one.asks_what
    ):
        return Judgement(False, "verb", words=(one.task or other.task,))
    if _one_or_many(one, other) or _one_or_many(other, one):
        return Judgement(False, "number", words=(one.single or other.single,))
    if one.questions != other.questions:
        return Judgement(False, "question", words=tuple(sorted(one.questions ^ other.questions)))
    if one.spaceless != other.spaceless:
        return Judgement(False, "content")
    judgement = _judge_words(one, other, rows_with)
    if judgement.same and turned_around(one, other):
        return Judgement(False, "direction")
    if judgement.same and lost:
        return Judgement(True, "same", weak=True, words=judgement.words + _apart(one.numbers, other.numbers))
    if judgement is SAME and one.joined == other.joined:
        return Judgement(True, "same", whole=True)
    return judgement


def differ_to_the_letter(one: Key, other: Key) -> bool:
    """Whether two texts hold other pieces of programs, or write a name in two ways: `book` is no `BOOKINGS`."""
    if one.pieces != other.pieces:
        return True
    return any(one.written(name) != other.written(name) for name in one.names | other.names)


def _one_or_many(one: Key, other: Key) -> bool:
    """Whether one wants a single thing ("name a planet") of which the other wants several ("name the planets")."""
    if "explain" in (one.task, other.task) or not (one.task or other.task):
        # "Explain how a network learns" is "explain how networks learn".
        return False
    return bool(one.single) and one.single in other.plurals and one.single not in one.plurals


def _lost_a_number(one: Key, other: Key) -> bool:
    """Whether two long texts are the same but that one lacks a single number: a slip, where the answers agree too."""
    if one.code or other.code or min(one.size, other.size) < LONG_DELETED or one.signs != other.signs:
        return False
    left, right = Counter(one.numbers) - Counter(other.numbers), Counter(other.numbers) - Counter(one.numbers)
    return left.total() + right.total() == 1 and one.bag == other.bag


def _judge_words(one: Key, other: Key, rows_with: Mapping[str, int]) -> Judgement:
    # Counters compare in Python, word by word; most pairs hold the same words.
    equal = dict.__eq__(one.bag, other.bag)
    left, right = (Counter[str](), Counter[str]()) if equal else (one.bag - other.bag, other.bag - one.bag)
    if not left and not right:
        if (one.code or other.code) and sorted(one.surfaces) != sorted(other.surfaces):
            # `total` and `totals` are two names.
            return Judgement(False, "content", words=_apart(one.surfaces, other.surfaces))
        if "sql" in one.bag and sorted(one.surfaces) != sorted(other.surfaces):
            # So may "user" and "users" be where a database is asked.
            return Judgement(True, "same", weak=True, words=_apart(one.surfaces, other.surfaces))
        return SAME
    words = tuple(sorted(left | right))
    if one.code or other.code:
        # One identifier more or less is another program.
        return Judgement(False, "content", words=words)
    if sum(left.values()) + sum(right.values()) > MOST_LEFTOVERS:
        return Judgement(False, "content")
    weak = _cancel_mistyped_negation(left, right, rows_with) or _cancel_mistyped_negation(right, left, rows_with)
    if NEGATION in left or NEGATION in right:
        return Judgement(False, "negation", words=words)
    _cancel_moved_task(one, other, right)
    _cancel_moved_task(other, one, left)
    weak = _cancel_typos(one, other, left, right, rows_with) or weak
    mistyped = [
        [word for word in rest if is_so(rows_with, "rare for its set", word) and _is_mistyped_function_word(key, word)]
        for key, rest in ((one, left), (other, right))
    ]
    # A slip of a word that says nothing stands on one side; on both, city and lake are no slips of cite and like.
    if not (mistyped[0] and mistyped[1]):
        for words_there, rest in zip(mistyped, (left, right), strict=True):
            for word in words_there:
                del rest[word]
                weak = True
    if not left and not right:
        return Judgement(True, "same", weak=weak, words=words)
    if left and right and _joined(one, left) == _joined(other, right):
        return Judgement(True, "same", weak=weak, words=words)
    if _is_small_edit(one, other, left, right):
        return Judgement(True, "same", weak=True, words=words)
    return Judgement(False, "content", words=tuple(sorted(left | right)))


def _cancel_mistyped_negation(left: Counter[str], right: Counter[str], rows_with: Mapping[str, int]) -> bool:
    """Take out "without" here and "witohut" there."""
    if left[NEGATION] != 1 or NEGATION in right:
        return False
    meant = next(
        (
            word
            for word in right
            if is_so(rows_with, "rare", word) and any(is_typo(word, known) for known in NEGATIONS if len(known) >= 6)
        ),
        None,
    )
    if meant is None:
        return False
    del left[NEGATION], right[meant]
    return True


def rare_function_typo(stems: Sized) -> int:
    """In how many rows a mistyped function word may stand: those words are everywhere, so are their mistypings in a
    large set.
    """
    return max(RARE, len(stems) // 3000)


def _is_mistyped_function_word(key: Key, word: str) -> bool:
    return is_function_word_typo(word) or is_function_word_typo(key.surface(word))


def _cancel_moved_task(one: Key, other: Key, rest: Counter[str]) -> None:
    """`other` has no task where one would stand, but the same verb elsewhere: "creative uses for a paperclip. Provide
    five".
    """
    if one.task and not other.task:
        moved = next((word for word in rest if TASK_CLASSES.get(other.surface(word)) == one.task), None)
        if moved is not None:
            del rest[moved]


def _cancel_typos(one: Key, other: Key, left: Counter[str], right: Counter[str], rows_with: Mapping[str, int]) -> bool:
    """Take mistyped pairs out of both sides; True where one of them is only a guess."""
    weak = False
    for word in list(left):
        for twin in list(right):
            if not (is_typo(word, twin) or is_typo(one.surface(word), other.surface(twin))):
                continue
            if not is_so(rows_with, "rarer", word, twin):
                continue
            weak = (
                weak
                or not is_so(rows_with, "trusted", word, twin)
                or differs_at_the_end(one.surface(word), other.surface(twin))
            )
            # Joan is no slip of John.
            weak = weak or (one.is_name(word) and other.is_name(twin))
            paired = min(left[word], right[twin])
            left[word] -= paired
            right[twin] -= paired
            if not right[twin]:
                del right[twin]
            if not left[word]:
                del left[word]
                break
    return weak


def _joined(key: Key, rest: Counter[str]) -> str:
    """The left-over words as written, run together: `health care` is `healthcare`."""
    return stem("".join(surface for word, surface in zip(key.sequence, key.surfaces, strict=True) if word in rest))


def _is_small_edit(one: Key, other: Key, left: Counter[str], right: Counter[str]) -> bool:
    """Whether two long texts differ in 6 % of their words at most, none of them in a short first or last line (there
    stands the task).
    """
    least = LONG_SUBSTITUTED if left and right else LONG_BAG
    if min(one.size, other.size) < least:
        return False
    if (sum(left.values()) + sum(right.values())) / (one.size + other.size) > LONG_SHARE:
        return False
    rest = left | right
    if sum(rest.values()) == 1 and min(one.size, other.size) >= LONG_DELETED:
        # One word less in a long text; a word for another, or two, may be another task.
        return True
    for mine, theirs in ((one.head, other.head), (one.tail, other.tail)):
        short = 0 < min(mine.total(), theirs.total()) < SHORT_LINE
        if short and any(word in rest for word in (mine - theirs) | (theirs - mine)):
            return False
    return True


def turned_around(one: Key, other: Key) -> bool:
    """Whether the same words stand in an order that changes who does what to whom."""
    if _other_way(one, other):
        return True
    if one.sequence == other.sequence or one.bag != other.bag:
        return False
    if one.code or other.code or one.one_way:
        return True
    if one.directions != other.directions and one.directions and other.directions:
        return True
    return _changed_places(one.sequence, other.sequence)


def _changed_places(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether two parts changed places around a third: "the dog chases the cat". Neighbours ("aerobic and anaerobic",
    a sentence turned round at a comma) may.
    """
    if len(one) != len(other) or f" {' '.join(other)} " in f" {' '.join(one + one)} ":
        return False
    moved = [position for position, pair in enumerate(zip(one, other, strict=True)) if pair[0] != pair[1]]
    mine, theirs = one[moved[0] : moved[-1] + 1], other[moved[0] : moved[-1] + 1]
    size = len(mine)
    for length in range(1, min((size - 1) // 2, LONGEST_PART) + 1):
        first, last = mine[:length], mine[size - length :]
        if first == theirs[size - length :] and last == theirs[:length]:
            return mine[length : size - length] == theirs[length : size - length]
    return False


def _other_way(one: Key, other: Key) -> bool:
    """Whether something is a start here and an end there: from Paris, to Paris."""
    for target in {word for _, word in one.directions}:
        mine, theirs = ({way for way, word in key.directions if word == target} for key in (one, other))
        if theirs and mine.isdisjoint(theirs):
            return True
    return False


def _apart(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    left, right = Counter(one), Counter(other)
    return tuple(sorted(((left - right) | (right - left)).keys()))
