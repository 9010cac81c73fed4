"""`tamis add PROJECT FILE`: new rows, checked against what is there, and what they bring."""

from __future__ import annotations

import argparse
from typing import Any

from engine.project.folder import Project, open_project
from workbench.cli_common import Narrator, find_project, name_reviewer, print_json, some
from workbench.safe_text import visible


def add(arguments: argparse.Namespace) -> int:
    """`tamis add PROJECT FILE`: rows that are new come in undecided; a new version of the source pairs changed rows."""
    from engine.jobs.scan import scan_project
    from engine.project.curving import brings
    from engine.project.grow import grow

    folder = find_project(arguments.project)
    reviewer = name_reviewer(arguments.reviewer, folder)
    found = grow(folder, arguments.file, reviewer, replaces=arguments.new_version or None)
    with open_project(folder, readonly=True) as project:
        scan_project(project, Narrator())
        links = _links(project, found.added)
        brought = brings(project, found.added, links)
    told = {
        "added": len(found.added),
        "known": found.known,
        "changed": {str(new): old for new, old in found.changed.items()},
        "vanished": list(found.vanished),
        "quarantined": found.quarantined,
        "links": links,
        "brings": brought,
    }
    if arguments.json:
        print_json(told)
        return 0
    print(f"{len(found.added):,} rows added, {found.known:,} were here already, {found.quarantined:,} lines set aside")
    if found.changed:
        print(f"  {len(found.changed):,} changed since their old selves came in: is:changed")
    if found.vanished:
        print(f"  {len(found.vanished):,} rows are not in the new version: {some(found.vanished)}")
    for kind, numbers in links.items():
        print(f"  {len(numbers):,} added rows are {kind} of rows that were here: {some(numbers)}")
    for line in _brought_lines(brought):
        print(visible(line))
    return 0


def _brought_lines(brought: dict[str, Any]) -> list[str]:
    """What the added rows bring, as far as the last curve can tell."""
    lines = [f"  {brought['new']:,} of them repeat nothing that was here"]
    if brought["nll"] is not None:
        expected = f"{brought['nll']:.3f} to {brought['nll_expected']:.3f}"
        lines.append(f"  accepted, they should take the held-out NLL from about {expected} (curve {brought['curve']})")
    for topic in brought["topics"]:
        words = ", ".join(topic["words"]) or "no common words"
        lines.append(f"  {topic['added']:,} on {words}: the NLL is {topic['times_mean']:.1f} times the mean there")
    return lines


def _links(project: Project, added: tuple[int, ...]) -> dict[str, list[int]]:
    """Added rows that link to older ones: kind of cluster (or leak) -> their numbers."""
    fresh = set(added)
    links: dict[str, list[int]] = {}
    for number in added:
        kinds = {c.kind for c in project.clusters_of(number) if not fresh.issuperset(c.rows)}
        for kind in sorted(kinds) + (["leak"] if project.is_leaking(number) else []):
            links.setdefault(kind, []).append(number)
    return links
