"""The answers of rows that ask the same, compared with each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from engine.scan.answers.compare import compare_answers
from engine.scan.answers.relation import Comparison
from engine.scan.duplicates.pair_judge import JudgedPairs
from engine.scan.requests.requests import Node, Request
from engine.scan.text import exact_form


@dataclass(slots=True)
class Answers:
    """The answers of all rows, compared at most once a pair."""

    requests: Sequence[Request]
    nodes: Sequence[Node]
    node_of: Sequence[int]
    judged: JudgedPairs
    _known: dict[tuple[int, int], Comparison] = field(default_factory=dict)
    _forms: dict[int, str] = field(default_factory=dict)
    _before: dict[int, tuple[str, ...]] = field(default_factory=dict)

    def form(self, row: int) -> str:
        """The answer of a row in the form in which it counts as the same, made once."""
        form = self._forms.get(row)
        if form is None:
            form = self._forms[row] = exact_form(self.requests[row].answer)
        return form

    def before(self, row: int) -> tuple[str, ...]:
        """What was said before the answer of a row, in the form in which it counts as the same, made once."""
        said = self.requests[row].before
        if not said:
            return said
        forms = self._before.get(row)
        if forms is None:
            forms = self._before[row] = tuple([exact_form(text) for text in said])
        return forms

    def compare(self, one: int, other: int) -> Comparison:
        """How the answers of two rows to the same request relate; other earlier turns are another context, never a
        conflict.
        """
        pair = (one, other) if one < other else (other, one)
        if pair not in self._known:
            left, right = self.requests[pair[0]], self.requests[pair[1]]
            if self.form(one) == self.form(other):
                found = Comparison("same")
            else:
                turns = self.nodes[self.node_of[pair[0]]].turns
                found = compare_answers(left.answer, right.answer, self.judged.key(turns[-1]) if turns else None)
            if self.before(one) != self.before(other):
                found = Comparison(
                    "nearly" if found.relation == "same" else "alternative", "the conversation before differs"
                )
            self._known[pair] = found
        return self._known[pair]

    def agree(self, one: int, other: int) -> bool:
        """Whether both rows give the same or nearly the same answer."""
        return self.compare(one, other).relation in ("same", "nearly")

    def equal(self, one: int, other: int) -> bool:
        """Whether both rows give the same answer, spelling and all. "Dear Marie" for "Dear Maria" is no proof that a
        request for a card to Marie was meant for Maria.
        """
        if self.before(one) != self.before(other):
            return False
        if self.form(one) == self.form(other):
            return True
        return self.requests[one].answer.lstrip()[:1] in "{[`" and self.compare(one, other).relation == "same"
