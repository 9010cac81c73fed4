"""Do two answers to the same request agree?

Short answers are taken at their word: any difference that is left after spelling, order and filler is a disagreement.
Long answers may say the same thing in many ways and are only called contradictory where they say the same words with
other numbers, the opposite polarity, another final result, or where one refuses.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from itertools import product

from rapidfuzz import fuzz

from engine.scan.answers.facts import spellings
from engine.scan.answers.json_answers import compare_json, compare_json_with_words
from engine.scan.answers.openness import leaves_room, leaves_wording
from engine.scan.answers.passive_voice import told_in_two_voices
from engine.scan.answers.quantities import equal_values
from engine.scan.answers.relation import SHORT, Comparison
from engine.scan.answers.short_answers import agree, told_numbers
from engine.scan.answers.tongue import in_two_languages
from engine.scan.code import written_otherwise
from engine.scan.jsontext import as_json
from engine.scan.requests.key import Key, key_of
from engine.scan.requests.key_parser import NEGATION
from engine.scan.signals.placeholder import is_placeholder
from engine.scan.signals.refusal import refuses
from engine.scan.text import exact_form, score_form, shorten, word_set

ALIKE = 90.0
REFUSED = "one answer refuses, the other answers"
FEWEST_WORDS = 5
"""Words that mean something, in an answer that shows by itself what it speaks of."""
# Where 1.10 is not 1.1, and 1/2 not 0.5: stems of requests for a way of writing.
_TO_THE_LETTER = word_set("version releas decimal fraction format convert simplifi round notation digit")
# Stems of requests for programs.
_PROGRAMMING = word_set(
    "python javascript typescript java sql regex regexp bash shell html css rust ruby kotlin swift php perl powershell "
    "cod function program script queri expresion expression"
)
_PERCENT = re.compile(r"\s?(?:%|\bper ?cent\b)", re.IGNORECASE)
_DIGITS = re.compile(r"\d+")
_INDENTED = re.compile(r"\n[ \t]+\S")
_FINAL = re.compile(r"(?:####|\b(?:final )?answer(?: is|:)|\bresult(?: is|:))[ ]{0,3}([^\n]{1,60})", re.IGNORECASE)
_SAID = r"(?=\s*(?:[,.!:;،。、，！—–-]|\Z))"
_SAID_ALONE = re.compile(_SAID)
_YES = re.compile(
    r"^(?:(?:yes|true|correct|ja|oui|sí|si|是)\b|(?:да|так|نعم|أجل|हाँ|हां|जी हाँ|はい|네|예|evet|sim|sì|tak|ano|có|ναι|כן"
    rf"|ya|是的|对|對|ใช่){_SAID})",
    re.IGNORECASE,
)
_NO = re.compile(
    r"^(?:(?:no|false|incorrect|nein|non|不|否)\b|(?:нет|ні|لا|كلا|नहीं|जी नहीं|いいえ|아니요|아니오|아뇨|hayır|não"
    rf"|nie|nee|nej|nei|ne|không|όχι|לא|tidak|bukan|不是|不对|不對|ไม่|ไม่ใช่){_SAID})",
    re.IGNORECASE,
)
_MATHS = re.compile(r"\s*(?:\$\$?([^$]+)\$\$?|\\\((.+)\\\)|\\\[(.+)\\\])[\s.]*", re.DOTALL)


def answer_form(text: str) -> str:
    """The form in which two answers count as the same. In a short one case, marks and indentation say something."""
    if len(text) >= SHORT:
        return _form(text)
    if "\n" in text and _INDENTED.search(text):
        return "\n".join([line.rstrip() for line in text.strip("\r\n").splitlines() if line.strip()]).rstrip(" .。")
    return " ".join(text.split()).rstrip(" .。") or text.strip()


def _form(text: str) -> str:
    """The exact form of an answer. Where many rows ask the same, each is compared with many others."""
    return _kept_form(text) if len(text) <= _LONGEST_KEPT else exact_form(text)


_kept_form = lru_cache(maxsize=1024)(exact_form)
_LONGEST_KEPT = 20_000


def compare_answers(one: str, other: str, request: Key | None = None) -> Comparison:
    """Compare two answers to what counts as the same `request`. Symmetric but for the order of words in `why`."""
    if answer_form(one) == answer_form(other):
        return Comparison("same")
    found = _compared(one, other, request)
    settled = found.relation != "conflict" or found.firm or found.why == REFUSED
    if not settled and request is not None and (leaves_room(request.text) or leaves_wording(request.text, one, other)):
        return Comparison("alternative", f"{found.why} (the request leaves room for both)")
    return found


def _compared(one: str, other: str, request: Key | None) -> Comparison:
    left, right = _form(one), _form(other)
    if left == right:
        return Comparison("nearly", "only case, spaces or punctuation differ")
    if not left or not right or is_placeholder(one) or is_placeholder(other):
        return Comparison("nearly", "one answer is empty")
    if len(one) + len(other) < 2 * SHORT and (_MATHS.fullmatch(one) or _MATHS.fullmatch(other)):
        bare = _without_dollars(one), _without_dollars(other)
        return Comparison("nearly") if answer_form(bare[0]) == answer_form(bare[1]) else _compared(*bare, request)
    asked = request.text if request is not None else ""
    refusals = refuses(one, asked) + refuses(other, asked)
    if refusals == 1:
        return Comparison("conflict", REFUSED)
    if refusals == 2 and max(len(one), len(other)) < SHORT:
        return Comparison("nearly", "both answers refuse")
    parsed = as_json(one), as_json(other)
    if parsed[0] is not None and parsed[1] is not None:
        return compare_json(parsed[0], parsed[1])
    if _is_cut_off(left, right):
        return Comparison("nearly", "one answer is the beginning of the other")
    if (parsed[0] is None) != (parsed[1] is None):
        return (
            compare_json_with_words(parsed[0], other)
            if parsed[0] is not None
            else compare_json_with_words(parsed[1], one)
        )
    return _compare_words(one, other, request)


def _without_dollars(text: str) -> str:
    """An answer without the signs around all of it that say "here is mathematics"."""
    found = _MATHS.fullmatch(text)
    return next((inside.strip() for inside in found.groups() if inside), text) if found else text


def _is_cut_off(one: str, other: str) -> bool:
    """Whether the shorter is how the longer begins, and long enough not to be an answer of its own ("12" and "125")."""
    shorter, longer = sorted((one, other), key=len)
    return (
        len(shorter) >= 12
        and longer.startswith(shorter)
        and (len(shorter) >= SHORT // 2 or shorter.startswith(("{", "[", "```")))
    )


def _compare_words(one: str, other: str, request: Key | None) -> Comparison:
    left, right = _keys(one)[0], _keys(other)[0]
    why = f'"{shorten(one, 40)}" against "{shorten(other, 40)}"'
    if _opposite(one, other):
        return Comparison("conflict", why)
    if _same_side(one, other):
        return Comparison("nearly", "both say the same, one of them with its reasons")
    finals = _FINAL.search(one[-400:]), _FINAL.search(other[-400:])
    if finals[0] and finals[1]:
        results = score_form(finals[0].group(1)), score_form(finals[1].group(1))
        if results[0] == results[1]:
            return Comparison("nearly", "same result")
        if key_of(finals[0].group(1)).numbers != key_of(finals[1].group(1)).numbers:
            return Comparison(
                "conflict", f'"{shorten(finals[0].group(1), 40)}" against "{shorten(finals[1].group(1), 40)}"'
            )
    score = fuzz.ratio(score_form(one), score_form(other))
    if max(len(one), len(other)) >= SHORT:
        facts_differ = (
            told_numbers(left, right, request) != told_numbers(right, left, request)
            or left.bag[NEGATION] != right.bag[NEGATION]
            or left.beyond != right.beyond
            or left.pieces != right.pieces
        )
        if score >= ALIKE and not facts_differ:
            return Comparison("nearly")
        if not (left.code or right.code) and _same_words_other_facts(one, other, left, right, score):
            return Comparison("conflict", _difference(left, right), firm=True)
        return Comparison("alternative")
    voices = told_in_two_voices(one, other)
    if voices:
        return (
            Comparison("conflict", why)
            if voices == "turned"
            else Comparison("alternative", "one says it in the active, one in the passive voice")
        )
    if request is not None and not _TO_THE_LETTER.isdisjoint(request.bag):
        forms = [(key_of(one, opens=False), key_of(other, opens=False))]
    else:
        worth = equal_values(one, other)
        if worth is False:
            return Comparison("conflict", why)
        if worth:
            return Comparison("nearly", "one amount in two ways of writing")
        forms = list(product(_keys(one), _keys(other)))
    if any(agree(one, other, *pair, request) for pair in forms):
        return Comparison("nearly")
    if request is not None and _asks_for_percent(request):
        bare = _PERCENT.sub("", one).strip(), _PERCENT.sub("", other).strip()
        if bare[0] and bare != (one.strip(), other.strip()) and equal_values(*bare):
            return Comparison("nearly", "one amount in two ways of writing")
    if in_two_languages(one, other) and (left.numbers == right.numbers or not (left.numbers and right.numbers)):
        return Comparison("alternative", "the answers are in two languages")
    if request is not None and not _PROGRAMMING.isdisjoint(request.bag) and written_otherwise(one, other):
        return Comparison("alternative", "one program may be written in many ways")
    return Comparison("conflict", why, firm=_is_one_sentence(one, other, left, right))


def _is_one_sentence(one: str, other: str, left: Key, right: Key) -> bool:
    """Whether two short answers are the same words, five and more, about other numbers."""
    if min(left.size, right.size) < FEWEST_WORDS or left.bag != right.bag or left.numbers == right.numbers:
        return False
    if not (left.numbers and right.numbers):
        return False
    return _DIGITS.sub("", exact_form(one)) == _DIGITS.sub("", exact_form(other))


def _asks_for_percent(request: Key) -> bool:
    return "%" in request.signs or not {"percentag", "percent"}.isdisjoint(request.bag)


def _same_words_other_facts(one: str, other: str, left: Key, right: Key, score: float) -> bool:
    """Whether two long answers are the same text but for their numbers (each has one the other lacks) or a "not"."""
    if score >= ALIKE and left.bag[NEGATION] != right.bag[NEGATION]:
        return True
    mine, theirs = Counter(left.numbers) - Counter(right.numbers), Counter(right.numbers) - Counter(left.numbers)
    if not mine or not theirs:
        return False
    if fuzz.ratio(_DIGITS.sub("", score_form(one)), _DIGITS.sub("", score_form(other))) < ALIKE:
        return False
    # Few answers come so far: each reading of their dates and amounts is taken apart.
    return not _told_alike(one, other)


@lru_cache(maxsize=4096)
def _keys(answer: str) -> tuple[Key, ...]:
    """What a short answer says under each reading of its dates and numbers; one answer is compared with many others of
    its group. "Yes" is an answer, though it asks nothing.
    """
    return tuple(key_of(form, opens=False) for form in (spellings(answer) if len(answer) < SHORT else (answer,)))


def _told_alike(one: str, other: str) -> bool:
    """Whether two long answers hold the same numbers under some reading of their dates and amounts."""
    mine, theirs = ({_all_numbers(form) for form in spellings(text)} for text in (one, other))
    return not mine.isdisjoint(theirs)


def _all_numbers(text: str) -> tuple[str, ...]:
    return tuple(sorted(key_of(text, opens=False).numbers))


def _opposite(one: str, other: str) -> bool:
    first, second = one.strip()[:20], other.strip()[:20]
    return bool((_YES.match(first) and _NO.match(second)) or (_NO.match(first) and _YES.match(second)))


def _same_side(one: str, other: str) -> bool:
    """Whether one answer is a bare "yes" or "no", and the other begins with the same."""
    shorter, longer = sorted((one.strip(), other.strip()), key=len)
    for side in (_YES, _NO):
        bare, said = side.match(shorter), side.match(longer)
        if bare and said and not shorter[bare.end() :].strip(" .!。"):
            # "No one knows" says no "no".
            return _SAID_ALONE.match(longer, said.end()) is not None
    return False


def _difference(left: Key, right: Key) -> str:
    mine = Counter(left.numbers) - Counter(right.numbers)
    theirs = Counter(right.numbers) - Counter(left.numbers)
    if not mine and not theirs:
        return "one says not, the other does not"
    return f'"{", ".join(list(mine)[:4]) or "no number"}" against "{", ".join(list(theirs)[:4]) or "no number"}"'
