"""`tamis pick PROJECT N`: a proposal, with a reason for every row. It accepts nothing."""

from __future__ import annotations

import argparse
from collections import Counter

from engine.project.folder import open_project
from engine.select import select
from workbench.cli_common import find_project, narrate, print_json
from workbench.safe_text import visible

TOPICS_SHOWN = 12
_BAR = 20


def pick(arguments: argparse.Namespace) -> int:
    """Rows with their reasons on stdout, the coverage of topics on stderr."""
    from engine.jobs.pick import pick_rows, pick_to_json

    with open_project(find_project(arguments.project), readonly=True) as project:
        if project.findings is None:
            narrate("not scanned yet: duplicates and faults are not kept out (`tamis scan` first)")
        locked = select(project, arguments.lock) if arguments.lock else []
        refused = select(project, arguments.swap) if arguments.swap else []
        found = pick_rows(project, arguments.count, locked=locked, refused=refused)
        shown = pick_to_json(project, found)
    if arguments.json:
        print_json(shown)
        return 0
    for row in found.rows:
        print(f"row:{row.number}\t{visible(row.reason)}")
    if len(found.rows) < arguments.count:
        narrate(f"only {len(found.rows):,} rows: the rest are too much like these, or there are no more")
    covered = Counter(topic.picked > 0 for topic in found.topics)
    narrate(f"{covered[True]} of {len(found.topics)} topics covered; nothing was decided")
    for topic in found.topics[:TOPICS_SHOWN]:
        filled = round(_BAR * topic.picked / topic.rows)
        bar = "#" * filled + "." * (_BAR - filled)
        words = visible(", ".join(topic.words))
        narrate(
            f"  {bar} {topic.picked:>4} of {topic.rows:<6} {topic.tokens_picked:>7,} of {topic.tokens:,} tokens  "
            f"{words}"
        )
    return 0
