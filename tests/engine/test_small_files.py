"""Whatever lies under the name of settings or of a cache: reading it ends at once, with one line or with nothing."""

from __future__ import annotations

import json
import os
import random
import socket
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from projects import make_project, numbered

from engine.config import config_folder, load_config
from engine.errors import ProjectError, UsageError
from engine.model import Act, Cluster, Findings, Flag
from engine.project.project import Project, open_project
from engine.project.suspects import Suspected, Suspects, load_suspects, save_suspects
from engine.review.store import Queue, load_queue, save_queue
from engine.small_files import MOST_CACHED, MOST_SETTINGS, read_regular
from engine.training.eval.gate_rules import read_gate
from engine.training.spec.parse import parse_settings, read_settings_file
from workbench.state.saved import SavedState, load_state
from workbench.ui.keymap import load_keymap
from workbench.ui.theme import load_themes

GOOD_THEME = '[palette]\nprimary = "#ffffff"\nforeground = "#eeeeee"\nbackground = "#000000"\n'


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def a_folder(path: Path) -> None:
    path.mkdir()


def a_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as own:
        here = Path.cwd()
        os.chdir(path.parent)  # a socket's name is short
        try:
            own.bind(path.name)
        finally:
            os.chdir(here)


def an_endless_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def too_large(path: Path) -> None:
    with path.open("wb") as stream:
        stream.truncate(MOST_SETTINGS + 1)


def too_deep(path: Path) -> None:
    path.write_text("a = " + "[" * 5000)


def too_many_dots(path: Path) -> None:
    path.write_text("a" + ".a" * 5000 + " = 1")


def no_text(path: Path) -> None:
    path.write_bytes("reviewer = 'ann'".encode("utf-16"))


def a_huge_number(path: Path) -> None:
    path.write_text("goal = " + "9" * 5000)


PLANTS = (
    *(a_pipe, a_folder, a_socket, an_endless_device, too_large, too_deep, too_many_dots, no_text, a_huge_number),
)  # fmt: skip
READERS: dict[str, Callable[[Path], object]] = {
    "config.toml": lambda folder: load_config(folder),
    "gate.toml": lambda folder: read_gate(folder / "gate.toml"),
    "project.toml": lambda folder: open_project(folder, readonly=True).close(),
    "training.toml": lambda folder: read_settings_file(folder / "training.toml"),
}


@pytest.mark.parametrize("plant", PLANTS)
@pytest.mark.parametrize("name", READERS)
def test_settings_that_cannot_be_read_are_told_in_one_line(
    name: str, plant: Callable[[Path], None], tmp_path: Path
) -> None:
    plant(tmp_path / name)
    with pytest.raises((UsageError, ProjectError), match=r"cannot be read|is a link") as told:
        READERS[name](tmp_path)
    assert str(tmp_path / name) in str(told.value)
    assert "\n" not in str(told.value)
    assert len(str(told.value)) < 400


@pytest.mark.parametrize("plant", PLANTS)
def test_a_keymap_or_a_theme_that_cannot_be_read_stops_nothing(plant: Callable[[Path], None]) -> None:
    themes = config_folder() / "themes"
    themes.mkdir(parents=True)
    (themes / "good.toml").write_text(GOOD_THEME)
    plant(themes / "bad.toml")
    plant(config_folder() / "keymap.toml")
    keys, problems = load_keymap()
    assert keys == {}
    assert "the default keys stay" in problems[0]
    found, problems = load_themes()
    assert {"night", "good"} <= found.keys()
    assert len(problems) == 1
    assert "bad.toml" in problems[0]


def test_a_mark_of_the_byte_order_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("theme = 'day'", encoding="utf-8-sig")
    assert load_config(tmp_path).theme == "day"


def test_a_style_that_is_a_link_is_refused() -> None:
    """Every text of that role would become a link of the terminal."""
    themes = config_folder() / "themes"
    themes.mkdir(parents=True)
    (themes / "link.toml").write_text(GOOD_THEME + '[roles]\ntext = "link file:///etc/passwd"\n')
    assert "is a link" in load_themes()[1][0]


def test_a_setting_typed_too_deep_or_with_an_open_quotation_is_told() -> None:
    assert parse_settings(["seed=" + "[" * 5000])["seed"].startswith("[")
    with pytest.raises(UsageError, match="is no command"):
        parse_settings(["command=python 'x"])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("rows = 3", 'rows = "3"'),
        ("rows = 3", "rows = -1"),
        ('shape = "alpaca"', 'shape = "cube"'),
        ('shape = "alpaca"', 'shape = ["alpaca"]'),
        ("fields = {", "fields = 5 #"),
        ("[[source]]", "[[sauce]]"),
    ],
)
def test_a_project_file_with_values_of_another_kind_is_told(tmp_path: Path, before: str, after: str) -> None:
    folder = make_project(tmp_path, numbered(3))
    content = (folder / "project.toml").read_text()
    assert before in content
    (folder / "project.toml").write_text(content.replace(before, after))
    with pytest.raises(ProjectError, match="is incomplete"):
        open_project(folder, readonly=True)


def test_reading_a_small_file_takes_no_more_memory_than_it_has_bytes(tmp_path: Path) -> None:
    """Whatever the bound: a command must run where a gigabyte of addresses is all there is."""
    (tmp_path / "scan.bin").write_bytes(b"ten bytes.")
    tracemalloc.start()
    try:
        assert read_regular(tmp_path / "scan.bin", MOST_CACHED) == b"ten bytes."
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


# -- caches


def damaged(content: bytes, dice: random.Random) -> bytes:
    """A copy that was cut short, or in which a few bytes are others."""
    if dice.random() < 0.3:
        return content[: dice.randrange(len(content))]
    changed = bytearray(content)
    for _ in range(dice.randint(1, 4)):
        changed[dice.randrange(len(changed))] = dice.randrange(256)
    return bytes(changed)


ODD = (b"", b"[" * 200_000, b'{"v":1}', b"null", b'{"v":1,"rows":5,"key":[]}', b"\xff" * 100)


def plain(project: Project) -> list[str]:
    return [project.verdict(number) for number in range(len(project.rows))]


@pytest.mark.parametrize("name", ["scan.bin", "snapshot.bin"])
def test_a_damaged_binary_cache_counts_as_absent(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.project.journals.SNAPSHOT_LINES", 1)
    folder = make_project(tmp_path, numbered(3))
    with open_project(folder, reviewer="ann") as project:
        project.decide([Act("reject", (project.rows.id(1),))])
        project.save_findings(_findings(project))
        before = plain(project)
    whole = (folder / name).read_bytes()
    dice = random.Random(1)
    for content in (*ODD, whole[:16] + b"[" * 100_000, *(damaged(whole, dice) for _ in range(150))):
        (folder / name).write_bytes(content)
        with open_project(folder, readonly=True) as opened:
            assert plain(opened) == before
            if content != whole:
                assert name != "scan.bin" or opened.findings is None or opened.findings == _findings(opened)


def _findings(project: Project) -> Findings:
    rows = len(project.rows)
    flags = (Flag(1, "truncated", "check", "it breaks off"),)
    return Findings((Cluster("c1", "near", (0, 1), 0, ("alike",)),), flags, ("clean",) * rows, {"total": 0.1})


def test_a_damaged_cache_of_json_counts_as_absent(tmp_path: Path) -> None:
    queue = Queue((2, 1, 0), {0: 0.5}, {0: (("word:a", 1.5),)}, 30, 6, {"estimate": 1, "least": 0, "most": 2}, "key")
    suspects = Suspects("run", "2026-01-01T00:00:00Z", (Suspected("r1", "got_worse", 1, 3, "worse"),), {"r2": 0.5})
    save_queue(tmp_path, queue)
    save_suspects(tmp_path, suspects)
    (tmp_path / "session.json").write_text(
        json.dumps({"screen": "triage", "row": "a", "drafts": {"a": [[["x", 0], "t"]]}})
    )
    assert load_queue(tmp_path, "key") == queue
    assert load_suspects(tmp_path) == suspects
    assert load_state(tmp_path).drafts == {"a": {("x", 0): "t"}}
    dice = random.Random(2)
    for name in ("queue.json", "suspects.json", "session.json"):
        whole = (tmp_path / name).read_bytes()
        for content in (*ODD, *(damaged(whole, dice) for _ in range(300))):
            (tmp_path / name).write_bytes(content)
            found = load_queue(tmp_path, "key")
            assert found is None or all(isinstance(row, int) for row in found.order)
            assert all(isinstance(row.rank, int) for row in load_suspects(tmp_path).rows)
            assert isinstance(load_state(tmp_path).filter_text, str)
    for name in ("queue.json", "suspects.json", "session.json"):
        (tmp_path / name).unlink()
        a_pipe(tmp_path / name)
    assert load_queue(tmp_path, "key") is None
    assert load_suspects(tmp_path) == Suspects()
    assert load_state(tmp_path) == SavedState()
