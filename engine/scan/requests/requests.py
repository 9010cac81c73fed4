"""Rows as requests: what is asked, under which system prompt, after which answers; equal requests share a node."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from engine.model import Example, Message
from engine.scan.text import coarse_forms, exact_form

SHARED_SYSTEM = 0.05
"""A system prompt that more than this share of the rows carries says nothing about one of them."""

HEAD, TAIL = 3000, 1000
"""Characters of a request that its signature is made from. Longer ones are compared whole once they are candidates."""
LONGEST_SPLIT = HEAD + TAIL

_DIGITS = re.compile(r"\d+")
_POINTS_BACK = re.compile(
    r"\b(?:above|below|previous|previously|following|given|provided|attached|earlier|mentioned|before)\b"
    r"|\b(?:this|that|these|those) (?:text|passage|paragraph|article|sentence|story|list|email|code|one|"
    r"word|words|statement|poem|image)\b"
    r"|\b(?:it|them|this|that|more|again)[.?!]?$"
)
_LEANS_AT_MOST = 160


class Request(NamedTuple):
    """What one row asks. `turns` are the user's texts, `before` what else was said before the answer."""

    turns: tuple[str, ...]
    before: tuple[str, ...]
    answer: str
    system_prompt: str

    @property
    def text(self) -> str:
        """The user's turns, one after another."""
        return "\n".join(self.turns)


@dataclass(slots=True)
class Node:
    """All rows with equal requests: the same texts of the user and the same system prompt. `rows` are ascending."""

    turns: tuple[str, ...]
    system_prompt: str
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
    found: list[Request] = []
    system_prompts: dict[int, str] = {}
    known: dict[str, str] = {}
    for position, example in enumerate(examples):
        if position % 2000 == 0:
            tick(position)
        turns = example.messages
        if len(turns) == 2 and turns[0].role == "user" and turns[1].role == "assistant" and not turns[1].calls:
            # Most rows are one question and its answer.
            found.append(Request((turns[0].text,), (), turns[1].text, ""))
            continue
        spoken = [turn for turn in turns if turn.role != "system"]
        if len(spoken) < len(turns):
            system_prompts[position] = _system_prompt(turns, known)
        found.append(_request(spoken))
    for position, system_prompt in _telling(system_prompts, len(examples)).items():
        found[position] = found[position]._replace(system_prompt=system_prompt)
    return found


def _request(spoken: list[Message]) -> Request:
    """The request of these turns, none of them the system's."""
    answer = ""
    if spoken and spoken[-1].role == "assistant":
        last = spoken.pop()
        answer = "\n".join((last.text, *last.calls)) if last.calls else last.text
    users = tuple([turn.text for turn in spoken if turn.role == "user"])
    before = tuple(["\n".join((turn.text, *turn.calls)) for turn in spoken if turn.role != "user"])
    return Request(users, before, answer, "")


def _system_prompt(turns: Sequence[Message], known: dict[str, str]) -> str:
    """The system prompt in comparable form; numbers (dates, names of models) aside. Many rows share one: `known` holds
    the forms of those seen.
    """
    text = "\n".join(turn.text for turn in turns if turn.role == "system")
    form = known.get(text)
    if form is None:
        form = known[text] = _DIGITS.sub("0", exact_form(text))
    return form


def _telling(system_prompts: dict[int, str], rows: int) -> dict[int, str]:
    """The system prompts that say something about their row: all but the commonest, where many rows share it."""
    counts = Counter(system_prompt for system_prompt in system_prompts.values() if system_prompt)
    commonest, count = counts.most_common(1)[0] if counts else ("", 0)
    shared = commonest if count >= 2 and count > SHARED_SYSTEM * rows else ""
    return {position: prompt for position, prompt in system_prompts.items() if prompt not in ("", shared)}


def nodes_of(requests: Sequence[Request]) -> list[Node]:
    """The different requests among `requests`, in order of their first row."""
    # Texts that differ in their letters and signs are different whatever else they are; few rows need a closer look.
    alike: dict[tuple[str, bytes], list[int]] = {}
    coarse = coarse_forms(["\x01".join(request.turns) for request in requests])
    for row, (request, letters) in enumerate(zip(requests, coarse, strict=True)):
        alike.setdefault((request.system_prompt, letters), []).append(row)
    nodes: list[Node] = []
    for rows in alike.values():
        if len(rows) == 1:
            nodes.append(Node(requests[rows[0]].turns, requests[rows[0]].system_prompt, rows))
            continue
        equal: dict[tuple[str, ...], list[int]] = {}
        forms: dict[tuple[str, ...], tuple[str, ...]] = {}
        for row in rows:
            turns = requests[row].turns
            form = forms.get(turns)
            if form is None:
                form = forms[turns] = tuple([exact_form(turn) for turn in turns])
            equal.setdefault(form, []).append(row)
        nodes += [Node(requests[same[0]].turns, requests[same[0]].system_prompt, same) for same in equal.values()]
    return sorted(nodes, key=lambda node: node.rows[0])


def leans_on_context(turns: tuple[str, ...]) -> bool:
    """Whether a single request points at something outside it ("Summarize the text above")."""
    if len(turns) != 1 or len(turns[0]) > _LEANS_AT_MOST:
        return False
    text = turns[0].strip()
    if any(sign in text for sign in ":\n\"“`«('"):
        return False
    return _POINTS_BACK.search(text.lower()) is not None
