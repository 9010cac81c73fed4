"""`tamis suspects` and `tamis rescore`: which rows a run says to look at again."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from engine.project.folder import Project, open_project
from engine.project.suspects import Suspects
from engine.training.index import find_run
from engine.training.runs import stop
from workbench.cli_common import Narrator, find_project, narrate, print_json
from workbench.cli_plan import settings_named
from workbench.safe_text import visible


def suspects(arguments: argparse.Namespace) -> int:
    """`tamis suspects PROJECT [--run RUN]`: read a run's row losses, name the rows worth another look."""
    from engine.project.rescore import latest_run, point_back

    with open_project(find_project(arguments.project), readonly=True) as project:
        run = find_run(arguments.run) if arguments.run else latest_run(project)
        _tell(project, point_back(project, run), arguments.json)
    return 0


def rescore(arguments: argparse.Namespace) -> int:
    """`tamis rescore PROJECT`: tune on the accepted rows, rank the undecided ones. ctrl+c stops the run as well."""
    from engine.jobs.suspects import follow
    from engine.project.rescore import point_back, start_rescore

    with open_project(find_project(arguments.project), readonly=True) as project:
        run = start_rescore(project, model=arguments.model, settings=settings_named(arguments))
        if not arguments.json:
            narrate(f"{run.id}: it goes on without this terminal; `tamis suspects` then reads it")
        narrator = Narrator()
        try:
            follow(run.dir, narrator)
        except KeyboardInterrupt:
            stop(run.dir)
            raise
        finally:
            narrator.end()
        _tell(project, point_back(project, run.dir), arguments.json)
    return 0


def _tell(project: Project, found: Suspects, as_json: bool) -> None:
    rows = _rows(project, found)
    if as_json:
        order = sorted(found.scores, key=lambda identifier: -found.scores[identifier])
        ranked = [{"id": i, "row": project.rows.number(i), "surprise": found.scores[i]} for i in order]
        print_json({"run": found.run, "rows": rows, "untouched": ranked})
        return
    for row in rows:
        print(visible(f"{row['row']:>6}  {row['kind']:<14}  {row['verdict']:<9}  {row['reason']}"))
    ranked_words = f"; {len(found.scores)} untouched rows ranked by surprise" if found.scores else ""
    narrate(f"{len(rows)} rows to look at again, by {found.run}{ranked_words}; nothing was decided")


def _rows(project: Project, found: Suspects) -> Sequence[dict[str, Any]]:
    rows = []
    for suspected in found.rows:
        number = project.rows.number(suspected.id)
        if number is not None:
            told = {"row": number, "id": suspected.id, "kind": suspected.kind, "rank": suspected.rank}
            rows.append({**told, "of": suspected.of, "verdict": project.verdict(number), "reason": suspected.reason})
    return rows
