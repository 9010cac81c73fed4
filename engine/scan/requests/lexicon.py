"""Words that mean something to the guard, and how a word becomes its stem."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from rapidfuzz.distance import OSA

from engine.scan.requests.normalize import SPACELESS
from engine.scan.text import word_set

# Verbs that name the task; two requests with verbs of different classes ask for different things.
TASK_CLASSES: dict[str, str] = {
    verb: name
    for name, verbs in {
        "explain": "explain describe define tell discuss outline state clarify elaborate",
        "create": "write create generate make compose construct produce develop craft build design draft",
        "list": "name list identify give provide suggest find enumerate mention cite propose",
        "calculate": "calculate compute evaluate determine solve",
        "arrange": "rearrange arrange",
    }.items()
    for verb in verbs.split()
}

STOP_WORDS = word_set(
    """
    a an the of to in on for and or with by from at as is are was were be been this that these those it its into
    about please can could would you your me my i we our do does did s t which using use used following given
    what whats some any there their them they between than then so such if else will shall may might must has
    have had kindly want need like help am im ve ll re d ca wo hi hello hey thanks thank just eg ie also
    pls plz teh hte adn
    """
)
"""Words that carry no request of their own. Question words and places ("above", "before") are not among them: they
change it.
"""

GREETINGS = word_set("hi hello hey thanks thank")
"""Stop words at the start of a sentence only: "say hello" and "say thanks" are two requests."""

QUESTION_WORDS = word_set(
    """
    when where who whom whose why how
    """
)
NEGATIONS = word_set(
    """
    not no never without except neither nor none cannot non nicht kein keine keinen keiner keines ohne nie pas
    sans jamais sin nunca
    """
)
DIRECTIONS = {word: word for word in ("to", "from", "than", "over", "against", "by", "before", "after")} | {
    "into": "to"
}
"""Words between two things whose order matters: Celsius to Fahrenheit is not Fahrenheit to Celsius."""

_NUMBERS = """
zero
one first single
two second
three third
four fourth
five fifth
six sixth
seven seventh
eight eighth
nine ninth
ten tenth
eleven
twelve
"""
_NUMBERS_ELSEWHERE = """
zwei deux dos 二 两 ii
drei trois tres 三 iii
vier quatre cuatro 四 iv
fünf fuenf cinq cinco 五
sechs seis 六 vi
sieben sept siete 七 vii
acht huit ocho 八 viii
neun neuf nueve 九 ix
zehn dix diez 十
elf onze once xi
zwölf zwoelf douze doce xii
treize trece xiii
quatorze catorce xiv
quinze quince xv
xvi
xvii
xviii
xix
"""
NUMBER_WORDS = {
    word: str(value)
    for first, table in ((0, _NUMBERS), (2, _NUMBERS_ELSEWHERE))
    for value, words in enumerate(table.strip().splitlines(), first)
    for word in words.split()
}
"""English, German, French, Spanish and Chinese, and Roman numerals of two letters and more (World War II)."""
OPPOSED = (
    ("hyper", "hypo"),
    ("macro", "micro"),
    ("inter", "intra"),
    ("pre", "pro"),
    ("endo", "ecto"),
    ("anti", "ante"),
    ("up", "un"),
    ("auf", "ab"),
    ("auf", "aus"),
    ("an", "ab"),
    ("ein", "ent"),
    ("hin", "her"),
)
"""Beginnings that make another word of the same rest, with few letters changed."""
ORDINAL_ENDINGS = frozenset(("st", "nd", "rd", "th"))

OPENERS = frozenset(
    (
        *(
            "continue",
            "go on",
            "keep going",
            "carry on",
            "more",
            "again",
            "next",
            "another one",
            "one more",
            "try again",
            "ok",
            "okay",
        ),
        *(
            "yes",
            "no",
            "sure",
            "yes please",
            "no thanks",
            "help",
            "help me",
            "test",
            "stop",
            "start",
            "begin",
            "how are you",
            "how u",
        ),
        *(
            "what's up",
            "good morning",
            "good evening",
            "tell me more",
            "and",
            "why",
            "how",
            "what",
            "bye",
            "goodbye",
            "please continue",
        ),
        *(
            "继续",
            "你好",
            "谢谢",
            "weiter",
            "danke",
            "hallo",
            "continuez",
            "bonjour",
            "merci",
            "hola",
            "gracias",
            "sigue",
        ),
    )
)
"""Whole turns that ask nothing by themselves."""

# After one of these a class word is a noun: "the list", "your design".
NOUN_MARKERS = word_set(
    """
    a an the this that these those my your its his her our their of in for with by on from as following given
    any some each every no new short simple detailed good
    """
)
# Only after one of these, or at the start of a sentence, is a class word an order.
VERB_MARKERS = word_set(
    """
    please kindly you to now then also and just me can could would help want let lets first next
    """
)

CJK_STOP = frozenset("请的了吗呢吧啊")

LONGEST_TYPO_WORD = 40

_KNOWN_FUNCTION_WORDS = sorted(
    word
    for word in STOP_WORDS | TASK_CLASSES.keys() | NUMBER_WORDS.keys() | QUESTION_WORDS
    if len(word) >= 4 and word.isalpha()
)


def is_cjk(token: str) -> bool:
    """Whether `token` is one character of a script written without spaces; such tokens stand for themselves."""
    return len(token) == 1 and token > "\u0dff" and any(first <= token <= last for first, last in SPACELESS)


def has_typos(word: str) -> bool:
    """Whether a slip of the finger can be told in this word: Latin, Greek or Cyrillic letters, four or more."""
    return 4 <= len(word) <= LONGEST_TYPO_WORD and (word.isascii() or all(char < "\u0530" for char in word))


_BRITISH = re.compile(
    r"(?P<or>(?<=[a-z]{2})our(?=(?:s|ed|ing|ite|ites|ful|able|al|hood|ist|less)?$))"
    r"|(?P<iz>(?<=[a-z]{4})is(?=(?:e|es|ed|ing|er|ers|ation|ations)$)|(?<=[a-z]{3}l)ys(?=(?:e|es|ed|ing)$))"
    r"|(?P<er>(?<=[a-z](?:nt|at|it|et|br))re(?=s?$))"
)
_BRITISH_WORDS = {
    "grey": "gray",
    "programme": "program",
    "catalogue": "catalog",
    "dialogue": "dialog",
    "defence": "defense",
    "licence": "license",
    "offence": "offense",
    "cheque": "check",
    "jewellery": "jewelry",
    "tyre": "tire",
}
_AS_THEY_ARE = word_set("four hour your tour pour flour more here there where")


def american(word: str) -> str:
    """One spelling for words that are written in two ways (colour, organise, centre). It need not be a word."""
    if word in _AS_THEY_ARE:
        return word
    word = _BRITISH_WORDS.get(word, word)
    if not ("our" in word or "is" in word or "lys" in word or word.endswith(("re", "res"))):
        return word
    return _BRITISH.sub(
        lambda found: (
            {"or": "or", "iz": "iz", "er": "er"}[found.lastgroup or ""]
            if found.lastgroup != "iz" or "y" not in found.group()
            else "yz"
        ),
        word,
    )


@lru_cache(maxsize=200_000)
def stem(word: str) -> str:
    """English endings taken off, so that `expresses`, `expressing` and `express` agree; one rule for all words."""
    if not word.isascii() and not has_typos(word):
        return word
    if len(word) >= 5:
        word = american(word)
    if word.endswith("ies") and len(word) > 4:
        return word[:-2]
    if word.endswith("sses") and len(word) > 4:
        word = word[:-2]
    elif word.endswith("s") and len(word) > 3 and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending in ("ing", "ed"):
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            word = word[: -len(ending)]
            break
    if word.endswith("e") and len(word) > 4:
        word = word[:-1]
    if len(word) > 3 and word[-1] == word[-2] and word[-1].isalpha():
        word = word[:-1]
    # `city` and `cities` meet at `citi`, `movie` and `movies` at `movi`.
    if len(word) > 3 and word[-1] == "y":
        word = word[:-1] + "i"
    return word


def is_typo(one: str, other: str) -> bool:
    """Whether one word is likely a mistyping of the other.

    The first letters must agree (or be swapped): ascending/descending, formal/informal and legal/illegal are one or two
    letters apart and mean the opposite. One slip (optimal string alignment) in words of four to seven letters, two in
    longer ones.
    """
    shorter = min(len(one), len(other))
    if shorter < 4 or not (has_typos(one) and has_typos(other)):
        return False
    if first_letter(one) != first_letter(other) and (one[0], one[1]) != (other[1], other[0]):
        return False
    if is_opposed(one, other):
        return False
    allowed = 1 if shorter < 8 else 2
    return OSA.distance(one, other, score_cutoff=allowed) <= allowed


@lru_cache(maxsize=1000)
def _bare_letter(letter: str) -> str:
    return unicodedata.normalize("NFD", letter)[0]


def first_letter(word: str) -> str:
    """The first letter without its accent: capitals are often written without."""
    return word[0] if word[0] < "\x80" else _bare_letter(word[0])


def is_opposed(one: str, other: str) -> bool:
    """Whether two words have one rest behind beginnings of other meaning (hypertension, hypotension)."""
    return any(
        (one.startswith(mine) and other == theirs + one[len(mine) :])
        or (other.startswith(mine) and one == theirs + other[len(mine) :])
        for mine, theirs in OPPOSED
        if one[0] == mine[0] or other[0] == mine[0]
    )


def differs_at_the_end(one: str, other: str) -> bool:
    """Whether two words differ in nothing but how they end, as inflected forms do (`hermano`, `hermana`)."""
    shared = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        shared += 1
    return shared >= min(len(one), len(other)) - 1 and sorted(one) != sorted(other)


@lru_cache(maxsize=50_000)
def is_function_word_typo(word: str) -> bool:
    """Whether `word` is likely a mistyped stop, class or number word (`whcih`, `descibe`)."""
    if not has_typos(word) or word in KNOWN_STEMS:
        return False
    return any(
        is_typo(word, known) or is_typo(word, stem(known))
        for length in range(len(word) - 2, len(word) + 3)
        for known in _KNOWN_BY_SHAPE.get((word[0], length), ())
    )


@lru_cache(maxsize=50_000)
def task_of(word: str) -> str:
    """The class of the verb that `word` is, mistyped or not (`Desribe`); '' for other words."""
    if word in TASK_CLASSES:
        return TASK_CLASSES[word]
    if len(word) < 6 or not has_typos(word) or word in STOP_WORDS:
        return ""
    meant = [
        verb
        for verb in _LONG_VERBS.get(word[0], ())
        if abs(len(verb) - len(word)) <= 2
        and is_typo(word, verb)
        # A computer is no mistyped order to compute.
        and not (word.startswith(verb) and differs_at_the_end(word, verb))
    ]
    return TASK_CLASSES[meant[0]] if meant else ""


# By the first letter, and by the second, which a slip may put first.
_LONG_VERBS: dict[str, list[str]] = {}
for _word in TASK_CLASSES:
    if len(_word) >= 6:
        for _letter in sorted({_word[0], _word[1]}):
            _LONG_VERBS.setdefault(_letter, []).append(_word)
_KNOWN_BY_SHAPE: dict[tuple[str, int], list[str]] = {}
KNOWN_BY_LETTER: dict[str, list[str]] = {}
for _word in _KNOWN_FUNCTION_WORDS:
    KNOWN_BY_LETTER.setdefault(_word[0], []).append(_word)
    _KNOWN_BY_SHAPE.setdefault((_word[0], len(_word)), []).append(_word)
KNOWN_STEMS = frozenset(form for word in _KNOWN_FUNCTION_WORDS for form in (word, stem(word)))
