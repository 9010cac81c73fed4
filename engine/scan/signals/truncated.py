"""Answers that stop before their end: open JSON, an open code fence, a sentence or a word cut off.

The rules for prose are those measured in docs/architecture.md (quality signals); each looks at the end of the answer
only. A set whose answers never end on a mark is not judged by marks.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from engine.model import Example, Span
from engine.scan.code import looks_like_code
from engine.scan.jsontext import as_json, stops_half_way
from engine.scan.signals.reading import Reading
from engine.scan.signals.signal import Found, Signal, has_calls, last_turn
from engine.scan.text import shorten, word_set

_TAIL = 2000
_INVISIBLE = " \t\r\n\u200b\u200e\u200f\ufeff\xa0"
_SURVEYED = 10_000
_END_MARKS = tuple(".!?。！？…\"'”’)]}>`*:;|»」』）-_~/\\%$#&^+=")
_SIGN_OFF = re.compile(
    r"sincerely|regards|yours|truly|best|love|cheers|thanks|thank you|respectfully|cordially|faithfully|wishes|warmly",
    re.IGNORECASE,
)
_NO_PROSE_END = re.compile(
    r"https?:|www\.|\||___|\.\w{2,4}/?$|[#@] ?\w{1,40}$|[\"”] ?[-–—] ?[^.\"”]{2,40}$|-->?[^.]{1,40}$"
)
_LIST_ITEM = re.compile(r"[ \t]{0,8}(?:[-*•–]|\(?\d{1,3}[.):]|\(?[A-Za-z][.)])[ \t]{1,8}\S")
_CHOICE = re.compile(r"[A-Ea-e][.)]")
_SENTENCE_END = re.compile(r"(?<=[.!?。！？])[\"'”’)]{0,2}\s+")
_OPEN_ENDED = word_set(
    """
    the a an and or of to in on for with by from that which is are was were be has have had as at into their its
    his her our your my this these those but because such while when where if than can will would should could
    may it they we who also not between including through about more most some any each every other
    """
)
_INFLECTIONS = frozenset(
    ("s", "es", "d", "ed", "r", "er", "ers", "ing", "ly", "y", "al", "n", "e", "ian", "ure", "et", "ity", "or", "ors")
)
# These end nothing, however short the line.
_NEVER_LAST = word_set(
    "the a an of and or with from by their its his our your my which because if than is are were the's"
)
_SHORTENED = re.compile(r"(?:I|[Hh]e|[Ss]he|[Tt]hey|[Ww]e|[Yy]ou|[Ii]t|[Tt]hat)['’](?:d|ll|ve|m|re)")
# What a sentence begins with, and a name or a greeting does not.
_BEGINS = word_set(
    """
    The This These Those That Their Its It They He She We You His Her Our Your A An In On At To For When If While As
    With From By After Before Additionally However Furthermore Moreover Also There What How Each Some Many
    """
)
_JOINING = word_set(
    "the a an of to and in is are was for that it with on as by this be or from at which have has "
    "can will i you he she they"
)
_BARE_ITEM = re.compile(r"[ \t]{0,8}(?:\(?\d{1,3}[.)]?|[-*•–])[ \t]{0,8}")
FEWEST_SEEN, SELDOM_LAST = 12, 0.04
"""A word seen this often, and in at most this share of cases at the end of a sentence, hardly ends an answer."""
ALONE = 15
"""Words of a sentence that stands alone, from which the lack of an end mark says something."""
MARKED = 0.6
"""Share of prose answers with an end mark from which the lack of one says something."""
_WORD = re.compile(r"[^\W\d_]{2,40}")


@dataclass(frozen=True, slots=True)
class Endings:
    """How this set's answers end: the share of prose answers with an end mark, how many rows hold each word, for each
    beginning of a word the commonest word that begins so, and for each common word how often it ends a sentence.
    """

    marked: float
    words: Counter[str]
    beginnings: dict[str, str]
    last: dict[str, float]


def survey(examples: Sequence[Example]) -> Endings:
    """Look at up to 10,000 rows, evenly spread."""
    step = max(1, -(-len(examples) // _SURVEYED))
    marked = prose = 0
    words: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    final: Counter[str] = Counter()
    for example in examples[::step]:
        answer = example.answer.rstrip()
        tail = answer[-400:]
        tokens = answer[-1500:].lower().split()
        seen.update(set(tokens))
        final.update({token for token in tokens if token[-1] in ".!?"})
        if tokens:
            final[tokens[-1]] += tokens[-1][-1] not in ".!?"
        words.update(set(_WORD.findall(tail.lower())))
        if len(tail.split()) >= 8:
            prose += 1
            marked += tail.endswith(_END_MARKS)
        # Prompts name the things answers speak of.
        words.update(set(_WORD.findall(example.prompt[:400].lower())))
    beginnings: dict[str, str] = {}
    for word, count in sorted(words.items(), key=lambda item: (item[1], item[0])):
        if count >= 3:
            for cut in range(2, len(word)):
                beginnings[word[:cut]] = word
    ends: Counter[str] = Counter()
    for token, count in final.items():
        ends[token.strip("\"'”’)*_.!?")] += count
    last: dict[str, float] = {}
    for token, count in seen.items():
        if token.replace("'", "").isalpha() and count >= FEWEST_SEEN:
            last[token] = ends[token] / (count + ends[token])
    return Endings(marked / prose if prose else 0.0, words, beginnings, last)


def _truncated(example: Reading, endings: Endings) -> Found | None:
    whole = example.answer
    answer = whole.rstrip(_INVISIBLE)
    if not answer or has_calls(example):
        return None
    reason = _structure(answer) or _prose(answer, endings)
    if reason is None:
        return None
    return Found(reason, Span(last_turn(example), max(0, len(answer) - 30), len(answer)))


def _structure(answer: str) -> str | None:
    """What is left open in the answer as a whole."""
    if answer.count("```") % 2:
        return "a code fence is opened and never closed"
    if answer[0] in "{[`" and stops_half_way(answer) and as_json(answer) is None:
        return f'the JSON stops half way: "…{shorten(answer[-30:], 30)}"'
    return None


def _prose(answer: str, endings: Endings) -> str | None:
    tail = answer[-_TAIL:]
    before, _, last_line = tail.rpartition("\n")
    if before and _BARE_ITEM.fullmatch(last_line) and _LIST_ITEM.match(before.rstrip().rpartition("\n")[2]):
        return f'the list stops at an empty item: "{last_line.strip()}"'
    if tail.endswith(_END_MARKS) and tail[-1] != ";":
        return None
    cut = _cut_word(tail, endings)
    if cut is not None:
        return cut
    words = tail.split()
    if len(words) < 12 or (looks_like_code(tail) or re.search(r"</?\w|[{}]", tail[-200:])):
        return None
    lines = [line for line in tail.split("\n") if line.strip()]
    line = lines[-1]
    dangling = _dangling(line, endings)
    if dangling is not None:
        return dangling
    line_words = line.split()
    is_item = _LIST_ITEM.match(line) is not None
    if (len(line_words) < 4 and not is_item) or _SIGN_OFF.search(line[-200:]) or _NO_PROSE_END.search(line[-60:]):
        return None
    last = line_words[-1]
    if line.endswith((",", ";")):
        if line[-1] == ";" and re.search(r"[=(){}<>]|\b\w{1,12} \w{1,3};$", line[-60:]):
            return None
        if len(line_words) >= 6 and sum(other.rstrip().endswith(",") for other in lines) <= 1:
            return f'the answer ends with "{line[-1]}"'
        return None
    if is_item:
        items = [other.rstrip() for other in lines if _LIST_ITEM.match(other)]
        closed = all(other.endswith((".", "!", "?")) for other in items[:-1])
        if len(items) >= 2 and closed and not _CHOICE.match(line.strip()):
            return "the last list item is not closed, all others are"
        return None
    if len(line_words) >= 8 and last in _OPEN_ENDED:
        return f'the answer ends with the word "{last}"'
    # A calculation ends on its result.
    if endings.marked < MARKED or "=" in line[-80:]:
        return None
    sentences = [sentence for sentence in _SENTENCE_END.split(line) if sentence.strip()]
    if len(sentences) >= 2:
        first, final = sentences[0], sentences[-1]
        after_colon = final.partition(":")[2]
        if len(first.split()) >= 4 and len(final.split()) >= 4 and (":" not in final or "." in after_colon):
            return f'the last sentence has no end: "…{shorten(line[-40:], 40)}"'
    if len(lines) == 1 and len(line_words) >= ALONE and ":" not in line:
        joined = sum(word.lower() in _JOINING for word in line_words)
        if joined >= 0.25 * len(line_words):
            return f'the sentence has no end: "…{shorten(line[-40:], 40)}"'
    closed_before = sum(len(other.split()) >= 8 and other.rstrip().endswith((".", "!", "?")) for other in lines[:-1])
    if len(lines) >= 3 and len(line_words) >= 12 and closed_before >= 2:
        return "the last paragraph has no end mark"
    return None


def _dangling(line: str, endings: Endings) -> str | None:
    """Whether the answer ends on a word that ends no sentence here: an article, a verb that wants its object."""
    words = line.split()
    last = words[-1]
    if endings.marked < MARKED or "|" in line:
        return None
    # "… before washing. The": a sentence that has hardly begun.
    begun = _SENTENCE_END.split(line)
    if len(begun) >= 2 and len(words) >= 8 and 1 <= len(begun[-1].split()) <= 3:
        if begun[-1].split()[0] in _BEGINS or endings.last.get(last.lower().replace("’", "'"), 1.0) <= 3 * SELDOM_LAST:
            return f'the answer ends with the word "{last}"'
        return None
    if _SHORTENED.fullmatch(last):
        return f'the answer ends with the word "{last}"'
    if len(words) < 3 or not last.islower():
        return None
    if last in _NEVER_LAST or (
        len(words) >= 6 and "=" not in line[-80:] and endings.last.get(last, 1.0) <= SELDOM_LAST
    ):
        return f'the answer ends with the word "{last}"'
    return None


def _cut_word(tail: str, endings: Endings) -> str | None:
    """Whether the answer ends inside a word: its last word stands nowhere else and begins a common one."""
    if not tail[-1].isalpha() or not tail.isascii():
        return None
    last = tail.split()[-1].lstrip("\"'([{*")
    if not last.isalpha() or not last.islower() or len(last) > 20:
        return None
    if len(last) == 1:
        return _lone_letter(tail, last, endings)
    if len(tail.split()) < 6 or endings.words[last] > 1:
        return None
    line = tail.rstrip().rpartition("\n")[2]
    if (_LIST_ITEM.match(line) and len(line.split()) < 5) or looks_like_code(tail) or not _closed_before(tail, endings):
        return None
    meant = endings.beginnings.get(last)
    # `lockdown` is no half of `lockdowns`.
    if meant is None or meant.removeprefix(last) in _INFLECTIONS:
        return None
    return f'the answer stops inside a word: "…{shorten(tail[-30:], 30)}"'


def _lone_letter(tail: str, last: str, endings: Endings) -> str | None:
    """One small letter at the end of prose, where nothing is calculated or spelled."""
    if (
        last == "a"
        or endings.marked < MARKED
        or len(tail.split()) < 12
        or re.search(r"[\d=+*/^()\"'|]| [b-hj-z] ", tail[-60:])
    ):
        return None
    return f'the answer stops inside a word: "…{shorten(tail[-30:], 30)}"'


def _closed_before(tail: str, endings: Endings) -> bool:
    """Whether this is prose that closes its sentences: an end that is missing was then lost."""
    return endings.marked >= MARKED and (tail.count("\n") < 3 or re.search(r"\w[.!?]\s", tail) is not None)


TRUNCATED = Signal("truncated", "check", "the answer stops before its end", _truncated, survey)
