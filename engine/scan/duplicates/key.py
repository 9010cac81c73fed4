"""What a request asks for, taken apart: numbers, operators, task, question, direction and content words."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from hashlib import blake2b

from engine.scan.duplicates.lexicon import (
    CJK_STOP,
    DIRECTIONS,
    NEGATIONS,
    NOUN_MARKERS,
    NUMBER_WORDS,
    OPENERS,
    ORDINAL_ENDINGS,
    QUESTION_WORDS,
    SPACELESS,
    STOP_WORDS,
    VERB_MARKERS,
    is_cjk,
    stem,
    task_of,
)
from engine.scan.text import exact_form, fold, looks_like_code

EXAMINED = 12_000
"""Characters of a request that are taken apart; what stands beyond must be equal to the letter."""
NEGATION = "!neg"

_DOTTED = re.compile(r"(?<!\w)(?:[^\W\d_]\.){1,8}[^\W\d_](?!\w)\.?")
_ACRONYM = re.compile(r"\(([a-z]{2,7})\)")
_THANKS = re.compile(r"\b(?:many |best |kind )?(?:thanks|thank you|regards)(?: (?:so|very) much)?(?: in advance)?\b")
_NOT = re.compile(r"n't\b")
_SPACELESS = re.compile("[" + "".join(f"{first}-{last}" for first, last in SPACELESS) + "]")
_MARKS = "\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670\u0900-\u0903\u093a-\u094f\u0980-\u0dff"
WORD = rf"[^\W\d_]+(?:[{_MARKS}][^\W\d_]*)*"
NUMBER = r"(?:(?<![^\s(=<>+*/^,:])-)?(?:\d{1,3}(?:,\d{3})+(?![\d,])(?:\.\d+)?|\d+(?:\.\d+)*)"
_TOKEN = re.compile(rf"{NUMBER}|{WORD}|[=!<>]=|&&|\|\||[-+*/^=<>%√×÷|~]|(?<=\w)#|[()\[\]{{}}]|[.?!:\n]")
_OPERATORS = frozenset(("==", "!=", "<=", ">=", "&&", "||", *"-+*/^=<>%√|~#"))
_SAME_SIGN = {"×": "*", "÷": "/", "percent": "%"}
_BRACKETS = frozenset("()[]{}")
_BOUNDARIES = frozenset(".?!:\n")
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

    @property
    def is_generic(self) -> bool:
        """Nothing is asked that could be compared: "hi", "continue", "thanks", "?"."""
        return not (self.numbers or self.signs or self.spaceless or self.size)

    def surface(self, word: str) -> str:
        """The word as it was first written, for one of its stems."""
        return self.surfaces[self.sequence.index(word)] if word in self.sequence else word


def prepare(text: str) -> str:
    """`text` folded and spelled so that the same request has the same tokens (U.S. = US, don't = do not, (AI) after its
    expansion).
    """
    form = fold(text)
    if not form.isascii():
        form = form.replace("’", "'").replace("‘", "'").replace("−", "-")
        form = _SPACELESS.sub(r" \g<0> ", form)
    if "'" in form:
        form = _NOT.sub(" not", form.replace("won't", "will not")).replace("'s", " ")
    if "." in form:
        form = _DOTTED.sub(lambda found: found.group().replace(".", ""), form)
    if "(" in form:
        form = _ACRONYM.sub(_drop_expanded, form)
    if "regards" in form or "thank" in form:
        form = _THANKS.sub(" ", form)
    return form


def _drop_expanded(found: re.Match[str]) -> str:
    letters = found.group(1)
    before = found.string[max(0, found.start() - 25 * len(letters)) : found.start()].split()[-len(letters) :]
    initials = "".join(word[0] for word in before)
    return " " if initials == letters else found.group()


def key_of(text: str) -> Key:
    """Take one request apart. Linear in its length; at most 12,000 characters are read."""
    beyond = b""
    if len(text) < 40 and exact_form(text) in OPENERS:
        text = ""
    if len(text) > EXAMINED:
        beyond = blake2b(text[EXAMINED:].encode("utf-8", "surrogatepass"), digest_size=8).digest()
        text = text[:EXAMINED]
    code = looks_like_code(text)
    tokens = _TOKEN.findall(prepare(text.strip()))
    if not any(token.isalnum() for token in tokens):
        # Nothing but signs: they are all there is to compare.
        tokens = [token for token in tokens if token not in _BOUNDARIES]
        code = True

    numbers: list[str] = []
    counted: list[tuple[str, str]] = []
    signs: list[str] = []
    questions: set[str] = set()
    content: list[str] = []
    surfaces: list[str] = []
    lines: list[int] = []
    directions: set[tuple[str, str]] = set()
    spaceless: list[str] = []
    task = ""
    waiting = ""  # a direction word whose target has not come yet
    uncounted: list[str] = []  # numbers whose noun has not come yet
    line = 0
    operators = 0
    previous = ""
    start = True
    asked = False  # a question word stands before in this sentence: verbs after it are what is asked about

    for position, token in enumerate(tokens):
        if token in _BOUNDARIES:
            line += token == "\n"
            start, asked, previous = True, False, token
            continue
        token = _SAME_SIGN.get(token, token)
        if token in _BRACKETS:
            signs.append(token)
            continue
        if token in _OPERATORS:
            if _counts(token, tokens, position):
                signs.append(token)
                operators += 1
            continue
        word = ""
        number = NUMBER_WORDS.get(token, "")
        if number or token[-1].isdigit():
            word = number or token.replace(",", "")
            numbers.append(word)
            uncounted.append(word)
        elif token in NEGATIONS:
            word = NEGATION
        elif token in ORDINAL_ENDINGS and previous[-1:].isdigit():
            previous = token
            continue
        elif is_cjk(token):
            if token not in CJK_STOP:
                spaceless.append(token)
                word = token
        elif token in QUESTION_WORDS:
            questions.add("who" if token == "whom" else token)
            asked = True
        elif token == "a" and _ends(tokens, position) and (previous in DIRECTIONS or previous in ("is", "and", "or")):
            word = token  # a thing called A, no article
        elif token not in STOP_WORDS:
            if not task and not asked and _is_order(start, previous) and task_of(token):
                task = task_of(token)
            else:
                word = stem(token)
        if token in DIRECTIONS:
            waiting = DIRECTIONS[token]
        elif word and not is_cjk(word):
            if waiting:
                directions.add((waiting, word))
                waiting = ""
            if uncounted and word not in numbers:
                counted += [(value, word) for value in uncounted]
                uncounted = []
            content.append(word)
            surfaces.append(token)
            lines.append(line)
        if word or (token not in VERB_MARKERS and token not in STOP_WORDS):
            start = False
        previous = token

    if task in ("create", "list") and content[:1] == ["list"]:
        # "Generate a list of 5 animals" asks for what "List 5 animals" asks for.
        task = "list"
        del content[0], surfaces[0], lines[0]
    words = [word for word in content if word not in numbers]
    bag = Counter(words)
    if not code and (operators < 2 or len(numbers) < 2):
        signs = [sign for sign in signs if sign not in _BRACKETS]
    if not code and len(words) > 6 and set(signs) == {"-"}:
        signs = []
    number_set = set(numbers)
    several = bool(lines) and lines[0] != lines[-1]
    return Key(
        numbers=tuple(numbers),
        counted=frozenset(counted + [(value, "") for value in uncounted]),
        signs=tuple(signs),
        task=task,
        questions=frozenset(questions),
        bag=bag,
        size=len(words),
        sequence=tuple(content),
        surfaces=tuple(surfaces),
        directions=frozenset(directions),
        spaceless=tuple(spaceless),
        head=Counter(w for w, at in zip(content, lines, strict=True) if at == lines[0] and w not in number_set)
        if several
        else Counter(),
        tail=Counter(w for w, at in zip(content, lines, strict=True) if at == lines[-1] and w not in number_set)
        if several
        else Counter(),
        code=code,
        beyond=beyond,
        one_way=not _ONE_WAY.isdisjoint(signs),
    )


def _is_order(start: bool, previous: str) -> bool:
    """Whether a class word here tells what to do ("List three…", "please explain…") and is not a noun ("this list")."""
    if previous in NOUN_MARKERS:
        return False
    return start or previous in VERB_MARKERS


def _ends(tokens: list[str], position: int) -> bool:
    after = tokens[position + 1] if position + 1 < len(tokens) else "\n"
    return after in _BOUNDARIES or after in _OPERATORS


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
