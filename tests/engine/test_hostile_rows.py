"""Rows that parse and are odd all the same: every step from the scan to the export stands them, or says why not."""

from __future__ import annotations

import json
import os
import re
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from projects import alpaca, write_jsonl

from engine import nesting, report
from engine.errors import UsageError
from engine.export import columnar, licence
from engine.jobs.scan import scan_project
from engine.model import Act
from engine.nesting import MAX_NESTING, loads_row, nested_too_deep
from engine.project.create import create_project
from engine.project.project import Project, open_project
from engine.scan.dates import date_of
from engine.scan.signals.markers import cut_at_mark, strip_marks
from engine.secret_patterns import secrets_in
from engine.select import select
from engine.sources.conversation.text_edits import editable_fields, with_texts
from engine.sources.mapping import parse_path, value_at
from engine.sources.records.read import read_source
from engine.workflows.export import export
from workbench.render.row import raw_paragraphs, row_paragraphs
from workbench.state.row_pass import pass_over_rows

SELECTORS = ("field.x>1", "field.timestamp>1", "date<2020", "date=2018", "tokens>5", "turns>1")
TALK = {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}


def deep(levels: int) -> str:
    """A row of so many levels, itself counted; brackets in its text count for nothing."""
    inner = "[" * (levels - 2) + "]" * (levels - 2)
    return '{"instruction": "[{[{ \\" [", "output": "b", "x": {"y": ' + inner + "}}"


def everything(project: Project, to: Path) -> None:
    """What a person can do with a row, short of the screen itself."""
    scan_project(project)
    pass_over_rows(project)
    for selector in SELECTORS:
        select(project, selector)
    for row in range(len(project.rows)):
        list(row_paragraphs(project, row, None, why=True))
        list(raw_paragraphs(project, row))
        fields = editable_fields(project.rows.raw(row), project.mapping)
        with_texts(project.rows.raw(row), {field.path: field.text for field in fields})
    project.decide([Act("accept", tuple(map(project.rows.id, range(len(project.rows)))))])
    export(project, to / "same", override="a test")
    for name in ("messages", "sharegpt", "alpaca"):
        spoken = [project.example(row).messages for row in range(len(project.rows))]
        holds_none = not any(turns and (name != "alpaca" or turns[-1].role == "assistant") for turns in spoken)
        with pytest.raises(UsageError, match="nothing to export") if holds_none else nullcontext():
            export(project, to / name, format_name=name, lossy=True, override="a test")
    for name in ("out.csv", "out.parquet"):
        export(project, to / name, override="a test")
    report.measure(project)


ODD_TURNS = (
    '{"messages":[{"role":["user"],"content":[{"type":["x"]},5]},{"role":"assistant","content":{"a":1},'
    '"tool_calls":[{"a":1},5,null,"' + "[" * 900 + '"],"weight":NaN}]}'
)
ODD: dict[str, list[str]] = {
    "as deep as may be": [deep(MAX_NESTING)],
    "whole numbers without end": [
        json.dumps(alpaca("a", "b", timestamp=10**400, x=10**4000)),
        json.dumps(alpaca("a", "b", timestamp=-(10**400), x=-(10**400), year=10**30)),
    ],
    "numbers that are none": ['{"instruction":"a","output":"b","x":NaN,"timestamp":-Infinity,"year":1e999,"date":NaN}'],
    "keys of digits": [json.dumps({"\u00b2": TALK}), json.dumps({"\u00b2": TALK})],
    "keys of zeros": [json.dumps({"007": TALK}), json.dumps({"007": TALK})],
    "empty and escaping keys": [json.dumps({"": TALK, "\x1b]52;c;aGk=\x07": 1})],
    "odd turns": [ODD_TURNS],
    "turns as deep text": [json.dumps({"messages": "[" * 900 + "]" * 900, "instruction": "a", "output": "[" * 900})],
    "lone surrogates": ['{"instruction":"\\ud800 x","output":"\\udfff","input":"\\ud83d"}'],
    "nothing but null": ['{"instruction":null,"output":null,"history":[null,["x"],[1,2]],"system":{"a":1}}'],
}


@pytest.mark.parametrize("name", ODD)
def test_every_step_stands_an_odd_row(tmp_path: Path, name: str) -> None:
    path = tmp_path / "raw.jsonl"
    path.write_text("".join(line + "\n" for line in ODD[name]))
    folder = create_project(path)
    with open_project(folder, reviewer="ana") as project:
        assert len(project.rows) == len(ODD[name])
        everything(project, tmp_path)
    assert (tmp_path / "same" / "train.jsonl").read_bytes() == path.read_bytes()
    back = [piece.raw for piece in read_source(tmp_path / "out.parquet")]  # type: ignore[union-attr]
    assert list(map(repr, back)) == [repr(json.loads(line)) for line in ODD[name]]


def test_a_mapping_of_what_is_no_character_has_findings(tmp_path: Path) -> None:
    path = tmp_path / "raw.jsonl"
    path.write_text('{"q":"Name a bird.","b":"A jay.","a\\ud800":"A wren."}\n')
    folder = create_project(path, words="instruction=q,output=b")
    acts = '[{"do":"map","ids":[],"shape":"alpaca","fields":{"instruction":"q","output":"a\\ud800"}}]'
    journal = folder / "decisions" / "ana@00000000.jsonl"
    journal.parent.mkdir(exist_ok=True)
    journal.write_text(f'{{"v":1,"n":1,"t":1.0,"by":"ana","acts":{acts}}}\n')
    with open_project(folder, reviewer="ana") as project:
        assert project.findings is None
        scan_project(project)
        assert project.findings is not None


def test_nesting_counts_brackets_outside_of_strings() -> None:
    assert not nested_too_deep(deep(MAX_NESTING))
    assert nested_too_deep(deep(MAX_NESTING + 1))
    assert not nested_too_deep(json.dumps({"a": "[" * 9999, "b": [[]] * 9999}))


def test_a_deeper_row_of_an_older_version_is_shown_and_keeps_its_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "raw.jsonl"
    path.write_text(deep(900) + "\n")
    with monkeypatch.context() as older:
        older.setattr(nesting, "MAX_NESTING", 5000)
        folder = create_project(path)
    with open_project(folder, reviewer="ana") as project:
        everything(project, tmp_path)
        assert project.rows.raw(0).keys() == {"instruction", "output", "x"}
    assert (tmp_path / "same" / "train.jsonl").read_bytes() == path.read_bytes()
    shallow = json.dumps({"a": [1, {"b": "]"}]}).encode()
    assert loads_row(shallow) == json.loads(shallow)


@pytest.mark.parametrize("key", ["\u00b2", "007", "0", "12", "\u0663", "9" * 5000])
def test_a_key_of_digits_is_found_and_edited_under_its_own_name(key: str) -> None:
    row: dict[str, Any] = {"talk": {key: "old"}}
    path = parse_path(f"talk.{key}")
    assert value_at(row, path) == "old"
    assert with_texts(row, {path: "new"}) == {"talk": {key: "new"}}
    assert value_at({"talk": ["x", "y"]}, parse_path("talk.1")) == "y"


def test_dates_of_any_number(tmp_path: Path) -> None:
    said = {10**400: "", 1546300800: "2019-01-01", 1546300800000: "2019-01-01", 2019: "2019", float("nan"): ""}
    assert {value: date_of({"timestamp": value}) for value in said} == said
    folder = create_project(write_jsonl(tmp_path / "raw.jsonl", [alpaca("a", "b", x=10**400), alpaca("c", "d", x=2)]))
    with open_project(folder, readonly=True) as project:
        assert [select(project, f"field.x{test}") for test in (">1", ">5", "<5")] == [[0, 1], [0], [1]]


def test_a_table_that_cannot_hold_the_rows_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("\ud800", "a\0b"):
        with pytest.raises(UsageError, match=f"row 1 of the export has a field {re.escape(repr(name))}, a name that"):
            columnar.parquet_bytes([{"a": 1}, {name: 1}])
    monkeypatch.setattr(columnar, "FEW_COLUMNS", 10)
    monkeypatch.setattr(columnar, "MOST_CELLS", 1000)
    keyed = [{f"user {number}": "x"} for number in range(100)]
    for write in (columnar.csv_bytes, columnar.parquet_bytes):
        with pytest.raises(UsageError, match=r"100 different fields.*table of 100 rows"):
            write(keyed)
        assert write(keyed[:10])


def test_marks_at_the_edges_are_not_looked_for_in_between() -> None:
    # Each of these took minutes: every mark was looked at again for every other one.
    many = "<|im_start|>" * 20_000
    assert len(strip_marks(many)) == len(many) - 1000 * len("<|im_start|>")
    assert cut_at_mark(f"{many[:240]} words {many}") == "words"
    assert strip_marks("### Response:\n  The answer.</s><|im_end|>\n") == "The answer."


def test_a_key_ends_at_its_own_end() -> None:
    begin, end = "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----"
    assert secrets_in(begin * 5000, ["private-key"]) == [("private-key", 4999 * len(begin), 5000 * len(begin))]
    key = f"{begin}\nMIIE-vQ\n{end}"
    assert secrets_in(f"x {begin} y {key} z", ["private-key"]) == [("private-key", 32, 32 + len(key))]


@pytest.mark.timeout(20)
def test_blank_lines_and_pipes_beside_the_source_hang_nothing(tmp_path: Path) -> None:
    assert report._form("a" + "\n" * 300_000 + "b") == "label"
    os.mkfifo(tmp_path / "README.md")
    os.mkfifo(tmp_path / "dataset_info.json")
    assert licence.source_licence(tmp_path) == licence.UNKNOWN
    (tmp_path / "card").mkdir()
    (tmp_path / "card" / "README.md").write_text("---" + "\n" * 65_000)
    (tmp_path / "card" / "dataset_info.json").write_text("[" * 100_000)
    assert licence.source_licence(tmp_path / "card") == licence.UNKNOWN
