"""`tamis trust PROJECT|RUN`: what in a folder waits for a yes, each with its very content, and the yes of a person."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine.config import waiting_settings
from engine.links import waiting_links
from engine.project import waiting
from engine.project.create import waiting_sources
from engine.project.waiting import waiting_acts
from engine.training.runs.trusted import waiting_runs
from engine.trust import Waiting, trust
from workbench.cli.common import find_project, name_reviewer
from workbench.cli.output import ask, narrate, print_json, say

# Each names what waits of its kind in a folder. Links come first: behind one that waits nothing else is looked at.
IN_RUN: tuple[Callable[[Path], tuple[Waiting, ...]], ...] = (waiting_links, waiting_runs)
KINDS = (waiting_links, waiting_settings, waiting_sources, waiting_runs, waiting_acts)


@dataclass(frozen=True, slots=True)
class Answered:
    """Something that waited, and whether a person has said yes to it now."""

    waiting: Waiting
    yes: bool


def trust_project(arguments: argparse.Namespace) -> int:
    """The handler of `tamis trust`. Exit code 1 where something still waits."""
    is_run = (arguments.project / "spec.json").is_file()
    folder = arguments.project if is_run else find_project(arguments.project)
    asks = not arguments.yes and not arguments.json and sys.stdin.isatty() and sys.stdout.isatty()
    answered: list[Answered] = []
    for kind in IN_RUN if is_run else KINDS:
        for each in kind(folder):
            if not arguments.json:
                _show(each)
            # Said yes to once it has been shown, never before.
            yes = arguments.yes or (asks and _asked())
            if yes:
                _trust(each, folder, arguments.reviewer)
            answered.append(Answered(each, yes))
        if kind is waiting_links and not all(each.yes for each in answered):
            break
    left = sum(not each.yes for each in answered)
    for doubt in () if is_run else waiting.doubts(folder):
        narrate(doubt)
    if arguments.json:
        print_json({"waiting": [_as_json(each) for each in answered]})
    elif not answered:
        say("nothing waits for a yes")
    elif left and not asks:
        narrate(f"{left} still {'waits' if left == 1 else 'wait'}; --yes says yes to what is shown above")
    return 1 if left else 0


def _trust(each: Waiting, folder: Path, named: str | None) -> None:
    if each.kind == waiting.KIND:
        # An act of one's own, so that it can be taken back.
        waiting.say_yes(folder, name_reviewer(named, folder), [each])
    else:
        trust(each.kind, each.place, each.content)


def _show(each: Waiting) -> None:
    say(f"{each.place}: {each.what}")
    for line in _text_of(each).split("\n"):
        say(f"    {line}")


def _asked() -> bool:
    return ask("  does it count from now on? [y/N] ").strip().lower() in ("y", "yes")


def _text_of(each: Waiting) -> str:
    return each.content.decode("utf-8", "backslashreplace")


def _as_json(answered: Answered) -> dict[str, object]:
    each = answered.waiting
    told = {"kind": each.kind, "what": each.what, "place": str(each.place), "content": _text_of(each)}
    return {**told, "trusted": answered.yes}
