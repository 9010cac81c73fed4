"""New rows for a project: another file, or a new version of its source. Decisions follow the content.

A row that is here already is not added again. In a new version of the source, a row that changed is paired with its
old self (by the key field, else by the same prompt, else by its neighbours in a line diff; an ambiguous pair is not
paired): the new one comes in undecided and says "changed since you decided", the old one leaves. Rows that vanished
are listed and stay.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.errors import SourceError
from engine.model import Act, Quarantined, prompt_of
from engine.paths import real_path
from engine.project.create import continue_reading, stage_rows
from engine.project.project import Project, open_project
from engine.project.row_change import changing_rows, declare, staged_ids
from engine.project.row_ids import content_hash, row_id
from engine.project.settings import SourceFile
from engine.project.views import refuse_readonly
from engine.sources.conversation.conversation import conversation_of
from engine.sources.files.encodings import encoding_of
from engine.sources.files.no_records import no_rows
from engine.sources.files.pieces import SourceRow
from engine.sources.mapping import parse_path, value_at
from engine.sources.records.formats import source_format
from engine.sources.records.read import read_source

CHANGED_WHY = "changed in the new version of the source"


@dataclass(frozen=True, slots=True)
class Grown:
    """What an addition brought: `added` row numbers, `known` rows that were here already, `changed` new number -> old
    number, `vanished` row numbers that the new version lacks (only for a new version), `quarantined` lines."""

    added: tuple[int, ...]
    known: int
    changed: Mapping[int, int]
    vanished: tuple[int, ...]
    quarantined: int
    notes: tuple[str, ...] = ()
    """What was found of an addition that was cut off."""


def is_new_version(project: Project, path: Path) -> bool:
    """Whether a file is the source that the project is named after again (the same place, or the same name)."""
    source = project.settings.source
    return str(real_path(path)) == source.path or path.name == source.name


def _replaced_by(project: Project, path: Path) -> SourceFile:
    """The source that a file is a new version of: at the same place, of the same name, else the first."""
    place, sources = str(real_path(path)), project.settings.sources
    by_place = (source for source in sources if source.path == place)
    by_name = (source for source in sources if source.name == path.name)
    return next(by_place, None) or next(by_name, None) or project.settings.source


def grow(
    folder: Path,
    path: Path,
    reviewer: str,
    *,
    replaces: bool | None = None,
    encoding: str | None = None,
    fetched: str = "",
) -> Grown:
    """Add the rows of `path` that are new. `replaces`: it is a new version of the source (None: told by its name).
    `encoding`: that of the text; a new version is taken to have that of the source. `fetched`: where it was fetched
    from.

    All of it or nothing: the rows count from the moment at which the journal's line about them stands. Raises
    SourceError where nothing can be read, LockedError where another window is deciding or changing the rows.
    """
    continue_reading(folder)
    with changing_rows(folder) as notes, open_project(folder, reviewer=reviewer) as project:
        refuse_readonly(project)
        version = is_new_version(project, path) if replaces is None else replaces
        before = encoding_of(project.settings.source.format) if version else ""
        format_name = source_format(path, encoding, before)
        found = _sorted_out(project, path, format_name)
        if not found.order:
            reason = found.quarantined[0].reason if found.quarantined else "it is empty"
            raise no_rows(path, reason)
        if found.fresh and not any(conversation_of(row.raw, project.mapping).messages for row in found.fresh):
            raise SourceError(
                f"{path}: none of its new rows reads as {project.mapping.describe()}",
                "",
                "make a project of its own of it",
            )
        replaced = _replaced_by(project, path)
        gone = _vanished(project, replaced, found.known) if version else []
        pairs = _pairs(project, replaced, found, gone) if version else {}
        if not found.fresh:
            return Grown((), len(found.known), {}, tuple(gone), len(found.quarantined), tuple(notes))
        by_hand = project.mapping if project.mapping != project.settings.mapping else None
        pieces: list[SourceRow | Quarantined] = [*found.fresh, *found.quarantined]
        numbers = stage_rows(folder, path, format_name, pieces, by_hand=by_hand, fetched=fetched)
        changed = {numbers[place]: old for place, old in pairs.items()}
        _decide(project, path, numbers, changed)
    vanished = tuple(number for number in gone if number not in set(pairs.values()))
    return Grown(tuple(numbers), len(found.known), changed, vanished, len(found.quarantined), tuple(notes))


def _decide(project: Project, path: Path, numbers: range, changed: Mapping[int, int]) -> None:
    """Write the journal line that makes staged rows count: they are in, and the old selves of changed ones leave."""
    ids = dict(zip(numbers, staged_ids(project.folder, numbers), strict=True))
    token = declare(project.folder, project.own_journal)
    renamed = {ids[new]: project.rows.id(old) for new, old in changed.items()}
    acts = [Act("add", tuple(ids.values()), extra={"file": path.name, "changed": renamed, "token": token})]
    left = [old for old in changed.values() if project.verdict(old) != "rejected"]
    if left:
        acts.append(Act("reject", tuple(project.rows.id(old) for old in left)))
    project.decide(acts, why=CHANGED_WHY if changed else f"added from {path.name}")


@dataclass(frozen=True, slots=True)
class _Sorted:
    """The rows of a file: `fresh` ones, and the `order` of all: the id of a known row, the place of a fresh one."""

    fresh: list[SourceRow]
    order: list[str | int]
    quarantined: list[Quarantined]

    @property
    def known(self) -> set[str]:
        return {entry for entry in self.order if isinstance(entry, str)}


def _sorted_out(project: Project, path: Path, format_name: str) -> _Sorted:
    fresh: list[SourceRow] = []
    order: list[str | int] = []
    quarantined: list[Quarantined] = []
    copies: dict[int, int] = defaultdict(int)
    for piece in read_source(path, format_name):
        if isinstance(piece, Quarantined):
            quarantined.append(piece)
            continue
        content = content_hash(piece.raw)
        identifier = row_id(content, copies[content])
        copies[content] += 1
        if project.rows.number(identifier) is not None:
            order.append(identifier)
        else:
            order.append(len(fresh))
            fresh.append(piece)
    return _Sorted(fresh, order, quarantined)


def _vanished(project: Project, source: SourceFile, known: set[str]) -> list[int]:
    """Rows of the source that the new version lacks; rows that came from other files do not count."""
    numbers = range(source.first_row, source.first_row + source.rows)
    return [number for number in numbers if project.rows.id(number) not in known]


def _pairs(project: Project, source: SourceFile, found: _Sorted, gone: Sequence[int]) -> dict[int, int]:
    """Place of a fresh row -> number of the old row it is a new version of."""
    pairs: dict[int, int] = {}
    for old_keys, new_keys in _keyings(project, source, found, gone):
        taken = set(pairs.values())
        pairs |= _unambiguous(
            {place: key for place, key in new_keys.items() if place not in pairs},
            {number: key for number, key in old_keys.items() if number not in taken},
        )
    return pairs


def _keyings(
    project: Project, source: SourceFile, found: _Sorted, gone: Sequence[int]
) -> Iterable[tuple[dict[int, str], dict[int, str]]]:
    """(old number -> key, fresh place -> key), from the surest way of pairing to the weakest."""
    key = project.settings.key
    if key is not None:
        path = parse_path(key)
        named = {number: value_at(project.rows.raw(number), path) for number in gone}
        fresh = {place: value_at(row.raw, path) for place, row in enumerate(found.fresh)}
        yield (
            {number: str(value) for number, value in named.items() if value is not None},
            {place: str(value) for place, value in fresh.items() if value is not None},
        )
    mapping = source.mapping or project.mapping
    yield (
        {number: project.example(number, edited=False).prompt for number in gone},
        {place: prompt_of(conversation_of(row.raw, mapping).messages) for place, row in enumerate(found.fresh)},
    )
    left = set(gone)
    numbers = range(source.first_row, source.first_row + source.rows)
    yield (
        _between([number if number in left else project.rows.id(number) for number in numbers]),
        _between(found.order),
    )


def _unambiguous(new: Mapping[int, str], old: Mapping[int, str]) -> dict[int, int]:
    """Pairs of the keys that stand exactly once on either side."""
    places: dict[str, list[int]] = defaultdict(list)
    numbers: dict[str, list[int]] = defaultdict(list)
    for place, key in new.items():
        places[key].append(place)
    for number, key in old.items():
        numbers[key].append(number)
    return {
        found[0]: numbers[key][0]
        for key, found in places.items()
        if key.strip() and len(found) == 1 and len(numbers.get(key, ())) == 1
    }


def _between(order: Sequence[str | int]) -> dict[int, str]:
    """For each left-over entry (an int): the kept ids right before and right after it, as one key."""
    keys: dict[int, str] = {}
    before = ""
    waiting: list[int] = []
    for entry in (*order, ""):
        if isinstance(entry, int):
            waiting.append(entry)
            continue
        # Only a lone replacement says which line became which.
        if len(waiting) == 1:
            keys[waiting[0]] = f"{before} {entry}"
        waiting.clear()
        before = entry
    return keys
