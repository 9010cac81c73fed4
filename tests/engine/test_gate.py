"""The gate: each limit on a planted fault, the file's errors, the word that sets it aside, and where it is written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from projects import alpaca, make_project

from engine.errors import UsageError
from engine.jobs.scan import scan_project
from engine.model import Act, Cluster, Findings, Flag, Leak
from engine.project.project import Project, open_project
from engine.training.eval.gate_rules import BY_KEY, LIMITS, read_gate
from engine.training.plan.plan import nothing_known
from engine.workflows import train as start_run
from engine.workflows.export import export
from engine.workflows.gate import gate, override_gate
from workbench.cli.main import main

WORDS = ("rain", "gravity", "a violin", "bread", "the moon", "a bridge", "ink", "salt", "a comet", "wool")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Ten unlike rows, a copy of row 0 and another answer to row 1; the first eight are accepted, five of them seen."""
    rows = [alpaca(f"What is {word}?", f"It is {word}, number {place}.") for place, word in enumerate(WORDS)]
    rows += [dict(rows[0]), alpaca("What is gravity?", "A kind of cheese from France, number 7.")]
    opened = open_project(make_project(tmp_path, rows), reviewer="ann")
    opened.decide(
        [Act("accept", tuple(opened.rows.id(n) for n in range(8)))], seen=[opened.rows.id(n) for n in range(5)]
    )
    scan_project(opened)
    return opened


def limits(project: Project, **bounds: float) -> None:
    (project.folder / "gate.toml").write_text("".join(f"{key} = {value}\n" for key, value in bounds.items()))


def failed(project: Project, **bounds: float) -> dict[str, tuple[int, ...]]:
    limits(project, **bounds)
    return {check.limit.key: check.measure.rows for check in gate(project).failed}


def test_without_a_file_everything_is_measured_and_nothing_refused(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gate(project).is_open
    assert all(check.passed is None for check in gate(project).checks)
    assert main(["gate", str(project.folder)]) == 0
    out, err = capsys.readouterr()
    assert "accepted training rows: 8" in out
    assert "nothing is refused" in err


def test_each_limit_meets_its_planted_fault(project: Project) -> None:
    assert failed(project, min_accepted=9) == {"min_accepted": ()}
    assert failed(project, min_accepted=8) == {}
    assert failed(project, min_seen_share=0.7) == {"min_seen_share": (5, 6, 7)}
    assert failed(project, min_seen_share=0.6) == {}
    # The conflict between rows 1 and 11 is open until row 11 is decided.
    assert failed(project, max_open_conflicts=0) == {"max_open_conflicts": (1, 11)}
    project.decide([Act("accept", (project.rows.id(11),))])
    assert failed(project, max_open_conflicts=0) == {"max_open_conflicts": (1, 11)}
    project.decide([Act("fine_together", (project.rows.id(1), project.rows.id(11)))])
    assert failed(project, max_open_conflicts=0) == {}
    assert failed(project, max_duplicate_share=0.0) == {}
    project.decide([Act("accept", (project.rows.id(10),))])
    assert failed(project, max_duplicate_share=0.0) == {"max_duplicate_share": (10,)}
    assert failed(project, max_duplicate_share=0.1) == {}


def test_leaks_and_stale_rows(project: Project) -> None:
    found = project.findings
    assert found is not None
    project.decide([Act("holdout", (project.rows.id(9),))])
    stale = Flag(3, "stale", "info", "dated 2011")
    project.save_findings(Findings((), (stale,), found.buckets, {}, (Leak(2, 9, "near"),)))
    assert failed(project, max_leaks=0) == {"max_leaks": (2,)}
    assert failed(project, max_stale_share=0.1) == {"max_stale_share": (3,)}
    assert failed(project, max_stale_share=0.13) == {}


def test_self_agreement_is_read_from_second_looks(project: Project) -> None:
    assert failed(project, min_self_agreement=0.5) == {"min_self_agreement": ()}
    again = tuple(project.rows.id(n) for n in range(4))
    project.decide([Act("tag", again, extra={"tags": ["recheck"]})])
    project.decide([Act("reject", again[:1])])
    project.decide([Act("accept", again[1:])])
    assert failed(project, min_self_agreement=0.76) == {"min_self_agreement": (0,)}
    assert failed(project, min_self_agreement=0.75) == {}


def test_what_cannot_be_told_keeps_no_limit(project: Project) -> None:
    (project.folder / "scan.bin").unlink()
    project.reload_findings()
    assert failed(project, max_leaks=0, min_accepted=1) == {"max_leaks": ()}
    assert any("not scanned" in check.sentence() for check in gate(project).failed)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("min_acepted = 1", "Did you mean 'min_accepted'"),
        ("max_stale_share = 20", "max_stale_share = 20 is out of range. It takes a share from 0 to 1"),
        ('max_leaks = "none"', "max_leaks = 'none' is out of range"),
        ("max_leaks = true", "out of range"),
        ("max_leaks = nan", "out of range"),
        ("max_leaks = inf", "out of range"),
        ("max_leaks = " + "9" * 400, "out of range"),
        ("[gate", "cannot be read"),
    ],
)
def test_a_file_that_asks_for_nonsense_is_refused(tmp_path: Path, content: str, words: str) -> None:
    (tmp_path / "gate.toml").write_text(content)
    with pytest.raises(UsageError) as fault:
        read_gate(tmp_path / "gate.toml")
    assert words in str(fault.value)


def test_the_command_exits_with_1_and_names_the_rows(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    limits(project, min_seen_share=0.7, max_open_conflicts=0)
    folder = str(project.folder)
    project.close()
    assert main(["gate", folder, "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    checks = {check["name"]: check for check in told["checks"]}
    assert told["passed"] is False
    assert checks["min_seen_share"]["rows"] == [5, 6, 7]
    assert len(checks["max_open_conflicts"]["ids"]) == 2
    assert main(["gate", folder]) == 1
    assert "rows 5, 6, 7" in capsys.readouterr().out
    assert main(["gate", folder, "--override", "the rest is read tomorrow", "--as", "ann"]) == 0
    assert "set aside by ann" in capsys.readouterr().out
    assert main(["gate", folder]) == 0


def test_an_override_holds_for_what_failed_then_can_be_undone_and_is_in_the_manifest(
    project: Project, tmp_path: Path
) -> None:
    limits(project, min_accepted=20)
    with pytest.raises(UsageError, match="needs a reason"):
        override_gate(project, " ")
    result = override_gate(project, "a pilot")
    assert result.is_open
    assert result.override is not None
    assert (result.override["why"], result.override["by"]) == ("a pilot", "ann")
    export(project, tmp_path / "set")
    written = json.loads((tmp_path / "set" / "tamis-manifest.json").read_bytes())["gate"]
    assert written["passed"] is False
    assert written["override"]["why"] == "a pilot"
    (check,) = [check for check in written["checks"] if check["passed"] is False]
    assert (check["name"], check["value"], check["limit"], check["ids"]) == ("min_accepted", 8, 20, [])
    assert "ids" not in written["checks"][1]
    assert "**not kept**: accepted training rows: 8" in (tmp_path / "set" / "README.md").read_text()
    limits(project, min_accepted=20, min_seen_share=0.9)
    assert not gate(project).is_open  # a further limit: the old word does not cover it
    limits(project, min_accepted=20)
    assert gate(project).is_open
    project.undo()
    assert not gate(project).is_open
    limits(project, min_accepted=1)
    with pytest.raises(UsageError, match="nothing to set aside"):
        override_gate(project, "why not")


def test_a_gate_file_that_cannot_be_used_refuses_an_export_before_anything_is_written(
    project: Project, tmp_path: Path
) -> None:
    limits(project, min_acepted=20)
    with pytest.raises(UsageError, match="min_accepted"):
        export(project, tmp_path / "set")
    assert not (tmp_path / "set").exists()


def test_members_that_nobody_merges_are_no_duplicates(project: Project) -> None:
    alternatives = Cluster("c1", "near", (0, 1), 0, alternatives=True)
    project.save_findings(Findings((alternatives,), (), ("clean",) * 12, {}))
    assert failed(project, max_duplicate_share=0.0) == {}


def test_a_run_is_refused_until_the_gate_is_kept_or_set_aside(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The trainer's libraries take seconds and have no say in this: only their part of the plan is left out.
    monkeypatch.setattr(
        start_run,
        "make_plan",
        lambda spec, train, held, **_: nothing_known(spec, train, held, {"versions": {}}, (), ()),
    )
    assert start_run.plan_run(project).refusals == ()
    limits(project, min_accepted=20, max_open_conflicts=0)
    plan = start_run.plan_run(project)
    assert [note.kind for note in plan.refusals] == ["gate", "gate"]
    assert plan.refusals[0].text == "accepted training rows: 8 (at least 20): accept more rows"
    assert plan.refusals[1].ids == (project.rows.id(1), project.rows.id(11))
    override_gate(project, "a pilot")
    plan = start_run.plan_run(project)
    assert plan.refusals == ()
    assert [note.kind for note in plan.warnings] == ["gate", "gate"]


def test_the_page_names_every_key() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "gate.md").read_text()
    assert all(f"\n{key} = " in page for key in BY_KEY)
    assert len(LIMITS) == len(BY_KEY)
