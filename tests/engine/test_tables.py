"""Tables as spreadsheets, databases and scripts write them, and the records of damaged ones."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from engine.errors import SourceError
from engine.model import Quarantined
from engine.project.create import create_project
from engine.sources.files.pieces import SourceRow
from engine.sources.records.read import read_source


def read(path: Path, content: bytes | str) -> tuple[list[SourceRow], list[Quarantined]]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    pieces = list(read_source(path, "csv"))
    rows = [piece for piece in pieces if isinstance(piece, SourceRow)]
    return rows, [piece for piece in pieces if isinstance(piece, Quarantined)]


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ("instruction|output\na|b\n", [{"instruction": "a", "output": "b"}]),
        ("sep=\\t\r\ninstruction\toutput\r\na\tb\r\n", [{"instruction": "a", "output": "b"}]),
        ("sep=^\ninstruction^output\na^b\n", [{"instruction": "a", "output": "b"}]),
        # Lines end at line ends alone.
        ("instruction,output\na\u2028b,c\x0bd\n", [{"instruction": "a\u2028b", "output": "c\x0bd"}]),
        ("instruction,output\na\x00x,b\n", [{"instruction": "a\x00x", "output": "b"}]),
        # A blank behind the separator, before a cell in quotes.
        ('"instruction", "output"\n"a, b", "c"\n', [{"instruction": "a, b", "output": "c"}]),
        # Behind a backslash a quote is text; a backslash before anything else is one.
        (
            'instruction,output\n"say \\"hi\\", now","\\n \\\\frac"\n',
            [{"instruction": 'say "hi", now', "output": "\\n \\frac"}],
        ),
        # No name twice, whatever the others are called.
        ("a,a,a_2\n1,2,3\n", [{"a": "1", "a_3": "2", "a_2": "3"}]),
        # The index of R and pandas without a name, and a separator at the end of every line.
        ("prompt,response\n0,a,b\n1,c,d\n", [{"column_0": str(n), "prompt": p, "response": r} for n, p, r in (
            (0, "a", "b"), (1, "c", "d"))]),
        ("prompt,response\na,b,\nc,d,\n", [{"prompt": "a", "response": "b"}, {"prompt": "c", "response": "d"}]),
        # Columns that pandas numbered are a header.
        (",0,1\n0,a,b\n", [{"column_0": "0", "0": "a", "1": "b"}]),
        # A question may be the name of a column where another name is known.
        ("Timestamp,Ask a hard question.\n2024,a\n", [{"Timestamp": "2024", "Ask a hard question.": "a"}]),
    ],
)  # fmt: skip
def test_a_table_is_cut_as_it_was_written(tmp_path: Path, content: str, rows: list[dict[str, str]]) -> None:
    found, aside = read(tmp_path / "t.csv", content)
    assert [row.raw for row in found] == rows
    assert not aside


def test_where_quotes_are_text_they_stay(tmp_path: Path) -> None:
    """Sentences a line, with their translation: a quotation begins in one and ends in the next."""
    lines = [
        '"Hello," he said.\tHallo.',
        '"I came.\tIch kam.',
        'I saw."\tIch sah.',
        '"No."\tNein.',
        'A 5" pipe.\tEin Rohr.',
    ]
    rows, aside = read(tmp_path / "t.tsv", "\n".join(lines))
    assert ["\t".join(row.raw.values()) for row in rows] == lines
    assert not aside
    rows, _ = read(tmp_path / "t.tsv", 'prompt\tresponse\na\t"two\nlines"\nb\t"a ""b"""\nc\t"Hi," he said\n')
    assert [row.raw["response"] for row in rows] == ["two\nlines", 'a "b"', '"Hi," he said']


def test_a_stray_quote_costs_its_own_record(tmp_path: Path) -> None:
    lines = [
        "prompt,response",
        'List two,"never closed',
        *(f"{n}+{n},{n + n}" for n in range(500)),
        'pipe,of 24",ok',
        "a,b",
    ]
    rows, aside = read(tmp_path / "t.csv", "\n".join(lines))
    assert [piece.line for piece in aside] == [2, 503]
    assert aside[0].content == b'List two,"never closed\n'
    assert len(rows) == 501


def test_of_a_broken_text_in_quotes_no_line_becomes_a_row(tmp_path: Path) -> None:
    content = '"prompt","response"\n"a","He said "hi", then\nwent, home\nok"\n"c","d"\n"e","f\ng"\n'
    rows, (aside,) = read(tmp_path / "t.csv", content)
    assert [row.raw["response"] for row in rows] == ["d", "f\ng"]
    assert (aside.line, aside.content.count(b"\n")) == (2, 3)


def test_a_table_in_a_cell_is_a_text(tmp_path: Path) -> None:
    table = "a,b\n1,2\n3,4\n5,6"
    (row,), aside = read(tmp_path / "t.csv", f'prompt,response\nMake a table.,"{table}"\n')
    assert (row.raw["response"], aside) == (table, [])


def test_a_line_with_too_many_cells_says_what_may_be_wrong(tmp_path: Path) -> None:
    rows, (aside,) = read(tmp_path / "t.csv", "prompt,response\nWhat is 2+2?,4, of course\nc,d\n")
    assert len(rows) == 1
    assert aside.reason == "3 cells where the header has 2 (a text that holds separators has to stand in quotes)"


def test_a_table_without_column_names_loses_no_record(tmp_path: Path) -> None:
    rows, _ = read(tmp_path / "t.csv", "What is the capital of France?,Paris\nHow many legs has a spider?,Eight\n")
    assert rows[0].raw == {"column_0": "What is the capital of France?", "column_1": "Paris"}
    with pytest.raises(SourceError, match="prompt=column_0,response=column_1"):
        create_project(tmp_path / "t.csv", tmp_path / "t.tamis")
    create_project(tmp_path / "t.csv", tmp_path / "t.tamis", words="prompt=column_0,response=column_1")
    assert (tmp_path / "t.tamis" / "rows.jsonl").read_bytes().count(b"\n") == 2


def test_a_table_of_names_alone_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"t\.csv: has column names and no rows"):
        read(tmp_path / "t.csv", "prompt,response\n")


def test_a_table_of_many_columns_and_one_of_a_long_cell(tmp_path: Path) -> None:
    names = [f"field_{n}" for n in range(20_000)]
    rows, _ = read(tmp_path / "wide.csv", ",".join(names) + "\n" + ",".join(["x"] * 20_000) + "\n")
    assert list(rows[0].raw) == names
    long = "x, y\n" * 100_000
    rows, _ = read(tmp_path / "long.csv", f'prompt,response\na,"{long}"\nb,c\n')
    assert [len(row.raw["response"]) for row in rows] == [500_000, 1]


CELL = r'(?:"(?:[^"]|"")*"|[^",\n][^,\n]*|)'
RECORD = re.compile(f"{CELL}((?:,{CELL})*)")


def width_of(lines: list[str]) -> int:
    """Cells of a record whose quotes are in order, else 0."""
    found = RECORD.fullmatch("\n".join(lines))
    return 1 + len(re.findall(f",{CELL}", found[1])) if found else 0


def spans(lines: list[str], width: int) -> list[tuple[int, int]]:
    """The records of a table by the rule of table_records.py, worked out with expressions instead of the csv module:
    the first line of each, and how many it has."""

    def is_swallowing(taken: list[str], cells: int) -> bool:
        fitting = sum(line.count(",") + 1 == width for line in taken[1:-1])
        return cells != width and len(taken) > 4 and fitting * 2 > len(taken) - 2

    def record_at(at: int) -> tuple[int, int]:
        for end in range(at + 1, len(lines) + 1):
            if cells := width_of(lines[at:end]):
                return (0, 0) if is_swallowing(lines[at:end], cells) else (end - at, cells)
        return 0, 0

    found, at = [], 0
    while at < len(lines):
        many, _ = record_at(at)
        if not many:
            many = next((end for end in range(at + 1, len(lines)) if record_at(end)[1] == width), len(lines)) - at
        if "\n".join(lines[at : at + many]).strip():
            found.append((at, many))
        at += many
    return found


def damaged(dice: random.Random) -> str:
    rows = [
        ",".join(dice.choice(("a", "", '"b, c"', '"d\ne"', '"say ""x"""', "1 2", '"f\ng,h,i\nj"')) for _ in range(3))
        for _ in range(dice.randint(1, 12))
    ]
    content = "\n".join(rows)
    for _ in range(dice.randint(0, 5)):
        at = dice.randrange(len(content) + 1)
        end = at + dice.choice((0, 0, 1, 4))
        content = content[:at] + dice.choice(('"', '""', ",", "\n", "x", '"\n', ',"', "")) + content[end:]
    return content


def test_rows_and_what_is_set_aside_are_the_records_also_of_damaged_tables(tmp_path: Path) -> None:
    for seed in range(250):
        content = damaged(random.Random(seed))
        if not content.strip():
            continue
        rows, aside = read(tmp_path / "t.csv", f"prompt,response,source\n{content}\n")
        expected = spans(content.split("\n"), 3)
        assert sorted(piece.line for piece in (*rows, *aside)) == [at + 2 for at, _ in expected], (seed, content)


@pytest.mark.parametrize(
    ("content", "aside"),
    [
        # As spreadsheets write the rows below the last one.
        ("prompt,completion,,\na,b,,\n,,,\nc,d,,\n", ["all of its cells are empty"]),
        # `cat` of two tables.
        ("prompt,completion\na,b\nprompt,completion\nc,d\n", ["the column names once more"]),
        ("# written by a tool\n# 2 rows, mostly fine\nprompt,completion\na,b\nc,d\n", []),
        ("Questions of May,\n\nprompt,completion\na,b\nc,d\n", ["stands above the column names"]),
        ("prompt,completion\r\na,b\r\nc,d\r\n\x1a", []),
    ],
)
def test_what_stands_around_the_rows_is_no_row(tmp_path: Path, content: str, aside: list[str]) -> None:
    rows, left = read(tmp_path / "t.csv", content)
    assert [(row.raw["prompt"], row.raw["completion"]) for row in rows] == [("a", "b"), ("c", "d")]
    assert [piece.reason for piece in left] == aside
    assert all(content.encode()[row.offset :].startswith(row.raw["prompt"].encode()) for row in rows)


def test_a_first_line_of_one_name_is_the_header(tmp_path: Path) -> None:
    rows, left = read(tmp_path / "t.csv", "text\n# a title\nanswer,question\n")
    assert ([row.raw for row in rows], len(left)) == ([{"text": "# a title"}], 1)
    rows, _ = read(tmp_path / "t.csv", "#,prompt,completion\n1,a,b\n")
    assert [row.raw for row in rows] == [{"#": "1", "prompt": "a", "completion": "b"}]


def test_two_lines_are_a_table_where_the_first_one_names_columns(tmp_path: Path) -> None:
    path = tmp_path / "rows.txt"
    path.write_text("prompt\tcompletion\na\tb\n")
    assert [piece.raw for piece in read_source(path) if isinstance(piece, SourceRow)] == [
        {"prompt": "a", "completion": "b"}
    ]
    path.write_text("Hello, you.\nBye, me.\n")
    with pytest.raises(SourceError, match="is plain text, not records"):
        list(read_source(path))
