"""Is all of a project as it was written? Every file of it is looked at, whole; what is wrong is told in plain lines.

Caches are made again or taken away, so that they are; `rows.idx` is made from the rows. A journal, the rows, what was
set aside and the source are never touched.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from engine.errors import ProjectError, TamisError, shell_command
from engine.files import TEMPORARY, remove_dead
from engine.links import check_project_links
from engine.phrases import counted
from engine.project.findings import SCAN_FILE
from engine.project.findings import is_damaged as findings_damaged
from engine.project.index_repair import put_in_place, rebuild_index
from engine.project.journal import journal_paths, read_journal
from engine.project.journal_ends import FILE as SEEN_FILE
from engine.project.journal_ends import losses, seen_by_runs, seen_last
from engine.project.line_sums import sum_fits
from engine.project.project import open_project
from engine.project.quarantine import QUARANTINE_FILE
from engine.project.quarantine import is_damaged as line_damaged
from engine.project.row_change import INTENT_FILE, names_in_force, next_name, open_rows
from engine.project.row_content import changed_rows
from engine.project.rows import INDEX_FILE, ROWS_FILE, RowStore
from engine.project.settings import SETTINGS_FILE, ProjectSettings, read_settings
from engine.project.snapshot import is_damaged as snapshot_damaged
from engine.project.source_files import source_now
from engine.small_files import is_damaged_json, read_cache

Progress = Callable[[str, int, int], None]
SHOWN = 20
FROM_COPY = "restore it from a copy of the folder"
# What makes each cache again.
CACHES = {
    "suspects.json": "`tamis suspects` reads the run again",
    "queue.json": "the order is learnt anew",
    "pick.json": "`tamis pick` works it out anew",
    "slices.json": "it is counted anew",
    "tokens.json": "the tokens are counted anew",
}


@dataclass(frozen=True, slots=True)
class Told:
    """One thing: in which file, what, and what to do; `rows` are the numbers of rows it is about."""

    where: str
    what: str
    do: str = ""
    rows: tuple[int, ...] = ()


@dataclass(slots=True)
class Checked:
    """What was found: `wrong` is for a person to see to, `mended` was made again or taken away (would be, where nothing
    was to be changed), `notes` are worth knowing. `looked_at` counts what was looked at."""

    folder: Path
    mends: bool = True
    progress: Progress | None = None
    wrong: list[Told] = field(default_factory=list)
    mended: list[Told] = field(default_factory=list)
    notes: list[Told] = field(default_factory=list)
    looked_at: dict[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        lists = {name: [asdict(one) for one in getattr(self, name)] for name in ("wrong", "mended", "notes")}
        return {"project": str(self.folder), **lists, "looked_at": self.looked_at, "dry_run": not self.mends}

    def remove(self, name: str, what: str, do: str) -> None:
        """Take a cache away; where the folder refuses, that is for a person to see to."""
        try:
            if self.mends:
                (self.folder / name).unlink()
        except OSError as error:
            self.wrong.append(Told(name, what, f"it cannot be taken away: {error.strerror}"))
        else:
            self.mended.append(Told(name, what, do))


def check_files(found: Checked) -> None:
    """Look at all files of a project but its runs. Raises ProjectError where the folder is none, or holds a link that
    nobody said yes to: what lies behind it is not looked at."""
    folder = found.folder
    check_project_links(folder)
    settings = _settings(found)
    rows = _rows(found, settings) if settings is not None else None
    if settings is not None:
        is_there = _sources(found, settings)
        if rows is not None:
            _row_contents(found, rows, settings, is_there)
            rows.close()
        _quarantine(found, settings)
    _journals(found)
    _caches(found)
    _left_over(found)
    if rows is not None:
        told = {one.what for one in (*found.wrong, *found.notes)}
        # In a dry run a cache that would be taken away is still there, and told of.
        gone = tuple(one.where for one in found.mended)
        try:
            with open_project(folder, readonly=True) as project:
                notes = [note for note in project.notes if not (gone and note.startswith(gone))]
        except ProjectError as error:
            notes = [str(error)]
        found.wrong += [Told("", note) for note in notes if note not in told]


def _settings(found: Checked) -> ProjectSettings | None:
    try:
        settings = read_settings(found.folder, names_in_force(found.folder)[SETTINGS_FILE])
    except ProjectError as error:
        if not (found.folder / SETTINGS_FILE).exists():
            raise
        found.wrong.append(Told(SETTINGS_FILE, str(error), FROM_COPY))
        return None
    if settings.remark:
        found.wrong.append(Told(SETTINGS_FILE, settings.remark))
    return settings


def _rows(found: Checked, settings: ProjectSettings) -> RowStore | None:
    """The rows, with an index that was made again where it had to be."""
    try:
        return open_rows(found.folder)[1]
    except ProjectError as error:
        fault = error.title.removeprefix(f"{found.folder}/")
    try:
        rebuilt = rebuild_index(found.folder, settings, found.progress)
        if found.mends:
            put_in_place(found.folder, rebuilt)
    except TamisError as error:
        found.wrong.append(Told(INDEX_FILE, f"{fault}; it cannot be made again: {error.title}", error.hint))
        return None
    if rebuilt.proof:
        found.mended.append(Told(INDEX_FILE, fault, f"made again from {ROWS_FILE}: {rebuilt.proof}"))
    else:
        doubt = f"made again from {ROWS_FILE}; nothing proves it: rows that were damaged as well have other ids now"
        found.wrong.append(Told(INDEX_FILE, fault, f"{doubt}, and their source lines are counted anew"))
    return open_rows(found.folder)[1] if found.mends else None


def _sources(found: Checked, settings: ProjectSettings) -> bool:
    """Whether every source is there as it was read."""
    found.looked_at["sources"] = len(settings.sources)
    there = True
    for source in settings.sources:
        if against := source_now(source, found.progress):
            there = False
            found.notes.append(Told(source.path, f"the source {against}", "its rows are in the project all the same"))
    return there


def _row_contents(found: Checked, rows: RowStore, settings: ProjectSettings, is_there: bool) -> None:
    found.looked_at["rows"] = len(rows)
    changed = changed_rows(rows, range(len(rows)), found.progress)
    restore = "restore rows.jsonl from a copy of the folder"
    if is_there:
        again = shell_command("scan", settings.source.path, "--project", "NEW")
        merge = shell_command("merge", "NEW", found.folder)
        restore += f", or read the source once more: `{again}`, then `{merge}` brings the decisions along"
    restore += "; an edit of a row stands in the journal, and a rejected row is not needed"
    for number in changed[:SHOWN]:
        place = f"row {number} (line {rows.line(number):,} of {rows.source(number).name})"
        found.wrong.append(Told(ROWS_FILE, f"{place} is not what was read from the source", restore, (number,)))
        restore = "as above"
    if len(changed) > SHOWN:
        more = tuple(changed[SHOWN:])
        found.wrong.append(Told(ROWS_FILE, f"so are {counted(len(more), 'further row')}", restore, more))
    ends = [number for number in range(len(rows)) if not rows.ends_in_line_feed(number)]
    if ends:
        what = f"the line feed behind {counted(len(ends), 'row')} is another byte; what the rows say is whole"
        found.wrong.append(Told(ROWS_FILE, what, FROM_COPY, tuple(ends)))


def _quarantine(found: Checked, settings: ProjectSettings) -> None:
    count = sum(source.quarantined for source in settings.sources)
    path = found.folder / names_in_force(found.folder)[QUARANTINE_FILE]
    bad, lines = [], 0
    if path.is_file():
        with path.open("rb") as stream:
            for lines, line in enumerate(stream, start=1):
                if lines <= count and line_damaged(line.removesuffix(b"\n")):
                    bad.append(lines)
    found.looked_at["set aside"] = lines
    do = f"{FROM_COPY}; the source has what was set aside"
    if lines < count:
        found.wrong.append(
            Told(QUARANTINE_FILE, f"holds {lines:,} of {counted(count, 'line')} that were set aside", do)
        )
    for place in bad[:SHOWN]:
        found.wrong.append(Told(QUARANTINE_FILE, f"line {place:,} is damaged", do))


def _journals(found: Checked) -> None:
    paths, odd = journal_paths(found.folder / "decisions")
    found.wrong += [Told("decisions", note) for note in odd]
    found.looked_at["journals"] = len(paths)
    found.looked_at["journal lines"] = 0
    for path in paths:
        try:
            part = read_journal(path)
        except ProjectError as error:
            found.wrong.append(Told(f"decisions/{path.name}", error.title, error.hint))
            continue
        found.looked_at["journal lines"] += len(part.lines) + len(part.left_out)
        where = f"decisions/{path.name}"
        stays = "the file is left as it is; restore it from a copy, or merge one"
        found.wrong += [Told(where, sentence, stays) for sentence in (*part.complaints, *part.remarks)]
        found.notes += [Told(where, sentence, "use a newer tamis") for sentence in part.not_applied]
        if part.torn:
            what = f"{path.name}: the last line was cut off while it was written; it never counted"
            found.notes.append(Told(where, what, "the next decision sets it aside"))

    with suppress(ProjectError):
        for loss in losses(found.folder / "decisions", [*seen_last(found.folder), *seen_by_runs(found.folder)]):
            found.wrong.append(Told(f"decisions/{loss.name}", loss.sentence, FROM_COPY))


def _caches(found: Checked) -> None:
    folder = found.folder
    if findings_damaged(folder):
        found.remove(SCAN_FILE, "is damaged", f"`{shell_command('scan', folder)}` finds it all anew")
    if snapshot_damaged(folder):
        found.remove("snapshot.bin", "is damaged", "the journals are folded anew")
    if (seen := read_cache(folder / SEEN_FILE)) is not None and not sum_fits(seen):
        found.remove(SEEN_FILE, "is damaged", "how far the journals go is noted anew")
    for name, again in CACHES.items():
        if is_damaged_json(folder / name):
            found.remove(name, "is damaged", again)


def _left_over(found: Checked) -> None:
    """What killed processes left, and links."""
    folder = found.folder
    waiting = [
        name for name in (INTENT_FILE, next_name(INDEX_FILE), next_name(SETTINGS_FILE)) if (folder / name).exists()
    ]
    if waiting:
        what = "an addition of rows is under way, or was cut off"
        found.notes.append(Told(", ".join(waiting), what, "the next one to add rows or to decide settles it"))
    for inside, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(inside) / name
            if path.is_symlink():
                what = f"is a link to {os.readlink(path)}"
                found.notes.append(
                    Told(str(path.relative_to(folder)), what, "what lies there is not a part of the folder")
                )
        left = [name for name in (*folders, *files) if name.startswith(".") and name.endswith(TEMPORARY)]
        if left:
            if found.mends:
                remove_dead(Path(inside))
            where = str((Path(inside) / left[0]).relative_to(folder))
            found.mended.append(Told(where, f"{counted(len(left), 'file')} that a killed process left", "taken away"))
