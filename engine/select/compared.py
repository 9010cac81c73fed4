"""What is compared: `turns>4`, `tokens>2000`, `date<2024-01`, and any field of the rows, `field.meta.year<=2018`."""

from __future__ import annotations

import operator as operators
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from engine.numerals import decimal_number
from engine.project.token_counts import TokenCounts
from engine.scan.dates import date_of
from engine.select.tree import Term
from engine.select.vocabulary import FIELD, cut, nearest, shown, wrong
from engine.sources.mapping import Path, parse_path, value_at

if TYPE_CHECKING:
    from engine.project.project import Project

DATE_FIELDS = ("date", "created_at", "created", "timestamp", "time", "year")
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operators.eq,
    "!=": operators.ne,
    "<": operators.lt,
    "<=": operators.le,
    ">": operators.gt,
    ">=": operators.ge,
}
# A date, or its beginning: `date=201` is what was written from 2010 to 2019.
_DATE = re.compile(r"[0-9]{1,4}(?![0-9])[-0-9T:+Z. /]{0,30}")
_OPERATOR_FIRST = re.compile(r"[<>=!~]")
# Fields are gathered from so many rows, until there are so many, in records that lie so deep.
ROWS_WITH_FIELDS = 2_000
MOST_FIELDS = 2_000
DEEPEST_FIELD = 4
FIELDS_NAMED = 8


def measure_term(token: str, key: str, operator: str, value: str) -> Term:
    """`turns`, `tokens` or `chars` against a number. Raises UsageError."""
    wanted = decimal_number(value.strip('"'))
    if wanted is None:
        raise wrong(f"{key} is compared with a number, not {shown(value)}", f"for example {key}{operator}500")
    compare = COMPARE[operator]

    def test_of(project: Project) -> Callable[[int], bool]:
        measure = MEASURES[key](project)
        return lambda number: compare(measure(number), wanted)

    return Term(token, test_of)


def date_term(token: str, operator: str, value: str) -> Term:
    """The date a row carries, against as much of a date as is written. Raises UsageError."""
    wanted = value.strip('"')
    # In quotation marks stands whatever the rows have for a date.
    if wanted == value and _DATE.fullmatch(value) is None:
        raise wrong(f"date is compared with a date, not {shown(value)}", f"for example date{operator}2024-01")
    compare = COMPARE[operator]

    def test_of(project: Project) -> Callable[[int], bool]:
        def test(number: int) -> bool:
            found = row_date(project.current_row(number), len(wanted))
            return found is not None and compare(found, wanted)

        return test

    return Term(token, test_of)


def field_term(token: str, name: str, operator: str, value: str) -> Term:
    """A field of the rows by its dotted path. Raises UsageError; a path that no row has is told when rows are to be
    decided."""
    dotted = name.removeprefix(FIELD).replace('"', "")
    if not dotted or not all(dotted.split(".")):
        raise wrong(f"{shown(name)} names no field", f"for example {FIELD}meta.year{operator}2018")
    if len(value) > 1 and value[0] == value[-1] == "/":
        raise wrong(
            f"{shown(token)}: a field is compared with a text, not with a pattern",
            f'{value} alone searches the texts of a row; {name}{operator}"{value}" compares with the text',
        )
    if _OPERATOR_FIRST.match(value):
        raise wrong(f"{shown(token)} makes no sense", f'a text that begins so stands in quotation marks: "{value}"')
    path, wanted = parse_path(dotted), value.strip('"')
    number_wanted, compare = decimal_number(wanted), COMPARE[operator]
    is_order = operator not in ("=", "!=")

    def fits(found: Any) -> bool:
        if isinstance(found, bool):
            # As JSON writes it.
            found = "true" if found else "false"
        elif isinstance(found, int | float):
            if number_wanted is not None:
                return compare(found, number_wanted)
            if is_order:
                return False
        elif number_wanted is not None and isinstance(found, str):
            as_number = decimal_number(found.strip())
            if as_number is not None:
                return compare(as_number, number_wanted)
        return compare(str(found), wanted)

    def test_of(project: Project) -> Callable[[int], bool]:
        def test(number: int) -> bool:
            found = value_at(project.current_row(number), path)
            return found is not None and fits(found)

        return test

    return Term(token, test_of, lambda project: _has_field(project, dotted, path))


def _has_field(project: Project, dotted: str, path: Path) -> None:
    """Raises UsageError, with the nearest field, where no row has anything there."""
    if any(value_at(project.current_row(row), path) is not None for row in range(len(project.rows))):
        return
    fields = fields_of(project)
    near = nearest(dotted, fields)
    hint = f"did you mean {FIELD}{cut(near)}?" if near else f"known: {', '.join(map(cut, fields[:FIELDS_NAMED]))}"
    raise wrong(f"no row has a field {shown(dotted)}", hint)


def fields_of(project: Project) -> list[str]:
    """The dotted paths of the fields that the first rows have, at most `MOST_FIELDS`."""
    found: dict[str, None] = {}
    for row in range(min(len(project.rows), ROWS_WITH_FIELDS)):
        for path in _paths(project.current_row(row), "", DEEPEST_FIELD):
            found[path] = None
            if len(found) >= MOST_FIELDS:
                return list(found)
    return list(found)


def _paths(row: Any, before: str, deep: int) -> Iterator[str]:
    if hasattr(row, "items"):
        for key, value in row.items():
            yield f"{before}{key}"
            if deep > 1:
                yield from _paths(value, f"{before}{key}.", deep - 1)


MEASURES: dict[str, Callable[[Project], Callable[[int], float]]] = {
    "turns": lambda project: lambda number: len(project.example(number).messages),
    "chars": lambda project: lambda number: project.example(number).conversation.characters,
    "tokens": lambda project: TokenCounts(project).of,
}


def row_date(row: Any, length: int = 10) -> str | None:
    """The date a row carries, as many characters of it as are asked for: `date<2024-01` compares months."""
    if not hasattr(row, "get"):
        return None
    if found := date_of(row):
        return found[:length]
    # Not a date as we know them: it still compares as the text it is.
    values = (str(row.get(name)) for name in DATE_FIELDS if row.get(name) is not None and str(row[name]).strip())
    return next((value[:length] for value in values), None)
