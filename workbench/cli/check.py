"""`tamis check PROJECT|FILE`: is all as it was written? What is wrong, where, and what can be done."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from engine.paths import is_project, project_folder_for
from engine.phrases import counted
from engine.project.integrity import Checked, Told
from engine.workflows.check import CheckedFile, check_project, check_source
from workbench.cli.common import find_project
from workbench.cli.output import Narrator, print_json, say

SHOWN_LINES = 20


def check(arguments: argparse.Namespace) -> int:
    """Exit 0 where nothing is wrong, or only caches were; 1 where a person must see to something."""
    path: Path = arguments.path
    if not is_project(path) and os.path.exists(path) and not _has_name_of_project(path):
        return _check_file(path, arguments)
    narrator = Narrator()
    found = check_project(find_project(path), dry_run=arguments.dry_run, progress=narrator)
    narrator.end()
    if arguments.json:
        print_json(found.to_json())
    else:
        for line in project_lines(found):
            say(line)
    return 1 if found.wrong else 0


def _has_name_of_project(path: Path) -> bool:
    return path.name.endswith(project_folder_for(Path("x")).suffix)


def _check_file(path: Path, arguments: argparse.Namespace) -> int:
    narrator = Narrator()
    found = check_source(path, arguments.encoding, narrator)
    narrator.end()
    if arguments.json:
        print_json(found.to_json())
    else:
        for line in file_lines(found):
            say(line)
    return 1 if found.quarantined else 0


def project_lines(found: Checked) -> list[str]:
    """What was found, in words."""
    looked = ", ".join(
        f"{count:,} {name.removesuffix('s') if count == 1 else name}" for name, count in found.looked_at.items()
    )
    lines = [f"{found.folder}: {looked}"]
    mended = "made again" if found.mends else "would be made again"
    for head, told in (("wrong", found.wrong), (mended, found.mended), ("note", found.notes)):
        lines += [f"  {head}: {_told(one)}" for one in told]
    if not found.wrong:
        lines.append("  nothing is wrong" if not found.mended else "  nothing that a person must see to")
    return lines


def _told(one: Told) -> str:
    what = f"{one.where}: {one.what}" if one.where and not one.what.startswith(one.where) else one.what
    return f"{what}; {one.do}" if one.do else what


def file_lines(found: CheckedFile) -> list[str]:
    """What a file holds, in words."""
    aside = len(found.quarantined) + found.more
    lines = [f"{found.path}: {counted(found.rows, 'row')} ({found.format}), {counted(aside, 'line')} cannot be read"]
    if found.shapes:
        lines.append(f"  {found.shapes}")
    lines += [f"  read with a note: {note} ({counted(count, 'row')})" for note, count in found.notes.items()]
    lines += [f"  line {line:,}: {reason}" for line, reason in found.quarantined[:SHOWN_LINES]]
    if aside > SHOWN_LINES:
        lines.append(f"  and {aside - SHOWN_LINES:,} more")
    return lines
