"""Text in which no record is told from the next: what it is, and the command that makes rows of it."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path

import pytest

from engine.errors import SourceError
from engine.project.create import create_project
from engine.sources.records.formats import source_format
from engine.sources.records.read import read_source

PAIR = '{"prompt": "a", "completion": "b"}'


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.txt", "The town was burnt twice.\nIt was rebuilt.\n", "plain text, not records (“The town was burnt"),
        ("a.jsonl", "Entry not found", "the answer of a server (“Entry not found”)"),
        ("a.parquet", "404: Not Found", "the answer of a server"),
        ("a.txt", " prompt | completion \n--------+------------\n a      | b\n(1 row)\n", "drawn in characters"),
        ("a.txt", "     prompt completion\n0  a dog    b\n1  c        d\n", "plain text"),
        ("a.txt", "     prompt      completion\n0   a   b\n1   c   d\n", "a table as it was printed"),
        ("a.txt", '"prompt" "completion"\n"1" "a" "b"\n', "separated by blanks"),
        ("a.txt", "12.05.24, 10:01 - Anna: Hi\n12.05.24, 10:02 - Ben: Yes\n", "the text of a chat"),
        ("a.toml", '[[rows]]\nprompt = "a"\n', "TOML"),
        ("a.ini", "[rows]\nprompt = a\n", "TOML"),
        ("a.xml", "<set><row><prompt>a</prompt></row></set>\n", "XML"),
        ("a.jsonl.dvc", "outs:\n- md5: a304afb96060aad90176268345e10355\n  path: a.jsonl\n", "dvc pull"),
        ("a.jsonl", "../.git/annex/objects/X1/zZ/SHA256E-s5--abc.jsonl\n", "git annex get"),
        ("a.js", f"callback([{PAIR}]);\n", "JavaScript around JSON"),
    ],
)  # fmt: skip
def test_text_without_records_is_named(tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(SourceError) as refused:
        source_format(tmp_path / name)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.jsonl", f"1:{PAIR}\n2:{PAIR}\n"),
        ("a.log", f"2024-05-01T10:00:00Z stdout F {PAIR}\n2024-05-01T10:00:01Z stdout F {PAIR}\n"),
        ("a.txt", f"data: {PAIR}\n\ndata: {PAIR}\n\ndata: [DONE]\n"),
        ("a.js", f"const rows = [{PAIR}, {PAIR}];\n"),
    ],
)
def test_the_command_that_is_told_makes_rows_and_leaves_the_source_alone(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(SourceError) as refused:
        source_format(path)
    command = refused.value.hint.partition(": ")[2]
    subprocess.run(["bash", "-c", command], check=True)
    made = Path(shlex.split(command)[-1])
    assert len(list(read_source(made))) == 2
    assert path.read_text() == text


def test_lists_without_names_are_told_how_to_get_them(tmp_path: Path) -> None:
    path = tmp_path / "values.json"
    path.write_text(json.dumps([["Name a prime.", "Two."], ["Name a dog.", "Rex."]]))
    with pytest.raises(SourceError, match=r"lists of values without names.*jq -c '\.\[\] \| \{prompt: \.\[0\]"):
        create_project(path)


def test_tables_and_lines_that_look_alike_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text(f"INFO starting\n{PAIR}\nWARNING slow\n{PAIR}\n")
    assert source_format(path) == "jsonl"
    path.write_text(f"id\tmessages\n1\t{PAIR}\n2\t{PAIR}\n")
    assert source_format(path) == "csv"
    path.write_text('"a"\n"b"\n')
    assert source_format(path) == "jsonl"
    path.write_bytes(b"\xef\xbb\xbf")
    with pytest.raises(SourceError, match="holds no text"):
        source_format(path)
