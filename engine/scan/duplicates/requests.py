"""Rows as requests: what is asked, under which system prompt, after which answers; equal requests share a node."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engine.model import Example
from engine.scan.text import EDGE_PUNCTUATION, exact_form, fold

SHARED_SYSTEM = 0.05
"""A system prompt that more than this share of the rows carries says nothing about one of them."""

_DIGITS = re.compile(r"\d+")
_POINTS_BACK = re.compile(
    r"\b(?:above|below|previous|previously|following|given|provided|attached|earlier|mentioned|before)\b"
    r"|\b(?:this|that|these|those) (?:text|passage|paragraph|article|sentence|story|list|email|code|one|"
    r"word|words|statement|poem|image)\b"
    r"|\b(?:it|them|this|that|more|again)[.?!]?$"
)
_LEANS_AT_MOST = 160


@dataclass(frozen=True, slots=True)
class Request:
    """What one row asks. `turns` are the user's texts, `before` what else was said before the answer, in comparable
    form.
    """

    turns: tuple[str, ...]
    before: tuple[str, ...]
    answer: str
    persona: str


@dataclass(slots=True)
class Node:
    """All rows with equal requests: the same texts of the user and the same system prompt. `rows` are ascending."""

    turns: tuple[str, ...]
    persona: str
    rows: list[int]

    @property
    def text(self) -> str:
        """The user's turns, one after another."""
        return "\n".join(self.turns)

    @property
    def leans(self) -> bool:
        """Whether the request points at something it does not hold: equal words may ask for different things."""
        return leans_on_context(self.turns)


def requests_of(examples: Sequence[Example], tick: Callable[[int], None]) -> list[Request]:
    """One request per example, in order."""
    personas = _personas(examples)
    found: list[Request] = []
    for position, example in enumerate(examples):
        users: list[str] = []
        before: list[str] = []
        spoken = [turn for turn in example.turns if turn.role != "system"]
        answer = ""
        if spoken and spoken[-1].role == "assistant":
            last = spoken.pop()
            answer = "\n".join((last.text, *last.calls)) if last.calls else last.text
        for turn in spoken:
            if turn.role == "user":
                users.append(turn.text)
            else:
                before.append(exact_form("\n".join((turn.text, *turn.calls))))
        found.append(Request(tuple(users), tuple(before), answer, personas[position]))
        if position % 2000 == 0:
            tick(position)
    return found


def _personas(examples: Sequence[Example]) -> list[str]:
    """The system prompt of each row, '' for the commonest shared one and for none; numbers (dates, names of models)
    aside.
    """
    forms = [
        _DIGITS.sub("0", exact_form("\n".join(turn.text for turn in example.turns if turn.role == "system")))
        if example.turns and any(turn.role == "system" for turn in example.turns)
        else ""
        for example in examples
    ]
    counts = Counter(form for form in forms if form)
    if not counts:
        return forms
    commonest, count = counts.most_common(1)[0]
    if count < 2 or count <= SHARED_SYSTEM * len(examples):
        return forms
    return ["" if form == commonest else form for form in forms]


def nodes_of(requests: Sequence[Request]) -> list[Node]:
    """The different requests among `requests`, in order of their first row."""
    # Texts that differ in their words are different whatever else they are; few rows need a closer look.
    by_words: dict[tuple[str, tuple[str, ...]], list[int]] = {}
    for row, request in enumerate(requests):
        words = tuple([" ".join(fold(turn).split()).strip(EDGE_PUNCTUATION) for turn in request.turns])
        by_words.setdefault((request.persona, words), []).append(row)
    nodes: list[Node] = []
    for rows in by_words.values():
        if len(rows) == 1:
            nodes.append(Node(requests[rows[0]].turns, requests[rows[0]].persona, rows))
            continue
        equal: dict[tuple[str, ...], list[int]] = {}
        forms: dict[tuple[str, ...], tuple[str, ...]] = {}
        for row in rows:
            turns = requests[row].turns
            form = forms.get(turns)
            if form is None:
                form = forms[turns] = tuple([exact_form(turn) for turn in turns])
            equal.setdefault(form, []).append(row)
        nodes += [Node(requests[same[0]].turns, requests[same[0]].persona, same) for same in equal.values()]
    return sorted(nodes, key=lambda node: node.rows[0])


def leans_on_context(turns: tuple[str, ...]) -> bool:
    """Whether a single request points at something outside it ("Summarize the text above")."""
    if len(turns) != 1 or len(turns[0]) > _LEANS_AT_MOST:
        return False
    text = turns[0].strip()
    if any(sign in text for sign in ":\n\"“`«('"):
        return False
    return _POINTS_BACK.search(text.lower()) is not None
