"""The rows of a project by the file that they came from."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from engine.model import VERDICTS

if TYPE_CHECKING:
    from engine.project.project import Project

# These mean something where a selector is read.
_APART = frozenset('()"')


def rows_of_source(project: Project, place: int) -> range:
    """The numbers of the rows of a source."""
    source = project.settings.sources[place]
    return range(source.first_row, source.first_row + source.rows)


def source_selector(project: Project, place: int) -> str:
    """`source:raw.jsonl`; by its number, from 1, where another has the same name."""
    name = project.settings.sources[place].name
    if [source.name for source in project.settings.sources].count(name) > 1 or not _APART.isdisjoint(name):
        return f"source:{place + 1}"
    return f"source:{json.dumps(name, ensure_ascii=False)}" if " " in name else f"source:{name}"


def counts_by_source(project: Project) -> list[dict[str, Any]]:
    """Of each source its name, its rows, how many of them have which verdict, and its records that were set aside."""
    found = []
    for place, source in enumerate(project.settings.sources):
        rows = rows_of_source(project, place)
        codes = project.verdict_codes[rows.start : rows.stop]
        counts: dict[str, int] = {verdict: codes.count(code) for code, verdict in enumerate(VERDICTS)}
        found.append({"name": source.name, "rows": source.rows, **counts, "quarantined": source.quarantined})
    return found


def shares(project: Project, numbers: Iterable[int]) -> list[dict[str, Any]]:
    """How many of these rows came from which source, in the order of the sources; those with none of them as well."""
    places = {source.first_row: place for place, source in enumerate(project.settings.sources) if source.rows}
    count = Counter(places[project.rows.source(number).first_row] for number in numbers)
    return [
        {"name": source.name, "rows": source.rows, "of_these": count[place]}
        for place, source in enumerate(project.settings.sources)
    ]
