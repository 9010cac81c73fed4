"""How the rows of a source are read, told when it comes in: the first one says how those of the project are, a further
one whose rows have another shape has a mapping of its own."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from engine.errors import SourceError, UsageError
from engine.model import Row
from engine.project.line_checks import NEEDED_FIELDS
from engine.project.rows import INDEX_FILE, RowStore, first_rows
from engine.project.settings import ProjectSettings, SourceFile
from engine.sources.conversation.conversation import conversation_of
from engine.sources.mapping import SAMPLE_ROWS, Mapping
from engine.sources.messages.parts import parsed
from engine.sources.messages.places import places_of
from engine.sources.shapes.guess import guess_mapping
from engine.sources.shapes.likely import likely_mapping, paths_of, with_role_words
from engine.sources.shapes.map_words import MESSAGE_WORDS, mapping_from_words, words_of


def project_mapping(folder: Path, first: Path, rows: int, words: str | None, *, propose: bool = False) -> Mapping:
    """The mapping of a project: what `words` say, else what its first source, of so many rows, looks like. Raises
    UsageError, SourceError where no shape is recognised; with `propose` a likely mapping is taken, else one that names
    no field."""
    store = RowStore(folder, Mapping("alpaca", {}))
    try:
        if words:
            named = mapping_from_words(words)
            _check_fields(first, named, store)
            return with_role_words(named, list(first_rows(store)))
        mapping = guess_mapping(store.raw(number) for number in range(rows))
        if mapping is None and propose:
            return likely_mapping(list(first_rows(store))) or Mapping("alpaca", {})
        if mapping is None:
            raise _no_shape(first, list(first_rows(store)))
        return mapping
    finally:
        store.close()


def with_own_mapping(
    folder: Path, settings: ProjectSettings, place: int, by_hand: Mapping | None = None, index_file: str = INDEX_FILE
) -> ProjectSettings:
    """The settings with the mapping that the source at `place` needs, where it needs one of its own.

    Rows of another shape than the project's are read by their own guess, but only where the mapping of the project
    finds nothing in them: of `{"conversations", "chosen", "rejected"}` behind plain conversations it finds the half.
    What a person has said (`by_hand`) holds wherever the fields that it names are. Raises SourceError where no shape is
    recognised in any of its rows.
    """
    source = settings.sources[place]
    store = RowStore(folder, settings.mapping, (), index_file)
    try:
        numbers = range(source.first_row, source.first_row + min(source.rows, SAMPLE_ROWS))
        own = _own_mapping(source, by_hand or settings.mapping, [store.raw(number) for number in numbers], by_hand)
    finally:
        store.close()
    mended = replace(source, mapping=own)
    return replace(settings, sources=(*settings.sources[:place], mended, *settings.sources[place + 1 :]))


def _own_mapping(
    source: SourceFile, mapping: Mapping, sample: Sequence[Row], by_hand: Mapping | None
) -> Mapping | None:
    if by_hand is not None and any(_has_needed(row, by_hand) for row in sample):
        return None
    guess = guess_mapping(sample)
    if guess is None:
        if sample and not any(conversation_of(row, mapping).messages for row in sample):
            raise _no_shape(Path(source.path), sample)
        return None
    return None if guess.shape == mapping.shape and guess.fields.items() <= mapping.fields.items() else guess


def _has_needed(row: Row, mapping: Mapping) -> bool:
    fields = (mapping.fields.get(part) for part in NEEDED_FIELDS[mapping.shape])
    return all(field is None or places_of(row, field) for field in fields)


def _no_shape(path: Path, sample: Sequence[Row]) -> SourceError:
    likely = likely_mapping(sample)
    example = f"for example --map {shlex.quote(words_of(likely))}" if likely else "--map prompt=FIELD,response=FIELD"
    fields = ", ".join(list(sample[0])[:8])
    return SourceError(f"{path}: no known shape (its fields: {fields})", "", f"say which field is what, {example}")


def _check_fields(path: Path, mapping: Mapping, store: RowStore) -> None:
    """Raises UsageError, with the nearest field, where no row has one that the mapping names: all would be empty."""
    for part, name in mapping.fields.items():
        within = _list_around(part, mapping)
        if part in MESSAGE_WORDS and not within:
            continue
        if within and not any(isinstance(held, list) for held in _held_at(store, within)):
            # Turns under keys of their own have no one path.
            continue
        if any(True for _ in _held_at(store, f"{within}.*.{name}" if within else name)):
            continue
        head = f"{within}.*." if within else ""
        fields = [path.removeprefix(head) for path in paths_of(list(first_rows(store))) if path.startswith(head)]
        near = get_close_matches(name, fields, n=1)
        hint = f"did you mean {near[0]}?" if near else f"its fields: {', '.join(fields[:8])}"
        raise UsageError(f"{path}: no row has a field {name[:60]!r}", "", hint)


def _held_at(store: RowStore, field: str) -> Iterator[Any]:
    """What stands at a field, parsed, row by row."""
    for number in range(len(store)):
        yield from (parsed(held) for _, held in places_of(store.raw(number), field))


def _list_around(part: str, mapping: Mapping) -> str:
    """The list in whose elements a part of a mapping stands; '' for a field of the row, and for words."""
    is_inside = part in ("role", "content") or (mapping.shape == "messages" and part in ("prompt", "response"))
    return mapping.fields.get("messages", mapping.fields.get("conversations", "")) if is_inside else ""
