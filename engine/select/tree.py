"""A selector as it was understood: terms, joined and negated; and the test of a row that comes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from engine.project.project import Project

RowTest = Callable[[int], bool]
"""Whether the row of this number belongs to the selection."""


def _nothing_to_check(project: Project) -> None:
    """Most terms know all their names without a project."""


@dataclass(frozen=True, slots=True)
class Term:
    """One term as it was `text`.

    `test_of` makes the test of a row of a project, and raises UsageError where the project lacks what is named. `check`
    raises UsageError where a name (a tag, a reviewer, a field) is known nowhere in the project: a filter may still ask
    for it, a command that decides may not.
    """

    text: str
    test_of: Callable[[Project], RowTest]
    check: Callable[[Project], None] = _nothing_to_check
    is_slow: bool = False
    """Whether one row may take as long as a thousand of another term."""


@dataclass(frozen=True, slots=True)
class Negation:
    inner: Node

    @property
    def text(self) -> str:
        return f"not {self.inner.text}"


@dataclass(frozen=True, slots=True)
class Joined:
    """All of the parts (`and`) or any of them (`or`); two parts at least."""

    by: Literal["and", "or"]
    parts: tuple[Node, ...]

    @property
    def text(self) -> str:
        return f"({f' {self.by} '.join(part.text for part in self.parts)})"


Node = Term | Negation | Joined


def test_of(node: Node, project: Project) -> RowTest:
    """The test of a row of this project. Raises UsageError where the project lacks what a term names."""
    if isinstance(node, Term):
        return node.test_of(project)
    if isinstance(node, Negation):
        inner = test_of(node.inner, project)
        return lambda number: not inner(number)
    tests = [test_of(part, project) for part in node.parts]
    if node.by == "and":
        return lambda number: all(test(number) for test in tests)
    return lambda number: any(test(number) for test in tests)


def nodes_of(node: Node) -> Iterator[Node]:
    """The node and all below it, from left to right."""
    yield node
    if isinstance(node, Negation):
        yield from nodes_of(node.inner)
    elif isinstance(node, Joined):
        for part in node.parts:
            yield from nodes_of(part)
