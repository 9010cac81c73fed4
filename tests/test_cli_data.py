"""The data commands as a person types them: report, add, merge, standard input, the Hub."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from projects import alpaca, numbered, write_jsonl
from test_cli import ROOT, tamis


def test_the_textbook_case_in_numbers(tmp_path: Path) -> None:
    sample = ROOT / "sample_data"
    page = tmp_path / "page.html"
    said = json.loads(
        tamis("report", sample / "phrases.jsonl", sample / "phrases.good.jsonl", "--html", page, "--json").stdout
    )
    junk, good = said["sets"]
    assert (junk["rows"], junk["distinct_prompts"], good["rows"], good["distinct_prompts"]) == (400, 8, 3, 3)
    assert junk["duplicates"]["exact"] + junk["duplicates"]["near"] == 392
    assert good["duplicates"]["share"] == 0
    assert junk["duplicates"]["steps"] > 0.9 * junk["duplicates"]["steps_of"]
    lines = {line["label"]: line for line in said["lines"]}
    assert (lines["rows"]["values"], lines["rows"]["difference"]) == (["400", "3"], "-397")
    assert (lines["duplicate share"]["values"], lines["duplicate share"]["difference"]) == (
        ["98.0%", "0.0%"],
        "-98.0 pp",
    )
    text = page.read_text()
    assert text.startswith("<!doctype html>")
    assert "http" not in text
    for repeated in junk["repeated_outputs"]:
        if len(repeated["text"]) > 12:
            assert repeated["text"] not in text
    assert "rows" in tamis("report", sample / "phrases.jsonl").stdout


def test_new_rows_are_checked_against_what_is_there(tmp_path: Path) -> None:
    rows = [alpaca(f"Name the capital of country number {n}.", f"Capital {n}") for n in range(20)]
    project = tmp_path / "raw.tamis"
    tamis("scan", write_jsonl(tmp_path / "raw.jsonl", rows), "--project", project)
    tamis("do", project, "accept row:0-9", "--as", "ann")
    same = {**rows[3], "year": 2024}
    contradicting = alpaca("Name the capital of country number 4.", "Capital 44")
    more = write_jsonl(
        tmp_path / "more.jsonl", [same, contradicting, alpaca("Write a poem about rain.", "Rain falls."), rows[0]]
    )
    said = json.loads(tamis("add", project, more, "--as", "ann", "--json").stdout)
    assert (said["added"], said["known"]) == (3, 1)
    assert said["links"]["exact"] == [20]
    assert said["links"]["conflict"] == [21]
    assert 22 not in {number for numbers in said["links"].values() for number in numbers}


def test_merging_by_hand(tmp_path: Path) -> None:
    source = write_jsonl(tmp_path / "raw.jsonl", numbered(5))
    tamis("scan", source, "--project", tmp_path / "a.tamis")
    tamis("scan", source, "--project", tmp_path / "b.tamis")
    tamis("do", tmp_path / "a.tamis", "accept row:1", "--as", "ann")
    tamis("do", tmp_path / "b.tamis", "reject row:1", "accept row:2", "--as", "bob")
    said = json.loads(tamis("merge", tmp_path / "a.tamis", tmp_path / "b.tamis", "--json").stdout)
    assert said["disputed"] == 1
    status = json.loads(tamis("status", tmp_path / "a.tamis", "--json").stdout)
    assert status["reviewers"] == ["ann", "bob"]
    assert status["agreement"]["rows"] == 1


def test_standard_input_is_a_source(tmp_path: Path) -> None:
    content = b"".join(json.dumps(row).encode() + b"\n" for row in numbered(4))
    command = [sys.executable, "-m", "workbench.cli.main", "scan", "-", "--json"]
    done = subprocess.run(command, input=content, capture_output=True, cwd=ROOT, check=True)
    assert json.loads(done.stdout)["rows"] == 4


def test_a_hub_id_without_a_network_gets_one_clear_line(tmp_path: Path) -> None:
    environment = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    done = tamis("scan", "nobody/nothing", code=2, **environment)
    assert "the Hub did not give" in done.stderr
    assert done.stderr.count("\n") == 1


def test_exports_are_what_they_say(tmp_path: Path) -> None:
    project = tmp_path / "raw.tamis"
    rows = [alpaca(f"What is {word}?", f"{word} is a thing.") for word in ("rain", "gravity", "a violin")]
    tamis("scan", write_jsonl(tmp_path / "raw.jsonl", rows), "--project", project)
    tamis("do", project, "accept is:undecided", "--as", "ann")
    for name in ("out.jsonl", "out.jsonl.gz", "out.parquet", "out.csv"):
        said = json.loads(tamis("export", project, "--to", tmp_path / name, "--format", "messages", "--json").stdout)
        assert said["rows"] == 3
        found = json.loads(tamis("scan", tmp_path / name, "--json").stdout)
        assert found["rows"] == 3
        assert found["format"] == {"out.jsonl": "jsonl", "out.jsonl.gz": "jsonl.gz"}.get(name, name.split(".")[1])
    tamis("export", project, "--to", tmp_path / "x.jsonl", "--format", "preference", code=2)


def test_reserving_rows_keeps_the_findings_and_a_stale_project_is_scanned_before_it_is_decided(tmp_path: Path) -> None:
    rows = [
        alpaca(f"What is {word}?", f"{word} is a thing.")
        for word in ("rain", "gravity", "bread", "ice", "jazz", "salt")
    ]
    project = tmp_path / "raw.tamis"
    tamis("scan", write_jsonl(tmp_path / "raw.jsonl", [*rows, rows[0], rows[1]]), "--project", project)
    tamis("holdout", project, "2", "--as", "ann")
    assert json.loads(tamis("status", project, "--json").stdout)["clusters_open"] is not None
    (project / "scan.bin").unlink()
    assert json.loads(tamis("status", project, "--json").stdout)["clusters_open"] is None
    assert "not known" in tamis("status", project).stdout
    done = tamis("do", project, "--dry-run", "reject bucket:drop or row:0", "--as", "ann")
    assert "scanning first" in done.stderr


def test_a_pipe_is_no_source(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    assert "no regular file" in tamis("scan", tmp_path / "fifo", code=2).stderr


def test_a_hostile_source_is_one_line_and_leaves_nothing_behind(tmp_path: Path) -> None:
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    sources = tmp_path / "sources"
    sources.mkdir()
    (sources / "deep.jsonl").write_bytes(b"[" * 100_000)
    (sources / "header.csv").write_bytes(b"instruction,output\n")
    (sources / "cut.parquet").write_bytes(b"PAR1" + bytes(40))
    (sources / "keys.jsonl").write_bytes(b'{"instruction": "a", "\xc2\xb2": ' + b"9" * 5000 + b"}")
    os.mkfifo(sources / "pipe.jsonl")
    before = sorted(sources.iterdir())
    for source in (*before, sources / ("n" * 300), Path("/proc/kmsg")):
        done = tamis("scan", source, code=2, TMPDIR=str(scratch))
        assert done.stdout == ""
        assert done.stderr.count("\n") == 1
        assert done.stderr.startswith(f"tamis: {source}: ")
    assert sorted(sources.iterdir()) == before
    assert list(scratch.iterdir()) == []


def test_a_field_that_no_row_has_is_named_with_the_nearest_and_so_is_a_command(tmp_path: Path) -> None:
    rows = [{"question": f"Capital {n}?", "reply": {"text": f"City {n}"}} for n in range(3)]
    source = write_jsonl(tmp_path / "raw.jsonl", rows)
    wrong = tamis("scan", source, "--map", "prompt=qestion,response=reply.text", code=2)
    assert wrong.stderr == f"tamis: {source}: no row has a field 'qestion'. Did you mean question?\n"
    tamis("scan", source, "--map", "prompt=question,response=reply.text")
    mistyped = tamis("exprot", source, code=2)
    assert mistyped.stderr.endswith("no command of that name. Did you mean tamis export?\n")


def test_a_scan_tells_how_many_rows_have_which_shape(tmp_path: Path) -> None:
    """All rows are counted, not only the first 200."""
    chat = {"conversations": [{"from": "human", "value": "Capital of Peru?"}, {"from": "gpt", "value": "Lima."}]}
    source = write_jsonl(tmp_path / "raw.jsonl", [*numbered(210), chat, {"nothing": 1}])
    said = json.loads(tamis("scan", source, "--json").stdout)
    assert said["shapes"] == {"Alpaca": 210, "ShareGPT": 1, "no known shape": 1}


def test_one_file_by_several_names_is_read_once_and_its_name_stays_on_its_line(tmp_path: Path) -> None:
    source = write_jsonl(tmp_path / "a\nb (x).jsonl", numbered(3))
    (tmp_path / "soft.jsonl").symlink_to(source)
    os.link(source, tmp_path / "hard.jsonl")
    other = write_jsonl(tmp_path / "other.jsonl", [alpaca("Else?", "Yes.")])
    project = tmp_path / "p.tamis"
    said = tamis("scan", source, tmp_path / "soft.jsonl", tmp_path / "hard.jsonl", other, "--project", project)
    assert said.stderr.count("named twice, read once") == 2
    lines = tamis("status", project).stdout.splitlines()
    assert [line.partition(":")[0] for line in lines[-3:-1]] == ["  a b (x).jsonl", "  other.jsonl"]
