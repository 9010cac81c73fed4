"""`tamis doctor`: what this terminal, tmux and connection can do, and what to change. It changes nothing itself."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.config import load_config
from engine.errors import TamisError
from engine.numerals import whole_number
from engine.phrases import size
from engine.training.plan.preflight import versions
from workbench.cli.output import print_json, say
from workbench.terminal.capabilities import few_colours, no_colour, over_ssh
from workbench.text.escape import visible_line

LITTLE_DISK = 2 * 1024**3
# tmux option -> what it should be, and why.
TMUX_OPTIONS = {
    "escape-time": ("10", "escape takes half a second: set -s escape-time 10"),
    "set-clipboard": ("on", "y does not reach your clipboard: set -s set-clipboard on"),
    "focus-events": ("on", "set -g focus-events on"),
}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: what was found, and what to do about it ("" where nothing is)."""

    about: str
    found: str
    advice: str = ""


def doctor(arguments: argparse.Namespace) -> int:
    """The handler of `tamis doctor`."""
    checks = [*_connection(), *_terminal(), *_tmux(), *_machine()]
    if arguments.json:
        print_json({"checks": [{"about": c.about, "found": c.found, "advice": c.advice} for c in checks]})
        return 0
    for check in checks:
        mark = "!" if check.advice else " "
        say(f"{mark} {check.about:<12} {visible_line(check.found)}")
        if check.advice:
            say(f"  {'':<12} -> {check.advice}")
    return 0


def _connection() -> Iterator[Check]:
    if over_ssh():
        advice = "connect with `ssh -C`: compression is worth more than anything else on a slow link"
        yield Check("connection", "over SSH; the mouse is off (--mouse turns it on)", advice)
    else:
        yield Check("connection", "local")


def _terminal() -> Iterator[Check]:
    term = os.environ.get("TERM", "")
    usable = term not in ("", "dumb", "unknown")
    yield Check("TERM", term or "not set", "" if usable else "set TERM=xterm-256color")
    if sys.stdout.isatty():
        columns, lines = shutil.get_terminal_size()
        yield Check("size", f"{columns}x{lines}", "" if columns >= 40 and lines >= 10 else "enlarge it to 40x10")
    else:
        yield Check("size", "standard output is no terminal")
    if no_colour():
        yield Check("colours", "none: NO_COLOR is set" if os.environ.get("NO_COLOR") else f"none: TERM={term}")
    elif few_colours():
        yield Check("colours", "16", "set COLORTERM=truecolor if your terminal has 24-bit colour")
    else:
        yield Check("colours", os.environ.get("COLORTERM") or "256")
    locale = next((os.environ[name] for name in ("LC_ALL", "LC_CTYPE", "LANG") if os.environ.get(name)), "")
    yield Check("locale", locale or "not set", "" if "utf" in locale.lower() else "set LANG=C.UTF-8")


def _tmux() -> Iterator[Check]:
    if not os.environ.get("TMUX"):
        return
    yield Check("tmux", _output_of("tmux", "-V") or "not found")
    for option, (wanted, advice) in TMUX_OPTIONS.items():
        found = _output_of("tmux", "show-options", "-gv", option) or _output_of("tmux", "show-options", "-sv", option)
        milliseconds = whole_number(found) if option == "escape-time" else None
        slow = milliseconds is not None and milliseconds <= int(wanted)
        yield Check(option, found or "unknown", "" if found == wanted or slow else advice)


def _machine() -> Iterator[Check]:
    names = _output_of("nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader")
    yield Check("GPU", "; ".join(names.splitlines()) or "none found: training runs on the CPU")
    yield Check("python", f"{sys.version.split()[0]} ({sys.executable})")
    yield _trainer()
    free = shutil.disk_usage(Path.cwd()).free
    yield Check("disk", f"{size(free)} free here", "" if free > LITTLE_DISK else "free some space")


def _trainer() -> Check:
    """The libraries of the interpreter that would train, `[training] command` or this one, and what is too old."""
    command = load_config().training.others.get("command") or (sys.executable,)
    where = "" if tuple(command) == (sys.executable,) else f" ({' '.join(command)})"
    try:
        answer = versions(command)
    except TamisError as error:
        return Check("trainer", f"does not answer{where}", str(error))
    found = ", ".join(f"{name} {number}" for name, number in answer["versions"].items() if number) or "not installed"
    return Check("trainer", found + where, "; ".join(answer["unfit"] or answer["untried"]))


def _output_of(*words: str) -> str:
    """What a command prints, or nothing where it is not there or fails."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
