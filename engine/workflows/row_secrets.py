"""Rows that hold keys, tokens or passwords: neither exported nor trained on until somebody says why they may leave.

That word is an `override` act of the journal. It holds for the rows it names as they were then: a later edit asks anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from engine.errors import UsageError
from engine.model import Act, Example
from engine.project.journal import read_lines, standing_lines
from engine.project.project import Project
from engine.secret_patterns import secrets_in

SECRET_SIGNAL = "secrets"


def unresolved_secrets(project: Project, numbers: Iterable[int]) -> list[int]:
    """Rows that hold a secret as they stand: what the scan marked and no edit took out, and what was never scanned."""
    return [number for number in numbers if _holds_one(project, number)]


def _holds_one(project: Project, number: int) -> bool:
    if not project.is_edited(number):
        return _held_one(project, number)
    now = project.example(number)
    return holds_secret(now) or any(marked in turn.text for marked in _marked(project, number) for turn in now.messages)


def _held_one(project: Project, number: int) -> bool:
    """Whether a row as it came holds one. Only a scan that went to its end has seen every row, and rows are read anew
    for what it did not look at: reading all of them is most of what an export costs."""
    if any(flag.signal == SECRET_SIGNAL for flag in project.flags_of(number)):
        return True
    return not project.is_scanned_for_secrets and holds_secret(project.example(number, edited=False))


def _marked(project: Project, number: int) -> list[str]:
    """What the scan marked in the turns of a row."""
    spans = [flag.span for flag in project.flags_of(number) if flag.signal == SECRET_SIGNAL and flag.span is not None]
    before = project.example(number, edited=False).messages if spans else ()
    return [before[span.turn].text[span.start : span.end] for span in spans if span.turn < len(before)]


def holds_secret(example: Example) -> bool:
    """Whether anything that a row says looks like a secret."""
    return any(map(secrets_in, (*(turn.text for turn in example.messages), *example.beside_turns)))


def not_let_through(project: Project, numbers: Iterable[int]) -> list[int]:
    """The rows with secrets that nobody let through."""
    return _refused(project, unresolved_secrets(project, numbers))


def raw_not_let_through(project: Project, numbers: Iterable[int]) -> list[int]:
    """The same of rows as they came, whatever an edit took out of them."""
    return _refused(project, [number for number in numbers if _held_one(project, number)])


def _refused(project: Project, held: Sequence[int]) -> list[int]:
    allowed = let_through(project) if held else {}
    return [number for number in held if project.rows.id(number) not in allowed]


def let_through(project: Project) -> dict[str, str]:
    """Id -> why, of the rows that a standing word lets through as they are now."""
    lines: list[dict[str, Any]] = []
    for path, end in project.journal_ends().items():
        lines += [dict(line) for line in standing_lines(read_lines(path, upto=end.size)[0])]
    allowed: dict[str, str] = {}
    # By time, the lines of one journal in their order.
    for line in sorted(lines, key=lambda line: str(line.get("at", ""))):
        for act in line["acts"]:
            if act["do"] == "edit":
                for identifier in act["ids"]:
                    allowed.pop(identifier, None)
            elif act["do"] == "override" and act.get("of") == SECRET_SIGNAL:
                allowed |= dict.fromkeys(act["ids"], str(line.get("why", "")))
    return allowed


def told_let_through(project: Project, numbers: Iterable[int]) -> dict[str, Any] | None:
    """What a manifest says of rows with secrets that leave: their numbers, and why they may."""
    held = unresolved_secrets(project, numbers)
    if not held:
        return None
    allowed = let_through(project)
    words = dict.fromkeys(allowed.get(project.rows.id(number), "") for number in held)
    return {"rows": held, "why": "; ".join(filter(None, words))}


def let_secrets_through(project: Project, numbers: Sequence[int], why: str) -> None:
    """Write down that rows with secrets may leave. Raises UsageError where nobody is named who says so."""
    if project.readonly:
        raise UsageError(
            "rows with secrets are let through by name", project.readonly_reason, "name yourself: --as NAME"
        )
    ids = tuple(project.rows.id(number) for number in numbers)
    project.decide([Act("override", ids, extra={"of": SECRET_SIGNAL})], why=why)
