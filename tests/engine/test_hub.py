"""A data set of the Hub: the real client asks a server of our own; what was fetched is said, a fault is one line."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hub_stub import REVISION, hub

from engine.errors import UsageError
from engine.project.create import create_project
from engine.project.project import open_project
from engine.project.settings import read_settings
from engine.sources.files.hub import HubName, hub_name

FILES = {
    "README.md": b"---\nlicense: mit\n---\n",
    "cooking.py": b"raise SystemExit('code of the data set ran')",
    "dataset_infos.json": b"{}",
    "data/a.jsonl": b'{"prompt": "p", "completion": "c"}\n',
    "data/b.csv": b"question,answer\nq,a\n",
}
FETCH = """
import json, sys
from engine.errors import TamisError
from engine.sources.files.hub import fetch
for name in sys.argv[1:]:
    try:
        found = fetch(name)
        print(json.dumps([str(found.path), found.origin]))
    except TamisError as error:
        print(json.dumps(str(error)))
"""


def fetched(url: str, home: Path, *names: str, **more: str) -> list[Any]:
    """What comes of fetching each, in a process whose Hub is at `url`: [path, origin], or the sentence of a refusal."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "HUGGING"))}
    environment = kept | {"HF_ENDPOINT": url, "HF_HOME": str(home), "HF_HUB_DISABLE_PROGRESS_BARS": "1"} | more
    done = subprocess.run(
        [sys.executable, "-c", FETCH, *names], env=environment, capture_output=True, text=True, check=True
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_what_is_named_is_fetched_and_what_is_wrong_is_told_with_the_way_out(tmp_path: Path) -> None:
    asked: list[tuple[str, str]] = []
    names = ("", "/data/a.jsonl", "@main/data/b.csv", "@nope", "/dta/a.jsonl", "/README.md")
    with hub("ann/cooking", FILES, asked) as url:
        told = fetched(
            url, tmp_path / "hf", *(f"hf:ann/cooking{rest}" for rest in names), "hf:ann/other", HF_TOKEN="hf_secret"
        )
    several, first, second, no_revision, no_file, no_data, no_set = told
    assert "holds several files (data/a.jsonl, data/b.csv)" in several
    assert "hf:ann/cooking/data/a.jsonl" in several
    assert Path(first[0]).read_bytes() == FILES["data/a.jsonl"]
    assert first[1] == f"hf:ann/cooking@{REVISION}/data/a.jsonl"
    assert second[1] == f"hf:ann/cooking@{REVISION}/data/b.csv"
    assert "has no revision nope" in no_revision
    assert "did you mean hf:ann/cooking/data/a.jsonl?" in no_file.replace("Did", "did")
    assert "holds no data file" in no_data
    assert "the Hub has no data set ann/other, or not for you" in no_set
    # Neither the code of the data set nor anything else of it, and the token from where the client looks for it.
    files = {path.partition(f"/resolve/{REVISION}/")[2] for path, _ in asked if "/resolve/" in path}
    assert files == {"data/a.jsonl", "data/b.csv"}
    assert {token for path, token in asked if "/datasets/ann/" in path} == {"Bearer hf_secret"}


def test_a_project_says_what_was_fetched_and_calls_it_by_its_name(tmp_path: Path) -> None:
    blob = tmp_path / "blobs" / "0f1e2d"
    blob.parent.mkdir()
    blob.write_bytes(FILES["data/a.jsonl"])
    link = tmp_path / "snapshots" / "a.jsonl"
    link.parent.mkdir()
    link.symlink_to(blob)
    origin = f"hf:ann/cooking@{REVISION}/data/a.jsonl"
    folder = create_project(link, tmp_path / "a.tamis", fetched={link: origin})
    (source,) = read_settings(folder).sources
    assert (source.fetched, source.name, source.path) == (origin, "a.jsonl", str(link))
    with open_project(folder, readonly=True) as project:
        assert (project.name, project.example(0).source) == ("a.jsonl", "a.jsonl")


@pytest.mark.slow
def test_a_hub_that_does_not_answer_is_given_up_soon(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        began = time.monotonic()
        (told,) = fetched(f"http://127.0.0.1:{mute.getsockname()[1]}", tmp_path / "hf", "hf:ann/cooking")
    assert "hf:ann/cooking: the Hub did not give a data set of that name: " in told
    assert "check the network" in told.lower()
    assert time.monotonic() - began < 30


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("hf:ann/cooking", HubName("ann/cooking")),
        ("ann/cooking", HubName("ann/cooking")),
        ("hf:ann/cooking@v1.2", HubName("ann/cooking", "v1.2")),
        ("hf:ann/cooking/data/a b.jsonl", HubName("ann/cooking", None, "data/a b.jsonl")),
        ("hf:ann/cooking@v1/data", HubName("ann/cooking", "v1", "data")),
        (
            "hf:ann/cooking@refs/convert/parquet/default/train/0.parquet",
            HubName("ann/cooking", "refs/convert/parquet", "default/train/0.parquet"),
        ),
    ],
)
def test_a_name_says_data_set_revision_and_file(text: str, named: HubName) -> None:
    assert hub_name(text) == named


@pytest.mark.parametrize("text", ["hf:", "hf:ann", "hf:/ann/cooking", "hf:ann/cooking@", "hf://ann/cooking"])
def test_what_names_no_data_set_says_how_one_is_written(text: str) -> None:
    with pytest.raises(UsageError, match="OWNER/NAME"):
        hub_name(text)
