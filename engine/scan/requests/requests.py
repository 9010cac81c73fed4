"""Rows as requests: what is asked, under which system prompt, after which answers; equal requests share a node."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from engine.model import Conversation, Example, Message, ToolCall
from engine.scan.requests.content import (
    SYSTEM_PROMPT,
    Content,
    Said,
    beside_of,
    comparable,
    context_of,
    has_only_words,
    is_plain,
    words_of,
)
from engine.scan.text import coarse_forms, exact_form

SHARED_SYSTEM = 0.05
"""A system prompt that more than this share of the rows carries says nothing about one of them."""

HEAD, TAIL = 3000, 1000
"""Characters of a request that its signature is made from. Longer ones are compared whole once they are candidates."""
LONGEST_SPLIT = HEAD + TAIL

_MONTH = "(?:january|february|march|april|may|june|july|august|september|october|november|december)"
# What a system prompt tells of the day it was written on, or of the day up to which a model knows the world.
_DATES = re.compile(
    r"\b(?:19|20)\d\d(?:[-/.]\d{1,2}){0,2}\b|\b\d{1,2}[-/.]\d{1,2}[-/.](?:19|20)\d\d\b|\b\d{1,2}:\d\d(?::\d\d)?\b"
    rf"|\b\d{{1,2}}(?:st|nd|rd|th)? (?:of )?{_MONTH}\b|\b{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?\b"
)
_POINTS_BACK = re.compile(
    r"\b(?:above|below|previous|previously|following|given|provided|attached|earlier|mentioned|before)\b"
    r"|\b(?:this|that|these|those) (?:text|passage|paragraph|article|sentence|story|list|email|code|one|"
    r"word|words|statement|poem|image)\b"
    r"|\b(?:it|them|this|that|more|again)[.?!]?$"
)
_ASSISTANT = re.compile(r"\bassistants?\b|\bhelpful\b|\blanguage model\b|\bassistente?\b|\basistente\b|助手|ассистент")
_LEANS_AT_MOST = 160
_SHOWN = ("=image", "=audio", "=video", "=file")


class Request(NamedTuple):
    """What one row asks, and what it answers. `turns` are the user's texts, `before` the earlier answers, `calls` those
    of the closing turn; `context` is what else makes it this request, `beside` what else makes it this answer.
    """

    turns: tuple[str, ...]
    before: tuple[Said, ...]
    answer: str
    system_prompt: str
    calls: tuple[ToolCall, ...] = ()
    context: Content = ()
    beside: Content = ()

    @property
    def text(self) -> str:
        """The user's turns, one after another."""
        return "\n".join(self.turns)

    @property
    def is_empty(self) -> bool:
        """Whether nothing could be read of the row: such rows are no copies of each other."""
        return not (self.turns or self.before or self.answer or self.calls or self.context or self.beside)


@dataclass(slots=True)
class Node:
    """All rows with equal requests: the same texts of the user, system prompt and context. `rows` are ascending."""

    turns: tuple[str, ...]
    system_prompt: str
    rows: list[int]
    context: Content = ()
    _frame: Content | None = None

    @property
    def text(self) -> str:
        """The user's turns, one after another."""
        return "\n".join(self.turns)

    @property
    def frame(self) -> Content:
        """Its context in comparable form, made once."""
        if self._frame is None:
            self._frame = comparable(self.context)
        return self._frame

    @property
    def leans(self) -> bool:
        """Whether the request points at something it does not hold: equal words may ask for different things. What is
        shown with it ("this" picture) is held.
        """
        return not any(name.startswith(_SHOWN) for name, _ in self.context) and leans_on_context(self.turns)


def requests_of(examples: Sequence[Example], tick: Callable[[int], None]) -> list[Request]:
    """One request per example, in order."""
    found: list[Request] = []
    system_prompts: dict[int, str] = {}
    known: dict[str, str] = {}
    for position, example in enumerate(examples):
        if position % 2000 == 0:
            tick(position)
        conversation = example.conversation
        turns = conversation.messages
        if len(turns) == 2 and turns[0].role == "user" and turns[1].role == "assistant":
            asked, answered = turns
            if has_only_words(asked) and has_only_words(answered) and is_plain(conversation):
                # Most rows are one question and its answer.
                found.append(Request((asked.text,), (), answered.text, ""))
                continue
        if any(turn.role == "system" for turn in turns):
            system_prompts[position] = _system_prompt(turns, known)
        found.append(_request(conversation))
    for position, system_prompt in _telling(system_prompts, len(examples)).items():
        found[position] = found[position]._replace(system_prompt=system_prompt)
    return found


def _request(conversation: Conversation) -> Request:
    """The request of a conversation, its system prompt aside."""
    users: list[str] = []
    before: list[Said] = []
    systems: list[str] = []
    messages = conversation.messages
    end = len(messages) - 1 if messages and messages[-1].role == "assistant" else len(messages)
    regular = is_plain(conversation)
    expected = "user"
    for place, message in enumerate(messages):
        role = message.role
        if role == "system":
            systems.append(words_of(message))
            regular = regular and has_only_words(message)
            continue
        regular = regular and role == expected and has_only_words(message)
        if role == "user":
            users.append(words_of(message))
            expected = "assistant"
        elif role == "assistant":
            expected = "user"
            if place < end:
                before.append(Said(words_of(message), message.tool_calls, message.train, len(users)))
    closing = messages[end] if end < len(messages) else None
    context: Content = ()
    beside: Content = ((SYSTEM_PROMPT, "\n".join(systems)),) if systems else ()
    if not regular:
        context, beside = context_of(conversation), beside_of(conversation)
    return Request(
        tuple(users),
        tuple(before),
        words_of(closing) if closing is not None else "",
        "",
        closing.tool_calls if closing is not None else (),
        context,
        beside,
    )


def _system_prompt(turns: Sequence[Message], known: dict[str, str]) -> str:
    """The system prompt in comparable form; dates aside. Many rows share one: `known` holds the forms of those seen."""
    text = "\n".join([turn.text for turn in turns if turn.role == "system"])
    form = known.get(text)
    if form is None:
        form = known[text] = _DATES.sub("0", exact_form(text))
    return form


def _telling(system_prompts: dict[int, str], rows: int) -> dict[int, str]:
    """The system prompts that say something about their row: all but the commonest, where many rows share it and it
    only says that an assistant is to answer. Who is given another persona is asked for something else.
    """
    counts = Counter(system_prompt for system_prompt in system_prompts.values() if system_prompt)
    commonest, count = counts.most_common(1)[0] if counts else ("", 0)
    shared = commonest if count >= 2 and count > SHARED_SYSTEM * rows and _ASSISTANT.search(commonest) else ""
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
            nodes.append(_node(requests, rows))
            continue
        equal: dict[tuple[tuple[str, ...], Content], list[int]] = {}
        forms: dict[tuple[str, ...], tuple[str, ...]] = {}
        for row in rows:
            turns, context = requests[row].turns, requests[row].context
            form = forms.get(turns)
            if form is None:
                form = forms[turns] = tuple([exact_form(turn) for turn in turns])
            equal.setdefault((form, comparable(context) if context else context), []).append(row)
        nodes += [_node(requests, same) for same in equal.values()]
    return sorted(nodes, key=lambda node: node.rows[0])


def _node(requests: Sequence[Request], rows: list[int]) -> Node:
    first = requests[rows[0]]
    return Node(first.turns, first.system_prompt, rows, first.context)


def leans_on_context(turns: tuple[str, ...]) -> bool:
    """Whether a single request points at something outside it ("Summarize the text above")."""
    if len(turns) != 1 or len(turns[0]) > _LEANS_AT_MOST:
        return False
    text = turns[0].strip()
    if any(sign in text for sign in ":\n\"“`«('"):
        return False
    return _POINTS_BACK.search(text.lower()) is not None
