"""CSV and TSV: every column is text. No NA words, no numbers, no dates are made of it; a cell says what it says."""

from __future__ import annotations

import io
import itertools
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engine.errors import SourceError
from engine.model import Quarantined
from engine.sources.files.pieces import MAX_LINE_BYTES, TOO_LONG, SourceRow, set_aside
from engine.sources.files.text_source import SourceText
from engine.sources.messages.leaves import is_metadata
from engine.sources.records.table_records import Quoting, TableRecords
from engine.sources.shapes.names import FIELD_NAMES, plain_name

SNIFF_CHARS = 65536
SNIFF_RECORDS = 100
MAX_HEADER_CHARS = 4 * 1024 * 1024
DELIMITERS = ",\t;|"
QUOTES_MAY_BE_TEXT = "\t|"
NO_HEADER = "no column names, named by their places"
UNNAMED = "a column without a name"
ABOVE = "stands above the column names"
EMPTY = "all of its cells are empty"
HEADER_AGAIN = "the column names once more"
# Old editors of DOS end a text with a control character.
_BLANK, _BLANK_BYTES = " \t\r\n\x1a,;|", b" \t\r\n\x1a"
MOST_ABOVE = 10
"""Lines above the column names: remarks, a title."""
_SEPARATOR_LINE = re.compile(r'"?sep=(\\t|[^\w"\r\n])"?(?:\r\n|\r|\n|$)', re.IGNORECASE)
# A name of a column is short, and no sentence, number or JSON.
_NAME = re.compile(r"\s*[^\d\W](?:\S*\s+){0,2}\S*(?<![.?!:])\s*")
_LONGEST_NAME = 40


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a table separates and quotes its cells, and its columns. `unnamed` are those that have a name by their place
    because the header has none for them; where it is no header at all (`has_header`), the first line is a record."""

    delimiter: str
    quoting: Quoting
    columns: tuple[str, ...]
    unnamed: frozenset[str] = frozenset()
    has_header: bool = True
    quotes_are_text: bool = False
    starts_quoted: bool = False
    header: tuple[str, ...] = ()
    """The first line as it stands, where it is the header."""


def guess_delimiter(head: str) -> str:
    """The separator that cuts the first lines into as many cells as the very first, more cells before fewer; else a
    comma."""
    lines = _lines_of(head)[:50]
    best, best_fit = ",", (0.0, 1)
    for delimiter in DELIMITERS:
        records = _sample(lines, delimiter)
        width = len(_header(lines, delimiter)[0])
        # A cell of prose holds a comma or two; columns are the same in most lines.
        fit = (round(_share(records, width), 1), width)
        if width > 1 and fit > best_fit:
            best, best_fit = delimiter, fit
    return best


def _above_header(head: str) -> list[str]:
    """The first lines, where the column names stand below them: remarks behind `#`, a title in a cell of its own."""
    lines = _lines_of(head[:SNIFF_CHARS])[: 2 * MOST_ABOVE]
    if not lines or not (lines[0].startswith("#") or _is_title(lines[0])):
        return []
    above = list(itertools.takewhile(lambda line: line.startswith("#") or _is_title(line), lines[:MOST_ABOVE]))
    below = lines[len(above) :]
    delimiter = guess_delimiter("".join(below)) if below else ","
    names = below[0].rstrip("\r\n").split(delimiter) if below else []
    is_header = len(names) > 1 and all(map(_may_be_name, filter(str.strip, names))) and any(map(is_known_name, names))
    return above if is_header and not any(_may_be_header(line, delimiter) for line in above) else []


def _may_be_header(line: str, delimiter: str) -> bool:
    """Whether a line behind `#` holds names: the index of some tables is called so."""
    cells = line.removeprefix("#").split(delimiter)
    return line.startswith("#") and len(cells) > 1 and any(is_known_name(cell.strip()) for cell in cells)


def _is_title(line: str) -> bool:
    """Whether a line has one cell at the most that says something, and that is no name of a column."""
    said = [cell.strip() for cell in re.split("[,;|\t]", line.replace('"', "")) if cell.strip()]
    return line.count('"') % 2 == 0 and (not said or (len(said) == 1 and not is_known_name(said[0])))


def _lines_of(head: str) -> list[str]:
    """The lines of a sample; where there may be more, the last one of several may be cut."""
    lines = list(io.StringIO(head, newline=""))
    is_cut = len(head) >= SNIFF_CHARS and not head.endswith(("\n", "\r"))
    return lines[:-1] if is_cut and len(lines) > 1 else lines


def _header(lines: Sequence[str], delimiter: str, quoting: Quoting = "doubled") -> tuple[list[str], int]:
    """The cells of the first record, quotes or not, and how many lines it is."""
    first = next(iter(TableRecords(iter(lines), delimiter, quoting)), None)
    if first is None:
        return [], 0
    return first.cells or lines[0].rstrip("\r\n").replace('"', "").split(delimiter), first.lines


def _sample(
    lines: Sequence[str], delimiter: str, quoting: Quoting = "doubled", width: int | None = None
) -> list[list[str] | None]:
    """The first records of a table, None for each that is broken; the last may be cut."""
    cutter = TableRecords(iter(lines), delimiter, quoting, width=width)
    cuts = list(itertools.islice((cut.cells for cut in cutter if cut.record.content.strip()), SNIFF_RECORDS))
    return cuts[:-1] if cutter.ran_out and len(cuts) > 1 else cuts


def _share(records: Sequence[list[str] | None], width: int) -> float:
    return sum(cells is not None and len(cells) == width for cells in records) / max(len(records), 1)


def read_dialect(head: str, separator: str = "") -> Dialect:
    """The dialect of a table from its first characters; `separator` where its first line told it."""
    delimiter = separator or guess_delimiter(head[:SNIFF_CHARS])
    lines = _lines_of(head)
    quoting = _quoting(lines, delimiter)
    header, header_lines = _header(lines, delimiter, quoting)
    records = _sample(lines[header_lines:], delimiter, quoting, len(header))
    has_header = not _is_data(header)
    named = _with_index(header, records) if has_header else [""] * len(header)
    columns = tuple(_unique_names(named))
    unnamed = frozenset(name for name, said in zip(columns, named, strict=True) if has_header and not said.strip())
    starts = [start.startswith('"') for start in _starts(lines, delimiter, quoting, len(header))]
    # Names need no quotes: where the header has them, all texts have.
    starts_quoted = lines[0].startswith('"') and (sum(starts) * 2 > len(starts) if has_header else all(starts))
    is_text = delimiter in QUOTES_MAY_BE_TEXT and not starts_quoted
    said = tuple(header) if has_header else ()
    return Dialect(delimiter, quoting, columns, unnamed, has_header, is_text, starts_quoted, said)


def _quoting(lines: Sequence[str], delimiter: str) -> Quoting:
    """Doubled quotes, but where the first records fall into the header's number of cells more often another way."""
    text = "".join(lines)
    doubled = _sample(lines, delimiter)
    width = len(_header(lines, delimiter)[0])
    best: Quoting = "doubled"
    if '\\"' in text and _share(_sample(lines, delimiter, "escaped"), width) > _share(doubled, width):
        best = "escaped"
    elif re.search(re.escape(delimiter) + ' +"', text):
        spaced = _sample(lines, delimiter, "spaced")
        pairs = itertools.chain.from_iterable(
            zip(one or (), other or (), strict=False) for one, other in zip(doubled, spaced, strict=False)
        )
        is_quoted = any(cell != other and cell.lstrip(" ").startswith('"') for cell, other in pairs)
        spaced_width = len(_header(lines, delimiter, "spaced")[0])
        if is_quoted and _share(spaced, spaced_width) >= _share(doubled, width):
            best = "spaced"
    return best


def _starts(lines: Sequence[str], delimiter: str, quoting: Quoting, width: int) -> Iterator[str]:
    """The first line of each of the first records that have the header's number of cells, the header among them; of one
    that is broken ''."""
    at = 0
    for cut in itertools.islice(TableRecords(iter(lines), delimiter, quoting), SNIFF_RECORDS):
        if cut.cells is None or len(cut.cells) == width:
            yield lines[at] if cut.cells else ""
        at += cut.lines


def _is_data(header: Sequence[str]) -> bool:
    """Whether the first line is a record like the others: none of its cells is known as a name, and one can be none."""
    said = [cell.strip() for cell in header if cell.strip()]
    if said == [str(number) for number in range(len(said))] or any(map(is_known_name, said)):
        return False
    return not all(map(_may_be_name, said))


def _may_be_name(cell: str) -> bool:
    return len(cell) <= _LONGEST_NAME and _NAME.fullmatch(cell) is not None


def is_known_name(cell: str) -> bool:
    """Whether a text is a name that columns have."""
    return _may_be_name(cell) and (plain_name(cell) in FIELD_NAMES or is_metadata((cell,), "a word", in_message=False))


def _with_index(header: list[str], records: Sequence[list[str] | None]) -> list[str]:
    """A header that lacks the name of one column, which all records have: of the index before the first one, or of one
    that a separator at the line's end makes."""
    cells = [cells for cells in records if cells is not None]
    if not cells or {len(found) for found in cells} != {len(header) + 1}:
        return header
    return [*header, ""] if not any(found[-1] for found in cells) else ["", *header]


def _unique_names(header: Sequence[str]) -> Iterator[str]:
    taken = {name.strip() for name in header}
    used: set[str] = set()
    for place, name in enumerate(header):
        # Bytes that are not UTF-8 were read as surrogates; a name has to be text.
        readable = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        plain = readable.strip() or f"column_{place}"
        unique = plain
        for count in itertools.count(2):
            if unique not in used and (unique == plain or unique not in taken):
                break
            unique = f"{plain}_{count}"
        used.add(unique)
        yield unique


def table_rows(stream: SourceText, name: str = "the table") -> Iterator[SourceRow | Quarantined]:
    """Every record after the header, as a row of strings or set aside with the reason (table_records.py says what a
    record is). Raises SourceError, with the `name` of the source, for a header that is none, or that has no records.

    Bytes that are not UTF-8 put their record aside, not the file: they are carried through the csv module as
    surrogates and looked for in the cells.
    """
    text = io.TextIOWrapper(stream, encoding="utf-8", errors="surrogateescape", newline="")
    # To the end of a line, so that what was read for guessing and the rest meet between two lines.
    head = text.read(SNIFF_CHARS) + text.readline(MAX_LINE_BYTES)
    line, offset = 1, 3 if head.startswith("\ufeff") else 0
    head = head.removeprefix("\ufeff")
    separator = ""
    if told := _SEPARATOR_LINE.match(head):
        # For Excel: neither the header nor a record.
        separator = told[1].replace("\\t", "\t")
        line, offset, head = 2, offset + told.end(), head[told.end() :]
    if len(head) > MAX_HEADER_CHARS and "\n" not in head[:MAX_HEADER_CHARS]:
        raise SourceError(f"{name}: its first line is longer than 4 MB", "", "a table begins with its column names")
    for above in _above_header(head):
        if above.strip() and not above.startswith("#"):
            fault = ABOVE if above.strip(_BLANK) else EMPTY
            yield set_aside(line, offset, fault, above.encode("utf-8", "surrogateescape"))
        line, offset = line + 1, offset + len(above.encode("utf-8", "surrogateescape"))
        head = head[len(above) :]
    dialect = read_dialect(head, separator)
    lines = itertools.chain(io.StringIO(head, newline=""), iter(lambda: text.readline(MAX_LINE_BYTES), ""))
    cutter = TableRecords(
        lines,
        dialect.delimiter,
        dialect.quoting,
        width=len(dialect.columns),
        quotes_are_text=dialect.quotes_are_text,
        starts_quoted=dialect.starts_quoted,
        is_damaged=lambda: bool(stream.damage),
    )
    is_header, is_empty = dialect.has_header, True
    for cut in cutter:
        start_line, start, record = line, offset, cut.record
        line, offset = line + cut.lines, offset + record.length
        if stream.damage and (cutter.ran_out or not record.ends_line):
            yield record.set_aside(start_line, start, stream.damage)
            return
        named, is_header = is_header, False
        if (named and not cut.fault) or not (record.is_too_long or record.content.strip(_BLANK_BYTES)):
            continue
        is_empty = False
        fault = f"record {TOO_LONG}" if record.is_too_long else cut.fault or _fault(cut.cells or [], dialect)
        yield record.set_aside(start_line, start, fault) if fault else _row(start_line, start, cut.cells or [], dialect)
    if stream.damage:
        yield Quarantined(line, offset, stream.damage, b"")
    elif is_empty:
        raise SourceError(f"{name}: has column names and no rows under them", "", "check that it is the right file")


def _row(line: int, offset: int, cells: list[str], dialect: Dialect) -> SourceRow:
    raw = dict(zip(dialect.columns, cells, strict=True))
    notes = () if dialect.has_header else (NO_HEADER,)
    if dialect.unnamed:
        raw = {name: cell for name, cell in raw.items() if cell or name not in dialect.unnamed}
        notes = (UNNAMED,)
    return SourceRow(line, offset, json.dumps(raw, ensure_ascii=False).encode("utf-8"), raw, notes)


def _fault(cells: list[str], dialect: Dialect) -> str:
    if len(cells) != len(dialect.columns):
        told = f"{len(cells)} cells where the header has {len(dialect.columns)}"
        return (
            f"{told} (a text that holds separators has to stand in quotes)"
            if len(cells) > len(dialect.columns)
            else told
        )
    if not any(cells):
        return EMPTY
    if len(cells) > 1 and tuple(cells) == dialect.header:
        return HEADER_AGAIN
    if any("\udc80" <= character <= "\udcff" for cell in cells for character in cell):
        return "not UTF-8"
    return ""
