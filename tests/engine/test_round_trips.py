"""What goes in comes out: JSONL byte for byte, other containers value for value, through real files."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from projects import alpaca, make_project, write_jsonl

from engine.errors import UsageError
from engine.model import Act
from engine.project.create import create_project
from engine.project.project import open_project
from engine.sources.files.pieces import SourceRow
from engine.sources.records.formats import source_format
from engine.sources.records.read import read_source
from engine.workflows.export import export

SETTINGS = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
EXTRA = st.dictionaries(st.sampled_from(["year", "id", "meta", "Date", "tags"]), ANYTHING, max_size=3)
MESSAGE = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "system", "tool"]), "content": TEXT | st.none()}
)
CALLS = st.fixed_dictionaries(
    {"role": st.just("assistant"), "content": st.none(), "tool_calls": st.lists(ANYTHING, max_size=2)}
)
SHAPES: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "alpaca": st.fixed_dictionaries({"instruction": TEXT, "input": TEXT, "output": TEXT}, optional={"system": TEXT}),
    "pair": st.fixed_dictionaries({"prompt": TEXT, "completion": TEXT}),
    "messages": st.fixed_dictionaries(
        {"messages": st.lists(MESSAGE | CALLS, min_size=1, max_size=4)},
        optional={"tools": st.lists(ANYTHING, max_size=2)},
    ),
    "sharegpt": st.fixed_dictionaries(
        {
            "conversations": st.lists(
                st.fixed_dictionaries(
                    {"from": st.sampled_from(["human", "gpt", "system", "observation"]), "value": TEXT}
                ),
                min_size=1,
                max_size=4,
            )
        }
    ),
    "preference": st.fixed_dictionaries({"prompt": TEXT, "chosen": TEXT, "rejected": TEXT}),
    "text": st.fixed_dictionaries({"text": TEXT}),
}


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [piece.raw for piece in read_source(path) if isinstance(piece, SourceRow)]


def accepted_export(source: Path, to: Path, **options: Any) -> dict[str, Any]:
    with open_project(create_project(source), reviewer="ann") as project:
        project.decide([Act("accept", tuple(project.rows.id(n) for n in range(len(project.rows))))])
        return export(project, to, **options)


@pytest.mark.parametrize("shape", SHAPES)
@SETTINGS
@given(data=st.data())
def test_jsonl_leaves_byte_for_byte(shape: str, data: st.DataObject) -> None:
    rows = data.draw(st.lists(st.tuples(SHAPES[shape], EXTRA), min_size=1, max_size=6))
    spaces = data.draw(st.sampled_from(["", " ", "  "]))
    ascii_only = data.draw(st.booleans())
    end = data.draw(st.sampled_from(["\n", "\r\n"]))
    text = "".join(
        json.dumps(row | extra, ensure_ascii=ascii_only, separators=("," + spaces, ":" + spaces)) + end
        for row, extra in rows
    )
    with TemporaryDirectory() as name:
        source = Path(name) / "raw.jsonl"
        source.write_bytes(text.encode())
        summary = accepted_export(source, Path(name) / "out.jsonl")
        assert (Path(name) / "out.jsonl").read_bytes() == text.encode()
        assert summary["untouched_identical"] == summary["untouched"] == len(rows)


@pytest.mark.parametrize("container", ["parquet", "jsonl.gz"])
@pytest.mark.parametrize("shape", SHAPES)
@SETTINGS
@given(data=st.data())
def test_containers_leave_value_for_value(shape: str, container: str, data: st.DataObject) -> None:
    rows = [row | extra for row, extra in data.draw(st.lists(st.tuples(SHAPES[shape], EXTRA), min_size=1, max_size=6))]
    with TemporaryDirectory() as name:
        to = Path(name) / f"out.{container}"
        accepted_export(write_jsonl(Path(name) / "raw.jsonl", rows), to)
        assert rows_of(to) == rows
        assert [list(row) for row in rows_of(to)] == [list(row) for row in rows] or container == "parquet"


@SETTINGS
@given(st.lists(st.lists(TEXT, min_size=2, max_size=2).filter(any), min_size=1, max_size=6))
def test_csv_keeps_every_text(cells: list[list[str]]) -> None:
    rows = [{"prompt": prompt, "completion": completion} for prompt, completion in cells]
    with TemporaryDirectory() as name:
        to = Path(name) / "out.csv"
        accepted_export(write_jsonl(Path(name) / "raw.jsonl", rows), to)
        assert rows_of(to) == rows


def test_a_dataset_folder_reads_back_equal_here_and_in_datasets(tmp_path: Path) -> None:
    import datasets

    rows = [
        alpaca("a", "007", date="2024-01-01", big=2**70, meta={"x": 1}),
        alpaca("b", "None", meta={"y": [1, {"z": None}]}),
        alpaca("é", "N/A", date="x"),
    ]
    source = write_jsonl(tmp_path / "raw.jsonl", rows)
    with open_project(create_project(source), reviewer="ann") as project:
        ids = [project.rows.id(n) for n in range(3)]
        project.decide([Act("holdout", (ids[2],)), Act("accept", tuple(ids))])
        export(project, tmp_path / "set", container="datasets")
        project.decide([Act("reject", (ids[0],))])
        export(project, tmp_path / "set", container="datasets")
        project.decide([Act("accept", (ids[0],))])
        export(project, tmp_path / "set", container="datasets")
    assert source_format(tmp_path / "set") == "folder"
    found = rows_of(tmp_path / "set")
    splits = [row.pop("split") for row in found]
    assert found == rows
    assert splits == ["train", "train", "validation"]
    loaded = datasets.load_from_disk(str(tmp_path / "set"))
    assert loaded["train"]["output"][:] == ["007", "None"]
    assert json.loads(loaded["train"]["meta"][1]) == {"y": [1, {"z": None}]}
    assert sorted(path.name for path in (tmp_path / "set").iterdir() if path.name.startswith(".")) == []


def test_foreign_tables_are_read_without_guessing(tmp_path: Path) -> None:
    import datetime

    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table(
        {
            "prompt": ["a", "b"],
            "completion": pa.array(["x", None]),
            "at": pa.array([datetime.datetime(2024, 5, 1, 12), None], pa.timestamp("us")),
            "n": pa.array([2**62, 7], pa.int64()),
        }
    )
    pq.write_table(table, tmp_path / "t.parquet")
    expected = [
        {"prompt": "a", "completion": "x", "at": "2024-05-01T12:00:00", "n": 2**62},
        {"prompt": "b", "completion": None, "at": None, "n": 7},
    ]
    assert rows_of(tmp_path / "t.parquet") == expected
    with pa.OSFile(str(tmp_path / "t.arrow"), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    assert rows_of(tmp_path / "t.arrow") == expected
    hub = tmp_path / "hub" / "data"
    hub.mkdir(parents=True)
    pq.write_table(table.slice(0, 1), hub / "train-00000-of-00001.parquet")
    pq.write_table(table.slice(1, 1), hub / "test-00000-of-00001.parquet")
    assert {row["prompt"]: row["split"] for row in rows_of(tmp_path / "hub")} == {"a": "train", "b": "test"}
    (tmp_path / "t.csv").write_text(
        '\ufeffprompt,completion,n\r\na,"x, ""y""\nz",007\r\nNone,N/A,1e3\r\n', encoding="utf-8"
    )
    assert rows_of(tmp_path / "t.csv") == [
        {"prompt": "a", "completion": 'x, "y"\nz', "n": "007"},
        {"prompt": "None", "completion": "N/A", "n": "1e3"},
    ]
    packed = zstandard.compress(b'{"prompt": "a"}\n') + zstandard.compress(b'{"prompt": "b"}\n')
    (tmp_path / "t.bin").write_bytes(packed)
    assert rows_of(tmp_path / "t.bin") == [{"prompt": "a"}, {"prompt": "b"}]
    (tmp_path / "array").write_bytes(gzip.compress(b'[{"prompt": "a"}]'))
    assert rows_of(tmp_path / "array") == [{"prompt": "a"}]


CHAT = {
    "messages": [
        {"role": "system", "content": "S"},
        {"role": "user", "content": "Q", "name": "kept"},
        {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]},
        {"role": "tool", "content": "R"},
        {"role": "assistant", "content": "A"},
    ],
    "tools": [{"name": "f"}],
    "year": 2020,
}


def converted(tmp_path: Path, rows: list[dict[str, Any]], format_name: str, **options: Any) -> list[dict[str, Any]]:
    source = write_jsonl(tmp_path / "raw.jsonl", rows)
    accepted_export(source, tmp_path / "out.jsonl", format_name=format_name, **options)
    return rows_of(tmp_path / "out.jsonl")


def test_messages_leave_with_every_role_and_their_calls_tied_to_the_results(tmp_path: Path) -> None:
    (row,) = converted(tmp_path, [CHAT], "messages")
    assert [message["role"] for message in row["messages"]] == ["system", "user", "assistant", "tool", "assistant"]
    (call,) = row["messages"][2]["tool_calls"]
    assert call == {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    assert row["messages"][3] == {"role": "tool", "content": "R", "tool_call_id": "call_1"}


def test_pairs_stay_text_where_text_is_enough(tmp_path: Path) -> None:
    assert converted(tmp_path, [alpaca("Q", "A", input="I")], "prompt-completion") == [
        {"prompt": "Q\n\nI", "completion": "A"}
    ]


def test_pairs_become_conversational_for_the_whole_set(tmp_path: Path) -> None:
    chat = {
        "messages": [
            {"role": "system", "content": "S"},
            {"role": "user", "content": "Q"},
            {"role": "assistant", "content": "A"},
        ]
    }
    plain = {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}
    rows = converted(tmp_path, [chat, plain], "prompt-completion")
    assert [row["completion"] for row in rows] == [[chat["messages"][2]], [plain["messages"][1]]]


@pytest.mark.parametrize("format_name", ["alpaca", "prompt-completion"])
def test_a_loss_is_refused_with_its_rows(format_name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"would lose .* in 1 row \(0\)"):
        converted(tmp_path, [CHAT], format_name)
    assert not (tmp_path / "out.jsonl").exists()


def test_a_loss_is_taken_when_asked_for(tmp_path: Path) -> None:
    rows = converted(tmp_path, [CHAT], "alpaca", lossy=True)
    assert rows[0]["output"] == "A"
    assert rows[0]["system"] == "S"


def test_sharegpt_and_back(tmp_path: Path) -> None:
    rows = converted(tmp_path, [CHAT], "sharegpt")
    assert [turn["from"] for turn in rows[0]["conversations"]] == [
        "system",
        "human",
        "function_call",
        "observation",
        "gpt",
    ]
    (tmp_path / "again").mkdir()
    with open_project(make_project(tmp_path / "again", rows), readonly=True) as project:
        turns = project.example(0).messages
        assert [turn.role for turn in turns] == ["system", "user", "assistant", "tool", "assistant"]
        assert json.loads(turns[2].calls[0]) == {"name": "f", "arguments": {}}


def test_preference_pairs_are_not_made_of_single_answers(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no rejected answer"):
        converted(tmp_path, [alpaca("Q", "A")], "preference")


def test_the_card_counts_and_quotes_no_row(tmp_path: Path) -> None:
    folder = make_project(tmp_path, [alpaca("SECRET question", "SECRET answer"), alpaca("b", "c")])
    with open_project(folder, reviewer="ann") as project:
        project.decide(
            [Act("accept", (project.rows.id(0),)), Act("reject", (project.rows.id(1),))], why="`odd` reason\n---"
        )
        export(project, tmp_path / "out", with_reasons=True)
    text = (tmp_path / "out" / "README.md").read_text()
    assert text.startswith("---\n")
    assert "1 training rows" in text
    assert "| rejected | 1 |" in text
    assert "SECRET" not in text
    assert "`'odd' reason\\n---`: 1" in text


def test_the_card_tells_how_far_reviewers_agree(tmp_path: Path) -> None:
    folder = make_project(tmp_path, [alpaca(word, word) for word in ("a", "b", "c", "d")])
    for reviewer, rejected in (("ann", 3), ("bob", 2)):
        with open_project(folder, reviewer=reviewer) as project:
            ids = [project.rows.id(n) for n in range(4)]
            project.decide(
                [
                    Act("accept", tuple(i for n, i in enumerate(ids) if n < rejected)),
                    Act("reject", tuple(ids[rejected:])),
                ]
            )
    with open_project(folder, readonly=True) as project:
        export(project, tmp_path / "out")
    text = (tmp_path / "out" / "README.md").read_text()
    assert "Reviewers: ann, bob." in text
    assert "Cohen's kappa 0.50 over 4 rows judged twice" in text
