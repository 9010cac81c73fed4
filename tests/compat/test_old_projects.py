"""Projects that an earlier version made and decided, opened, gone on with and exported by this one. What they must say
stands in `expected.json` beside each, as that version said it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from box import SELECTORS, Box, bring, expected, journals
from pseudo import Terminal

NAMES = ("by-hand", "odd-values", "bulk", "two-reviewers", "exported")
F2, F8, F10, ALT_R = "\x1bOQ", "\x1b[19~", "\x1b[21~", "\x1br"


def told_again(now: Any, then: Any) -> bool:
    """Whether everything that was said is said still; further keys may have come."""
    if isinstance(then, dict) and isinstance(now, dict):
        return all(key in now and told_again(now[key], value) for key, value in then.items())
    if isinstance(then, list) and isinstance(now, list):
        return len(then) == len(now) and all(map(told_again, now, then))
    return bool(now == then)


@pytest.mark.parametrize("name", NAMES)
def test_an_old_project_says_what_it_said_and_looking_changes_no_byte_of_its_journals(name: str, box: Box) -> None:
    then, folder = expected(name), bring(name, box.home)
    project = folder / then["project"]
    before = journals(project)
    assert {path: hashlib.sha256(content).hexdigest() for path, content in before.items()} == then["files"]
    assert told_again(box.json("status", project), then["status"])
    found = box.look(project)
    assert {key: found[key] for key in ("ids", "clusters", "answers")} == {
        key: then[key] for key in ("ids", "clusters", "answers")
    }
    assert {words: found["selected"][words] for words in SELECTORS} == then["selected"]
    acts = [
        [line["file"], line["n"], *[[act["do"], len(act["ids"])] for act in line.get("acts", ())],
         *[f"{word} {line[word]}" for word in ("undo", "redo") if word in line]]
        for line in box.json("journal", project)["lines"]
    ]  # fmt: skip
    assert acts == then["journal"]
    assert journals(project) == before


@pytest.mark.parametrize("name", NAMES)
def test_an_old_project_is_gone_on_with_line_by_line_behind_the_old_lines(name: str, box: Box) -> None:
    then, folder = expected(name), bring(name, box.home)
    project = folder / then["project"]
    oldest = journals(project)
    for step in then["story"]:
        before = journals(project)
        now = box.step(step["words"], folder, then["project"])
        assert told_again(now["status"], step["status"]), step["words"]
        assert told_again(now["lines"], step["lines"]), step["words"]
        after = journals(project)
        assert all(after[path].startswith(content) for path, content in before.items())
    assert all(journals(project)[path].startswith(content) for path, content in oldest.items())
    lines = box.json("journal", project)["lines"]
    for file in {line["file"] for line in lines}:
        numbers = [line["n"] for line in lines if line["file"] == file]
        assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("name", NAMES)
def test_an_old_project_is_exported_to_the_same_bytes(name: str, box: Box, tmp_path: Path) -> None:
    then, folder = expected(name), bring(name, box.home)
    for form, summary in then["exports"].items():
        to = tmp_path / form
        now = box.json("export", folder / then["project"], "--to", to, "--format", form, "--lossy")
        assert {key: now[key] for key in summary} == summary
        for file, digest in summary["sha256"].items():
            assert hashlib.sha256((to / file).read_bytes()).hexdigest() == digest


@pytest.mark.parametrize("name", NAMES)
def test_an_old_project_is_read_anew_with_its_ids_and_decisions_and_undo_brings_the_old_reading_back(
    name: str, box: Box
) -> None:
    then, folder = expected(name), bring(name, box.home)
    project = folder / then["project"]
    before, status = journals(project), box.json("status", project)
    looked = box.json("reread", project, "--dry-run", "--as", "ana")
    assert looked["rows"] == status["rows"]
    assert journals(project) == before
    read = box.json("reread", project, "--yes", "--as", "ana")
    assert (read["changed"], read["decided"]) == (looked["changed"], looked["decided"])
    verdicts = ("accepted", "edited", "rejected", "skipped", "undecided", "heldout")
    assert {word: box.json("status", project)[word] for word in verdicts} == {word: status[word] for word in verdicts}
    if read["n"] is None:
        assert journals(project) == before
        return
    box.run("do", project, "undo", "--as", "ana")
    found = box.look(project)
    assert (found["ids"], found["answers"]) == (then["ids"], then["answers"])


def test_edits_that_hold_nan_and_lone_surrogates_leave_in_their_own_order(box: Box, tmp_path: Path) -> None:
    folder = bring("odd-values", box.home)
    box.run("export", folder / "odd.tamis", "--to", tmp_path / "out.jsonl")
    lines = (tmp_path / "out.jsonl").read_bytes().splitlines()
    assert lines[0] == rb'{"z": 1, "prompt": "How many legs has a cat?", "score": NaN, "completion": "4 \ud800"}'
    assert (
        lines[1]
        == rb'{"prompt": "Say \ud800 in words", "completion": "A lone surrogate: \udc00", "kept": "\ud83d\ude00"}'
    )
    assert lines[2] == b'{"completion": "first", "prompt": "Which one counts?", "completion": "the last"}'
    edited = json.loads(lines[3])
    assert list(edited) == ["up", "completion", "prompt", "n"]
    assert (edited["up"], edited["n"]) == (float("-inf"), 10**22 + 1)
    assert json.loads(lines[6]) == {"completion": "this copy alone", "prompt": "Twice"}


def test_a_large_act_whose_side_file_is_missing_or_changed_is_named_and_costs_no_other_line(box: Box) -> None:
    then, folder = expected("bulk"), bring("bulk", box.home)
    project = folder / then["project"]
    (project / "snapshot.bin").unlink()  # a cache: the journal says it all again
    assert told_again(box.json("status", project), then["status"])
    side = project / "decisions" / "ana@5ca1ab1e.1-0.ids"
    whole = side.read_bytes()
    side.write_bytes(whole[17:])
    assert box.json("status", project)["accepted"] == 1
    side.write_bytes(whole)
    assert told_again(box.json("status", project), then["status"])


def test_a_second_merge_brings_only_what_the_other_did_since(box: Box) -> None:
    folder = bring("two-reviewers", box.home)
    merged = box.json("merge", folder / "support.tamis", folder / "bens.tamis")
    assert told_again(
        merged, {"brought": [], "grown": ["ben@5ca1ab1e.jsonl"], "parted": [], "disputed": 1, "unknown": 0}
    )
    again = box.json("merge", folder / "support.tamis", folder / "bens.tamis")
    assert told_again(again, {"brought": [], "grown": [], "parted": [], "disputed": 1})


def test_an_old_export_is_read_and_its_manifest_fits_what_is_exported_now(box: Box) -> None:
    then, folder = expected("exported"), bring("exported", box.home)
    old = json.loads((folder / "curated" / "tamis-manifest.json").read_bytes())
    report = box.json("report", folder / "support.tamis", folder / "curated" / "train.jsonl")
    assert [one["rows"] for one in report["sets"]] == [then["status"]["rows"], then["exports"]["same"]["rows"]]
    now = box.json("export", folder / "support.tamis", "--to", folder / "again", "--license", "mit")
    new = json.loads((folder / "again" / "tamis-manifest.json").read_bytes())
    assert now["sha256"] == old["export"]["sha256"] == then["exports"]["same"]["sha256"]
    for key in ("source", "journals", "reviewers", "counts", "rejected_because", "accepted_because", "read", "bulk"):
        assert told_again(new[key], old[key]), key
    assert told_again(new["gate"], old["gate"])
    for file in ("train.jsonl", "heldout.jsonl"):
        assert (folder / "again" / file).read_bytes() == (folder / "curated" / file).read_bytes()
    # An export may be written over an export of an earlier version: it is known for one.
    assert box.json("export", folder / "support.tamis", "--to", folder / "curated")["sha256"] == now["sha256"]
    assert told_again(box.json("gate", folder / "support.tamis"), then["gate"])
    box.run("do", folder / "support.tamis", "reject is:accepted", "--as", "ana")
    assert box.json("gate", folder / "support.tamis", code=1)["passed"] is False


def workbench(box: Box, project: Path) -> Terminal:
    return Terminal(box.command(project), environment=box.environment(), columns=100, rows=30)


def test_the_workbench_takes_old_settings_keys_and_theme_and_comes_back_to_the_row(box: Box) -> None:
    then, folder = expected("by-hand"), bring("by-hand", box.home)
    project = folder / then["project"]
    before = journals(project)
    with workbench(box, project) as terminal:
        terminal.wait_for("is:undecided and bucket:check")  # session.json: the filter of the last sitting
        terminal.wait_for(" row 55 ")
        assert all(word in terminal.text for word in ("f2 accept", "f3 reject", "f4 skip", "f8 undo"))
        for complaint in ("keymap", "theme", "no command is called", "unknown"):
            assert complaint not in terminal.text
        assert {cell[2] for line in terminal.cells() for cell in line} >= {"1b1024"}, "the ground of the theme dusk"
        terminal.keys(F2)
        terminal.wait_for("accepted row 55")
        terminal.keys(F8, ALT_R, F10)
        assert terminal.wait_for_end() == 0
    (file,) = before
    new = journals(project)[file].removeprefix(before[file]).splitlines()
    first, undone, again = map(json.loads, new)
    last = len(then["journal"])
    assert (first["n"], [act["do"] for act in first["acts"]]) == (last + 1, ["accept"])
    assert first["acts"][0]["ids"] == [then["ids"][55]]
    assert (undone["undo"], again["redo"]) == (last + 1, last + 1)


def test_a_complaint_about_settings_would_have_been_seen(box: Box) -> None:
    folder = bring("by-hand", box.home)
    keymap = box.home / "config" / "tamis" / "keymap.toml"
    keymap.write_text(keymap.read_text() + 'no-such-command = "f5"\n')
    with workbench(box, folder / "support.tamis") as terminal:
        terminal.wait_for("no command is called 'no-such-command'")
    config = box.home / "config" / "tamis" / "config.toml"
    config.write_text("no-such-setting = 1\n")
    box.run("do", folder / "support.tamis", "undo", code=2)
