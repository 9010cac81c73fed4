"""What scripts and other people's tools rely on: the lines of the journal and the rules they are folded by."""

from __future__ import annotations

import hashlib
import json
import random
import re
import zlib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from projects import alpaca, make_project, numbered

from engine.model import Act, Cluster, Findings, Flag
from engine.project.fold import map_act
from engine.project.project import open_project
from engine.sources.mapping import Mapping
from engine.workflows.export import export

RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def lines_of(folder: Path) -> list[dict[str, Any]]:
    (journal,) = (folder / "decisions").glob("*.jsonl")
    return [json.loads(line) for line in journal.read_bytes().splitlines()]


def test_a_line_is_an_act_and_an_undo_is_a_line(tmp_path: Path) -> None:
    folder = make_project(tmp_path, numbered(3))
    edited = alpaca("Question 1?", "é", more=[1])
    with open_project(folder, reviewer="Ann Ö <a@b.org>") as project:
        ids = [project.rows.id(n) for n in range(3)]
        project.decide([Act("accept", (ids[0],)), Act("reject", (ids[2],))], seen=[ids[0]], why="kind:near")
        project.decide([Act("edit", (ids[1],), {ids[1]: edited})])
        project.undo()
        project.redo()
    (journal,) = (folder / "decisions").glob("*.jsonl")
    assert re.fullmatch(r"Ann_Ö__a@b.org_@[0-9a-f]{8}\.jsonl", journal.name)
    first, second, undo, redo = lines_of(folder)
    assert RFC_3339.fullmatch(first.pop("at"))
    body, _, checksum = journal.read_bytes().splitlines()[0].rpartition(b',"sum":"')
    assert first.pop("sum") == f"{zlib.crc32(body):08x}" == checksum.decode().removesuffix('"}')
    assert first == {
        "v": 1,
        "n": 1,
        "by": "Ann Ö <a@b.org>",
        "acts": [{"do": "accept", "ids": [ids[0]]}, {"do": "reject", "ids": [ids[2]]}],
        "seen": [ids[0]],
        "why": "kind:near",
        "prev": "",
    }
    raw = journal.read_bytes().splitlines()
    assert [line["prev"] for line in (second, undo, redo)] == [
        hashlib.blake2b(line, digest_size=8).hexdigest() for line in raw[:-1]
    ]
    assert second["acts"] == [{"do": "edit", "ids": [ids[1]], "edited": {ids[1]: edited}}]
    assert {key: undo[key] for key in ("v", "n", "undo")} == {"v": 1, "n": 3, "undo": 2}
    assert {key: redo[key] for key in ("v", "n", "redo")} == {"v": 1, "n": 4, "redo": 2}


def test_lines_are_folded_by_number_and_never_by_time(tmp_path: Path) -> None:
    folder = make_project(tmp_path, numbered(2))
    with open_project(folder, readonly=True) as project:
        identifier = project.rows.id(0)
    verdicts = ["accept", "skip", "reject"]
    lines = [
        {
            "v": 1,
            "n": n + 1,
            "at": f"20{30 - n}-01-01T00:00:00Z",
            "by": "ann",
            "acts": [{"do": do, "ids": [identifier]}],
        }
        for n, do in enumerate(verdicts)
    ]
    again = {**lines[0], "acts": [{"do": "reset", "ids": [identifier]}]}
    order = [*lines, again]
    random.Random(1).shuffle(order)
    order.sort(key=lambda line: line is again)
    (folder / "decisions" / "ann@00000000.jsonl").write_text("".join(json.dumps(line) + "\n" for line in order))
    with open_project(folder, readonly=True) as project:
        assert project.verdict(0) == "rejected", "the highest number counts, and each number once"


def test_tags_notes_and_relations(tmp_path: Path) -> None:
    folder = make_project(tmp_path, numbered(4))
    with open_project(folder, reviewer="ann") as project:
        ids = tuple(project.rows.id(n) for n in range(4))
        cluster = Cluster("c1", "near", (0, 1), 0)
        project.save_findings(Findings((cluster,), (), ("clean",) * 4, {}))
        project.decide([Act("tag", ids[:2], extra={"tags": ["later"]}), Act("note", ids[:1], extra={"text": "ask Bo"})])
        assert (project.tags(0), project.tags(2), project.note(0)) == (frozenset({"later"}), frozenset(), "ask Bo")
        assert project.verdict(0) == "undecided"
        assert project.is_open(cluster)
        project.decide([Act("not_duplicates", ids[:3])])
        assert not project.is_open(cluster), "it holds for every pair of its ids"
        project.undo()
        assert project.is_open(cluster)
    with open_project(folder, readonly=True) as project:
        assert project.tags(1) == frozenset({"later"})


def test_an_edited_row_keeps_the_id_of_its_original(tmp_path: Path) -> None:
    folder = make_project(tmp_path, numbered(2))
    with open_project(folder, reviewer="ann") as project:
        identifier = project.rows.id(0)
        project.decide([Act("edit", (identifier,), {identifier: alpaca("other", "words")})])
        assert project.rows.id(0) == identifier
        assert project.example(0).id == identifier
        assert project.example(0).messages[0].text == "other"
        assert project.example(0, edited=False).messages[0].text == "Question 0?"


def test_the_reason_of_an_act_is_what_was_said_else_the_top_flag_else_by_eye(tmp_path: Path) -> None:
    folder = make_project(tmp_path, numbered(3))
    with open_project(folder, reviewer="ann") as project:
        ids = [project.rows.id(n) for n in range(3)]
        flags = (Flag(0, "truncated", "check", "stops"), Flag(0, "typos", "info", "teh"))
        project.save_findings(Findings((), flags, ("check", "clean", "clean"), {}))
        project.decide([Act("reject", (ids[0],))], why="bucket:drop")
        project.decide([Act("reject", (ids[0],))])
        project.decide([Act("accept", (ids[1],))])
        project.decide([Act("accept", (ids[0], ids[1]))])
    assert [line["why"] for line in lines_of(folder)] == ["bucket:drop", "truncated", "by eye", "by eye"]


def test_a_corrected_mapping_is_an_act_that_can_be_undone(tmp_path: Path) -> None:
    folder = make_project(tmp_path, [{"question": "Q", "answer": "A", "better": "B"}])
    corrected = Mapping("alpaca", {"instruction": "question", "output": "better"})
    with open_project(folder, reviewer="ann") as project:
        project.save_findings(Findings((), (), ("clean",), {}))
        identifier, guessed = project.rows.id(0), project.mapping
        project.read_by(corrected)
        assert project.example(0).answer == "B"
        assert project.rows.id(0) == identifier, "the mapping is no part of the id"
        assert project.findings is None, "what was found in other fields no longer fits"
    (line,) = lines_of(folder)
    fields = {"instruction": "question", "output": "better"}
    assert line["acts"] == [{"do": "map", "ids": [], "shape": "alpaca", "fields": fields}]
    with open_project(folder, reviewer="bob") as project:
        assert project.mapping == corrected, "another reviewer reads the rows the same way"
    with open_project(folder, reviewer="ann") as project:
        assert project.undo() == f"read rows as {corrected.describe()} (mapping corrected)"
        assert (project.mapping, project.example(0).answer) == (guessed, "A")
        assert project.findings is not None
        project.redo()
        assert project.example(0).answer == "B"


def test_a_map_act_of_a_later_version_leaves_the_rows_readable(tmp_path: Path) -> None:
    folder = make_project(tmp_path, numbered(1))
    line = {"v": 1, "n": 1, "at": "2030-01-01T00:00:00Z", "by": "ann", "acts": [{"do": "map", "ids": [], "shape": "x"}]}
    (folder / "decisions" / "ann@00000000.jsonl").write_text(json.dumps(line) + "\n")
    with open_project(folder, readonly=True) as project:
        assert project.example(0).answer == "Answer 0."


@pytest.mark.parametrize(
    "spoilt",
    [
        '{"n":2,"acts":[{}]}',
        '{"n":2,"acts":5}',
        '{"n":2,"undo":"x"}',
        '{"n":true,"acts":[]}',
        '{"acts":[]}',
        '{"n":2,"acts":[{"do":"accept","ids":"abc"}]}',
        '{"n":2,"acts":[{"do":"accept","ids":[3]}]}',
        '{"n":2,"acts":[{"do":"edit","ids":["x"],"edited":3}]}',
        '{"n":2,"acts":[{"do":"tag","ids":["aaaaaaaaaaaaaaaa"],"tags":5}]}',
        '{"n":2,"acts":[{"do":"add","ids":[],"changed":["x"]}]}',
        '{"n":2,"acts":[{"do":"holdout","ids":[["x"]]}]}',
        '{"n":2,"seen":7,"acts":[]}',
        '{"n":2,"acts":[{"do":"accept","ids":[],"ids_file":4}]}',
        '{"n":2,"acts":[{"do":"accept","ids":[],"ids_file":"gone.ids"}]}',
        "[2]",
        '{"n":2,',
        "\x00\x00\x00",
    ],
)
def test_a_spoilt_line_is_named_and_costs_no_other(spoilt: str, tmp_path: Path) -> None:
    folder = make_project(tmp_path, numbered(2))
    with open_project(folder, reviewer="ann") as project:
        ids = [project.rows.id(n) for n in range(2)]
        project.decide([Act("accept", (ids[0],))])
        (journal,) = project.journal_ends()
    third = {"v": 1, "n": 3, "at": "", "by": "ann", "acts": [{"do": "reject", "ids": [ids[1]]}]}
    with journal.open("a") as stream:
        stream.write(f"{spoilt}\n{json.dumps(third)}\n")
    with open_project(folder, reviewer="ann") as project:
        assert (project.verdict(0), project.verdict(1)) == ("accepted", "rejected")
        (note,) = project.notes
        assert note.startswith(f"{journal.name}: line 2 cannot be read")
        project.decide([Act("skip", (ids[1],))])
    assert spoilt in journal.read_text(), "it stays in the file"


def test_answers_that_are_fine_together_and_rows_split_off(tmp_path: Path) -> None:
    folder = make_project(tmp_path, numbered(4))
    with open_project(folder, reviewer="ann") as project:
        ids = tuple(project.rows.id(n) for n in range(4))
        conflict = Cluster("c1", "conflict", (0, 1), 0)
        project.save_findings(Findings((conflict,), (), ("check",) * 4, {}))
        project.decide([Act("fine_together", ids[:2])])
        assert not project.is_open(conflict)
        project.decide([Act("split", ids[2:])])
        assert [(act.do, act.ids) for act in project.constraints()] == [
            ("fine_together", ids[:2]),
            ("split", ids[2:]),
        ]
        project.undo()
        project.undo()
        assert project.is_open(conflict)
        assert project.constraints() == []


def test_every_act_of_the_contract_is_folded_and_kept_over_a_snapshot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_project(tmp_path, numbered(9))
    with open_project(folder, reviewer="ann") as project:
        ids = [project.rows.id(n) for n in range(9)]
        edited = alpaca("new", "words")
        acts = [
            Act("accept", (ids[0],)),
            Act("reject", (ids[1],)),
            Act("skip", (ids[2],)),
            Act("edit", (ids[3],), {ids[3]: edited}),
            Act("tag", (ids[4],), extra={"tags": ["later"]}),
            Act("note", (ids[4],), extra={"text": "ask Bo"}),
            Act("not_duplicates", (ids[4], ids[5])),
            Act("fine_together", (ids[5], ids[6])),
            Act("split", (ids[6],)),
            Act("add", (ids[7],), extra={"file": "more.jsonl", "changed": {ids[7]: ids[1]}}),
            map_act(Mapping("alpaca", {"instruction": "output", "output": "instruction"})),
            Act("holdout", (ids[8],)),
            Act("settle", (ids[8],), extra={"verdict": "accepted"}),
            Act("override", (ids[0],), extra={"of": "secrets"}),
        ]
        for act in acts:
            project.decide([act])
        project.decide([Act("reset", (ids[2],))])

    def said() -> dict[str, Any]:
        with open_project(folder, readonly=True) as project:
            return {
                "verdicts": [project.verdict(n) for n in range(9)],
                "edited": project.current_row(3),
                "marks": (project.tags(4), project.note(4)),
                "relations": project.constraints(),
                "changed": project.changed_from(7),
                "mapping": project.mapping,
                "heldout": project.heldout,
            }

    first = said()
    assert first["verdicts"] == [
        "accepted", "rejected", "undecided", "accepted", "undecided", "undecided", "undecided", "undecided", "accepted",
    ]  # fmt: skip
    assert first["edited"] == edited
    assert first["marks"] == (frozenset({"later"}), "ask Bo")
    assert [act.do for act in first["relations"]] == ["not_duplicates", "fine_together", "split"]
    assert (first["changed"], first["heldout"]) == (ids[1], {8})
    assert first["mapping"].fields["output"] == "instruction"
    monkeypatch.setattr("engine.project.journals.SNAPSHOT_LINES", 1)
    with open_project(folder, reviewer="ann"):
        pass
    assert (folder / "snapshot.bin").exists()
    assert said() == first


def test_the_manifest_names_sources_journals_and_how_much_was_read(tmp_path: Path) -> None:
    folder = make_project(tmp_path, numbered(4))
    with open_project(folder, reviewer="ann") as project:
        ids = tuple(project.rows.id(n) for n in range(4))
        project.decide([Act("accept", ids[:2])], seen=ids[:1], why="bucket:clean")
        project.decide([Act("reject", ids[2:3])], seen=ids[2:3])
        export(project, tmp_path / "out")
    manifest = json.loads((tmp_path / "out" / "tamis-manifest.json").read_bytes())
    (journal,) = (folder / "decisions").glob("*.jsonl")
    assert manifest["journals"] == {journal.name: hashlib.sha256(journal.read_bytes()).hexdigest()}
    assert manifest["source"][0]["sha256"] == hashlib.sha256((tmp_path / "raw.jsonl").read_bytes()).hexdigest()
    assert (manifest["read"], manifest["bulk"]) == (2, 1)
    assert manifest["accepted_because"] == {"bucket:clean": 2}
    assert manifest["rejected_because"] == {"by eye": 1}
    assert manifest["export"]["left_out"] == {"rejected": 1, "undecided": 1}
    assert manifest["tamis"] == version("tamis")
