"""Is this a terminal the workbench can use, and how should it be used? Asked before textual is imported.

Textual reads its environment variables at import, so the defaults are set here.
"""

from __future__ import annotations

import os
import sys

from engine.errors import TamisError

# They show a sequence they do not know, or the end of it, as text. What came after them is not sent to them.
OLD_TERMINALS = ("linux", "vt100", "vt102", "vt220", "vt320", "vt420", "ansi", "cons25")
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
    if no_colour():
        os.environ.setdefault("NO_COLOR", "1")


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
    """NO_COLOR, as everyone understands it (set and not empty), or a terminal that has none by its name."""
    term = os.environ.get("TERM", "").strip().lower()
    return bool(os.environ.get("NO_COLOR")) or term.startswith("vt") or term.endswith(("-m", "-mono"))


def is_old_terminal() -> bool:
    """Whether the terminal may show what it does not know: see OLD_TERMINALS."""
    return os.environ.get("TERM", "").strip().lower().partition("-")[0] in OLD_TERMINALS


def erases() -> bool:
    """Whether the terminal can erase a number of cells, in the colour that is set.

    GNU screen erases in the terminal's own colour; tmux, which goes by the same name, in the one that is set. The
    VT100 erases to the end of a line only.
    """
    term = os.environ.get("TERM", "").strip().lower()
    return bool(os.environ.get("TMUX")) or not term.startswith(("screen", "vt1"))


def speaks_unicode() -> bool:
    """Whether what is written reaches the terminal as UTF-8: Python settles that from the locale, at the start."""
    stream = sys.__stderr__
    return stream is None or stream.encoding.lower().replace("-", "") == "utf8"
