"""`tamis trust PROJECT`: what in a folder waits for a yes, each with its very content, and the yes of a person."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine.config import waiting_settings
from engine.trust import Waiting, trust
from workbench.cli.common import find_project, narrate, print_json
from workbench.text.escape import visible

# Each names what waits of its kind in a project folder.
KINDS: tuple[Callable[[Path], tuple[Waiting, ...]], ...] = (waiting_settings,)


@dataclass(frozen=True, slots=True)
class Answered:
    """Something that waited, and whether a person has said yes to it now."""

    waiting: Waiting
    yes: bool


def trust_project(arguments: argparse.Namespace) -> int:
    """The handler of `tamis trust`. Exit code 1 where something still waits."""
    folder = find_project(arguments.project)
    found = [each for kind in KINDS for each in kind(folder)]
    if not arguments.json and not found:
        print("nothing waits for a yes")
    asks = not arguments.yes and not arguments.json and sys.stdin.isatty() and sys.stdout.isatty()
    answered = []
    for each in found:
        if not arguments.json:
            _show(each)
        # Said yes to once it has been shown, never before.
        yes = arguments.yes or (asks and _asked())
        if yes:
            trust(each.kind, each.place, each.content)
        answered.append(Answered(each, yes))
    left = sum(not each.yes for each in answered)
    if arguments.json:
        print_json({"waiting": [_as_json(each) for each in answered]})
    elif left and not asks:
        narrate(f"{left} still {'waits' if left == 1 else 'wait'}; --yes says yes to what is shown above")
    return 1 if left else 0


def _show(waiting: Waiting) -> None:
    print(visible(f"{waiting.place}: {waiting.what}"))
    for line in _text_of(waiting).split("\n"):
        print(f"    {visible(line)}")


def _asked() -> bool:
    print("  does it count from now on? [y/N] ", end="", flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _text_of(waiting: Waiting) -> str:
    return waiting.content.decode("utf-8", "backslashreplace")


def _as_json(answered: Answered) -> dict[str, object]:
    waiting = answered.waiting
    place = str(waiting.place)
    told = {"kind": waiting.kind, "what": waiting.what, "place": place, "content": _text_of(waiting)}
    return {**told, "trusted": answered.yes}
