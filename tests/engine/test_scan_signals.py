"""Signals: each finds what it is for, says why, and keeps quiet about the rest."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scan_rows import SHARED, alpaca, chat, example, row, signals

from engine.model import Example, Flag, Message, ToolCall
from engine.scan.flagging import find_flags
from engine.scan.signals.table import SIGNALS

PROSE = "The harbour is quiet at night, and the boats lie still until the morning tide lifts them again."


def flags_of(examples: list[Example], signal: str) -> list[Flag]:
    return [flag for flag in find_flags(examples, lambda done, of: None) if flag.signal == signal]


def among_prose(*made: Example) -> list[Example]:
    """The rows, in a set whose answers end as prose should."""
    return [*made, *(row(100 + number, f"Describe harbour {number}", PROSE) for number in range(30))]


def test_the_table_is_ordered_and_names_are_unique() -> None:
    assert len({signal.name for signal in SIGNALS}) == len(SIGNALS)
    assert [signal.name for signal in SIGNALS][:4] == [
        "empty_output",
        "placeholder_output",
        "placeholder_input",
        "refusal",
    ]


@pytest.mark.parametrize(
    "word", ["noinput", "No input", "<no input>", "N/A", "[None]", "(no input needed)", "-", ".", "null"]
)
def test_a_placeholder_input_is_quoted_and_marked(word: str) -> None:
    (flag,) = flags_of([row(0, f"Describe a river.\n\n{word}")], "placeholder_input")
    assert (flag.severity, flag.reason) == ("fix", f'input is a placeholder: "{word}"')
    assert flag.span is not None
    assert "Describe a river.\n\n" + word == row(0, f"Describe a river.\n\n{word}").messages[0].text[: flag.span.end]
    assert flag.span.start == len("Describe a river.\n\n")


@pytest.mark.parametrize(
    "prompt", ["Describe a river.", "Is this a number?\n\n42", "Which one?\n\nNone of the above", "Classify:\nNA cells"]
)
def test_real_inputs_are_no_placeholders(prompt: str) -> None:
    assert flags_of([row(0, prompt)], "placeholder_input") == []


@pytest.mark.parametrize("answer", ["No output", "<nooutput>", "N/A", "none", "No input needed.", "TODO"])
def test_a_placeholder_answer(answer: str) -> None:
    (flag,) = flags_of([row(0, "Describe a river.", answer)], "placeholder_output")
    assert flag.severity == "drop"
    assert flags_of([row(0, "Describe a river.", "None of them is longer than the Nile.")], "placeholder_output") == []


def test_an_empty_answer_but_not_a_tool_call() -> None:
    call = example(1, Message("user", "Weather?"), Message("assistant", tool_calls=(ToolCall("weather"),)))
    assert [flag.row for flag in flags_of([row(0, "Describe a river.", " \n"), call], "empty_output")] == [0]


@pytest.mark.parametrize(
    "answer",
    [
        "I'm sorry, but I cannot assist with that request.",
        "As an AI language model, I do not have feelings.",
        "I’m an AI and can't open files.",
        "Sorry, this task requires a picture which cannot be generated.",
        "I do not have access to the internet.",
        "Désolé, je ne peux pas répondre.",
        "Es tut mir leid, das kann ich nicht.",
        "抱歉，我无法回答这个问题。",
    ],
)
def test_refusals(answer: str) -> None:
    (flag,) = flags_of([row(0, "Describe the picture.", answer)], "refusal")
    assert flag.severity == "drop"
    assert '"' in flag.reason


@pytest.mark.parametrize(
    ("prompt", "answer"),
    [
        (
            "State a law of physics",
            "The law of conservation of energy states that energy cannot be created or destroyed.",
        ),
        ("Write a song.", "I can't help but wonder, as I wander down the shore"),
        ("Write a letter of apology", "Dear Ann, I'm sorry that I cannot come on Friday."),
        ("Sort it out", "Sorry seems to be the hardest word, sang Elton John."),
        ("What is it good for?", "It works as a machine learning tool."),
        ("Repeat: I cannot help you", "I cannot help you"),
    ],
)
def test_answers_that_only_sound_like_a_refusal(prompt: str, answer: str) -> None:
    assert flags_of([row(0, prompt, answer)], "refusal") == []


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ('{"intent": "refund", "prod', "the JSON stops half way"),
        ('[{"a": 1}, {"a"', "the JSON stops half way"),
        ("Use this:\n```python\nprint(1)\n", "a code fence is opened and never closed"),
        (
            "The harbour is quiet at night. The boats lie still until the morning tide lifts the",
            'ends with the word "the"',
        ),
        (
            "The harbour is quiet at night. The boats lie still until the morning tide lifts them aga",
            "stops inside a word",
        ),
        ("The harbour is quiet at night, and all of the boats lie still,", 'the answer ends with ","'),
        ("The harbour is quiet at night. The boats lie still until the morning comes", "the last sentence has no end"),
        (
            "Three things:\n1. Sweep the whole quay.\n2. Mend all the nets.\n3. Count the boats that came in",
            "the last list item is not closed",
        ),
    ],
)
def test_answers_that_stop_before_their_end(answer: str, why: str) -> None:
    (flag,) = flags_of(among_prose(row(0, "Describe it.", answer)), "truncated")
    assert why in flag.reason
    assert flag.row == 0


@pytest.mark.parametrize(
    "answer",
    [
        PROSE,
        "Paris",
        '{"a": {"b": [1, 2]}}',
        "- nets\n- lamps\n- ropes and sails of every size and colour",
        "Dear Sir,\nthe harbour is closed. Please come on Monday.\nYours sincerely\nThe harbour master of the old town",
        "The total is 12 + 30. We add both numbers to get the sum = 42 boats in the harbour",
        "See https://example.org/harbour/night/boats/still/until/morning",
        "def harbour(x):\n    y = x + 1\n    return y",
        "#harbour #night #boats we love the harbour at night. Come and see it all with us! #sea",
    ],
)
def test_answers_that_are_whole(answer: str) -> None:
    assert flags_of(among_prose(row(0, "Describe it.", answer)), "truncated") == []


def labels(*odd: str) -> list[Example]:
    intents = ("billing", "refund", "delivery")
    usual = [f'{{"intent": "{intents[number % 3]}", "urgency": "high"}}' for number in range(60)]
    return [row(number, f"Ticket {number}", answer) for number, answer in enumerate([*odd, *usual])]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("Intent: billing, urgency high", "the answer is text; "),
        ('{"intent": "billing", "urgency": "high",}', "broken JSON"),
        ('{"intent": "billing"}', 'the key "urgency" is missing'),
        (
            '{"intent": "biling", "urgency": "high"}',
            'intent is "biling"; elsewhere it is one of billing, delivery, refund',
        ),
        ('{"intent": "billing", "urgency": "high", "note": "x"}', 'the key "note" stands in hardly any other answer'),
    ],
)
def test_an_answer_in_another_format_than_the_set(answer: str, why: str) -> None:
    (flag,) = flags_of(labels(answer), "format_majority")
    assert (flag.row, flag.severity) == (0, "check")
    assert why in flag.reason


def test_a_label_nobody_else_uses() -> None:
    made = [row(number, f"Review {number}", ("positive", "negative")[number % 2]) for number in range(60)]
    (flag,) = flags_of([*made, row(60, "Review 60", "postive")], "format_majority")
    assert flag.reason == '"postive" is none of the labels used here (negative, positive)'


def test_a_set_of_free_text_has_no_format() -> None:
    assert flags_of(among_prose(row(0, "Give JSON", '{"a": 1}')), "format_majority") == []


def test_a_foreign_row_in_a_narrow_set_is_off_topic_and_changes_no_bucket() -> None:
    things = ("rope", "crane", "lamp", "quay", "boat")
    narrow = [
        row(
            n,
            f"Where do I repair the {things[n % 5]} of my fishing boat in the harbour?",
            f"At the harbour dock, quay {n}.",
        )
        for n in range(80)
    ]
    (flag,) = flags_of(
        [*narrow, row(80, "Compose a sonnet praising differential equations", "Thy gradient soars beyond euclid")],
        "off_topic",
    )
    assert (flag.row, flag.severity) == (80, "info")


def test_rows_in_words_the_set_has_dropped_are_stale() -> None:
    made = []
    for number in range(210):
        year = 2018 + number % 7
        name = "the Oldmark" if year <= 2019 and number % 2 else "the Newmark"
        made.append(row(number, f"My order of {name} is late, number {number}", "Wait.", year=year))
    found = flags_of(made, "stale")
    named = [flag for flag in found if "Oldmark" in flag.reason]
    assert named
    assert all("which no row after 2019 does" in flag.reason for flag in named)
    assert {flag.row for flag in found} == {number for number in range(210) if number % 7 <= 1}
    assert flags_of([row(number, "A thing", "B") for number in range(50)], "stale") == []


def test_conversations_out_of_order() -> None:
    tool = example(
        3,
        Message("user", "Weather?"),
        Message("assistant", "Let me see."),
        Message("tool", "12 C"),
        Message("assistant", "12 C."),
    )
    called = example(
        4,
        Message("user", "Weather?"),
        Message("assistant", tool_calls=(ToolCall("weather"),)),
        Message("tool", "12 C"),
        Message("assistant", "12 C."),
    )
    made = [
        example(0, Message("assistant", "Hello!"), Message("user", "Hi"), Message("assistant", "Yes?")),
        example(1, Message("user", "One"), Message("user", "Two"), Message("assistant", "Three")),
        example(2, Message("user", "One"), Message("system", "Be kind"), Message("assistant", "Three")),
        tool,
        called,
        chat(5, "One", "Two", "Three", "Four", system="Be kind"),
    ]
    assert [flag.row for flag in flags_of(made, "role_order")] == [0, 1, 2]
    assert [flag.row for flag in flags_of(made, "tool_result")] == [3]


def test_empty_turns_and_missing_ends() -> None:
    made = [
        chat(0, "One", "", "Three", "Four"),
        chat(1, "One", "Two", "Three"),
        chat(2, "One", "Two", "", "Four"),
        chat(3, "Name the first number.", ""),
    ]
    found = find_flags(made, lambda done, of: None)
    assert [(flag.row, flag.signal) for flag in found] == [
        (0, "empty_turn"),
        (1, "ends_on_user"),
        (2, "empty_turn"),
        (3, "empty_output"),
    ]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=120), st.text(max_size=120)), min_size=1, max_size=30))
def test_every_signal_survives_any_text_and_its_spans_lie_in_it(pairs: list[tuple[str, str]]) -> None:
    made = [row(number, prompt, answer, year=2000 + number) for number, (prompt, answer) in enumerate(pairs)]
    for flag in find_flags(made, lambda done, of: None):
        if flag.span is not None:
            text = made[flag.row].messages[flag.span.turn].text
            assert 0 <= flag.span.start <= flag.span.end <= len(text)
        assert "\n" not in flag.reason
        assert len(flag.reason) < 300


@pytest.mark.parametrize(
    "unit",
    [
        "a",
        " ",
        "\n",
        "sorry ",
        "- ",
        "{",
        '{"a":',
        "``` ",
        "1. x\n",
        "\"'",
        "no input ",
        "Aa. ",
        "\u0301",
        "x@y ",
        "( ",
    ],
)
def test_no_text_makes_a_signal_slow(unit: str) -> None:
    text = unit * (400_000 // len(unit))
    started = time.process_time()
    find_flags([row(0, text, text), row(1, text, text + "z")], lambda done, of: None)
    assert time.process_time() - started < 5


def test_presumed_good_rows_are_left_alone() -> None:
    path = SHARED / "gsm8k_test.jsonl"
    if not path.exists():
        pytest.skip("the measuring data is not on this machine")
    import json
    import re

    made = []
    for number, line in enumerate(path.read_text("utf-8").splitlines()):
        content = json.loads(line)
        answer = re.sub(r"<<[^<>]{0,80}>>", "", content["answer"]).split("####")[0].strip()
        made.append(alpaca({"instruction": content["question"], "output": answer}, number))
    found = find_flags(made, lambda done, of: None)
    for signal in SIGNALS:
        assert sum(flag.signal == signal.name for flag in found) <= 0.01 * len(made), signal.name


def test_flags_come_by_row_and_then_in_the_order_of_the_table() -> None:
    made = [chat(0, "", "One", "Two"), row(1, "Describe it.\n\nnoinput", "")]
    findings = find_flags(made, lambda done, of: None)
    assert [(flag.row, flag.signal) for flag in findings] == [
        (0, "empty_turn"),
        (0, "ends_on_user"),
        (1, "empty_output"),
        (1, "placeholder_input"),
    ]


def test_helpers_agree() -> None:
    from engine.scan.pipeline import scan

    assert signals(scan([row(0, "Describe the river.", "")]), 0) == {"empty_output"}
