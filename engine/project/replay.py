"""Doing again what another journal did: same acts, same undos, this reviewer's name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import ProjectError, UsageError
from engine.project.journal import act_from_json, read_journal
from engine.project.project import Project


@dataclass(frozen=True, slots=True)
class Replayed:
    """`lines` were replayed, `rows` ids named in them are in the project, `unknown` are not."""

    lines: int
    rows: int
    unknown: int


def is_journal(path: Path) -> bool:
    """Whether a file holds journal lines, as against commands in words."""
    try:
        with path.open("rb") as stream:
            return stream.read(4096).lstrip().startswith(b"{")
    except OSError as error:
        raise UsageError(f"{path}: cannot be read", error.strerror or str(error), "check the name") from error


def replay(project: Project, path: Path, *, dry_run: bool = False) -> Replayed:
    """Do every line of the journal `path` in `project`, one line each, so that each is one undo again.

    Raises UsageError where a line cannot be read (nothing has been done then).
    """
    part = read_journal(path)
    lines = part.lines
    # What is not understood is not done: neither a line, nor an act of a later version.
    complaints = [*part.complaints, *part.not_applied]
    if complaints or part.torn or not lines:
        what = complaints[0] if complaints else ("its last line is torn" if part.torn else "it holds no lines")
        raise UsageError(f"{path}: cannot be replayed", what, "give a whole journal, or a list of commands")
    known: set[str] = set()
    unknown: set[str] = set()
    for line in lines:
        for act in line.get("acts", ()):
            for identifier in act.get("ids", ()):
                (known if project.rows.number(identifier) is not None else unknown).add(identifier)
    if not known and unknown:
        raise UsageError(
            f"{path}: none of its {len(unknown)} rows is in this project", "", "is it the journal of another data set?"
        )
    if not dry_run:
        for line in lines:
            _replay_line(project, line)
    return Replayed(len(lines), len(known), len(unknown))


def _replay_line(project: Project, line: dict[str, Any]) -> None:
    if "undo" in line:
        if project.undo() is None:
            raise ProjectError(f"line {line['n']} takes back an act that is not there")
    elif "redo" in line:
        if project.redo() is None:
            raise ProjectError(f"line {line['n']} does again an act that is not there")
    else:
        acts = [act_from_json(act) for act in line.get("acts", ())]
        project.decide(acts, seen=line.get("seen", ()), why=str(line.get("why", "")))
