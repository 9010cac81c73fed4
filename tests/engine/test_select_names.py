"""A mistyped selector is an error that names what was meant; what decides must exist, and `not` of nothing is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from projects import alpaca, make_project

from engine.errors import UsageError
from engine.model import Act, Cluster, Findings, Flag
from engine.project.project import Project, open_project
from engine.project.suspects import KINDS
from engine.scan.signals.names import SIGNAL_NAMES
from engine.scan.signals.table import SIGNALS
from engine.select import parse_selector, select, select_to_decide

ROWS = [
    alpaca("Refund my order", "see http://x.org at 12:30", meta={"year": 2017, "ok": True, "007": "bond"}),
    alpaca("REFUNDED twice", "a=b and c", meta={"year": 2021, "ok": False}),
    alpaca("Where is it? " + "x" * 400, "there", meta={"year": "2018", "²": 4}),
    alpaca("big", "number", meta={"year": 10**400}),
]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = open_project(make_project(tmp_path, ROWS), reviewer="ann")
    clusters = (Cluster("c1f09aa0", "near", (0, 1), 0), Cluster("c1f77bb0", "near", (2, 3), 2))
    flags = (Flag(1, "refusal", "drop", "…"), Flag(2, "of_an_older_version", "check", "…"))
    project.save_findings(Findings(clusters, flags, ("clean",) * 4, {}))
    first = (project.rows.id(0),)
    project.decide([Act("accept", first), Act("tag", first, extra={"tags": ["later"]})])
    return project


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("token>50", "did you mean tokens>50"),
        ("not token>50", "did you mean tokens>50"),
        ("len>10", "did you mean chars>10"),
        ("output=x", "written field.output=x"),
        ("Kind:near", "did you mean kind:near"),
        ("kind:neer", "did you mean kind:near"),
        ("bucket:clena", "did you mean bucket:clean"),
        ("is:acepted", "did you mean is:accepted"),
        ("flag:truncatd", "did you mean flag:truncated"),
        ("flag:foo", "is unknown"),
        ("role:asistant", "did you mean role:assistant"),
        ("bucket=drop", "write bucket:drop"),
        ("is~accepted", "write is:accepted"),
        ("turns:4", "write turns=4"),
        ("tokens=>5", "write tokens>=5"),
        ("turns==4", "write turns=4"),
        ("tokens>abc", "compared with a number"),
        ("tokens>>5", "compared with a number"),
        ("tokens>1,000", "compared with a number"),
        ("date>yesterday", "compared with a date"),
        ("date<1700000000", "compared with a date"),
        ("field.output=/x/", "/x/ alone searches"),
        ("field.output~x", "write field.output=x"),
        ("field.output:x", "write field.output=x"),
        ("field.a=>5", "write field.a>=5"),
        ("field=x", "field.NAME=x"),
        ("http://x.org", 'in quotation marks, "http://x.org"'),
        ("12:30", 'in quotation marks, "12:30"'),
        ("a=b", 'in quotation marks, "a=b"'),
        ("cluster:c1f", "more than one cluster"),
        ("cluster:c1f09ab0", "did you mean cluster:c1f09aa0"),
        ("not cluster:zz", "no cluster"),
        ('""', "an empty text"),
        ("row:5-2", "row:2-5"),
    ],
)
def test_a_slip_names_what_was_meant(project: Project, text: str, told: str) -> None:
    with pytest.raises(UsageError) as error:
        select(project, text)
    # The first letter of a hint may have become a capital.
    assert told.lower() in str(error.value).lower()
    assert len(str(error.value)) < 300


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ('"http://x.org"', [0]),
        ('"12:30"', [0]),
        ('"a=b"', [1]),
        ("field.meta.year>=2018", [1, 2, 3]),
        ("field.meta.year=2018", [2]),
        ("field.meta.ok=true", [0]),
        ("field.meta.ok!=true", [1]),
        ("field.meta.007=bond", [0]),
        ("field.meta.²=4", [2]),
        ('field."meta.year"<2018', [0]),
        ("field.meta.year>2O18", []),
        ("flag:of_an_older_version", [2]),
        ("tag:nobody-has-it", []),
        ("by:nobody", []),
        ("field.metta.year>2000", []),
    ],
)
def test_what_is_written_right_is_found(project: Project, text: str, rows: list[int]) -> None:
    assert select(project, text) == rows


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("by:an", "did you mean by:ann"),
        ("not tag:latr", "did you mean tag:later"),
        ("field.metta.year>2000", "did you mean field.meta.year"),
        ("a or not (b and tag:none)", "is unknown"),
    ],
)
def test_what_decides_must_name_what_is_there(project: Project, text: str, told: str) -> None:
    with pytest.raises(UsageError) as error:
        select_to_decide(project, text)
    assert told.lower() in str(error.value).lower()


@pytest.mark.parametrize(
    ("text", "nothing"),
    [
        ("not flag:truncated", ("flag:truncated",)),
        ("refund and not flag:truncated", ("flag:truncated",)),
        ("refund or (big and not (turns>9 or tokens>999))", ("(turns>9 or tokens>999)",)),
        ("not not flag:link", ("flag:link",)),
        ("not flag:refusal", ()),
        ("not (flag:refusal or flag:link)", ()),
        ("refund", ()),
        ("", ()),
    ],
)
def test_a_negation_of_nothing_is_told(project: Project, text: str, nothing: tuple[str, ...]) -> None:
    chosen = select_to_decide(project, text)
    assert chosen.rows == select(project, text)
    assert chosen.negates_nothing == nothing


def test_every_name_of_a_signal_is_known() -> None:
    assert tuple(signal.name for signal in SIGNALS) == SIGNAL_NAMES
    for name in (*SIGNAL_NAMES, *KINDS):
        assert parse_selector(f"flag:{name}").root is not None


def test_hostile_text_is_escaped_in_what_is_said_of_it(project: Project) -> None:
    for text in (
        "x\x1b[2J>1",
        "kind:\x1b]0;a\x07",
        "batch:\u202ex/1",
        "cluster:\x1b[2J",
        "/(\x1b[2J/",
        "field.\x1b\x07.=1",
    ):
        with pytest.raises(UsageError) as error:
            select(project, text)
        assert str(error.value).isprintable(), text


def test_a_role_that_only_the_file_has_is_selected_as_it_stands(tmp_path: Path) -> None:
    said = [{"role": "narrator", "content": "Night falls."}, {"role": "assistant", "content": "The end."}]
    plain = [{"role": "user", "content": "Go on."}, {"role": "assistant", "content": "And so on."}]
    project = open_project(make_project(tmp_path, [{"messages": said}, {"messages": plain}]), reviewer="ann")
    assert select(project, "role:narrator") == [0]
    assert select_to_decide(project, "role:narrator").rows == [0]
    assert select(project, "role:chorus") == []
    with pytest.raises(UsageError, match="Did you mean role:narrator"):
        select_to_decide(project, "role:narator")


def test_tokens_and_words_count_and_find_calls_and_reasoning_and_words_metadata_too(tmp_path: Path) -> None:
    call = {"type": "function", "function": {"name": "find", "arguments": '{"what": "caf\\u00e9 ' + "x" * 400 + '"}'}}
    asked = {"role": "user", "content": "Where?"}
    rows = [
        {"messages": [asked, {"role": "assistant", "content": "", "tool_calls": [call]}], "id": "m"},
        {"messages": [asked, {"role": "assistant", "content": "Here.", "reasoning_content": "z" * 400}], "id": "n"},
        {"messages": [asked, {"role": "assistant", "content": "Here."}], "id": "zebra-" + "0" * 54},
    ]
    project = open_project(make_project(tmp_path, rows), reviewer="ann")
    assert select(project, "tokens>14") == [0, 1]
    assert select(project, "caf\u00e9") == [0]
    assert select(project, "/^z{400}$/") == [1]
    assert select(project, "zebra") == [2]
