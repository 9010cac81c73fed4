"""What the reader shows, and how it wraps."""

from __future__ import annotations

from pathlib import Path

import planted
import pytest

from engine.model import Act, Cluster, Findings
from workbench.document import Paragraph, paragraphs
from workbench.view import Entry
from workbench.widgets.reader import wrap


def told(
    folder: Path, row: int, cluster: Cluster | None = None, *, header: bool = False, why: bool = False
) -> list[str]:
    """The document of an entry, a paragraph a line, the gutter in front."""
    with planted.opened(folder) as project:
        document = paragraphs(project, Entry(row, cluster, header), why=why)
        return [f"{item.gutter[0]}|{''.join(text for text, _ in item.styled)}" for item in document]


def roles(folder: Path, row: int, cluster: Cluster | None = None) -> list[tuple[str, str]]:
    with planted.opened(folder) as project:
        document = list(paragraphs(project, Entry(row, cluster, False), why=False))
        return [piece for item in document for piece in item.styled]


def clusters() -> dict[str, Cluster]:
    return {cluster.kind: cluster for cluster in planted.findings().clusters}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return planted.make_folder(tmp_path)


def test_a_row_is_its_turns(folder: Path) -> None:
    assert told(folder, 12) == ["user|Question 12?", "|", "assistant|Answer 12."]


def test_a_flag_points_at_the_words(folder: Path) -> None:
    assert ("I am sorry", "flag") in roles(folder, 10)


def test_a_group_is_its_keeper_and_what_differs(folder: Path) -> None:
    assert told(folder, 4, clusters()["near"], header=True) == [
        "· 4|".replace("· ", "·  ") + "1 the keeper: its sentence ends",
        "user|Say hello to Ann in French.",
        "assistant|Bonjour Ann.",
        "|",
        "·  3|2 … to Ann in French.",
        "·  5|3 Say hello to Ann in French.french!",
    ]


def test_a_conflict_is_the_request_once_and_the_answers(folder: Path) -> None:
    assert told(folder, 6, clusters()["conflict"], header=True) == [
        "user|Is the shop open on Sunday?",
        "|",
        "·  6|1 Yes, from nine.",
        "|",
        "·  7|2 No, never.",
        "|",
    ]
    assert ("never", "added") in roles(folder, 7, clusters()["conflict"])


def test_why_tells_every_finding_and_the_decision(folder: Path) -> None:
    with planted.opened(folder) as project:
        project.decide([Act("reject", (project.rows.id(10),))], why="refusal")
    lines = told(folder, 10, why=True)
    assert lines[0] == 'why|refusal the answer refuses: "I am sorry"'
    assert lines[1].startswith("|rejected by ann, ")
    assert lines[1].endswith("(refusal)")


def test_an_edit_is_shown_as_a_difference(folder: Path) -> None:
    with planted.opened(folder) as project:
        row = dict(project.rows.raw(11)) | {"output": "one two three"}
        project.decide([Act("edit", (project.rows.id(11),), {project.rows.id(11): row})])
    assert told(folder, 11)[0] == "edited|2 words changed by hand; w shows the change"
    assert "assistant|one two threthree" in told(folder, 11, why=True)


def test_long_system_prompts_are_folded_and_calls_are_readable(tmp_path: Path) -> None:
    call = {"type": "function", "function": {"name": "find", "arguments": '{"order": 7}'}}
    row = {
        "messages": [
            {"role": "system", "content": "be kind " * 100},
            {"role": "user", "content": "where is it?"},
            {"role": "assistant", "content": "", "tool_calls": [call]},
            {"role": "tool", "content": "on its way"},
            {"role": "assistant", "content": "On its way.", "weight": 0},
        ]
    }
    folder = planted.make_folder(tmp_path, [row], Findings.empty(1))
    lines = told(folder, 0)
    assert lines[0].endswith("(200 words; w unfolds)")
    assert 'assistant|find({"order": 7})' in lines
    assert lines[-1] == "|(not trained on)"
    assert told(folder, 0, why=True)[2] == f"sys ~200|{'be kind ' * 100}"


def test_a_row_of_another_shape_shows_what_the_file_holds(tmp_path: Path) -> None:
    folder = planted.make_folder(tmp_path, [*planted.rows()[:3], {"other": 1}], Findings.empty(4))
    assert told(folder, 3)[1:] == ["raw|{", '|  "other": 1', "|}"]


def test_wrapping_keeps_the_gutter_and_sets_later_lines_in() -> None:
    lines = list(wrap([Paragraph((("one two three four", "text"),), ("user", "user"), row=7, hang=2)], 20, 10))
    assert ["".join(text for text, _ in styled) for styled, _ in lines] == [
        "user      one two",
        "            three",
        "            four",
    ]
    assert {row for _, row in lines} == {7}


def test_a_megabyte_is_wrapped_only_as_far_as_it_is_read() -> None:
    read = 0

    def endless() -> object:
        nonlocal read
        while True:
            read += 1
            yield Paragraph((("x" * 1_000_000, "text"),))

    lines = wrap(endless(), 80, 10)  # type: ignore[arg-type]
    for _ in range(50):
        next(lines)
    assert read == 1
