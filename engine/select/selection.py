"""The rows of a selector: to be looked at, or to be decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.select.parse import parse_selector
from engine.select.tree import Negation, RowTest, Term, nodes_of, test_of

if TYPE_CHECKING:
    from engine.project.project import Project
    from engine.select.parse import Selector


def row_test(project: Project, selector: Selector) -> RowTest:
    """Whether a row of this project matches. Raises UsageError where the project lacks what the selector names; so may
    the test, where a pattern takes too long."""
    return (lambda number: True) if selector.root is None else test_of(selector.root, project)


def select(project: Project, text: str) -> list[int]:
    """The row numbers that match, ascending. Raises UsageError where the text is no selector."""
    return list(filter(row_test(project, parse_selector(text)), range(len(project.rows))))


@dataclass(frozen=True, slots=True)
class ToDecide:
    """The rows a command would decide, and which parts of its selector are negated although they match no row: `not` of
    nothing is everything, and seldom what was meant."""

    rows: list[int]
    negates_nothing: tuple[str, ...]


def select_to_decide(project: Project, text: str) -> ToDecide:
    """The rows of a selector that decides. Raises UsageError also where it names a tag, reviewer or field that nothing
    in the project has: what is only looked at may be empty, what is decided was mistyped."""
    selector = parse_selector(text)
    nodes = list(nodes_of(selector.root)) if selector.root is not None else []
    test = row_test(project, selector)
    for node in nodes:
        if isinstance(node, Term):
            node.check(project)
    rows = range(len(project.rows))
    negated = [node.inner for node in nodes if isinstance(node, Negation)]
    nothing = [inner.text for inner in negated if not any(map(test_of(inner, project), rows))]
    return ToDecide(list(filter(test, rows)), tuple(nothing))
