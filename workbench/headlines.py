"""What tells a row from others at a glance, for one line of the list."""

from __future__ import annotations

from collections import Counter

from engine.project.folder import Project

# Rows looked at for an opening that many share ("Sort this ticket into JSON …").
SAMPLE = 60
# An opening is shared where at least one row in so many of the sample has it.
ONE_IN = 20
AT_LEAST = 3


def shared_openings(project: Project) -> frozenset[str]:
    """First paragraphs of requests that say nothing about the single row, because many rows have them."""
    rows = len(project.rows)
    sample = range(0, rows, max(1, rows // SAMPLE))
    openings = Counter(project.example(row).prompt.partition("\n\n")[0] for row in sample)
    return frozenset(text for text, times in openings.items() if times >= max(AT_LEAST, len(sample) // ONE_IN))


def headline(project: Project, row: int, openings: frozenset[str]) -> str:
    """The request of a row without such an opening; not yet made visible or cut."""
    example = project.example(row)
    text = example.prompt or (example.turns[0].text if example.turns else str(dict(example.raw)))
    opening, blank, rest = text.partition("\n\n")
    return rest if blank and rest.strip() and opening in openings else text
