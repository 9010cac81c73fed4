"""What the first keys need and the first paint does not: imported between the keys, a module at a time.

A module is imported in a few milliseconds; all of them before the first paint would double the start, and all of them
with the first key would be felt. The order is from the ground up, so that no step brings many others along.
"""

from __future__ import annotations

from importlib import import_module

SOON = (
    "engine.scan.dates",
    "engine.select",
    "engine.queue.estimate",
    "engine.queue.recheck",
    "engine.sources.guess",
    "engine.sources.shapes",
    "workbench.view",
    "workbench.verdicts",
    "workbench.searching",
    "workbench.headlines",
    "workbench.worddiff",
    "workbench.document_parts",
    "workbench.row_document",
    "workbench.group_document",
    "workbench.document",
    "workbench.turn_document",
    "workbench.entry_lines",
    "workbench.entry_words",
    "workbench.beside",
    "workbench.widgets.reader",
    "engine.queue.order",
    "engine.queue.precision",
    "workbench.ordering",
    "workbench.learnt",
    "workbench.edits",
    "workbench.merging",
    "workbench.screens.triage",
    "workbench.stopping",
    "workbench.second_look",
    "workbench.judging",
    "workbench.grouping",
    "workbench.jumps",
    "workbench.turns",
    "engine.queue.rules",
    "workbench.repairs",
    "workbench.editing",
    "workbench.remarks",
    "workbench.headless",
    "workbench.palette",
    "workbench.system_prompts",
    "workbench.years",
)


def import_one(done: int) -> bool:
    """Import the module number `done` of the list; False where there is none left."""
    if done < len(SOON):
        import_module(SOON[done])
    return done + 1 < len(SOON)
