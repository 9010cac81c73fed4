"""What the reader shows, and how it wraps."""

from __future__ import annotations

from pathlib import Path

import planted
import pytest

from engine.model import Act, Cluster, Findings
from workbench.render.row import paragraphs
from workbench.state.entries import Entry
from workbench.text.blocks import Abreast, Beside, Block, Paragraph
from workbench.text.cells import cells
from workbench.ui.widgets.reader import wrap


def told(
    folder: Path, row: int, cluster: Cluster | None = None, *, header: bool = False, why: bool = False
) -> list[str]:
    """The document of an entry, a paragraph a line, the gutter in front."""
    with planted.opened(folder) as project:
        document = paragraphs(project, Entry(row, cluster, header), why=why)
        return [line for item in document for line in as_lines(item)]


def as_lines(item: Block) -> list[str]:
    """A paragraph as a line; texts beside each other as those of each, behind its head."""
    if isinstance(item, Paragraph):
        return [f"{item.gutter[0]}|{''.join(text for text, _ in item.styled)}"]
    return [
        line for text in item.texts for line in (f"{text.gutter[0]}/{text.head[0]}", *map(told_in, text.paragraphs()))
    ]


def told_in(paragraph: Paragraph) -> str:
    return "".join(text for text, _ in paragraph.styled)


def roles(folder: Path, row: int, cluster: Cluster | None = None) -> list[tuple[str, str]]:
    with planted.opened(folder) as project:
        document = paragraphs(project, Entry(row, cluster, False), why=False)
        return [piece for item in document if isinstance(item, Paragraph) for piece in item.styled]


def clusters() -> dict[str, Cluster]:
    return {cluster.kind: cluster for cluster in planted.findings().clusters}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return planted.make_folder(tmp_path)


def test_a_row_is_its_turns(folder: Path) -> None:
    assert told(folder, 12) == ["user|Question 12?", "|", "assistant|Answer 12.", "|", "meta|year 2018"]


def test_a_flag_points_at_the_words(folder: Path) -> None:
    assert ("I am sorry", "flag") in roles(folder, 10)


def test_a_group_is_its_keeper_and_what_differs(folder: Path) -> None:
    assert told(folder, 4, clusters()["near"], header=True) == [
        "· 4|".replace("· ", "·  ") + "1 the keeper: its sentence ends",
        "user|Say hello to Ann in French.",
        "assistant|Bonjour Ann.",
        "|",
        "·  3|2 … to Ann in French.",
        "·  5|3 Say hello to Ann in French.→french!",
    ]


def test_a_conflict_is_the_request_once_and_the_answers(folder: Path) -> None:
    assert told(folder, 6, clusters()["conflict"], header=True) == [
        "user|Is the shop open on Sunday?",
        "|",
        "·  6/1 ",
        "Yes, from nine.",
        "·  7/2 ",
        "No, never.",
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
    assert "assistant|one two thre→three" in told(folder, 11, why=True)


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
    assert 'asst ~4|find({"order": 7})' in lines
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
    assert {rows for _, rows in lines} == {(7,)}


def beside(number: int, text: str) -> Beside:
    return Beside(
        (f"{number} ", "key"),
        (f"row {number}", "muted"),
        lambda: iter([Paragraph(((text, "text"),), row=number)]),
        number,
    )


def laid_out(
    count: int, width: int, text: str = "one two three four five six seven"
) -> list[tuple[str, tuple[int, ...]]]:
    lines = wrap([Abreast(tuple(beside(number, text) for number in range(1, count + 1)))], width, 10)
    return [("".join(part for part, _ in styled), rows) for styled, rows in lines]


def test_two_texts_stand_beside_each_other_and_both_count_as_seen() -> None:
    assert laid_out(2, 63) == [
        ("1 row 1                        │ 2 row 2", ()),
        ("one two three four five six    │ one two three four five six", (1, 2)),
        ("seven                          │ seven", (1, 2)),
    ]


def test_in_a_conflict_only_the_answer_is_lit(tmp_path: Path) -> None:
    """Requests that differ in case alone are no part of the disagreement; where the answers agree they are."""
    rows = [{"instruction": "Is it open?", "output": "Yes, now."}, {"instruction": "is it OPEN?", "output": "No, now."}]
    cluster = Cluster("cc1", "conflict", (0, 1), 0, ("they disagree",))
    folder = planted.make_folder(tmp_path, rows)
    assert [text for text, role in roles(folder, 1, cluster) if role == "added"] == ["No"]
    same = [row | {"output": "Yes."} for row in rows]
    (tmp_path / "same").mkdir()
    folder = planted.make_folder(tmp_path / "same", same)
    assert [text for text, role in roles(folder, 1, cluster) if role == "added"] == ["is", "OPEN"]


@pytest.mark.parametrize(
    ("width", "bands"), [(62, [1, 1]), (63, [2, 2]), (95, [2, 2]), (96, [2, 2]), (128, [2, 2]), (129, [4])]
)
def test_as_many_texts_as_have_thirty_columns_in_even_bands(width: int, bands: list[int]) -> None:
    """Where three of four would fit beside each other they are shown two by two."""
    heads = [line.count("│") + 1 for line, _ in laid_out(4, width) if "row 1" in line or "row 3" in line]
    assert heads == bands


def test_columns_are_exactly_as_wide_as_their_share_in_any_script() -> None:
    lines = laid_out(2, 79, "這是一個很長的句子沒有空格可以換行所以必須在字中間斷開而且還要繼續下去")
    at = {cells(line.partition("│")[0]) for line, _ in lines}
    assert at == {39}


def test_where_there_is_no_room_beside_they_stand_below_each_other() -> None:
    assert [line for line, _ in laid_out(2, 50, "short")] == [
        "row 1     1 short",
        " " * 10,
        "row 2     2 short",
        " " * 10,
    ]


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
