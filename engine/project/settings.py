"""`project.toml`: which source a project was made from, how its fields are read, which version wrote it.

Its first line holds the CRC-32 of all below, as a comment: earlier versions pass over it. Where it does not fit, the
file was damaged, or a person changed it; that is told, and such a project is read and decided in, but nothing is
exported, trained or added. Taking that line away says that the change is meant; a file without one is believed, as
those of earlier versions are. It stands at the head, so that no cut at the end takes it along.
"""

from __future__ import annotations

import json
import re
import zlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from engine.errors import ProjectError, UsageError
from engine.files import write_atomic
from engine.model import SHAPES, ShapeName
from engine.small_files import read_toml_bytes
from engine.sources.files.pieces import REWRITTEN
from engine.sources.mapping import Mapping

FORMAT_VERSION = 1
SETTINGS_FILE = "project.toml"
# A source a file that was added: tens of thousands of them.
MOST_BYTES = 16 << 20
_CHECK = re.compile(rb"# check ([0-9a-f]{8}):[^\n]*+\n")
_CHECK_LINE = "# check {:08x}: of all below; whoever changes that by hand takes this line away\n"


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file whose rows are in the project. `first_row` is the number its rows start at; a source that is still
    being read is not `complete` and has no hash yet. `notes` counts rows that were odd and read all the same. Where
    records were joined to conversations, `joined` is by how many there are fewer rows: rows, quarantined and joined
    together are the records of the source."""

    path: str
    format: str
    sha256: str
    size: int
    rows: int
    quarantined: int
    first_row: int
    complete: bool = True
    notes: dict[str, int] = field(default_factory=dict)
    joined: int = 0
    mapping: Mapping | None = None
    """How its rows are read, where that is not how those of the first source are."""
    fetched: str = ""
    """Where it was fetched from, and which revision: `hf:owner/name@REVISION`."""

    @property
    def name(self) -> str:
        """What a person calls it: the name of the file, of one of the Hub that of the data set or its file."""
        if not self.fetched:
            return Path(self.path).name
        # Not at the top, as below: a project of files of its own opens without what fetches and decodes others.
        from engine.sources.files.hub import hub_name

        return hub_name(self.fetched).name

    @property
    def kind(self) -> str:
        """Its format without its packing; `text in cp1252` where rows are not its bytes for their encoding."""
        from engine.sources.files.encodings import encoding_of

        encoding = encoding_of(self.format)
        return f"text in {encoding}" if encoding else self.format.partition(".")[0]

    @property
    def rewritten(self) -> int:
        """How many of its rows are not the source's own bytes: all of a table, of JSON those with a note that says so.
        (A BOM and line ends are no part of a row.)"""
        if self.kind not in ("jsonl", "json"):
            return self.rows
        return sum(self.notes.get(note, 0) for note in REWRITTEN)


_IN_TABLE = tuple(name for name in SourceFile.__slots__ if name not in ("mapping", "fetched"))


@dataclass(frozen=True, slots=True)
class ProjectSettings:
    """What `project.toml` holds. The first source is the one the project is named after."""

    sources: tuple[SourceFile, ...]
    mapping: Mapping
    key: str | None = None
    remark: str = field(default="", compare=False)
    """What is to be told of the file itself: that it is not as it was written."""

    @property
    def source(self) -> SourceFile:
        return self.sources[0]

    @property
    def title(self) -> str:
        """What the project is called: the name of its first source, and how many further ones there are."""
        more = len({source.name for source in self.sources}) - 1
        return f"{self.source.name} +{more}" if more else self.source.name

    @property
    def is_complete(self) -> bool:
        """Whether every source was read to its end."""
        return all(source.complete for source in self.sources)


def read_settings(folder: Path, name: str = SETTINGS_FILE) -> ProjectSettings:
    """Raises ProjectError where the folder is no project, damaged, or of a later version."""
    path = folder / name
    try:
        content, written = read_toml_bytes(path, most=MOST_BYTES)
    except FileNotFoundError as error:
        raise ProjectError(
            f"{folder}: is not a tamis project", "it has no project.toml", "open a data file, or a .tamis folder"
        ) from error
    except UsageError as error:
        raise ProjectError(error.title, error.message, "restore it from a copy") from error
    if content.get("format") != FORMAT_VERSION:
        raise ProjectError(
            f"{folder}: has project format {content.get('format')!r}, this tamis knows {FORMAT_VERSION}",
            "",
            "use a newer tamis",
        )
    try:
        sources = [SourceFile(**source) for source in content["source"]]
        for said in content.get("reading", ()):
            sources[said["source"]] = replace(sources[said["source"]], mapping=_mapping(said))
        for said in content.get("fetched", ()):
            sources[said["source"]] = replace(sources[said["source"]], fetched=said["from"])
        settings = ProjectSettings(
            tuple(sources), _mapping(content["mapping"]), content.get("key"), _remark_on(path, written)
        )
        _check_types(settings)
        return settings
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise ProjectError(f"{path}: is incomplete ({error})", "", "restore it from a copy") from error


def _remark_on(path: Path, written: bytes) -> str:
    """What is wrong with the first line of the settings, in a sentence; '' for nothing."""
    text = written.removeprefix(b"\xef\xbb\xbf")
    found = _CHECK.match(text)
    if not text.startswith(b"#") or (found and found[1] == b"%08x" % zlib.crc32(memoryview(text)[found.end() :])):
        return ""
    return (
        f"{path}: is not as tamis wrote it: damaged, or changed by hand; look at it, restore it from a copy, "
        "or take its first line away to keep the change"
    )


def _mapping(said: dict[str, Any]) -> Mapping:
    shape: ShapeName = said["shape"]
    return Mapping(shape, dict(said["fields"]))


def _check_types(settings: ProjectSettings) -> None:
    """Raises TypeError where a value is of another kind than `write_settings` writes."""
    mappings = [settings.mapping, *(source.mapping for source in settings.sources if source.mapping is not None)]
    if not settings.sources or not all(mapping.shape in SHAPES for mapping in mappings):
        raise TypeError("it names no source, or a shape of rows that is not known")
    texts = [*(path for mapping in mappings for path in mapping.fields.values()), settings.key or ""]
    counts: list[object] = []
    for source in settings.sources:
        texts += [source.path, source.format, source.sha256, source.fetched]
        counts += [source.size, source.rows, source.quarantined, source.first_row, source.joined]
        counts += source.notes.values()
    if not all(isinstance(text, str) for text in texts):
        raise TypeError("a text is none")
    if not all(isinstance(count, int) and count >= 0 for count in counts):
        raise TypeError("a count is none")


def write_settings(folder: Path, settings: ProjectSettings, name: str = SETTINGS_FILE) -> None:
    """Write `project.toml` whole. Raises ProjectError, also where what was read is not what was written before: it
    would be believed from then on."""
    if settings.remark:
        raise ProjectError(settings.remark)
    lines = [f"format = {FORMAT_VERSION}"]
    if settings.key:
        lines.append(f"key = {_toml(settings.key)}")
    lines += ["", "[mapping]", *_mapping_lines(settings.mapping)]
    for source in settings.sources:
        lines += ["", "[[source]]"]
        # Earlier versions know no `joined`.
        names = [name for name in _IN_TABLE if name != "joined" or source.joined]
        lines += [f"{name} = {_toml(getattr(source, name))}" for name in names]
    # Tables of their own: earlier versions pass over those, and refuse a source with a field that they do not know.
    for place, source in enumerate(settings.sources):
        if source.mapping is not None:
            lines += ["", "[[reading]]", f"source = {place}", *_mapping_lines(source.mapping)]
        if source.fetched:
            lines += ["", "[[fetched]]", f"source = {place}", f"from = {_toml(source.fetched)}"]
    content = ("\n".join(lines) + "\n").encode("utf-8")
    write_atomic(folder / name, _CHECK_LINE.format(zlib.crc32(content)).encode("ascii") + content)


def _mapping_lines(mapping: Mapping) -> list[str]:
    for path in mapping.fields.values():
        try:
            path.encode("utf-8")
        except UnicodeEncodeError as error:
            # Replaced by anything it would be another field.
            raise ProjectError(
                f"the field {path!r} is in the mapping of these rows, and no text that project.toml can hold",
                "",
                "rename it in the source",
            ) from error
    fields = ", ".join(f"{_toml(part)} = {_toml(path)}" for part, path in mapping.fields.items())
    return [f"shape = {_toml(mapping.shape)}", f"fields = {{ {fields} }}"]


def _toml(value: str | int | dict[str, int]) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_toml(name)} = {count}" for name, count in value.items()) + " }"
    # A JSON string is a TOML basic string but for DEL and for lone surrogates (an undecodable file name).
    if isinstance(value, int):
        return str(value).lower()
    printable = value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return json.dumps(printable, ensure_ascii=False).replace("\x7f", "\\u007f")
