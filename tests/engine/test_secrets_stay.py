"""A row with a secret goes nowhere unasked: not into a plan, a gate, the raw arm of a comparison, a file's run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from projects import alpaca, make_project, write_jsonl

from engine.errors import UsageError
from engine.jobs.scan import scan_project
from engine.model import Act, Findings
from engine.project.findings import SCAN_FILE
from engine.project.project import open_project
from engine.scan.store import pack_findings
from engine.workflows.compare import raw_rows
from engine.workflows.gate import gate
from engine.workflows.rescore import untouched
from engine.workflows.train import allow_secrets, run_manifest, secrets_to_let_through
from engine.workflows.training_sets import check_all_can_be_trained, file_sets, left_out_refusals, training_sets

KEY = "sk-proj-Zq8LmN0pRtUvWxYz9182Zq8LmN0pRtUvWxYz"
ROWS = [alpaca("a", "b"), alpaca("Key?", f"It is {KEY} there."), alpaca("c", "d"), alpaca("Which?", f"{KEY}, too.")]


def test_a_plan_names_the_rows_and_the_way_out_and_the_same_word_opens_all_ways(tmp_path: Path) -> None:
    folder = make_project(tmp_path, ROWS)
    with open_project(folder, reviewer="ann") as project:
        ids = [project.rows.id(number) for number in range(4)]
        project.decide([Act("accept", tuple(ids[:3]))])
        (note,) = left_out_refusals(training_sets(project).accepted)
        assert (note.kind, note.ids) == ("secrets", (ids[1],))
        assert "row 1" in note.text
        assert "--override 'why'" in note.text
        with pytest.raises(UsageError, match="row 1"):
            check_all_can_be_trained(training_sets(project).accepted)
        assert [row.id for row in raw_rows(project).rows] == [ids[0], ids[2]]
        assert untouched(project) == ()
        (least, *_) = gate(project).checks
        assert least.measure.value == 2
        allow_secrets(project, "made up")
        assert [row.id for row in training_sets(project).curated] == ids[:3]
        assert [row.id for row in raw_rows(project).rows] == ids[:3]
        told = run_manifest(project, training_sets(project).curated, gate(project), {})
        assert told["export"]["secrets_let_through"] == {"rows": [1], "why": "made up"}
        project.undo()
        assert secrets_to_let_through(project) == [1]
    with open_project(folder, readonly=True) as project, pytest.raises(UsageError, match="--as NAME"):
        allow_secrets(project, "made up")


def test_a_data_file_is_trained_on_without_its_secrets(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "raw.jsonl", ROWS)
    assert len(file_sets(path).curated) == 2
    assert [place.number for place in file_sets(path).accepted.left_out["secrets"]] == [1, 3]
    assert len(file_sets(path, with_secrets=True).curated) == 4
    with pytest.raises(UsageError, match="let them through"):
        file_sets(write_jsonl(tmp_path / "all.jsonl", ROWS[1:2]))


def said_with(more: dict[str, Any], **beside: Any) -> dict[str, Any]:
    return {
        "messages": [{"role": "user", "content": "Call it."}, {"role": "assistant", "content": "ok", **more}],
        **beside,
    }


@pytest.mark.parametrize("scanned", ["not", "now", "not to its end", "by an earlier version"])
def test_a_secret_anywhere_in_a_row_keeps_it_here(tmp_path: Path, scanned: str) -> None:
    """In what was thought, in a call, in tools and metadata, far behind in a long text: all of it leaves with a row."""
    call = {"function": {"name": "f", "arguments": f'{{"key": "{KEY}"}}'}}
    tool = {"type": "function", "function": {"name": "f", "description": KEY, "parameters": {}}}
    rows = [
        said_with({"reasoning": f"The key is {KEY}."}),
        said_with({"tool_calls": [call]}),
        said_with({}, tools=[tool]),
        said_with({}, meta={"by": KEY}),
        said_with({"content": "word " * 50_000 + KEY}),
        said_with({"reasoning": "None is here."}),
    ]
    with open_project(make_project(tmp_path, rows), reviewer="ann") as project:
        if scanned == "by an earlier version":
            # Which looked at the turns alone, and did not say where.
            content = pack_findings(Findings.empty(6), {"key": project.scan_key(), "at": "2026-01-01T00:00:00Z"})
            (project.folder / SCAN_FILE).write_bytes(content)
            assert project.reload_findings()
        if scanned == "not to its end":
            # A scan that was cancelled leaves its exact groups and no flags.
            project.save_findings(replace(Findings.empty(6), complete=False))
        if scanned == "now":
            scan_project(project)
            found = project.findings
            assert found is not None
            assert [flag.row for flag in found.flags if flag.signal == "secrets"] == [0, 1, 2, 3, 4]
        project.decide([Act("accept", tuple(project.rows.id(number) for number in range(6)))])
        assert secrets_to_let_through(project) == [0, 1, 2, 3, 4]
        without = project.rows.id(0)
        project.decide([Act("edit", (without,), {without: said_with({"reasoning": "It is out."})})])
        assert secrets_to_let_through(project) == [1, 2, 3, 4]
