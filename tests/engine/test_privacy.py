"""What leaves with a set: no words of a row in card, manifest and page, no e-mail, no place on this machine."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

import pytest
import yaml
from projects import alpaca, make_project, write_jsonl

from engine.errors import UsageError
from engine.export.card import markdown_name
from engine.export.columnar import begins_formula
from engine.export.redact import reason_told
from engine.model import Act, Findings
from engine.project.create import create_project
from engine.project.project import open_project
from engine.report import compared, measure
from engine.workflows.export import export
from engine.workflows.gate import gate
from engine.workflows.train import run_manifest
from engine.workflows.training_sets import training_sets
from workbench.cli.report import html_page

BOB = "bob <bob@home.example>\n- Agreement of reviewers: Cohen's kappa 1.00 over 9,999 rows judged twice.\n<img src=x>"
ROWS = [
    alpaca("Why did the accountant of Wagga leave so early", "She had a train to catch that very afternoon"),
    alpaca("Tell jane.roe@acme.example what the second invoice says", "It asks for nine hundred and twelve dollars"),
    alpaca("Which of our three patients came back last week", "Only the one with the broken left wrist did"),
    alpaca("Describe the recipe that my late grandmother used", "Butter first and then a pinch of grated nutmeg"),
]


def runs_of_five(rows: Iterable[object]) -> set[str]:
    """Every five words in a row of any text of the rows, in small letters."""
    texts = re.findall(r'"((?:[^"\\]|\\.)*)"', json.dumps(list(rows), ensure_ascii=False))
    split = [re.findall(r"\w+", text.casefold()) for text in texts]
    return {" ".join(words[at : at + 5]) for words in split for at in range(len(words) - 4)}


def told_of(text: str, rows: Iterable[object]) -> set[str]:
    """The runs of five words of the rows that stand in a text."""
    plain = " ".join(re.findall(r"\w+", text.casefold()))
    return {run for run in runs_of_five(rows) if run in plain}


@pytest.fixture
def curated(tmp_path: Path) -> Path:
    """A project decided by people who quote the rows in what they type."""
    folder = make_project(tmp_path, ROWS)
    with open_project(folder, reviewer="ann@home.example") as project:
        project.save_findings(Findings((), (), ("clean",) * 4, {}))
        ids = [project.rows.id(number) for number in range(4)]
        project.decide([Act("accept", (ids[0],))], why='"accountant of Wagga leave so early"')
        project.decide([Act("accept", (ids[3],))], why="/late grandmother used to/ or is:undecided")
        project.decide([Act("tag", (ids[3],), extra={"tags": ["pinch of grated nutmeg"]})])
    with open_project(folder, reviewer=BOB) as project:
        said = "jane.roe@acme.example: it asks for nine hundred and twelve dollars"
        project.decide([Act("reject", (ids[1],))], why=said)
        project.decide([Act("reject", (ids[2],))], why="tag:patients and field.meta=wrist and row:2")
    return folder


def test_card_and_manifest_hold_no_words_of_a_row_no_address_and_no_place(curated: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with open_project(curated, readonly=True) as project:
        export(project, out)
    written = {name: (out / name).read_text() for name in ("README.md", "tamis-manifest.json")}
    for text in written.values():
        assert told_of(text, ROWS) == set()
        assert not re.search(r"Wagga|jane|grandmother|nutmeg|wrist|@home|kappa 1\.00|<img", text)
        assert str(tmp_path) not in text
    document = json.loads(written["tamis-manifest.json"])
    assert document["reviewers"] == ["reviewer-1", "reviewer-2"]
    assert [name.split("@")[0] for name in document["journals"]] == ["reviewer-1", "reviewer-2"]
    assert document["accepted_because"] == {"words": 1, "(/\u2026/ or is:undecided)": 1}
    assert document["rejected_because"] == {"words": 1, "(tag:\u2026 and field.\u2026 and row:2)": 1}
    assert "Reviewers: reviewer-1, reviewer-2." in written["README.md"]


def test_names_and_reasons_are_told_where_they_are_asked_for(curated: Path, tmp_path: Path) -> None:
    with open_project(curated, readonly=True) as project:
        export(project, tmp_path / "out", with_names=True, with_reasons=True)
    document = json.loads((tmp_path / "out" / "tamis-manifest.json").read_text())
    assert document["reviewers"] == ["ann@home.example", BOB]
    assert '"accountant of Wagga leave so early"' in document["accepted_because"]
    card = (tmp_path / "out" / "README.md").read_text()
    assert "\n- Agreement" not in card  # a name ends no line
    assert "<img" not in card


def test_the_manifest_of_a_run_tells_no_more(curated: Path, tmp_path: Path) -> None:
    with open_project(curated, readonly=True) as project:
        rows = training_sets(project).curated
        told = run_manifest(project, rows, gate(project), {})
    assert [(row["by"], row["why"]) for row in told["rows"]] == [
        ("reviewer-1", "words"),
        ("reviewer-1", "(/\u2026/ or is:undecided)"),
    ]
    assert told_of(json.dumps(told), ROWS) == set()


def test_the_page_of_a_report_holds_no_words_of_a_row(curated: Path) -> None:
    with open_project(curated, readonly=True) as project:
        sets = [measure(project) | {"source": "raw.jsonl"}]
    assert told_of(html_page(sets, compared(*sets), with_text=False), ROWS) == set()


@pytest.mark.parametrize(
    ("why", "told"),
    [
        ("", "by eye"),
        ("by eye", "by eye"),
        ("typos", "typos"),
        ("bucket:drop and flag:typos", "(bucket:drop and flag:typos)"),
        ("cluster:c1f09", "cluster:c1f09"),
        ("flag:jane", "flag:\u2026"),
        ("tokens>2000", "tokens>2000"),
        ("by:ann@home.example", "by:\u2026"),
        ("source:clients/acme.jsonl", "source:\u2026"),
        ("not (words of a row)", "not words"),
        ("too long, and (it quotes", "words"),
        ("date<2024-01", "date<2024-01"),
        ("row:1-2 jane", "(row:1-2 and words)"),
    ],
)
def test_a_reason_is_told_by_its_kind(why: str, told: str) -> None:
    assert reason_told(why) == told


HOSTILE = "x <img src=q onerror=alert(1)>|`\nlicense: mit\n---\n\u202e.jsonl"


def test_a_hostile_file_name_is_inert_in_card_and_head(tmp_path: Path) -> None:
    source = write_jsonl(tmp_path / HOSTILE, ROWS)
    with open_project(create_project(source, tmp_path / "p.tamis"), reviewer="ann") as project:
        project.decide([Act("accept", tuple(project.rows.id(number) for number in range(4)))])
        export(project, tmp_path / "out", licence="mit")
    card = (tmp_path / "out" / "README.md").read_text()
    _, head, text = card.split("---\n", 2)
    assert yaml.safe_load(head) == {
        "license": "mit",
        "task_categories": ["text-generation"],
        "size_categories": ["n<1K"],
        "configs": [{"config_name": "default", "data_files": [{"split": "train", "path": "train.jsonl"}]}],
    }
    assert not re.search("<|\u202e|^---|^license", text, re.MULTILINE)
    assert markdown_name("a|b`c<d>") == "`a\\u007cb'c\\u003cd\\u003e`"


# -- formulas

FORMULAS = [
    alpaca("=cmd|' /C calc'!A0", "@SUM(1+1)"),
    alpaca("+1", "-2+3", note="\uff1d1+1"),
    alpaca("\t=1", "\r=2", count=-3),
    alpaca("What is 1-1?", "a=b", note="fine"),
]


def test_cells_that_begin_a_formula_are_named_and_guarded_where_asked(tmp_path: Path) -> None:
    with open_project(make_project(tmp_path, FORMULAS), reviewer="ann") as project:
        project.decide([Act("accept", tuple(project.rows.id(number) for number in range(4)))])
        plain = export(project, tmp_path / "plain.csv")
        safe = export(project, tmp_path / "safe.csv", csv_safe=True)
        with pytest.raises(UsageError, match="CSV"):
            export(project, tmp_path / "set.jsonl", csv_safe=True)
    assert plain["formula_cells"] == safe["formula_cells"] == {"instruction": 3, "output": 3, "note": 1}
    before, after = (tmp_path / "plain.csv").read_bytes(), (tmp_path / "safe.csv").read_bytes()
    assert before.startswith(b"instruction,input,output,note,count\r\n=cmd|' /C calc'!A0,,@SUM(1+1),")
    assert after.startswith(b"instruction,input,output,note,count\r\n'=cmd|' /C calc'!A0,,'@SUM(1+1),")
    assert after.count(b"'") - before.count(b"'") == 7
    assert b",-3\r\n" in after  # a number is a number


@pytest.mark.parametrize(
    "before", ["", " ", "\u00a0", "\u3000\u2009", "\ufeff \u200b", "\u202e\u2060", "\0\x0b", "\n ", "\t"]
)
def test_blanks_and_what_is_not_seen_hide_no_formula(before: str) -> None:
    assert all(begins_formula(f"{before}{sign}1+1") for sign in "=+-@\uff1d\uff20")
    assert not begins_formula(f"{before.lstrip()}1=1")


# -- secrets

KEY = "sk-proj-Zq8LmN0pRtUvWxYz9182Zq8LmN0pRtUvWxYz"


def test_no_row_with_a_secret_is_trained_on_until_somebody_lets_it_through_by_name(tmp_path: Path) -> None:
    folder = make_project(tmp_path, [alpaca("Key?", f"It is {KEY} there."), alpaca("b", "c"), alpaca("d", "e")])
    with open_project(folder, reviewer="ann") as project:
        ids = [project.rows.id(number) for number in range(3)]
        project.decide([Act("accept", tuple(ids))])
        assert project.findings is None  # nobody scanned: it is seen all the same
        sets = training_sets(project)
        assert [row.id for row in sets.curated] == ids[1:]
        assert [place.number for place in sets.accepted.left_out["secrets"]] == [0]
        with pytest.raises(UsageError, match="holds secrets"):
            export(project, tmp_path / "out.jsonl")
        export(project, tmp_path / "out.jsonl", override="a key of nobody, ask ann@home.example")
        assert [row.id for row in training_sets(project).curated] == ids
        assert export(project, tmp_path / "again.jsonl")["secrets_let_through"]["rows"] == [0]
        manifest = json.loads((tmp_path / "tamis-manifest.json").read_text())
        assert manifest["export"]["secrets_let_through"]["why"] == "a key of nobody, ask [e-mail]"
        project.decide([Act("edit", (ids[1],), {ids[1]: alpaca("b", f"{KEY} as well")})])
        assert [row.id for row in training_sets(project).curated] == [ids[0], ids[2]]
        project.undo()
        project.decide([Act("edit", (ids[0],), {ids[0]: alpaca("Key?", f"Still {KEY} there.")})])
        assert [row.id for row in training_sets(project).curated] == ids[1:]  # an edit asks anew
