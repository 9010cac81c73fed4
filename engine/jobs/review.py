"""`python -P -m engine.jobs.review PROJECT`: learn from the verdicts so far and put the undecided rows in order."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from engine.errors import TamisError
from engine.jobs.protocol import end_when_parent_does, say
from engine.project.project import Project, open_project
from engine.review.order import mixed
from engine.review.outcomes import outcomes
from engine.review.priority_model import Case, by_risk, learn
from engine.review.remaining import bad_left, sample_so_far
from engine.review.store import Queue, save_queue

EXPLAINED = 2000
"""Rows at the head of the queue whose reasons are kept."""


def case_of(project: Project, number: int) -> Case:
    """The row as it came: an edit would show the model the answer it is to learn."""
    example = project.example(number, edited=False)
    return Case(example.prompt, example.answer, {flag.signal: flag.severity for flag in project.flags_of(number)})


def order_project(project: Project, progress: Callable[[str, int, int], None] = lambda phase, done, of: None) -> Queue:
    """Learn, order the undecided rows outside the held-out set, and keep the result in the project's folder."""
    numbers = project.training
    progress("reading", 0, len(numbers))
    cases = [case_of(project, number) for number in numbers]
    place = {number: at for at, number in enumerate(numbers)}
    judged = {number: bad for number, bad in outcomes(project).items() if number in place}
    progress("learning", 0, 1)
    learned = learn(cases, {place[number]: bad for number, bad in judged.items()})
    undecided = [place[number] for number in numbers if project.verdict(number) == "undecided"]
    ranked = [numbers[at] for at in by_risk(cases, undecided, learned)]
    identifiers = {number: project.rows.id(number) for number in numbers}
    order = mixed(ranked, identifiers)
    passed = frozenset(number for number in numbers if number not in judged and project.verdict(number) != "undecided")
    left = bad_left(sample_so_far(identifiers, judged, passed), judged, len(numbers) - len(passed))
    queue = Queue(
        tuple(order),
        {number: round(learned.chances[place[number]], 4) for number in order} if learned else {},
        {number: learned.reasons(place[number]) for number in order[:EXPLAINED]} if learned else {},
        len(judged),
        sum(judged.values()),
        {"estimate": left.estimate, "least": left.least, "most": left.most, "sampled": left.sampled, "bad": left.bad}
        if left
        else None,
        project.scan_key(),
    )
    save_queue(project.folder, queue)
    progress("learning", 1, 1)
    return queue


def main() -> int:
    end_when_parent_does()
    try:
        with open_project(Path(sys.argv[1]), readonly=True) as project:
            queue = order_project(project, lambda phase, done, of: say(phase=phase, progress=done, of=of))
    except TamisError as error:
        say(error=str(error))
        return 2
    say(done=True, rows=len(queue.order), decided=queue.decided, learned=bool(queue.chances))
    return 0


if __name__ == "__main__":
    sys.exit(main())
