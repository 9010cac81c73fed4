"""Rows that no trainer is given, and what a chat template refuses or drops: each is counted, named and explained."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from small_runs import rows
from tool_rows import ANSWER, ASKED, TOOL_TEMPLATE, WEATHER, conversation_row, tool_row
from transformers import AutoTokenizer

from engine.errors import UsageError
from engine.jobs.leaks import leaking_ids
from engine.model import Conversation, Example, Leaf, Message, Part, TrainingRow
from engine.sources.conversation.conversation import trainable
from engine.training.compare.arms import check_arms
from engine.training.plan.checks import leaking
from engine.training.plan.estimates import Estimate
from engine.training.plan.plan import Plan, make_plan
from engine.training.runs.launch import choose_spec
from engine.workflows.leak_check import row_json
from engine.workflows.training_sets import (
    check_all_can_be_trained,
    gather,
    left_out_refusals,
    left_out_warnings,
    nothing_left,
)
from engine.workflows.wasted_tokens import by_characters
from workbench.render.comparison import heldout_line


def example(number: int, conversation: Conversation) -> Example:
    return Example(f"r{number}", number, conversation, "", number + 1, {})


def shows(kind: str, value: str) -> Message:
    return Message("user", (Part("text", "What is this?"), Part(kind, value)))  # type: ignore[arg-type]


GOOD = Conversation((ASKED, ANSWER))
ACCEPTED = [
    example(0, GOOD),
    example(1, Conversation((ASKED, ANSWER), label=False)),
    example(2, Conversation((ASKED, ANSWER), label=True)),
    example(3, Conversation((shows("image", "cat.png"), ANSWER))),
    example(4, Conversation((ASKED,))),
    example(5, Conversation((shows("json", '{"odd": 1}'), ANSWER))),
    example(6, Conversation((shows("image", "dog.png"), shows("json", "{}"), ANSWER), label=True)),
    example(7, Conversation((ASKED, ANSWER), other=(Leaf("notes.0", '"x"'),), candidates=((ANSWER,),))),
    example(8, Conversation((ASKED, ANSWER), rejected=((Message("assistant", "Bad."),),))),
    example(9, Conversation((Message("assistant", "Once upon a time."),))),
]


def test_a_row_is_trained_only_where_its_answer_is_wanted_and_all_of_it_is_text() -> None:
    found = gather(ACCEPTED)
    assert [row.id for row in found.rows] == ["r0", "r2", "r7", "r8", "r9"]
    assert not [row for row in found.rows if "Bad." in json.dumps(row.messages)]
    assert found.counts() == {
        "marked as not wanted": 1,
        "with an image": 2,
        "without an answer at the end": 1,
        "with content that is not understood": 1,
    }


def test_the_plan_says_which_rows_are_left_out_and_what_to_do() -> None:
    found = gather(ACCEPTED)
    warnings = {note.kind: note for note in left_out_warnings(found)}
    assert warnings["unwanted"].text == "1 row is marked as not wanted and left out (row 1)"
    assert warnings["no_answer"].text == "1 row is without an answer at the end and left out (row 4)"
    assert warnings["beside"].text == (
        "no trainer sees what stands beside the conversation: notes (1 row), further answers (1 row)"
    )
    assert warnings["preferences"].ids == ("r2", "r8")
    assert warnings["preferences"].text == (
        "1 row carries a label (row 2) and 1 row carries a rejected answer (row 8): the answer that was liked is "
        "trained as any other, and nothing else of them; for a preference trainer: tamis export --format preference or "
        "kto"
    )
    assert "preferences" not in {note.kind for note in left_out_warnings(gather(ACCEPTED[:2]))}
    refusals = {note.kind: note for note in left_out_refusals(found)}
    assert refusals["media"].ids == ("r3", "r6")
    assert refusals["media"].text == (
        "tamis trains text only: 2 rows show an image (row 3, row 6): reject them, or export them for a trainer that "
        "takes images"
    )
    assert refusals["not_understood"].text == (
        "1 row holds content that is not understood (row 5): edit or reject them"
    )
    many = gather(example(number, ACCEPTED[3].conversation) for number in range(7))
    assert "(row 0, row 1, row 2, row 3, row 4, …)" in left_out_refusals(many)[0].text


def test_a_comparison_is_refused_for_what_the_plan_refuses() -> None:
    with pytest.raises(UsageError, match=r"text only: 2 rows show an image \(row 3, row 6\)"):
        check_all_can_be_trained(gather(ACCEPTED))
    check_all_can_be_trained(gather(ACCEPTED[:3]))
    told = {
        "drawn": 3,
        "measured": 2,
        "left_out": {"with an image": 1},
        "untrained": {"raw": {"marked as not wanted": 4}},
    }
    assert heldout_line(told) == (
        "held out 3 rows as drawn, 2 as reviewed (accepted); not measured: 1 with an image; "
        "not trained in raw: 4 marked as not wanted"
    )


def test_where_nothing_is_left_the_reasons_are_told() -> None:
    fault = nothing_left("nothing to train on", gather(ACCEPTED[3:5]))
    assert str(fault) == (
        "nothing to train on: no row can be trained: 1 with an image; 1 without an answer at the end. "
        "Training needs answers in text"
    )


def test_an_answer_alone_can_be_trained_and_a_request_alone_cannot() -> None:
    assert trainable((Message("assistant", "Once upon a time."),))
    assert trainable((Message("system", "Write."), Message("assistant", "Once.")))
    assert not trainable((Message("user", "Write."),))
    assert not trainable(())


def planned(tiny_model: Path, folder: Path, train: Sequence[TrainingRow], template: str) -> Plan:
    model = folder / "model"
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    tokenizer.chat_template = template
    tokenizer.save_pretrained(model)
    for name in ("config.json", "generation_config.json", "model.safetensors"):
        (model / name).write_bytes((tiny_model / name).read_bytes())
    return make_plan(choose_spec(name="p", rows=len(train), model=str(model)), train, (), runs_dir=folder)


def test_the_plan_names_the_rows_that_a_template_refuses_and_what_it_leaves_out(
    tiny_model: Path, tmp_path: Path
) -> None:
    narrated = conversation_row(Message("narrator", "Rain falls."), ASKED, ANSWER, name="narrated")
    template = TOOL_TEMPLATE.replace("message.reasoning_content", "false").replace("if tools", "if false")
    plan = planned(tiny_model, tmp_path, [narrated, tool_row(), *rows(8)], template)
    (refused,) = [note for note in plan.refusals if note.kind == "template"]
    assert refused.ids == ("narrated",)
    assert refused.text == (
        "the chat template refuses 1 of 10 rows: no turn of a narrator: edit or reject them, or choose another model"
    )
    told = {note.kind: note.text for note in plan.refusals if note.kind.startswith("lost_")}
    assert told == {
        "lost_reasoning": "the chat template leaves out the reasoning in 1 of 10 rows: "
        'set reasoning="left out" to train without it',
        "lost_tools": "the chat template leaves out the tools in 1 of 10 rows: "
        "choose a model whose template writes them, or reject these rows",
    }
    assert plan.shown[0].id == "tools"
    assert '"arguments": {"city": "Köln", "days": 2}}' in "".join(piece.text for piece in plan.shown[0].pieces)
    nothing = planned(tiny_model, tmp_path, [narrated], template)
    assert [(note.kind, note.ids) for note in nothing.refusals] == [("template", ("narrated",))]
    assert nothing.refusals[0].text.startswith("the chat template refuses 1 of 1 rows: no turn of a narrator")


def test_the_same_request_with_other_tools_or_calls_is_no_leak() -> None:
    held = [conversation_row(ASKED, ANSWER, tools=(WEATHER,), name="held")]
    same = conversation_row(ASKED, Message("assistant", "No."), tools=(WEATHER,), name="same")
    assert leaking([same, conversation_row(ASKED, ANSWER, name="no tools"), tool_row()], held) == ["same"]
    alone, other = (conversation_row(Message("assistant", text), name=text) for text in ("One.", "Two."))
    assert leaking([alone, other], [alone]) == ["One."]
    check_arms({"curated": [other], "base": ()}, [alone] * 20)


def test_leaks_are_looked_for_in_the_whole_conversation() -> None:
    """An old run's rows hold roles and texts alone, new ones calls and tools."""
    old = {
        "id": "old",
        "messages": [{"role": "user", "content": "Weather in Köln?"}, {"role": "assistant", "content": "x"}],
    }
    question = {"heldout": [row_json(tool_row())], "sets": {"raw": [row_json(tool_row()), old]}}
    assert "tools" in leaking_ids(question)["raw"]


def test_calls_reasoning_and_tools_count_where_there_is_no_tokenizer() -> None:
    row = tool_row()
    (line,) = by_characters({"all": [row.id]}, (row,), Estimate(None, "unknown"), 0.0)
    assert line.tokens > len(WEATHER + "Weather in Köln?I need the tool.The tool said so.It is 12 C.") // 4
