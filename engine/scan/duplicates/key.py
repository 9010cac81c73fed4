"""What a request asks for, taken apart: numbers, operators, task, question, direction and content words."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from hashlib import blake2b

from engine.scan.duplicates.lexicon import (
    CJK_STOP,
    DIRECTIONS,
    GREETINGS,
    NEGATIONS,
    NOUN_MARKERS,
    NUMBER_WORDS,
    OPENERS,
    ORDINAL_ENDINGS,
    QUESTION_WORDS,
    STOP_WORDS,
    VERB_MARKERS,
    is_cjk,
    stem,
    task_of,
)
from engine.scan.duplicates.spelling import NUMBER, WORD, prepare
from engine.scan.text import exact_form, looks_like_code

EXAMINED = 12_000
"""Characters of a request that are taken apart; what stands beyond must be equal to the letter."""
LONGEST_OPENER = 40
NEGATION = "!neg"

_TOKEN = re.compile(rf"{NUMBER}|{WORD}|[=!<>]=|&&|\|\||[-+*/^=<>%√×÷|~]|(?<=\w)#|[()\[\]{{}}]|[.?!:\n]")
_OPERATORS = frozenset(("==", "!=", "<=", ">=", "&&", "||", *"-+*/^=<>%√|~#"))
_SAME_SIGN = {"×": "*", "÷": "/", "percent": "%"}
_BRACKETS = frozenset("()[]{}")
_BOUNDARIES = frozenset(".?!:\n")
_SPEECH = (STOP_WORDS | VERB_MARKERS) - frozenset(("in", "and", "or", "as", "is", "for"))
_ONE_WAY = frozenset(("-", "/", "^", "<", ">", "<=", ">=", "="))


@dataclass(frozen=True, slots=True)
class Key:
    """One request, ready for the guard. Bags are multisets of stems, `sequence` is what they were made from."""

    numbers: tuple[str, ...]
    counted: frozenset[tuple[str, str]]
    signs: tuple[str, ...]
    task: str
    questions: frozenset[str]
    bag: Counter[str]
    size: int
    sequence: tuple[str, ...]
    surfaces: tuple[str, ...]
    directions: frozenset[tuple[str, str]]
    spaceless: tuple[str, ...]
    head: Counter[str]
    tail: Counter[str]
    code: bool
    beyond: bytes
    one_way: bool
    single: str
    plurals: frozenset[str]
    asks_what: bool
    joined: int

    @property
    def is_generic(self) -> bool:
        """Nothing is asked that could be compared: "hi", "continue", "thanks", "?"."""
        return not (self.numbers or self.signs or self.spaceless or self.size)

    def surface(self, word: str) -> str:
        """The word as it was first written, for one of its stems."""
        return self.surfaces[self.sequence.index(word)] if word in self.sequence else word


def key_of(text: str) -> Key:
    """Take one request apart. Linear in its length; at most 12,000 characters are read."""
    beyond = b""
    if len(text) < LONGEST_OPENER and exact_form(text) in OPENERS:
        text = ""
    if len(text) > EXAMINED:
        beyond = blake2b(text[EXAMINED:].encode("utf-8", "surrogatepass"), digest_size=8).digest()
        text = text[:EXAMINED]
    tokens = _TOKEN.findall(prepare(text.strip()))
    code = looks_like_code(text)
    if not any(token.isalnum() for token in tokens):
        # Nothing but signs: they are all there is to compare.
        tokens = [token for token in tokens if token not in _BOUNDARIES]
        code = True
    reader = _Reader(tokens)
    for position, token in enumerate(tokens):
        if token in _BOUNDARIES:
            reader.end_sentence(token)
        elif token in _BRACKETS or token in _OPERATORS or token in _SAME_SIGN:
            reader.take_sign(_SAME_SIGN.get(token, token), position)
        else:
            reader.take_word(token, position)
    return reader.key(code, beyond)


class _Reader:
    """What has been read of one request so far."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens
        self.numbers: list[str] = []
        self.counted: list[tuple[str, str]] = []
        self.signs: list[str] = []
        self.spaceless: list[str] = []
        self.questions: set[str] = set()
        self.directions: set[tuple[str, str]] = set()
        # Content words and numbers in order: what it counts as, how it was written, in which line, whether it is a
        # number.
        self.content: list[tuple[str, str, int, bool]] = []
        self.task = ""
        self.line = 0
        self.previous = ""
        self.at_start = True
        self.asks_what = False
        self.joined = 0  # clauses and things tied by "and", "or", "but"
        self.single = ""  # what the request wants one of: "name a planet"
        self.article = False  # "a" came, and the thing it belongs to is not complete
        self.asked = False  # a question word came before in this sentence: later verbs are what is asked about
        self.waiting = ""  # a direction word whose target has not come yet
        self.uncounted: list[str] = []  # numbers whose noun has not come yet

    def end_sentence(self, mark: str) -> None:
        self.line += mark == "\n"
        self.at_start, self.asked, self.article, self.previous = True, False, False, mark

    def take_sign(self, sign: str, position: int) -> None:
        if sign in _BRACKETS or _counts(sign, self.tokens, position):
            self.signs.append(sign)

    def take_word(self, token: str, position: int) -> None:
        if token in ("what", "whats", "which") and self.at_start:
            self.asks_what = self.asked = True
        self.joined += token in ("and", "or", "but")
        if token in ("a", "an"):
            self.article = not self.content or self.content[-1][0] == "list"
        number = NUMBER_WORDS.get(token) or (token.replace(",", "") if token[-1].isdigit() else "")
        if token in ORDINAL_ENDINGS and self.previous[-1:].isdigit():
            self.previous = token
            return
        word = number or self._meaning(token, position)
        if number:
            self.numbers.append(number)
            self.uncounted.append(number)
        if is_cjk(token):
            self.spaceless += word
        elif word:
            self._place(word, token, is_number=bool(number))
        if token in DIRECTIONS:
            self.waiting = DIRECTIONS[token]
        if not word and token not in ("a", "an"):
            self.article = False
        if word or (token not in VERB_MARKERS and token not in STOP_WORDS):
            self.at_start = False
        self.previous = token

    def _meaning(self, token: str, position: int) -> str:
        """The stem that the token counts as, '' for words that carry none; notes the task and the questions."""
        if token in NEGATIONS:
            return NEGATION
        if is_cjk(token):
            return "" if token in CJK_STOP else token
        if token in QUESTION_WORDS:
            self.questions.add("who" if token == "whom" else token)
            self.asked = True
            return ""
        if token == "a" and self._names_a_thing(position):
            return token
        if token in GREETINGS and not (self.at_start and self._speech_follows(position)):
            return token
        if token == "use" and self.previous in ("a", "the"):
            return token
        if token == "used" and self.tokens[position + 1 : position + 2] == ["for"]:
            return "use"
        if token in ("do", "does", "did") and self.content and self._ends_here(position):
            return "do"
        if token in STOP_WORDS:
            return ""
        if not self.task and not self.asked and self._is_order() and task_of(token):
            self.task = task_of(token)
            return ""
        return stem(token)

    def _is_order(self) -> bool:
        """Whether a class word here says what to do ("List three…", "please explain…") and is no noun ("this list")."""
        return self.previous not in NOUN_MARKERS and (self.at_start or self.previous in VERB_MARKERS)

    def _speech_follows(self, position: int) -> bool:
        """Whether a greeting greets ("hello, can you ...") and is not what is asked about ("hello in French")."""
        after = self.tokens[position + 1] if position + 1 < len(self.tokens) else "."
        return after in _BOUNDARIES or after in QUESTION_WORDS or after in _SPEECH or task_of(after) != ""

    def _ends_here(self, position: int) -> bool:
        """Whether the sentence ends with this word: "what an engine does", "what does it do?"."""
        return position + 1 == len(self.tokens) or self.tokens[position + 1] in _BOUNDARIES

    def _names_a_thing(self, position: int) -> bool:
        """Whether "a" is no article: "is B bigger than A?"."""
        after = self.tokens[position + 1] if position + 1 < len(self.tokens) else "\n"
        ends = after in _BOUNDARIES or after in _OPERATORS
        return ends and (self.previous in DIRECTIONS or self.previous in ("is", "and", "or"))

    def _place(self, word: str, token: str, *, is_number: bool) -> None:
        if self.waiting:
            self.directions.add((self.waiting, word))
            self.waiting = ""
        if self.uncounted and not is_number:
            self.counted += [(value, word) for value in self.uncounted]
            self.uncounted = []
        self.content.append((word, token, self.line, is_number))
        if self.article:
            self.single = word

    def key(self, code: bool, beyond: bytes) -> Key:
        content, task = self.content, self.task
        if task in ("create", "list") and content and content[0][0] == "list":
            # "Generate a list of 5 animals" asks for what "List 5 animals" asks for.
            content, task = content[1:], "list"
        words = [(word, line) for word, _, line, is_number in content if not is_number]
        first, last = (content[0][2], content[-1][2]) if content else (0, 0)
        signs = self._signs_that_count(code, len(words))
        return Key(
            numbers=tuple(self.numbers),
            counted=frozenset(self.counted + [(value, "") for value in self.uncounted]),
            signs=signs,
            task=task,
            questions=frozenset(self.questions),
            bag=Counter(word for word, _ in words),
            size=len(words),
            sequence=tuple(word for word, *_ in content),
            surfaces=tuple(token for _, token, *_ in content),
            directions=frozenset(self.directions),
            spaceless=tuple(self.spaceless),
            head=Counter(word for word, line in words if line == first != last),
            tail=Counter(word for word, line in words if line == last != first),
            code=code,
            beyond=beyond,
            one_way=not _ONE_WAY.isdisjoint(signs),
            single=self.single,
            plurals=frozenset(word for word, token, *_ in content if token[-1:] == "s" and token[-2:] != "ss"),
            asks_what=self.asks_what,
            joined=self.joined,
        )

    def _signs_that_count(self, code: bool, words: int) -> tuple[str, ...]:
        """Brackets count in programs and in calculations; in a longer sentence a lone dash between numbers does not."""
        if code:
            return tuple(self.signs)
        operators = tuple(sign for sign in self.signs if sign not in _BRACKETS)
        if len(operators) >= 2 and len(self.numbers) >= 2:
            operators = tuple(self.signs)
        return () if words > 6 and set(operators) == {"-"} else operators


def _counts(sign: str, tokens: list[str], position: int) -> bool:
    """Whether an operator is one: hyphens, slashes, bullets and bold marks are not."""
    before = next(
        (token for token in reversed(tokens[max(0, position - 3) : position]) if token not in _BRACKETS), "\n"
    )
    after = next((token for token in tokens[position + 1 : position + 4] if token not in _BRACKETS), "")
    if sign == "*":
        return before not in ("*", "\n") and after != "*"
    if sign in "-/~|":
        return _is_operand(before) and _is_operand(after)
    return not (sign == ">" and before == "\n")


def _is_operand(token: str) -> bool:
    return token[-1:].isdigit() or (len(token) == 1 and token.isalpha()) or token in _OPERATORS or token == ""
