"""A megabyte of one thing in one row: no step of the scan takes more than moments over it."""

from __future__ import annotations

import time

import pytest
from scan_rows import row

from engine.scan.pipeline import scan

MEGABYTE = 1_000_000
UNITS = [
    *(
        "x",
        " ",
        "\n",
        "\t",
        "\r\n",
        "[",
        "{",
        "(",
        '"',
        "'",
        "`",
        "```a\n",
        "- ",
        "* ",
        "# ",
        "> ",
        "|",
        "-",
        "_",
        "=",
        ".",
    ),
    *(
        "1",
        "1.",
        "1,",
        "1/",
        "12:",
        "1+",
        "1=1 ",
        "1+1=3 ",
        "5!",
        "1e5 ",
        "-1 ",
        "(1) ",
        "1. a\n",
        "1) ",
        "a) ",
        "iv. ",
    ),
    *("2019-01-01 ", "01/02/2019 ", "3 March 2019 ", "5 km ", "$1,000 ", "50% ", "+1 234 567 8900 ", "1.1.1.1 "),
    *(
        "a@",
        "a@b.co ",
        "http://a.b/ ",
        "http://a:",
        "www.",
        "<b>",
        "<a href=",
        "</",
        "&amp;",
        "[a](b) ",
        "![a](",
        "[1] ",
    ),
    *(
        "password=",
        "-----BEGIN PRIVATE KEY-----",
        "eyJ",
        "eyJaaaaaaaaaa.",
        "sk-aaaaaaaaaaaaaaaaaaaaaaaa ",
        "AKIA",
        "QUJD",
    ),
    *(
        '{"a":1,',
        '{"a":1}\n',
        '{"a":',
        "[1,",
        "\\n",
        "\\",
        "\\u00e9",
        "\\frac{a}{b} ",
        "$$x$$ ",
        "def f(x):\n  return x\n",
    ),
    *(
        "😀",
        "👩\u200d",
        "e\u0301",
        "\u0301",
        "سلام ",
        "漢",
        "ก",
        "한",
        "Ã©",
        "â€™",
        "\ufffd",
        "\x00",
        "\xa0",
        "\u200b",
        "\u2028",
    ),
    *("I cannot ", "sorry, ", "the following ", "[insert ", "a ", "not ", "This is it. ", "Mr. Smith ", "? ", "... "),
    *("<tool_call>", "<|im_start|>", "Human: ", "### Instruction:\n", "\nuser: ", "| a | b |\n"),
]


@pytest.mark.slow
@pytest.mark.parametrize("unit", UNITS)
def test_a_megabyte_of_one_thing_is_scanned_in_moments(unit: str) -> None:
    text = unit * (MEGABYTE // len(unit))
    for rows in ([("What is it?", text)], [(text, "It is.")], [(text, text), (text + " a", text + " b")]):
        made = [row(number, request, answer) for number, (request, answer) in enumerate(rows)]
        started = time.process_time()
        scan([*made, row(len(made), "Who is it?", "Me.")], processes=1)
        assert time.process_time() - started < 3 * len(rows)
