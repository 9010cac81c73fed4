"""What scripts and other people's tools rely on: the lines of the journal and the rules they are folded by."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

from projects import alpaca, make_project, numbered

from engine.model import Act, Cluster, Findings
from engine.project.folder import open_project

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
    assert first == {
        "v": 1,
        "n": 1,
        "by": "Ann Ö <a@b.org>",
        "acts": [{"do": "accept", "ids": [ids[0]]}, {"do": "reject", "ids": [ids[2]]}],
        "seen": [ids[0]],
        "why": "kind:near",
    }
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
        assert project.example(0).turns[0].text == "other"
        assert project.example(0, edited=False).turns[0].text == "Question 0?"
