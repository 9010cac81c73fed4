"""The commands about what runs say: their answers (try, judge), and the rows worth another look (suspects, rescore)."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.errors import UsageError
from engine.jobs.suspects import follow
from engine.paths import is_project
from engine.phrases import counted
from engine.project.project import Project
from engine.project.suspects import Suspects
from engine.training.eval.heldout_outputs import HeldoutRow, heldout_rows, recorded_answers
from engine.training.eval.inference import Answering, Side, check_can_answer, longest_answer
from engine.training.eval.pairwise import Judging
from engine.training.runs.data_files import spoken
from engine.training.runs.registry import find_run
from engine.training.runs.status import read_run, stop
from engine.workflows.rescore import latest_run, point_back, start_rescore
from engine.workflows.train import trust_notes
from workbench.cli.common import name_reviewer, on_a_terminal, open_to_look
from workbench.cli.open import show
from workbench.cli.output import Narrator, narrate, print_json, say
from workbench.cli.train import settings_named
from workbench.terminal.capabilities import check_terminal

BATCH = 8


def try_run(arguments: argparse.Namespace) -> int:
    """`tamis try RUN`: a screen; with --json, --prompt or without a terminal the answers as text."""
    run = find_run(arguments.run)
    check_can_answer(run)
    project = project_of(run)
    if arguments.json or arguments.prompt or not on_a_terminal() or project is None:
        return _print_answers(run, arguments)
    # A screen brings Textual with it, which answers in text do not need.
    from workbench.ui.screens.try_run import TryScreen

    check_terminal()
    return show(project, arguments, opening=lambda: TryScreen(run))


def project_of(run: Path) -> Path | None:
    """The project a run belongs to, or None for a run on a data file."""
    folder = run.resolve().parent.parent
    return folder if is_project(folder) else None


def _print_answers(run: Path, arguments: argparse.Namespace) -> int:
    rows: Sequence[HeldoutRow]
    if arguments.prompt:
        rows = [HeldoutRow("", ({"role": "user", "content": text},), "") for text in arguments.prompt]
    else:
        rows = heldout_rows(run)[: max(0, arguments.rows)]
        if not rows:
            raise UsageError(f"{run.name} has no held-out row to answer", "", 'ask something: --prompt "..."')
    narrator = Narrator()
    with Answering(run) as answering:
        ready = answering.wait_ready(lambda done, of: narrator("making the built-in model", done, of))
        answered: list[dict[str, Any]] = []
        for batch in _batches(rows, narrator):
            answered += _answers(answering, batch, longest_answer(run))
    if arguments.json:
        print_json({"run": run.name, "model": ready["model"], "kind": ready["kind"], "rows": answered})
    else:
        for one in answered:
            for line in _as_text(one).split("\n"):
                say(line)
    return 0


def _batches(rows: Sequence[HeldoutRow], narrator: Narrator) -> Iterator[Sequence[HeldoutRow]]:
    """The rows, as many at once as a model is asked; how far it is is told."""
    for start in range(0, len(rows), BATCH):
        narrator("answering", start, len(rows))
        yield rows[start : start + BATCH]
    narrator.end()


def _asked(
    answering: Answering, rows: Sequence[HeldoutRow], longest: int, sides: Sequence[str] = ("base", "tuned")
) -> Iterator[Side]:
    prompts, tools = [row.prompt for row in rows], [row.tools for row in rows]
    return answering.ask(prompts, tools=tools, longest=longest, sides=sides)


def _answers(answering: Answering, rows: Sequence[HeldoutRow], longest: int) -> list[dict[str, Any]]:
    sides = {side.side: side for side in _asked(answering, rows, longest)}
    out = []
    for number, row in enumerate(rows):
        one: dict[str, Any] = {"id": row.id or None, "prompt": [dict(message) for message in row.prompt]}
        one |= {"tools": list(row.tools)} if row.tools else {}
        one["reference"] = row.reference or None
        for name, side in sides.items():
            one[name] = side.answers[number]
            one[f"{name}_cut"] = side.cut[number]
            one[f"{name}_exact"] = side.answers[number].strip() == row.reference.strip() if row.id else None
        out.append(one)
    return out


def _as_text(one: Mapping[str, Any]) -> str:
    asked = "\n\n".join(spoken(message) for message in one["prompt"] if message["role"] != "system")
    parts = [("asked", asked), ("reference", one["reference"]), ("base", one["base"]), ("tuned", one["tuned"])]
    lines = [f"{name + ':':<11}{_indented(text)}" for name, text in parts if text is not None]
    return "\n".join([f"row {one['id']}" if one["id"] else "typed", *lines, ""])


def _indented(text: str) -> str:
    return text.replace("\n", "\n" + " " * 11)


def judge(arguments: argparse.Namespace) -> int:
    """`tamis judge RUN_A RUN_B`: a screen; with --json, or without a terminal, what was judged so far."""
    from workbench.ui.screens.judge import JudgeScreen, summary_lines

    run_a, run_b = find_run(arguments.run), find_run(arguments.other)
    if arguments.json or not on_a_terminal():
        summary = Judging(run_a, run_b).summary()
        if arguments.json:
            print_json(summary)
        else:
            for name, words in summary_lines(summary):
                say(f"{name:<9}{words}")
        return 0
    project = project_of(run_a)
    if project is None:
        raise UsageError(f"{run_a.name} is no run of a project", "", "train on a project to judge its runs on a screen")
    check_terminal()
    by = name_reviewer(arguments.reviewer, project)
    answers = answers_of(run_a, run_b)
    judging = Judging(run_a, run_b, by=by, answers=answers)
    return show(project, arguments, reviewer=by, opening=lambda: JudgeScreen(judging))


def answers_of(run_a: Path, run_b: Path) -> tuple[dict[str, str], dict[str, str]]:
    """The answers of both runs: those they wrote down, else freshly made (a run that was stopped wrote none)."""
    both = []
    for run in (run_a, run_b):
        known = recorded_answers(run)
        if not known:
            read_run(run)  # says what is wrong with a folder that is no run
            narrate(f"{run.name} wrote down no answers: asking its model")
            rows = heldout_rows(run)
            with Answering(run) as answering:
                narrator = Narrator()
                answering.wait_ready(lambda done, of: None)
                for batch in _batches(rows, narrator):
                    (side,) = _asked(answering, batch, longest_answer(run), sides=["tuned"])
                    known |= {row.id: text for row, text in zip(batch, side.answers, strict=True)}
        both.append(known)
    return both[0], both[1]


def suspects(arguments: argparse.Namespace) -> int:
    """`tamis suspects PROJECT [--run RUN]`: read a run's row losses, name the rows worth another look."""
    with open_to_look(arguments.project) as project:
        run = find_run(arguments.run) if arguments.run else latest_run(project)
        _print_suspects(project, point_back(project, run), arguments.json)
    return 0


def rescore(arguments: argparse.Namespace) -> int:
    """`tamis rescore PROJECT`: tune on the accepted rows, rank the undecided ones. ctrl+c stops the run as well."""
    with open_to_look(arguments.project) as project:
        settings = settings_named(arguments)
        for note in trust_notes(project.folder, arguments.model, settings):
            narrate(note.text)
        run = start_rescore(project, model=arguments.model, settings=settings)
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
        _print_suspects(project, point_back(project, run.dir), arguments.json)
    return 0


def _print_suspects(project: Project, found: Suspects, as_json: bool) -> None:
    rows = _rows(project, found)
    if as_json:
        order = sorted(found.scores, key=lambda identifier: -found.scores[identifier])
        ranked = [{"id": i, "row": project.rows.number(i), "surprise": found.scores[i]} for i in order]
        print_json({"run": found.run, "rows": rows, "untouched": ranked})
        return
    for row in rows:
        say(f"{row['row']:>6}  {row['kind']:<14}  {row['verdict']:<9}  {row['reason']}")
    and_ranked = f"; {counted(len(found.scores), 'untouched row')} ranked by surprise" if found.scores else ""
    narrate(f"{counted(len(rows), 'row')} to look at again, by {found.run}{and_ranked}; nothing was decided")


def _rows(project: Project, found: Suspects) -> Sequence[dict[str, Any]]:
    rows = []
    for suspected in found.rows:
        number = project.rows.number(suspected.id)
        if number is not None:
            named = {"row": number, "id": suspected.id, "kind": suspected.kind, "rank": suspected.rank}
            rows.append({**named, "of": suspected.of, "verdict": project.verdict(number), "reason": suspected.reason})
    return rows
