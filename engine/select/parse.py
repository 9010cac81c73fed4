"""From the text of a selector to its tree: bounded in length, terms and depth, so that it is read in milliseconds."""

from __future__ import annotations

import re
from dataclasses import dataclass

from engine.select.terms import term_of
from engine.select.tree import Joined, Negation, Node, Term, nodes_of
from engine.select.vocabulary import shown, wrong

MOST_CHARACTERS = 20_000
MOST_TERMS = 1_000
DEEPEST = 50
_TOKEN = re.compile(
    r"""\s*(?:(?P<paren>[()])|(?P<regex>/(?:[^/\\]|\\.)+/i?(?=[\s()]|$))|(?P<quoted>"[^"]*"(?=[\s()]|$))|(?P<word>(?:[^\s()"]|"[^"]*")+))""",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Selector:
    """A parsed selector. `text` is what was written; without a `root` it matches every row."""

    text: str
    root: Node | None

    @property
    def is_slow(self) -> bool:
        """Whether the test of one row may take as long as a thousand others."""
        return self.root is not None and any(isinstance(node, Term) and node.is_slow for node in nodes_of(self.root))


def parse_selector(text: str) -> Selector:
    """Raises UsageError with what is wrong and what is known."""
    if len(text) > MOST_CHARACTERS:
        raise wrong(f"{len(text):,} characters are too many", f"at most {MOST_CHARACTERS:,}")
    tokens = _tokens(text)
    if not tokens:
        return Selector("", None)
    parser = _Parser(tokens)
    root = parser.alternatives()
    if parser.rest():
        raise wrong(f"cannot make sense of {shown(parser.rest())}", "check its parentheses")
    return Selector(text.strip(), root)


def _tokens(text: str) -> list[str]:
    tokens: list[str] = []
    text = text.rstrip()
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise wrong(f"cannot read {shown(text[at:].strip())}", "close the quotation mark")
        tokens.append(match.group().strip())
        at = match.end()
    return tokens


class _Parser:
    """Recursive descent over: or < and (also unwritten) < not < term."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._at = 0
        self._deep = 0
        self._terms = 0

    def rest(self) -> str:
        return " ".join(self._tokens[self._at :])

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self) -> str:
        token = self._peek()
        self._at += 1
        return token

    def _deeper(self) -> None:
        self._deep += 1
        if self._deep > DEEPEST:
            raise wrong(f"more than {DEEPEST} brackets and nots inside each other", "write it with fewer of them")

    def alternatives(self) -> Node:
        parts = [self._conjunction()]
        while self._peek().lower() == "or":
            self._take()
            parts.append(self._conjunction())
        return parts[0] if len(parts) == 1 else Joined("or", tuple(parts))

    def _conjunction(self) -> Node:
        parts = [self._negation()]
        while self._peek() and self._peek() != ")" and self._peek().lower() != "or":
            if self._peek().lower() == "and":
                self._take()
            parts.append(self._negation())
        return parts[0] if len(parts) == 1 else Joined("and", tuple(parts))

    def _negation(self) -> Node:
        token = self._take()
        if token.lower() == "not":
            self._deeper()
            inner = self._negation()
            self._deep -= 1
            return Negation(inner)
        if token == "(":
            self._deeper()
            inner = self.alternatives()
            self._deep -= 1
            if self._take() != ")":
                raise wrong("a parenthesis is not closed")
            return inner
        if not token or token == ")" or token.lower() in ("and", "or"):
            raise wrong(f"a term is missing before {shown(token) if token else 'the end'}")
        self._terms += 1
        if self._terms > MOST_TERMS:
            raise wrong(f"more than {MOST_TERMS:,} terms", "name the rows by what they have in common, or by a tag")
        return term_of(token)
