"""Files of one message a record: joined to conversations, every record told, none lost."""

from __future__ import annotations

import csv
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from projects import write_jsonl

from engine.model import Quarantined
from engine.project.add_rows import grow
from engine.project.create import continue_reading, create_project
from engine.project.project import open_project
from engine.project.settings import read_settings
from engine.sources.files.pieces import JOINED, SourceRow
from engine.sources.records import threads
from engine.sources.records.read import read_source


def said(own: Any, parent: Any, role: str = "", **more: Any) -> dict[str, Any]:
    role = role or ("assistant" if str(own).startswith("a") else "prompter")
    return {"message_id": own, "parent_id": parent, "text": f"says {own}", "role": role, **more}


def read(path: Path) -> tuple[list[SourceRow], list[Quarantined]]:
    every = list(read_source(path))
    return [p for p in every if isinstance(p, SourceRow)], [p for p in every if isinstance(p, Quarantined)]


def threads_of(path: Path) -> list[Any]:
    """The ids of each thread, with those of the candidates behind a stroke; a row of its own by its id."""
    return [
        "-".join(str(one["message_id"]) for one in row.raw["thread"])
        + "".join(f"/{one['message_id']}" for one in row.raw.get("candidates", ()))
        if "thread" in row.raw
        else row.raw["message_id"]
        for row in read(path)[0]
    ]


def test_each_path_is_a_conversation_and_the_best_answer_is_the_answer(tmp_path: Path) -> None:
    path = write_jsonl(
        tmp_path / "raw.jsonl",
        [
            said("p1", None),
            said("a1", "p1", rank=1),
            said("a2", "p1", rank=0),
            said("a3", "p1"),
            said("p2", None),
            said("a4", "p2", rank=0),
            said("p3", "a4"),
            said("a5", "p3"),
            said("a6", "p2", rank=1),
            said("p4", "a5"),
            said("p5", None),
        ],
    )
    assert threads_of(path) == ["p1-a2/a1/a3", "p2-a6", "p2-a4-p3-a5-p4", "p5"]
    rows, _ = read(path)
    assert [row.lines for row in rows] == [(1, 3, 2, 4), (5, 9), (5, 6, 7, 8, 10), (11,)]
    assert [row.records for row in rows] == [4, 2, 4, 1]
    assert {row.notes for row in rows} == {(JOINED,)}
    assert all(json.loads(row.content) == row.raw for row in rows)


def test_what_hangs_on_nothing_is_a_row_of_its_own(tmp_path: Path) -> None:
    path = write_jsonl(
        tmp_path / "raw.jsonl",
        [
            said("a1", "p1"),  # its parent comes later
            said("p1", None),
            said("a2", "gone"),
            said("p3", "a2"),
            said("a4", "p5"),
            said("p5", "a4"),  # a circle
            said("a6", "a6"),
            said("p1", None),  # a second of that name
            said(None, "p1"),
        ],
    )
    content = path.read_bytes()
    path.write_bytes(content.replace(b"says p3", b"says\xff p3"))
    assert threads_of(path) == ["p1-a1", "a2", "a4", "p5", "a6", "p1", None]
    rows, aside = read(path)
    assert [piece.line for piece in aside] == [4]
    own = rows[1]
    assert path.read_bytes()[own.offset :].startswith(own.content + b"\n")
    assert (own.notes, own.records, own.line) == ((), 1, 3)


def test_messages_that_answer_nothing_here_are_left_as_they_are(tmp_path: Path) -> None:
    rows = [said("p1", None), said("p2", None)]
    path = write_jsonl(tmp_path / "raw.jsonl", rows)
    assert [row.raw for row in read(path)[0]] == rows


def test_a_table_holds_ids_as_text(tmp_path: Path) -> None:
    with (tmp_path / "raw.csv").open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["message_id", "parent_id", "text", "role", "rank"])
        writer.writerows([["1", "", "Q", "user", ""], ["2", "1.0", "A", "assistant", "1"]])
        writer.writerow(["3", "1", "B", "assistant", "0.0"])
    assert threads_of(tmp_path / "raw.csv") == ["1-3/2"]
    pytest.importorskip("pandas").DataFrame(
        {"id": [1, 2], "parent_id": [None, 1], "content": ["Q", "A"], "role": ["user", "assistant"]}
    ).to_parquet(tmp_path / "raw.parquet")
    (row,), _ = read(tmp_path / "raw.parquet")
    assert [one["content"] for one in row.raw["thread"]] == ["Q", "A"]


def test_a_chain_or_a_comb_as_long_as_it_likes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chain = [said(f"p{n}", f"p{n - 1}" if n else None) for n in range(3000)]
    (row,), _ = read(write_jsonl(tmp_path / "chain.jsonl", chain))
    assert len(row.raw["thread"]) == 3000
    # Too much for one row: the messages one by one.
    monkeypatch.setattr(threads, "MAX_LINE_BYTES", 100_000)
    rows, _ = read(tmp_path / "chain.jsonl")
    assert [row.raw for row in rows] == chain
    # An answer left at each turn: the paths together grow with the square.
    comb = [one for n in range(200) for one in (said(f"p{n}", f"p{n - 1}" if n else None), said(f"a{n}", f"p{n}"))]
    rows, _ = read(write_jsonl(tmp_path / "comb.jsonl", comb))
    assert [row.raw for row in rows] == comb


def test_more_records_than_are_held_are_not_joined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "MOST_RECORDS", 3)
    for rows in ([said("p1", None), *(said(f"a{n}", "p1") for n in range(4))], [turn(1, "user"), turn(1, "bot")] * 3):
        path = write_jsonl(tmp_path / "raw.jsonl", rows)
        assert [row.raw for row in read(path)[0]] == rows


FOREST = st.lists(
    st.tuples(
        st.sampled_from(["p0", "a1", "p2", "a3", "p4", "a5", None]),
        st.sampled_from([None, "p0", "a1", "p2", "a3", "p4", "gone"]),
        st.sampled_from([None, 0, 1, "2", "x"]),
    ),
    min_size=1,
    max_size=9,
)


@settings(max_examples=150, deadline=None)
@given(FOREST)
def test_every_message_is_in_a_row_and_counted_once(
    tmp_path_factory: pytest.TempPathFactory, forest: list[tuple[Any, Any, Any]]
) -> None:
    lines = [said(own, parent, "user", rank=rank, n=n) for n, (own, parent, rank) in enumerate(forest)]
    rows, _ = read(write_jsonl(tmp_path_factory.mktemp("x") / "raw.jsonl", lines))
    inside = [
        one["n"] for row in rows for one in [*row.raw.get("thread", ()), *row.raw.get("candidates", ())] or [row.raw]
    ]
    assert set(inside) == set(range(len(lines)))
    assert sum(row.records for row in rows) == len(lines)
    for row in rows:
        thread = row.raw.get("thread", [])
        assert all(one["message_id"] == other["parent_id"] for one, other in pairwise(thread))
        assert [json.dumps(one) for one in thread] == [json.dumps(lines[line - 1]) for line in row.lines[: len(thread)]]


HEAD = {"user_name": "Ann", "character_name": "Bot", "chat_metadata": {}}
HELLO = {"name": "Ann", "is_user": True, "mes": "Hello"}
REPLY = {"name": "Bot", "is_user": False, "mes": "Hi"}


def test_a_chat_of_many_lines_is_one_row(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "chat.jsonl", [HEAD, HELLO, REPLY, {"note": 1}, HEAD, HELLO])
    rows, aside = read(path)
    assert [row.raw for row in rows] == [
        {"note": 1},
        HEAD | {"messages": [HELLO, REPLY]},
        HEAD | {"messages": [HELLO]},
    ]
    assert sum(row.records for row in rows) == 6
    assert not aside
    assert all(json.loads(row.content) == row.raw for row in rows)
    # A head alone is a row like any other.
    assert [row.raw for row in read(write_jsonl(tmp_path / "head.jsonl", [HEAD]))[0]] == [HEAD]


def turn(conversation: Any, role: str, **more: Any) -> dict[str, Any]:
    return {"conversation_id": conversation, "role": role, "content": f"{role} of {conversation}", **more}


def test_messages_that_name_their_conversation(tmp_path: Path) -> None:
    path = write_jsonl(
        tmp_path / "raw.jsonl",
        [turn(1, "user"), turn(2, "user"), turn(1, "assistant"), turn(None, "user"), turn(2, "assistant")],
    )
    rows, _ = read(path)
    assert [row.raw for row in rows] == [
        {"messages": [turn(1, "user"), turn(1, "assistant")]},
        {"messages": [turn(2, "user"), turn(2, "assistant")]},
        turn(None, "user"),
    ]
    assert [row.lines for row in rows] == [(1, 3), (2, 5), ()]
    alone = [turn(1, "user"), turn(2, "user")]
    assert [row.raw for row in read(write_jsonl(tmp_path / "alone.jsonl", alone))[0]] == alone


def test_a_project_counts_the_records_that_its_rows_are_made_of(tmp_path: Path) -> None:
    """Counted another way: rows, what is set aside and what was joined are the lines that are not blank."""
    path = write_jsonl(tmp_path / "raw.jsonl", [said("p1", None), said("a1", "p1"), said("a2", "p1"), said("p2", None)])
    path.write_bytes(path.read_bytes() + b"\n{bad\n" + json.dumps(said("a9", "gone")).encode())
    folder = create_project(path, first=1, words="messages=thread")
    assert len_of(folder) == 1
    continue_reading(folder)
    source = read_settings(folder).source
    assert (source.rows, source.quarantined, source.joined, source.rewritten) == (3, 1, 2, 2)
    assert source.rows + source.quarantined + source.joined == sum(1 for one in path.read_bytes().split(b"\n") if one)
    with open_project(folder, readonly=True) as project:
        assert [project.rows.line(number) for number in range(3)] == [1, 4, 7]
    # The same again brings nothing; one more answer is another row.
    assert grow(folder, path, "ann").added == ()
    path.write_bytes(path.read_bytes() + b"\n" + json.dumps(said("a3", "p2")).encode())
    found = grow(folder, path, "ann")
    assert len(found.added) == 1
    assert found.known == 2


def len_of(folder: Path) -> int:
    with open_project(folder, readonly=True) as project:
        return len(project.rows)


def test_a_table_has_no_rows_that_are_the_source_s_own_bytes(tmp_path: Path) -> None:
    (tmp_path / "raw.csv").write_text("prompt,completion\na,b\nc,d\n")
    (tmp_path / "raw.json").write_text('[{"prompt": "a", "completion": "b"},\n{"prompt": "a",\n"completion": "c"}]')
    found = [
        read_settings(create_project(tmp_path / name, tmp_path / f"{name}.tamis")).source
        for name in ("raw.csv", "raw.json")
    ]
    assert [(source.rows, source.rewritten) for source in found] == [(2, 2), (2, 1)]
