"""What a request asks for, taken apart: numbers, operators, task, question, direction and content words."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from hashlib import blake2b

from engine.scan.code import looks_like_code, pieces_of
from engine.scan.requests.key_parser import BOUNDARIES, BRACKETS, Reader
from engine.scan.requests.lexicon import OPENERS, stem
from engine.scan.requests.marks import marks_of, names_of, symbols_of
from engine.scan.requests.normalize import NUMBER, WORD, prepare
from engine.scan.text import exact_form

EXAMINED = 12_000
"""Characters of a request that are taken apart; what stands beyond must be equal to the letter."""
LONGEST_OPENER = 40

_TOKEN = re.compile(rf"{WORD}|{NUMBER}|[=!<>]=|&&|\|\||[-+*/^=<>%√×÷|~]|(?<=\w)#|[()\[\]{{}}]|[.?!:\n]")
_LOGIC = frozenset(("and", "or"))
NO_WORDS: Counter[str] = Counter()
_ONE_WAY = frozenset(("-", "/", "^", "<", ">", "<=", ">=", "="))


@dataclass(frozen=True, slots=True)
class Key:
    """One request, ready for the guard. Bags are multisets of stems, `sequence` is what they were made from. `pieces`,
    `symbols` and `marks` count to the letter, and so do the words of `names`.
    """

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
    text: str
    pieces: tuple[str, ...]
    symbols: tuple[str, ...]
    marks: tuple[str, ...]
    names: frozenset[str]

    @property
    def is_generic(self) -> bool:
        """Nothing is asked that could be compared: "hi", "continue", "thanks", "?"."""
        return not (self.numbers or self.signs or self.spaceless or self.size or self.symbols)

    def surface(self, word: str) -> str:
        """The word as it was first written, for one of its stems."""
        return self.surfaces[self.sequence.index(word)] if word in self.sequence else word

    @property
    def is_to_the_letter(self) -> bool:
        """Whether case, spaces or single marks in it say something."""
        return bool(self.pieces or self.marks or self.names)

    def written(self, name: str) -> list[str]:
        """How the words with the stem of `name` are written, in any order."""
        meant = stem(name)
        return sorted(surface for word, surface in zip(self.sequence, self.surfaces, strict=True) if word == meant)

    def is_name(self, word: str) -> bool:
        """Whether the word of a stem is written with a capital inside a sentence."""
        place = self.text.find(self.surface(word).capitalize())
        return place > 0 and self.text[:place].rstrip(" \t\"'“‘(")[-1:] not in ("", *BOUNDARIES)


def key_of(text: str, *, opens: bool = True) -> Key:
    """Take one request apart. Linear in its length; at most 12,000 characters are read. Unless `opens` is False, a
    whole text that only opens or goes on with a conversation ("yes", "continue") asks nothing.
    """
    beyond = b""
    if opens and len(text) < LONGEST_OPENER and exact_form(text) in OPENERS:
        text = ""
    if len(text) > EXAMINED:
        beyond = blake2b(text[EXAMINED:].encode("utf-8", "surrogatepass"), digest_size=8).digest()
        text = text[:EXAMINED]
    tokens = _TOKEN.findall(prepare(text.strip()))
    code = looks_like_code(text)
    if not any(token.isalnum() for token in tokens):
        # Nothing but signs: they are all there is to compare.
        tokens = [token for token in tokens if token not in BOUNDARIES]
        code = True
    reader = Reader(tokens)
    reader.read()
    if code:
        reader.signs += [token for token in tokens if token in _LOGIC]
    return _key(reader, text, code, beyond)


def _key(read: Reader, text: str, code: bool, beyond: bytes) -> Key:
    content, task = read.content, read.task
    if task in ("create", "list") and content and content[0][0] == "list":
        # "Generate a list of 5 animals" asks for what "List 5 animals" asks for.
        content, task = content[1:], "list"
    words = [(word, line) for word, _, line, is_number in content if not is_number]
    first, last = (content[0][2], content[-1][2]) if content else (0, 0)
    several = first != last
    signs = _signs_that_count(read, code, len(words))
    return Key(
        numbers=tuple(read.numbers),
        counted=frozenset(read.counted + [(value, "") for value in read.uncounted]),
        signs=signs,
        task=task,
        questions=frozenset(read.questions),
        bag=Counter([word for word, _ in words]),
        size=len(words),
        sequence=tuple([place[0] for place in content]),
        surfaces=tuple([place[1] for place in content]),
        directions=frozenset(read.directions),
        spaceless=tuple(read.spaceless),
        head=Counter([word for word, line in words if line == first]) if several else NO_WORDS,
        tail=Counter([word for word, line in words if line == last]) if several else NO_WORDS,
        code=code,
        beyond=beyond,
        one_way=not _ONE_WAY.isdisjoint(signs),
        single=read.single,
        plurals=frozenset([word for word, token, _, _ in content if token[-1] == "s" and token[-2:] != "ss"]),
        asks_what=read.asks_what,
        joined=read.joined,
        text=text,
        pieces=pieces_of(text),
        symbols=symbols_of(text),
        marks=marks_of(text),
        names=names_of(text),
    )


def _signs_that_count(read: Reader, code: bool, words: int) -> tuple[str, ...]:
    """Brackets count in programs and in calculations; in a longer sentence a lone dash between numbers does not."""
    if code or not read.signs:
        return tuple(read.signs)
    operators = tuple(sign for sign in read.signs if sign not in BRACKETS)
    operands = len(read.numbers) + sum(len(place[1]) == 1 for place in read.content if not place[3])
    if len(operators) >= 2 and operands >= 2:
        operators = tuple(read.signs)
    return () if words > 6 and set(operators) == {"-"} else operators
