"""Text that is not UTF-8: UTF-16 and UTF-32 are told by their bytes, any other encoding is named by a person."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.errors import SourceError, UsageError
from engine.model import Quarantined
from engine.project.add_rows import grow
from engine.project.create import create_project
from engine.project.project import open_project
from engine.project.settings import read_settings
from engine.sources.files.likely_encodings import likely_encodings
from engine.sources.files.pieces import SourceRow
from engine.sources.records.formats import source_format
from engine.sources.records.read import read_source

TEXTS = ("What is the capital of France?", "Wie heißt die Hauptstadt von Österreich?", "日本の首都は\U0001f600")
LINES = "".join(json.dumps({"prompt": text, "response": "so"}, ensure_ascii=False) + "\n" for text in TEXTS)
IN_ENCODINGS = [
    ("cp1252", "C’est déjà l’été à Évian — où êtes-vous?"),
    ("cp1250", "Příliš žluťoučký kůň úpěl ďábelské ódy"),
    ("cp1251", "Привет, как дела? Столица Франции — Париж."),
    ("koi8-r", "Привет, как дела? Столица Франции - Париж."),
    ("cp1253", "Ποια είναι η πρωτεύουσα της Γαλλίας;"),
    ("cp1255", "מהי בירת צרפת? פריז היא הבירה"),
    ("shift_jis", "フランスの首都はどこですか？パリです。"),
    ("euc_jp", "フランスの首都はどこですか？パリです。"),
    ("gb18030", "法国的首都是哪里？巴黎是法国的首都。"),
    ("big5", "法國的首都是哪裡？巴黎是法國的首都。"),
    ("euc_kr", "프랑스의 수도는 어디입니까? 파리입니다."),
]


def read(path: Path, encoding: str | None = None) -> tuple[list[SourceRow], list[Quarantined]]:
    pieces = list(read_source(path, source_format(path, encoding)))
    rows = [piece for piece in pieces if isinstance(piece, SourceRow)]
    return rows, [piece for piece in pieces if isinstance(piece, Quarantined)]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-16-le", "utf-32", "utf-32-be"])
def test_wide_text_is_told_by_its_bytes_and_read_as_its_utf8_would_be(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "raw.jsonl"
    path.write_bytes(LINES.encode(encoding))
    assert source_format(path) == f"jsonl.{encoding}"
    rows, aside = read(path)
    assert [row.raw["prompt"] for row in rows] == list(TEXTS)
    assert {row.notes for row in rows} == {(f"read from {encoding}",)}
    assert b"".join(row.content + b"\n" for row in rows).decode() == LINES
    assert not aside


def test_half_a_character_of_wide_text_costs_its_record_alone(tmp_path: Path) -> None:
    path = tmp_path / "raw.jsonl"
    line = '{"prompt": "b", "response": "c"}\n'
    path.write_bytes(
        b"\xff\xfe" + (line + line.replace("b", "\ud80a") + line).encode("utf-16-le", "surrogatepass") + b"{"
    )
    rows, aside = read(path)
    assert [row.line for row in rows] == [1, 3]
    assert [piece.line for piece in aside] == [2, 4]
    assert "not utf-16" in aside[0].reason
    assert LINES.encode()[:0] + line.encode()[:5] == aside[0].content[:5]
    assert aside[0].offset == len(line)


@pytest.mark.parametrize(("encoding", "text"), IN_ENCODINGS)
def test_another_encoding_is_refused_with_its_lines_and_read_once_it_is_named(
    encoding: str, text: str, tmp_path: Path
) -> None:
    path = tmp_path / "raw.jsonl"
    asked = ["plain", text, f"{text} 2", f"{text} 3"]
    path.write_bytes("".join(f'{{"prompt": "{one}", "response": "so"}}\n' for one in asked).encode(encoding))
    with pytest.raises(SourceError) as refused:
        create_project(path)
    said = str(refused.value)
    assert "3 of the first 4 lines" in said
    assert text[:20] in said
    assert f"--encoding {encoding}" in said
    assert not path.with_suffix(".tamis").exists()
    rows, aside = read(path, encoding)
    assert [row.raw["prompt"] for row in rows] == asked
    assert not aside
    # Named as UTF-8, what is not is set aside as ever.
    assert len(read(path, "UTF8")[1]) == 3


def test_the_letters_decide_not_the_order_of_the_list() -> None:
    for encoding, text in IN_ENCODINGS:
        found = likely_encodings([text.encode(encoding)])
        assert text.encode(encoding).decode(found[0], "replace") == text, (encoding, found)


@pytest.mark.parametrize(
    "content",
    [
        LINES.encode() * 20 + b'{"prompt": "caf\xe9 \xe0 c\xf4t\xe9", "response": "so"}\n',
        b'{"prompt": "caf\xe9", "response": "so"}\n{"prompt": "b", "response": "so"}\n',
        b"\xef\xbb\xbf" + b'{"prompt": "caf\xe9 \xe0 c\xf4t\xe9", "response": "so"}\n' + LINES.encode(),
    ],
    ids=["one line among many", "one stray byte", "marked as UTF-8"],
)
def test_single_bad_lines_of_utf8_are_set_aside_as_ever(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "raw.jsonl"
    path.write_bytes(content)
    aside = read(path)[1]
    assert ["not UTF-8" in piece.reason for piece in aside] == [True]


def test_a_byte_that_does_not_fit_the_named_encoding_costs_its_record(tmp_path: Path) -> None:
    path = tmp_path / "raw.csv"
    path.write_bytes(b"prompt,response\ncaf\xe9,so\nbad \x81 byte,so\nbad \xc3\x81\xa9,so\nt\xeate,so\n")
    rows, aside = read(path, "windows-1252")
    assert [row.raw["prompt"] for row in rows] == ["café", "tête"]
    assert [piece.line for piece in aside] == [3, 4]
    assert all("not cp1252" in piece.reason and "as UTF-8" in piece.reason for piece in aside)
    path.write_bytes("prompt,response\n日本,so\n".encode("shift_jis") + b"\xc3\xa9\x81\x20,so\n")
    rows, aside = read(path, "shift_jis")
    assert [row.raw["prompt"] for row in rows] == ["日本"]
    assert len(aside) == 1


def test_the_named_encoding_is_remembered(tmp_path: Path) -> None:
    path = tmp_path / "raw.csv"
    path.write_bytes("prompt,response\nWie heißt Österreich?,so\n".encode("cp1252"))
    folder = create_project(path, encoding="cp1252")
    source = read_settings(folder).source
    assert (source.format, source.rewritten) == ("csv.cp1252", 1)
    path.write_bytes("prompt,response\nWie heißt Österreich?,so\nEine Maß für Köln,so\n".encode("cp1252"))
    grown = grow(folder, path, "ada")
    assert (len(grown.added), grown.known) == (1, 1)
    # A version that is UTF-8 by now is not read by the old encoding.
    path.write_text("prompt,response\nWie heißt Österreich?,so\nGrüße,so\n", encoding="utf-8")
    assert len(grow(folder, path, "ada").added) == 1
    with open_project(folder, readonly=True) as project:
        assert project.rows.raw(2)["prompt"] == "Grüße"


@pytest.mark.parametrize("name", ["cp1525", "utf-7", "idna", "rot13", "hex", "undefined", "a" * 999, "\x00"])
def test_an_encoding_that_is_none_is_named(name: str, tmp_path: Path) -> None:
    path = tmp_path / "raw.jsonl"
    path.write_text(LINES)
    with pytest.raises(UsageError, match="encoding"):
        source_format(path, name)
