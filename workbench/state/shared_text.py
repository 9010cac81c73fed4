"""What many rows have in common, so that it need not be shown with each: openings of requests, system prompts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from engine.model import Message, Part, prompt_of
from engine.project.project import Project

# Rows looked at for an opening that many share ("Sort this ticket into JSON …").
SAMPLE = 60
# An opening is shared where at least one row in so many of the sample has it.
ONE_IN = 20
AT_LEAST = 3


class SharedText:
    """Of a project. `prompts` are rows by the hash of their system prompt, empty until they are counted."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._openings: frozenset[str] | None = None
        self.prompts: Mapping[int, int] = {}

    @property
    def openings(self) -> frozenset[str]:
        """First paragraphs of requests that say nothing about the single row, because many rows have them; looked for
        when first asked."""
        if self._openings is None:
            rows = len(self._project.rows)
            sample = range(0, rows, max(1, rows // SAMPLE))
            found = Counter(self._project.example(row).prompt.partition("\n\n")[0] for row in sample)
            enough = max(AT_LEAST, len(sample) // ONE_IN)
            self._openings = frozenset(text for text, times in found.items() if times >= enough)
        return self._openings

    def forget_openings(self) -> None:
        """After rows came in, or are read otherwise."""
        self._openings = None

    def headline(self, row: int) -> str:
        """What tells a row from others at a glance: its request without such an opening; neither made visible nor
        cut."""
        example = self._project.example(row)
        held = example.conversation
        text = request_at_a_glance(example.messages) or next(filter(str.strip, held.content_texts), "")
        text = text or json.dumps(dict(example.raw), ensure_ascii=False)
        opening, blank, rest = text.partition("\n\n")
        return rest if blank and rest.strip() and opening in self.openings else text


def request_at_a_glance(messages: Sequence[Message]) -> str:
    """The request of a row, its words before the pictures and files that come with them."""
    return prompt_of(
        [turn if type(turn.content) is str else replace(turn, content=_words_first(turn)) for turn in messages]
    )


def _words_first(turn: Message) -> tuple[Part, ...]:
    parts = [part for part in turn.content if isinstance(part, Part)]
    return tuple(sorted(parts, key=lambda part: part.type not in ("text", "json")))
