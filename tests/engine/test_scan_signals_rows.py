"""What each signal is for, on rows made by hand: it speaks where the fault is and keeps quiet beside it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scan_rows import ROOT, chat, example, row

from engine.model import Example, Flag, Message, ToolCall
from engine.scan.flagging import find_flags
from engine.scan.signals.table import SIGNALS
from engine.scan.signals.typos import dictionary

BY_NAME = {signal.name: signal for signal in SIGNALS}
SUNSET = "The sun sinks behind the hills, and the valley turns from gold to grey before the first lamp is lit."


def flags(examples: list[Example], signal: str) -> list[Flag]:
    return [flag for flag in find_flags(examples, lambda done, of: None) if flag.signal == signal]


def reason(signal: str, prompt: str, answer: str = SUNSET) -> str:
    """Why the signal flags this row among ordinary ones, '' where it does not."""
    ordinary = [row(100 + n, f"Tell me how evening number {n} comes to the valley.", SUNSET) for n in range(12)]
    found = [flag for flag in flags([row(0, prompt, answer), *ordinary], signal) if flag.row == 0]
    return found[0].reason if found else ""


FAULTY = [
    ("link", "Summarize this article.\n\nhttps://news.site/2019/07/flood", "asks about a page that cannot be opened"),
    ("attachment", "Describe the following picture.", 'not in the text: "the following picture"'),
    ("attachment", "What does it show?\n\n[image of a lighthouse]", "image of a lighthouse"),
    ("not_text_task", "Draw a horse with two riders.", "words cannot do"),
    ("not_text_task", "Design a logo for a bakery.", "Design a logo"),
    ("not_text_task", "Search the web for the tallest tree.", "look something up"),
    ("not_text_task", "Find the nearest pharmacy.", "right now"),
    ("missing_input", "Proofread the following paragraph.", "but no text is given"),
    ("missing_input", "Write a thank-you note.\n\n[insert name here]", "a slot was never filled in"),
    ("vague_prompt", "how u", "too short to be clear"),
    ("vague_prompt", "hello french", "too short to be clear"),
]


@pytest.mark.parametrize(("signal", "prompt", "why"), FAULTY)
def test_requests_that_cannot_be_answered_as_they_stand(signal: str, prompt: str, why: str) -> None:
    assert why in reason(signal, prompt)


SOUND = [
    ("link", "Which domain does this link belong to?\n\nhttps://news.site/2019/07/flood"),
    ("link", "Summarize: https://news.site/a\n\n" + 12 * "The river rose again last night. "),
    ("attachment", "Write a caption for a picture of a dog asleep on a red sofa."),
    ("attachment", "Explain how a photograph is developed in a darkroom."),
    ("not_text_task", "Write a short story about a logo designer."),
    ("not_text_task", "Write a Python function that draws a circle."),
    ("not_text_task", "Suggest three names for a mobile game about bees."),
    ("missing_input", "Proofread the following paragraph: The boats was late."),
    ("missing_input", "Summarize the story of Romeo and Juliet."),
    ("missing_input", "Write a function that sorts the given list."),
    ("vague_prompt", "Name three rivers"),
    ("vague_prompt", "写一首关于春天的诗"),
    ("vague_prompt", "12 * 7"),
]


@pytest.mark.parametrize(("signal", "prompt"), SOUND)
def test_requests_that_can(signal: str, prompt: str) -> None:
    assert reason(signal, prompt) == ""


ANSWERS = [
    (
        "described_only",
        "Create a web page about bees.",
        "The web page should include a header and a list.",
        "talks about it",
    ),
    ("arithmetic", "How many?", "She sold 16 - 3 - 4 = 10 eggs.", "but it is 9"),
    ("arithmetic", "How much?", "It costs 3 apples * $2/apple = $8 in all.", "but it is 6"),
    ("arithmetic", "How much?", "Together 1,200 + 300 = 1,600 people came.", "but it is 1500"),
    ("arithmetic", "What is 17 + 25?", "The answer is 41.", "17 + 25 is 42"),
    (
        "list_count",
        "Give 3 tips for sleeping well.",
        "1. Dark\n2. Quiet\n3. Cool\n4. Late\n5. Alone\n6. Tired",
        "asks for 3 tips, lists 6",
    ),
    ("list_count", "Name four rivers in France.", "Seine, Loire, Rhone", "names 3"),
    ("length_limit", "Describe the sea in one sentence. Use at most 10 words.", " ".join(["wave"] * 30), "has 30"),
    # Letters that only fold to those of the words.
    ("length_limit", "Describe the sea in \u017fix words.", " ".join(["wave"] * 30), "has 30"),
    ("list_count", "Name f\u0130ve rivers in France.", "Seine, Loire, Rhone", "names 3"),
    ("length_limit", "Explain rain in 2 sentences.", "It rains. The sky is wet. Clouds are made of water.", "has 3"),
    (
        "requested_format",
        "Return the name and age as JSON.\n\nAnn is 7",
        "Ann, 7",
        "JSON was asked for, the answer has none",
    ),
    ("requested_format", "Return it as JSON.\n\nAnn is 7", "{'name': 'Ann', 'age': 7}", "does not parse"),
    ("requested_format", "Print it. Put the command in a code block.", "Type ls", "a code block was asked for"),
    (
        "requested_format",
        "Sum it up as a bulleted list.",
        "First comes the fog and then the rain and the snow.",
        "running text",
    ),
    ("repetition", "Tell me.", "It went well. " + 3 * "We all came home by the same long road. ", "in a row"),
    ("repetition", "Tell me.", "We went down to the sea " + 8 * "and we sang and danced ", "ends in a loop"),
    ("language_mismatch", "请写一段关于城市夜晚的短文，描述灯光和街道。", SUNSET, "the request is in Han script"),
    (
        "language_mismatch",
        "Explain to me in a few words how the people of this village earn their living in winter.",
        "Im Winter leben die Leute im Dorf vom Holz, das sie im Wald schlagen und auf dem Markt verkaufen.",
        "the answer in 'de'",
    ),
    ("copied_prompt", "Describe the old harbour at night.", "Describe the old harbour at night.", "the request itself"),
    (
        "merged_rows",
        "Name a hill.",
        "The Brocken.\n17. Instruction: Name a river.\n17. Output: The Nile.",
        "another row",
    ),
    ("template", "Name a hill.", "### Response:\nThe Brocken.", "### Response:"),
    ("template", "Name a hill.", "The Brocken.<|im_end|>", "<|im_end|>"),
    ("mojibake", "Name a cafÃ© in the old town, please.", "The GrÃ¼ne HÃ¼tte.", "broken encoding"),
    ("html_entities", "Who sings?", "Tom &amp; Ann sing.", "&amp;"),
    ("control_chars", "Who sings?", "Tom\x07 and Ann\u200b sing.", "U+0007"),
    ("escapes", "Who sings?", "Tom sings.\\n\\nAnn sings too.", "\\n"),
]


@pytest.mark.parametrize(("signal", "prompt", "answer", "why"), ANSWERS)
def test_faulty_answers(signal: str, prompt: str, answer: str, why: str) -> None:
    assert why in reason(signal, prompt, answer)


WHOLE = [
    ("described_only", "Describe what a web page about bees should include.", "The web page should include a header."),
    ("arithmetic", "How many?", "She sold 16 - 3 - 4 = 9 eggs, 10 / 3 = 3.33 each, and 50% of 20 = 10."),
    ("arithmetic", "How long?", "It takes 1 hour + 30 minutes = 90 minutes; 2 hours + 1 hour = 180 minutes."),
    ("arithmetic", "Solve it.", "3x + 2 = 8, so x = 2. In 2020 - 21 = a season. f(x) = 3. Half of 20 + 3 = 13."),
    ("arithmetic", "What is it?", "The date 2020-01-05 = a Sunday and the version is 1.2.3 = stable."),
    ("list_count", "Give 3 tips for sleeping well.", "1. Dark\n2. Quiet\n3. Cool"),
    ("list_count", "Give at least 3 tips for sleeping well.", "1. Dark\n2. Quiet\n3. Cool\n4. Late"),
    ("list_count", "Name rivers longer than 5 miles.", "Seine, Loire, Rhone"),
    ("length_limit", "Explain rain in about 2 sentences.", "It rains. The sky is wet. Clouds are made of water."),
    ("requested_format", "Return the age as JSON.\n\nAnn is 7", '```json\n{"age": 7}\n```'),
    ("requested_format", "Explain what JSON is.", "It is a format."),
    ("repetition", "Write a song.", 3 * "Row your boat along the stream. "),
    ("repetition", "Make a table.", "| a | b |\n|---|---|\n| 1 | 1 |\n| 1 | 1 |\n| 1 | 1 |\n| 1 | 1 |"),
    (
        "language_mismatch",
        "Translate into French: I am going home tonight with my old friend.",
        "Je rentre à la maison ce soir avec mon vieil ami, et nous mangerons ensemble.",
    ),
    (
        "language_mismatch",
        "写一个函数，计算两个数的和，并返回结果。",
        "```python\ndef add(a, b):\n    return a + b\n```",
    ),
    ("copied_prompt", "Correct the spelling.\n\nThe boats were late.", "The boats were late."),
    ("merged_rows", "Write a dialogue between a user and an assistant.", "Human: Hi\nAssistant: Hello\nHuman: Bye"),
    ("template", "Explain Markdown.", "Use ### for a heading.\n\n### Like this one\nThen text."),
    ("mojibake", "Où est le café?", "Le café est à côté, près de l’hôtel « Étoile ». Größe: 5 €."),
    ("mojibake", "Расскажи о море.", "Море синее, и волны шумят всю ночь до рассвета."),
    ("html_entities", "How do I write < in HTML?", "Write &lt; for it."),
    ("control_chars", "Say it in Persian.", "می\u200cخواهم \u202bسلام\u202c"),
    ("escapes", "Where is it?", "In C:\\new\\notes, see $\\nabla$."),
    ("truncated", "请写一句话。", "夜晚的城市很安静，街上没有人。"),
]


@pytest.mark.parametrize(("signal", "prompt", "answer"), WHOLE)
def test_sound_answers(signal: str, prompt: str, answer: str) -> None:
    assert reason(signal, prompt, answer) == ""


REPAIRS = [
    ("placeholder_input", "Name a hill.\n\nnoinput", "Name a hill."),
    ("placeholder_input", "<no input>", ""),
    ("merged_rows", "The Brocken.\n17. Instruction: Name a river.\n17. Output: The Nile.", "The Brocken."),
    ("template", "### Response:\nThe Brocken.<|im_end|>", "The Brocken."),
    ("template", "<|im_start|>assistant\nThe Brocken.", "The Brocken."),
    ("mojibake", "The GrÃ¼ne HÃ¼tte isnâ€™t far.", "The Grüne Hütte isn’t far."),
    ("html_entities", "Tom &amp;amp; Ann &lt;3", "Tom & Ann <3"),
    ("control_chars", "Tom\x07 and\u2028Ann\u200b", "Tom and\nAnn"),
    ("escapes", 'Tom sings.\\n\\"Ann\\" too.', 'Tom sings.\n"Ann" too.'),
]


@pytest.mark.parametrize(("signal", "text", "mended"), REPAIRS)
def test_repairs_mend_the_text_and_nothing_twice(signal: str, text: str, mended: str) -> None:
    repair = BY_NAME[signal].repair
    assert repair is not None
    assert repair(text) == mended
    assert repair(mended) == mended


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([signal.name for signal in SIGNALS if signal.repair]), st.text(max_size=300))
def test_a_repair_is_done_after_one_pass(signal: str, text: str) -> None:
    repair = BY_NAME[signal].repair
    assert repair is not None
    once = repair(text)
    if signal != "mojibake":  # decoding twice is sometimes right
        assert repair(once) == once or signal in ("html_entities", "escapes", "merged_rows", "placeholder_input")


KEY = "AKIA" + "QZ7RW2MN" + "PLK4TVBX"
TOKEN = "ghp_" + "a8Kd02ks" * 5


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (f"Use {KEY} to log in.", "aws key"),
        (f"git clone with {TOKEN} please", "github token"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIEow9Kd\n-----END RSA PRIVATE KEY-----", "private key"),
        ("postgres://admin:tr0ub4dor@db.internal/main", "url password"),
        ('password = "h7Gt9!kLq2"', "password"),
    ],
)
def test_secrets_are_named_but_not_shown(text: str, kind: str) -> None:
    (flag,) = flags([row(0, "How do I sign in to the server?", text)], "secrets")
    assert flag.reason.startswith(f"a {kind}: ")
    masked = BY_NAME["secrets"].repair
    assert masked is not None
    assert "-" in masked(text)
    assert flags([row(0, "How do I sign in to the server?", masked(text))], "secrets") == []


@pytest.mark.parametrize("text", ["Use AKIAIOSFODNN7EXAMPLE.", 'password = "your_password1"', "sk-learn is a library"])
def test_secrets_of_documentation_are_none(text: str) -> None:
    assert flags([row(0, "How do I sign in to the server?", text)], "secrets") == []


def test_personal_data_get_the_same_mask_everywhere() -> None:
    made = [
        row(0, "Who answers?", "Write to marta.kovacs@posteo.hu or call 212-736-5018."),
        row(1, "And who else?", "Only marta.kovacs@posteo.hu does."),
    ]
    found = flags(made, "personal_data")
    assert [flag.reason for flag in found] == ['email: "mart…", and 1 more', 'email: "mart…"']
    repair = BY_NAME["personal_data"].repair
    assert repair is not None
    first, second = (repair(one.answer) for one in made)
    mask = second.split()[1]
    assert mask.startswith("<email-")
    assert mask in first
    assert "736" not in first


@pytest.mark.parametrize(
    "text", ["Write to info@example.com.", "Call 555-123-4567.", "Pi is 3.14159265358979.", "ISBN 978-3-16-148410-0"]
)
def test_numbers_and_addresses_of_nobody(text: str) -> None:
    assert flags([row(0, "Who answers the letters?", text)], "personal_data") == []


def test_thinking_and_calls_must_close() -> None:
    made = [
        example(0, Message("user", "Why?"), Message("assistant", "<think>Because of the rain")),
        example(1, Message("user", "Why?"), Message("assistant", "<think>Rain.</think>Because.")),
        example(2, Message("user", "Why?"), Message("assistant", "Rain.</think>Because.")),
        example(3, Message("user", "Call it"), Message("assistant", '<tool_call>{"name": }</tool_call>')),
        example(4, Message("user", "Call it"), Message("assistant", '<tool_call>{"name": "x"}</tool_call>')),
        example(5, Message("user", "Call it"), Message("assistant", tool_calls=(ToolCall("weather", '{"city": '),))),
    ]
    assert [flag.row for flag in flags(made, "unbalanced")] == [0, 3, 5]


def test_several_results_may_answer_one_call() -> None:
    made = example(
        0,
        Message("user", "Both?"),
        Message("assistant", tool_calls=(ToolCall("a"), ToolCall("b"))),
        Message("tool", "1"),
        Message("tool", "2"),
        Message("assistant", "3"),
    )
    assert flags([made], "tool_result") == []


def test_a_system_prompt_is_missed_where_the_set_has_one() -> None:
    made = [chat(n, f"Question {n} of many?", "Yes.", system="Be kind.") for n in range(30)]
    (flag,) = flags([*made, chat(30, "Question 30 of many?", "Yes.")], "no_system_prompt")
    assert (flag.row, flag.reason) == (30, "no system prompt; 97% of the rows have one")
    assert flags([chat(n, f"Question {n}?", "Yes.") for n in range(30)], "no_system_prompt") == []


def test_outliers_and_repeated_answers_inform() -> None:
    made = [row(n, f"Tell me about evening {n}, please.", SUNSET + f" Evening {n}.") for n in range(300)]
    long = row(300, "Tell me everything.", 400 * SUNSET)
    same = [row(301 + n, f"What about topic {n}?", "Please contact our friendly support team today.") for n in range(5)]
    found = find_flags([*made, long, *same], lambda done, of: None)
    assert [flag.row for flag in found if flag.signal == "length_outlier"] == [300]
    assert {flag.row for flag in found if flag.signal == "repeated_output"} == set(range(301, 306))
    assert {flag.severity for flag in found if flag.signal in ("length_outlier", "repeated_output")} == {"info"}


def test_code_other_languages_and_long_talks_do_not_drown_in_flags() -> None:
    talks = [
        chat(
            n,
            "Hi",
            "Hello! How can I help?",
            "my order is late",
            "I am sorry to hear that. Which one?",
            f"{n}",
            "It is on its way.",
        )
        for n in range(20)
    ]
    code = [
        row(20 + n, f"Write a Python function that adds {n}.", f"```python\ndef add(x):\n    return x + {n}\n```")
        for n in range(20)
    ]
    chinese = [
        row(40 + n, f"介绍一下第{n}个城市的历史和文化。", "这座城市历史悠久，文化丰富，是著名的旅游胜地。")
        for n in range(20)
    ]
    arabic = [
        row(60 + n, f"اكتب جملة عن المدينة رقم {n} وتاريخها", "هذه المدينة قديمة جدا ولها تاريخ طويل.")
        for n in range(20)
    ]
    found = find_flags([*talks, *code, *chinese, *arabic], lambda done, of: None)
    assert [(flag.row, flag.signal, flag.reason) for flag in found if flag.severity != "info"] == []


def test_the_page_about_signals_lists_all_of_them_and_its_example_runs() -> None:
    page = (ROOT / "docs" / "signals.md").read_text("utf-8")
    for signal in SIGNALS:
        assert f"| `{signal.name}` | {signal.severity} | {signal.about} | {'yes' if signal.repair else ''} |" in page
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    made: dict[str, Any] = {}
    exec(compile(code, "docs/signals.md", "exec"), made)
    shouted = row(0, "Say it loudly.", "THE BOAT IS IN THE HARBOUR.")
    (flag,) = find_flags([shouted], lambda done, of: None, (made["SHOUTING"],))
    assert (flag.severity, flag.reason) == ("fix", 'the answer shouts: "THE BOAT IS IN THE HARBOUR."')


def test_a_slip_in_an_answer_is_told_and_one_alone_in_a_request_is_not() -> None:
    if not dictionary():
        pytest.skip("codespell is not installed")
    made = [
        row(0, "Tell me about the harbour", "It was built seperately from the town."),
        row(1, "Tell me about the pier and its accomodation", "It stands in the sea."),
        row(2, "Tell me about the definately oldest pier and the goverment", "It stands in the sea."),
        row(3, "Correct the spelling: seperately, accomodation", "separately, accommodation"),
    ]
    found = {flag.row: flag.reason for flag in find_flags(made, lambda done, of: None) if flag.signal == "typos"}
    assert found == {
        0: '"seperately" is a common misspelling of "separately"',
        2: '"definately" is a common misspelling of "definitely", and 1 more',
    }
