"""Which rows of a project are junk, by kind: repeated, flagged, left behind."""

from __future__ import annotations

from collections.abc import Iterable

from engine.project.folder import Project

FLAGGED = ("fix", "drop", "check")


def junk_groups(project: Project, numbers: Iterable[int], *, edited: bool = True) -> dict[str, list[str]]:
    """Ids of the named rows that repeat another one of them, that carry a flag, or that the set has left behind.

    With `edited`, rows count as they stand: flags were found on rows as they came, so an edited row carries none.
    """
    chosen = set(numbers)
    ids = {number: project.rows.id(number) for number in sorted(chosen)}
    copies: set[int] = set()
    for cluster in project.findings.clusters if project.findings is not None else ():
        if cluster.kind in ("exact", "near") and not cluster.alternatives:
            members = [row for row in cluster.rows if row in chosen]
            copies |= set(members) - {cluster.keeper if cluster.keeper in members else next(iter(members), -1)}
    signals = {
        number: {(flag.signal, flag.severity) for flag in project.flags_of(number)}
        for number in ids
        if not (edited and project.is_edited(number))
    }
    return {
        "duplicates": [ids[number] for number in sorted(copies)],
        "flagged rows": [ids[n] for n, flags in signals.items() if any(severity in FLAGGED for _, severity in flags)],
        "stale rows": [ids[n] for n, flags in signals.items() if any(signal == "stale" for signal, _ in flags)],
    }
