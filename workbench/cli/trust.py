"""`tamis trust PROJECT|RUN`: what in a folder waits for a yes, each with what it says, and the answer of a person."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from engine.config import waiting_settings
from engine.links import waiting_links
from engine.project.create import waiting_sources
from engine.project.row_states import MERGED_ACT
from engine.project.waiting import doubts, say_yes, waiting_acts
from engine.training.runs.trusted import waiting_runs
from engine.trust import Waiting, refuse, trust, was_refused
from workbench.cli.common import find_project, name_reviewer
from workbench.cli.output import ask, narrate, print_json, say

# Each names what waits of its kind in a folder. Links come first: behind one that waits nothing else is looked at.
IN_RUN: tuple[Callable[[Path], tuple[Waiting, ...]], ...] = (waiting_links, waiting_runs)
Answer = Literal["yes", "no", "later"]
KINDS = (waiting_links, waiting_settings, waiting_sources, waiting_runs, waiting_acts)


@dataclass(frozen=True, slots=True)
class Answered:
    """Something that waited, and what a person says to it: now, or (a no) earlier."""

    waiting: Waiting
    answer: Answer


def trust_project(arguments: argparse.Namespace) -> int:
    """The handler of `tamis trust`. Exit code 1 where something still waits. What was said no to is shown again, and
    takes a yes only of a person who is asked."""
    is_run = (arguments.project / "spec.json").is_file()
    folder = arguments.project if is_run else find_project(arguments.project)
    given = arguments.yes or arguments.no
    asks = not given and not arguments.json and sys.stdin.isatty() and sys.stdout.isatty()
    answered: list[Answered] = []
    for kind in IN_RUN if is_run else KINDS:
        for each in kind(folder):
            before: Answer = "no" if was_refused(each) else "later"
            if not arguments.json:
                _show(each, before)
            # Said yes to once it has been shown, never before.
            answer: Answer = given if given and before == "later" else (asks and _asked()) or before
            if answer == "yes":
                _trust(each, folder, arguments.reviewer)
            elif answer == "no" and before == "later":
                refuse(each)
            answered.append(Answered(each, answer))
        if kind is waiting_links and any(each.answer != "yes" for each in answered):
            break
    left = sum(each.answer == "later" for each in answered)
    for doubt in () if is_run else doubts(folder):
        narrate(doubt)
    if arguments.json:
        print_json({"waiting": [_as_json(each) for each in answered]})
    elif not answered:
        say("nothing waits for a yes")
    elif left and not asks:
        narrate(f"{left} still {'waits' if left == 1 else 'wait'}; --yes or --no answers for all that is shown above")
    return 1 if left else 0


def _trust(each: Waiting, folder: Path, named: str | None) -> None:
    if each.kind == MERGED_ACT:
        # An act of one's own, so that it can be taken back.
        say_yes(folder, name_reviewer(named, folder), [each])
    else:
        trust(each.kind, each.place, each.content)


def _show(each: Waiting, before: Answer) -> None:
    say(f"{each.place}: {each.what}{' (you said no)' if before == 'no' else ''}")
    for line in (each.shown or _text_of(each)).split("\n"):
        say(f"    {line}")


def _asked() -> Answer | None:
    typed = ask("  does it count from now on? [y/n, Enter: later] ").strip().lower()
    return "yes" if typed in ("y", "yes") else "no" if typed in ("n", "no") else None


def _text_of(each: Waiting) -> str:
    return each.content.decode("utf-8", "backslashreplace")


def _as_json(answered: Answered) -> dict[str, object]:
    each = answered.waiting
    told = {"kind": each.kind, "what": each.what, "place": str(each.place), "content": _text_of(each)}
    return {**told, "trusted": answered.answer == "yes", "answer": answered.answer}
