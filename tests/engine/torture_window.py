"""A window of the torture test, as a process of its own: decides at random, and logs each act once it was told is done.

    python torture_window.py PROJECT REVIEWER NAME SEED LOG TAKE_OVER

A line of the log: {"do": "tag", "tag", "rows", "n", "file"} or {"do": "undo"|"redo", "n", "file"} for what was
acknowledged, {"do": "refused", "tag"} for what was told as not saved. Each act tags rows with a word of its own, so
that it can be told by its effect; some go into side files.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from contextlib import suppress
from typing import Any

from engine.errors import LockedError, TamisError
from engine.model import Act
from engine.project import journal_writer, journals
from engine.project.project import Project, open_project

# Small, so that side files and snapshots are made all the time.
journal_writer.INLINE_IDS = 12
journals.SNAPSHOT_LINES = 25


class Log:
    """Synced before the next act, as a person's memory is."""

    def __init__(self, path: str) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def write(self, entry: dict[str, Any]) -> None:
        os.write(self._descriptor, json.dumps(entry).encode() + b"\n")
        os.fsync(self._descriptor)


def act(project: Project, dice: random.Random, tag: str, log: Log) -> None:
    assert project.own_journal is not None
    file = project.own_journal.name
    what = dice.random()
    if what < 0.15:
        verb = dice.choice(["undo", "redo"])
        if (project.undo() if verb == "undo" else project.redo()) is not None:
            log.write({"do": verb, "n": project.last_line, "file": file})
        return
    rows = dice.sample(range(len(project.rows)), dice.choice([1, 1, 3, 40]))
    ids = tuple(project.rows.id(row) for row in rows)
    acts = [Act("tag", ids, extra={"tags": [tag]})]
    if dice.random() < 0.7:
        acts.append(Act(dice.choice(["accept", "reject", "skip"]), ids))
    number = project.decide(acts, seen=ids[:1], why="torture")
    log.write({"do": "tag", "tag": tag, "rows": list(ids), "n": number, "file": file})


def sit(folder: str, reviewer: str, name: str, dice: random.Random, log: Log, take_over: bool) -> None:
    with open_project(folder, reviewer=reviewer, take_over=take_over and dice.random() < 0.7) as project:
        if project.readonly:
            return
        for number in range(dice.randint(1, 60)):
            tag = f"{name}-{time.time_ns()}-{number}"
            try:
                act(project, dice, tag, log)
            except LockedError:
                log.write({"do": "refused", "tag": tag})
                return
            except TamisError:
                log.write({"do": "refused", "tag": tag})
            time.sleep(dice.random() * 0.02)


def main() -> None:
    folder, reviewer, name, seed, log_file, take_over = sys.argv[1:]
    dice, log = random.Random(seed), Log(log_file)
    while True:
        with suppress(LockedError):
            sit(folder, reviewer, name, dice, log, take_over == "yes")
        time.sleep(dice.random() * 0.1)


if __name__ == "__main__":
    main()
