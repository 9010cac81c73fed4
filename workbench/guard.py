"""Is this a terminal the workbench can use, and how should it be used? Asked before textual is imported.

Textual reads its environment variables at import, so the defaults are set here.
"""

from __future__ import annotations

import os
import sys

from engine.errors import TamisError

# An animation over a slow link is a queue of frames nobody asked for.
TEXTUAL_DEFAULTS = {"TEXTUAL_ANIMATIONS": "none", "TEXTUAL_SMOOTH_SCROLL": "0", "ESCDELAY": "50"}


def check_terminal() -> None:
    """Raises TamisError where no full-screen program can run here; else sets Textual's defaults."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise TamisError(
            "the workbench needs a terminal, and this is none",
            "",
            "use `ssh -t`, or the commands that need no screen: tamis scan, do, export (see `tamis --help`)",
        )
    term = os.environ.get("TERM", "")
    if term in ("", "dumb", "unknown"):
        raise TamisError(
            f"TERM={term or '(not set)'} cannot show a full-screen program",
            "",
            "set TERM=xterm-256color, or use the commands that need no screen (see `tamis --help`)",
        )
    set_defaults()


def set_defaults() -> None:
    """What Textual should do unless the person says otherwise in the environment."""
    for name, value in TEXTUAL_DEFAULTS.items():
        os.environ.setdefault(name, value)
    if over_ssh() and truecolor():
        os.environ.setdefault("TEXTUAL_COLOR_SYSTEM", "256")


def over_ssh() -> bool:
    """Whether the person sits at the other end of an SSH connection."""
    return bool(os.environ.get("SSH_CONNECTION") or os.environ.get("SSH_TTY"))


def wants_mouse(asked: bool) -> bool:
    """Mouse reports are chatty and take the terminal's own selection away: off over SSH unless asked for."""
    return asked or not over_ssh()


def truecolor() -> bool:
    """Whether the terminal says that it has 24-bit colour. Over SSH it is not used: a change of colour costs twice as
    many bytes, and they are half of what is sent for a key."""
    return os.environ.get("COLORTERM", "").strip().lower() in ("truecolor", "24bit")


def few_colours() -> bool:
    """Whether the terminal has 16 colours or fewer, told as rich tells it: truecolor themes would come out as mud."""
    if truecolor():
        return False
    return os.environ.get("TERM", "").strip().lower().rpartition("-")[2] not in ("256color", "kitty", "direct")


def no_colour() -> bool:
    """NO_COLOR, as everyone understands it: set and not empty."""
    return bool(os.environ.get("NO_COLOR"))
