"""The answers of rows that ask the same, compared with each other: all of a conversation, not its end alone."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

from engine.scan.answers.calls import compare_said
from engine.scan.answers.compare import answer_form
from engine.scan.answers.relation import Comparison
from engine.scan.duplicates.pair_judge import JudgedPairs
from engine.scan.requests.content import LABEL, SYSTEM_PROMPT, Content, Said, canonical_call, comparable, differing
from engine.scan.requests.key import Key
from engine.scan.requests.marks import case_tells
from engine.scan.requests.requests import Node, Request


@dataclass(slots=True)
class Answers:
    """The answers of all rows, compared at most once a pair."""

    requests: Sequence[Request]
    nodes: Sequence[Node]
    node_of: Sequence[int]
    judged: JudgedPairs
    _known: dict[tuple[int, int], Comparison] = field(default_factory=dict)
    _forms: dict[int, Hashable] = field(default_factory=dict)
    _beside: dict[int, Content] = field(default_factory=dict)

    def form(self, row: int) -> Hashable:
        """All that a row says, in the form in which it counts as the same, made once."""
        form = self._forms.get(row)
        if form is None:
            request = self.requests[row]
            form = answer_form(request.answer)
            if request.before or request.calls or request.beside:
                calls = tuple([canonical_call(call) for call in request.calls])
                form = (form, calls, tuple([_form(said) for said in request.before]), self.beside(row))
            self._forms[row] = form
        return form

    def beside(self, row: int) -> Content:
        """What else makes the answer of a row, in the form in which it counts as the same, made once."""
        content = self.requests[row].beside
        if not content:
            return content
        form = self._beside.get(row)
        if form is None:
            form = self._beside[row] = comparable(content)
        return form

    def compare(self, one: int, other: int) -> Comparison:
        """How all that two rows say to the same request relates. The first answer that differs decides: what comes
        after it answers another conversation.
        """
        pair = (one, other) if one < other else (other, one)
        if pair not in self._known:
            same = self.form(one) == self.form(other)
            self._known[pair] = Comparison("same") if same else self._compared(*pair)
        return self._known[pair]

    def agree(self, one: int, other: int) -> bool:
        """Whether both rows give the same or nearly the same answer."""
        return self.compare(one, other).relation in ("same", "nearly")

    def equal(self, one: int, other: int) -> bool:
        """Whether both rows give the same answer, spelling and all. "Dear Marie" for "Dear Maria" is no proof that a
        request for a card to Marie was meant for Maria.
        """
        if self.form(one) == self.form(other):
            return True
        return self.requests[one].answer.lstrip()[:1] in "{[`" and self.compare(one, other).relation == "same"

    def _compared(self, one: int, other: int) -> Comparison:
        left, right = self.requests[one], self.requests[other]
        turns = self.nodes[self.node_of[one]].turns
        if len(left.before) != len(right.before):
            return Comparison("alternative", "the conversation before differs")
        result = Comparison("same")
        for mine, theirs in zip(left.before, right.before, strict=True):
            found = self._earlier(mine, theirs, turns)
            if found.relation in ("conflict", "alternative"):
                return found
            result = found if found.relation == "nearly" else result
        closing = Said(left.answer, left.calls), Said(right.answer, right.calls)
        found = compare_said(closing[0], closing[1], self._asked(turns, len(turns)))
        if found.relation == "conflict" and case_tells(left.text, right.text):
            return Comparison("alternative", "the requests differ in capital letters")
        if found.relation == "conflict" or found.relation == "alternative":
            return self._of_labels(one, other, found)
        result = found if found.relation == "nearly" else result
        return self._with_beside(one, other, result)

    def _asked(self, turns: Sequence[str], number: int) -> Key | None:
        return self.judged.key(turns[number - 1]) if 0 < number <= len(turns) else None

    def _earlier(self, mine: Said, theirs: Said, turns: Sequence[str]) -> Comparison:
        """How two earlier answers relate. They disagree only where something was asked, and both are to be learnt."""
        if _form(mine) == _form(theirs):
            return Comparison("same")
        asked = self._asked(turns, mine.asked)
        found = compare_said(mine, theirs, asked)
        settled = asked is not None and not asked.is_generic and _is_asked(asked)
        if found.relation == "conflict" and not (settled and mine.train and theirs.train):
            return Comparison("alternative", "the conversation before differs")
        return Comparison(found.relation, f"an earlier answer: {found.why}" if found.why else "an earlier answer")

    def _of_labels(self, one: int, other: int, found: Comparison) -> Comparison:
        """A wanted answer and an unwanted one are no contradiction where they differ."""
        labels = [dict(self.beside(row)).get(LABEL) for row in (one, other)]
        if found.relation == "conflict" and labels[0] != labels[1]:
            return Comparison("alternative", "one answer is wanted, the other is not")
        return found

    def _with_beside(self, one: int, other: int, found: Comparison) -> Comparison:
        """The relation of two answers in the same words by what stands beside them."""
        mine, theirs = self.beside(one), self.beside(other)
        if mine == theirs:
            return found
        labels = dict(mine).get(LABEL), dict(theirs).get(LABEL)
        if labels[0] is not None and labels[1] is not None and labels[0] != labels[1]:
            return Comparison("conflict", "one row wants this answer, the other does not")
        names = differing(mine, theirs)
        if names == (SYSTEM_PROMPT,):
            return Comparison("nearly", "the system prompt differs")
        return Comparison("alternative", f"other {', '.join(names[:3])}")


def _form(said: Said) -> Hashable:
    return answer_form(said.text), tuple([canonical_call(call) for call in said.calls]), said.train


def _is_asked(request: Key) -> bool:
    """Whether a turn asks or orders: to "I have a cat." many answers are right."""
    return bool(request.task or request.questions or request.asks_what) or "?" in request.text or "？" in request.text
