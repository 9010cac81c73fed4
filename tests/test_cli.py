"""The command line as a person types it: a process of its own, data on stdout, one line on stderr when wrong."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from projects import alpaca, numbered, write_jsonl

from workbench.cli.options import WORDS

ROOT = Path(__file__).resolve().parent.parent
ALPACA = ROOT.parent / "shared" / "data" / "alpaca_52k.jsonl.gz"


def tamis(*words: object, code: int = 0, **env: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "workbench.cli.main", *map(str, words)]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, env=os.environ | env, stdin=subprocess.DEVNULL, check=False
    )
    assert done.returncode == code, done
    return done


def test_help_names_every_command_and_the_version_is_told() -> None:
    told = tamis("--help").stdout
    named = set(re.findall(r"^    ([\w-]+)", told, re.M))
    assert set(WORDS) <= named
    assert tamis("--version").stdout.startswith("tamis ")
    assert "--take-over" in tamis("open", "--help").stdout


BAD_SOURCES: dict[str, bytes] = {
    "empty.jsonl": b"",
    "blank.jsonl": b"\n \n\n",
    "binary.jsonl": bytes(range(256)) * 40,
    "broken.jsonl": b"{\n[1]\nnull\n{'a': 1}\n",
    "nothing.json": b"[]",
    "cut.jsonl.gz": gzip.compress(b'{"instruction": "a", "output": "b"}\n')[:14],
    "shapeless.jsonl": b'{"title": 1}\n',
    "latin.jsonl": '{"instruction": "Wie heißt Österreich?", "output": "so"}\n'.encode("latin-1"),
}


@pytest.mark.parametrize("name", [*BAD_SOURCES, "missing.jsonl", "folder"])
@pytest.mark.parametrize("words", [["scan"], ["scan", "--json"]])
def test_a_source_that_cannot_be_read_gets_one_clear_line(name: str, words: list[str], tmp_path: Path) -> None:
    path = tmp_path / name
    if name in BAD_SOURCES:
        path.write_bytes(BAD_SOURCES[name])
    elif name == "folder":
        path.mkdir()
    done = tamis(*words, path, code=2)
    assert done.stdout == ""
    assert done.stderr.startswith(f"tamis: {path}: ")
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


def test_a_text_in_another_encoding_is_read_once_it_is_named(tmp_path: Path) -> None:
    path = tmp_path / "latin.jsonl"
    path.write_bytes(BAD_SOURCES["latin.jsonl"])
    told = json.loads(tamis("scan", path, "--encoding", "latin-1", "--json").stdout)
    assert (told["rows"], told["quarantined"], told["format"]) == (1, 0, "jsonl.iso8859-1")
    assert told["notes"] == {"read from iso8859-1": 1}
    assert "cp1252" in tamis("scan", path, "--encoding", "cp1525", code=2).stderr


@pytest.mark.parametrize(
    "words",
    [
        ["scam", "x"],
        ["scan"],
        ["scan", "x", "--colour"],
        ["status", "nowhere"],
        ["do", "nowhere", "accept row:1"],
        ["train", "nowhere.tamis"],
        ["watch", "nowhere"],
        ["export", "nowhere", "--to", "x.jsonl"],
        ["export", "x"],
        ["compare", "nowhere"],
        ["nowhere.jsonl"],
    ],
)
def test_wrong_words_get_one_clear_line(words: list[str], tmp_path: Path) -> None:
    done = tamis(*words, code=2)
    assert done.stdout == ""
    assert done.stderr.startswith("tamis: ")
    assert done.stderr.count("\n") == 1


def test_without_a_terminal_the_workbench_says_so(tmp_path: Path) -> None:
    source = write_jsonl(tmp_path / "raw.jsonl", numbered(3))
    done = tamis(source, "--as", "ann", code=2)
    assert "terminal" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "raw.tamis").exists()


def test_scan_writes_nothing_beside_the_source(tmp_path: Path) -> None:
    rows = [*numbered(5), alpaca("Question 1?", "Answer 1."), {"instruction": "x"}]
    source = write_jsonl(tmp_path / "raw.jsonl", rows)
    source.write_text(source.read_text() + "broken\n")
    found = json.loads(tamis("scan", source, "--json").stdout)
    assert [path.name for path in tmp_path.iterdir()] == ["raw.jsonl"]
    assert (found["rows"], found["quarantined"], found["format"]) == (7, 1, "jsonl")
    assert len(found["bucket"]) == 7
    exact = [cluster for cluster in found["clusters"] if cluster["kind"] == "exact"]
    assert [cluster["rows"] for cluster in exact] == [[1, 5]]
    assert exact[0]["evidence"]
    assert {"read", "duplicates", "signals", "total"} <= found["seconds"].keys()
    assert found["peak_rss_mb"] > 1


def test_the_headless_loop_by_hand(tmp_path: Path) -> None:
    source = write_jsonl(tmp_path / "raw.jsonl", [*numbered(40), alpaca("Question 1?", "Answer 1.")])
    project = tmp_path / "raw.tamis"
    tamis("scan", source, "--project", project)
    held = json.loads(tamis("holdout", project, "25%", "--as", "ann", "--json").stdout)
    assert held["heldout"] == 10
    tamis("holdout", project, "5", "--as", "ann", code=2)
    tamis("scan", project)
    dry = json.loads(tamis("do", project, "accept is:undecided", "--dry-run", "--as", "ann", "--json").stdout)
    assert dry["status"]["accepted"] == 0
    done = json.loads(tamis("do", project, "accept is:undecided", "--as", "ann", "--json").stdout)
    assert done["done"][0]["rows"] == done["status"]["accepted"] == dry["done"][0]["rows"]
    assert done["status"]["accepted"] <= 31, "the held-out rows are in no bulk act"
    tamis("do", project, "undo", "redo", "--as", "ann")
    summary = json.loads(tamis("export", project, "--to", tmp_path / "out", "--json").stdout)
    assert summary["rows"] == done["status"]["accepted"]
    assert summary["untouched_identical"] == summary["rows"]
    status = json.loads(tamis("status", project, "--json").stdout)
    assert status["heldout"] == 10
    assert status["reviewers"] == ["ann"]
    lines = json.loads(tamis("journal", project, "--json").stdout)["lines"]
    assert [line["n"] for line in lines] == list(range(1, len(lines) + 1))


def test_nobody_decides_under_a_shared_name(tmp_path: Path) -> None:
    source = write_jsonl(tmp_path / "raw.jsonl", numbered(3))
    tamis("scan", source, "--project", tmp_path / "raw.tamis")
    nameless = {"HOME": str(tmp_path), "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_DIR": str(tmp_path / "none")}
    assert "nobody is named" in tamis("do", tmp_path / "raw.tamis", "accept row:1", code=2, **nameless).stderr
    assert "does not say who" in tamis("do", tmp_path / "raw.tamis", "accept row:1", "--as", "root", code=2).stderr


def test_a_hostile_file_name_does_not_reach_the_terminal_raw(tmp_path: Path) -> None:
    done = tamis("scan", tmp_path / "\x1b]52;c;aGk=\x07.jsonl", code=2)
    assert "\x1b" not in done.stderr
    assert "\x07" not in done.stderr


@pytest.mark.slow
def test_the_full_alpaca_file_is_counted() -> None:
    if not ALPACA.exists():
        pytest.skip("the measuring data (alpaca_52k.jsonl.gz) is not beside this checkout")
    found = json.loads(tamis("scan", ALPACA, "--json").stdout)
    assert found["rows"] == 52_002
    assert found["quarantined"] == 0
    assert len(found["bucket"]) == 52_002
