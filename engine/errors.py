"""What tamis says when it cannot go on: one line with what happened, where, and what to do next."""

from __future__ import annotations

import shlex


class TamisError(Exception):
    """A fault the person can act on.

    `title` says what happened and where, `message` adds detail, `hint` says what to do. `str()` joins
    them into the one line that a command prints before it ends with exit code 2.
    """

    def __init__(self, title: str, message: str = "", hint: str = "") -> None:
        super().__init__(title, message, hint)
        self.title = title
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        # Names of fields and files may hold ends of lines of any kind.
        return " ".join(self._sentence().splitlines())

    def _sentence(self) -> str:
        what = ": ".join(part.strip().rstrip(".") for part in (self.title, self.message) if part.strip())
        hint = self.hint.strip()
        if not hint:
            return what
        end = "" if what.endswith(("?", "!")) else "."
        return f"{what}{end} {hint if _is_name(hint.partition(' ')[0]) else hint[:1].upper() + hint[1:]}"


def _is_name(word: str) -> bool:
    """Whether a word that begins a sentence stays as it is: a command, a path, a key (`e` edits, `E` exports)."""
    return word.startswith(("tamis", "pip")) or "/" in word or (len(word) == 1 and word != "a")


class SourceError(TamisError):
    """The source file cannot be read at all (missing, empty, binary, no rows)."""


class UsageError(TamisError):
    """The words of a command, a selector or a setting do not make sense."""


class ProjectError(TamisError):
    """A project folder is damaged, of another version, or not writable."""


class LockedError(ProjectError):
    """Another window is writing the same journal."""


class TrainingError(TamisError):
    """A run cannot be started or its files cannot be read."""


def shell_command(*words: object) -> str:
    """`tamis trust '/tmp/my set.tamis'`: a command to copy into a shell, where no folder's name is more than a name."""
    return shlex.join(["tamis", *map(str, words)])
