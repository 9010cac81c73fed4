"""Leaving: accepted rows only, every other row counted by its reason, untouched rows the source's own bytes."""

from __future__ import annotations

import gzip
import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from projects import alpaca, make_project, numbered

from engine.errors import ProjectError, UsageError
from engine.export.licence import source_licence
from engine.model import Act, Findings, Flag, Leak, Span
from engine.project.create import create_project
from engine.project.project import open_project
from engine.workflows.export import export
from engine.workflows.train import training_sets


def test_every_row_leaves_or_is_counted_with_its_reason(tmp_path: Path) -> None:
    folder = make_project(tmp_path, numbered(10))
    with open_project(folder, reviewer="ann") as project:
        ids = [project.rows.id(n) for n in range(10)]
        project.decide([Act("holdout", tuple(ids[8:]))])
        project.save_findings(Findings((), (), ("clean",) * 10, {}, (Leak(6, 8, "near"),)))
        project.decide([Act("accept", (*ids[:4], ids[6], ids[8])), Act("reject", (ids[4],)), Act("skip", (ids[5],))])
        project.decide([Act("edit", (ids[3],), {ids[3]: alpaca("é", "ü", keep=[1, None])})])
        summary = export(project, tmp_path / "out")
        assert (summary["rows"], summary["holdout_rows"], summary["untouched"], summary["untouched_identical"]) == (
            4,
            1,
            3,
            3,
        )
        assert summary["left_out"] == {"rejected": 1, "skipped": 1, "leak": 1, "undecided": 1, "held-out, undecided": 1}
        assert summary["rows"] + summary["holdout_rows"] + sum(summary["left_out"].values()) == 10
    lines = (tmp_path / "out" / "train.jsonl").read_bytes().split(b"\n")
    source = (tmp_path / "raw.jsonl").read_bytes().split(b"\n")
    assert lines[:3] == source[:3]
    assert json.loads(lines[3]) == alpaca("é", "ü", keep=[1, None])
    assert (tmp_path / "out" / "heldout.jsonl").read_bytes() == source[8] + b"\n"
    manifest = json.loads((tmp_path / "out" / "tamis-manifest.json").read_bytes())
    assert manifest["source"][0]["sha256"] == hashlib.sha256((tmp_path / "raw.jsonl").read_bytes()).hexdigest()
    for name, digest in manifest["export"]["sha256"].items():
        assert hashlib.sha256((tmp_path / "out" / name).read_bytes()).hexdigest() == digest
    assert manifest["reviewers"] == ["ann"]


def test_accepting_everything_exports_the_source_byte_for_byte(tmp_path: Path) -> None:
    content = b'{"instruction":"\\u00e9" , "output":1.10,"output":"x"}\r\n{"instruction":"\xc3\xa9","output":"007"}\n'
    source = tmp_path / "raw.jsonl.gz"
    source.write_bytes(gzip.compress(content))
    with open_project(create_project(source), reviewer="ann") as project:
        project.decide([Act("accept", tuple(project.rows.id(n) for n in range(2)))])
        export(project, tmp_path / "out.jsonl")
    assert (tmp_path / "out.jsonl").read_bytes() == content


def test_messages_keep_roles_and_tool_calls(tmp_path: Path) -> None:
    call = {"id": "1", "type": "function", "function": {"name": "w", "arguments": '{"x": 1}'}}
    messages = [
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "content": "sun", "tool_call_id": "1"},
        {"role": "assistant", "content": "Sunny."},
    ]
    with open_project(make_project(tmp_path, [{"messages": messages}]), reviewer="ann") as project:
        project.decide([Act("accept", (project.rows.id(0),))])
        export(project, tmp_path / "out.jsonl", format_name="messages")
        with pytest.raises(UsageError, match="unknown export format"):
            export(project, tmp_path / "o.jsonl", format_name="yaml")
    assert json.loads((tmp_path / "out.jsonl").read_bytes()) == {"messages": messages}


def test_a_row_of_which_nothing_could_be_learnt_is_never_written_as_an_empty_one(tmp_path: Path) -> None:
    pair = {"instruction": "Who wrote Emma?", "output": "Jane Austen."}
    asked = {"messages": [{"role": "user", "content": "And Faust?"}]}
    folder = make_project(tmp_path, [pair, {"left": ["a", "b"]}, asked])
    with open_project(folder, reviewer="ann") as project:
        project.decide([Act("accept", tuple(project.rows.id(row) for row in range(3)))])
        for name in ("messages", "prompt-completion", "alpaca"):
            with pytest.raises(UsageError, match="it holds no message"):
                export(project, tmp_path / f"{name}.jsonl", format_name=name)
            summary = export(project, tmp_path / f"{name}.jsonl", format_name=name, lossy=True)
            lines = (tmp_path / f"{name}.jsonl").read_text().splitlines()
            assert summary["rows"] == len(lines) == (2 if name == "messages" else 1)
            assert summary["left_out"]["it holds no message"] == 1
        assert json.loads((tmp_path / "prompt-completion.jsonl").read_text())["prompt"] == "Who wrote Emma?"


def test_what_tamis_did_not_write_is_not_overwritten(tmp_path: Path) -> None:
    with open_project(make_project(tmp_path, numbered(2)), reviewer="ann") as project:
        with pytest.raises(UsageError, match="nothing to export"):
            export(project, tmp_path / "new.jsonl")
        project.decide([Act("accept", (project.rows.id(0),))])
        with pytest.raises(UsageError, match="is the source"):
            export(project, tmp_path / "raw.jsonl")
        (tmp_path / "mine.jsonl").write_text("precious")
        with pytest.raises(UsageError, match="not written by tamis"):
            export(project, tmp_path / "mine.jsonl")
        assert (tmp_path / "mine.jsonl").read_text() == "precious"
        export(project, tmp_path / "new.jsonl")
        project.decide([Act("accept", (project.rows.id(1),))])
        assert export(project, tmp_path / "new.jsonl")["rows"] == 2


def test_a_full_disk_leaves_the_old_export_whole(tmp_path: Path) -> None:
    folder = make_project(tmp_path, numbered(400))
    with open_project(folder, reviewer="ann") as project:
        project.decide([Act("accept", (project.rows.id(0),))])
        export(project, tmp_path / "out.jsonl")
        project.decide([Act("accept", tuple(project.rows.id(n) for n in range(400)))])
    before = (tmp_path / "out.jsonl").read_bytes()
    code = (
        "import resource, signal, sys\nfrom pathlib import Path\n"
        "from engine.workflows.export import export\nfrom engine.project.project import open_project\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))\n"
        "export(open_project(sys.argv[1], readonly=True), Path(sys.argv[2]))\n"
    )
    done = subprocess.run([sys.executable, "-c", code, folder, tmp_path / "out.jsonl"], capture_output=True, text=True)
    assert "ProjectError" in done.stderr
    assert "cannot write" in done.stderr
    assert (tmp_path / "out.jsonl").read_bytes() == before
    assert not list(tmp_path.glob(".out*"))


@pytest.mark.parametrize("name", ["out.jsonl.gz", "out.parquet", "out.csv", "set"])
def test_a_full_disk_leaves_any_old_export_whole(name: str, tmp_path: Path) -> None:
    folder = make_project(tmp_path, [alpaca(f"Q{n} {hashlib.sha256(b'%d' % n).hexdigest()}", "A") for n in range(2000)])
    container = "datasets" if name == "set" else None
    with open_project(folder, reviewer="ann") as project:
        project.decide([Act("accept", (project.rows.id(0),))])
        export(project, tmp_path / name, container=container)
        project.decide([Act("accept", tuple(project.rows.id(n) for n in range(2000)))])

    def written() -> dict[Path, bytes]:
        files = (path for path in sorted(tmp_path.rglob("*")) if path.is_file() and folder not in path.parents)
        return {path: path.read_bytes() for path in files}

    old = written()
    code = (
        "import resource, signal, sys\nfrom pathlib import Path\n"
        "from engine.workflows.export import export\nfrom engine.project.project import open_project\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))\n"
        "export(open_project(sys.argv[1], readonly=True), Path(sys.argv[2]), container=sys.argv[3] or None)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, folder, tmp_path / name, container or ""], capture_output=True, text=True
    )
    assert "ProjectError" in done.stderr.splitlines()[-1]
    assert "cannot write" in done.stderr.splitlines()[-1]
    assert written() == old


def test_a_folder_that_cannot_be_written_gets_one_clear_line(tmp_path: Path) -> None:
    with open_project(make_project(tmp_path, numbered(2)), reviewer="ann") as project:
        project.decide([Act("accept", (project.rows.id(0),))])
        for target in ("/proc/nowhere/out", "/proc/nowhere/out.jsonl", "/dev/null/out.parquet"):
            with pytest.raises(ProjectError, match=r"cannot (be made|write)"):
                export(project, target)


def test_the_card_says_the_licence_that_the_source_names(tmp_path: Path) -> None:
    hub = tmp_path / "hub"
    hub.mkdir()
    (hub / "README.md").write_text("---\nlicense: cc-by-sa-4.0\ntags:\n- x\n---\n# Set\nlicense: mit\n")
    assert source_licence(hub) == "cc-by-sa-4.0"
    saved = tmp_path / "saved" / "train"
    saved.mkdir(parents=True)
    (saved / "dataset_info.json").write_text('{"license": "apache-2.0"}')
    assert source_licence(tmp_path / "saved") == "apache-2.0"
    (hub / "README.md").write_text("---\nlicense: |\n  anything\n---\n")
    assert source_licence(hub) == "unknown"
    with open_project(make_project(tmp_path, numbered(2)), reviewer="ann") as project:
        project.decide([Act("accept", (project.rows.id(0),))])
        export(project, tmp_path / "a")
        assert "license: unknown" in (tmp_path / "a" / "README.md").read_text()
        with pytest.raises(UsageError, match="no licence id"):
            export(project, tmp_path / "b", licence="free for all: yes")
        export(project, tmp_path / "c", licence="mit")
    card = (tmp_path / "c" / "README.md").read_text()
    assert "\nlicense: mit\n" in card
    assert "names no licence" not in card
    assert json.loads((tmp_path / "c" / "tamis-manifest.json").read_bytes())["licence"] == "mit"


def test_training_sets_are_the_accepted_rows(tmp_path: Path) -> None:
    rows = [*numbered(20), alpaca("no answer", "x")]
    folder = make_project(tmp_path, rows)
    with open_project(folder, reviewer="ann") as project:
        ids = [project.rows.id(n) for n in range(21)]
        with pytest.raises(UsageError, match="nothing to train on"):
            training_sets(project)
        project.decide([Act("accept", tuple(ids[:6]))])
        project.decide([Act("holdout", tuple(ids[16:20]))])
        project.decide([Act("accept", tuple(ids[16:19]))])
        project.decide([Act("edit", (ids[0],), {ids[0]: alpaca("Question 0?", "Better.")})])
        sets = training_sets(project)
        assert [row.messages[-1]["content"] for row in sets.curated][:2] == ["Better.", "Answer 1."]
        assert [row.id for row in sets.heldout] == ids[16:19]


def test_a_secret_stops_an_export_until_it_is_masked_or_let_through_in_words(tmp_path: Path) -> None:
    key = "AKIA" + "Q7" * 8
    folder = make_project(tmp_path, [alpaca("Key?", f"It is {key}."), alpaca("b", "c")])
    with open_project(folder, reviewer="ann") as project:
        ids = tuple(project.rows.id(n) for n in range(2))
        flag = Flag(0, "secrets", "drop", "an AWS key", Span(1, 6, 6 + len(key)))
        project.save_findings(Findings((), (flag,), ("drop", "clean"), {}))
        project.decide([Act("accept", ids)])
        with pytest.raises(UsageError, match=r"1 row holds secrets \(0\)"):
            export(project, tmp_path / "out.jsonl")
        assert not (tmp_path / "out.jsonl").exists()
        said = export(project, tmp_path / "let.jsonl", override="a made-up key")
        assert said["secrets_let_through"] == {"rows": [0], "why": "a made-up key"}
        (journal,) = project.journal_ends()
        last = json.loads(journal.read_bytes().splitlines()[-1])
        assert last["acts"] == [{"do": "override", "ids": [ids[0]], "of": "secrets"}]
        assert (last["by"], last["why"]) == ("ann", "a made-up key")
        project.decide([Act("edit", ids[:1], {ids[0]: alpaca("Key?", f"It is {key}!")})])
        with pytest.raises(UsageError, match="holds secrets"):
            export(project, tmp_path / "out.jsonl")
        project.decide([Act("edit", ids[:1], {ids[0]: alpaca("Key?", "It is [key].")})])
        assert export(project, tmp_path / "out.jsonl")["secrets_let_through"] is None


def test_the_full_alpaca_file_leaves_byte_for_byte(tmp_path: Path) -> None:
    source = Path(__file__).resolve().parents[3] / "shared" / "data" / "alpaca_52k.jsonl.gz"
    if not source.exists():
        pytest.skip("the measuring data (alpaca_52k.jsonl.gz) is not beside this checkout")
    with open_project(create_project(source, tmp_path / "alpaca.tamis"), reviewer="ann") as project:
        project.decide([Act("accept", tuple(project.rows.id(n) for n in range(len(project.rows))))])
        # One row teaches how to write a request with a password in it.
        said = export(project, tmp_path / "out.jsonl", override="the password is made up")
    assert said["untouched_identical"] == said["untouched"] == 52_002
    assert (tmp_path / "out.jsonl").read_bytes() == gzip.decompress(source.read_bytes())
