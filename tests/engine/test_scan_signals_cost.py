"""No text makes a signal slow: 200,000 characters of nastiness for each of them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scan_rows import row

from engine.scan.flagging import find_flags

NASTY = [
    "(1+",
    "1 + 1 = ",
    "$1 ",
    "<tool_call>{",
    "http://a/",
    "a@a.a",
    "&amp",
    "\\n",
    "### ",
    "1) ",
    "x-us1 ",
    "eyJ",
    "=1=1",
    "Give 3 a ",
    "in 3 ",
    "this a ",
    "password=",
    "://a:",
    "1234 ",
    "+1 11 ",
    "AB12 ",
    "the following ",
    "[insert ",
    "\u0412\u0412",
    "Ã",
    "<|",
    "سلام ",
    "漢",
    "\x00",
    "<|im_start|>",
    "Human: ",
    "-----BEGIN PRIVATE KEY-----",
]


def processor_seconds(unit: str, characters: int) -> float:
    text = unit * (characters // len(unit))
    made = [row(0, text, text + "."), row(1, "Give 3 tips as JSON in 5 words: " + text, text)]
    started = time.process_time()
    find_flags(made, lambda done, of: None)
    return time.process_time() - started


@pytest.mark.parametrize("unit", NASTY)
def test_no_text_makes_a_signal_slow(unit: str) -> None:
    short = min(processor_seconds(unit, 50_000) for _ in range(2))
    # Four times the text: quadratic rules take sixteen times the work.
    assert processor_seconds(unit, 200_000) < 10 * short + 0.2


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(NASTY), st.text(min_size=1, max_size=6), st.integers(1, 3000))
def test_no_mixture_makes_a_signal_slow(unit: str, other: str, times: int) -> None:
    text = (unit + other) * times
    made = [row(0, text, text), row(1, other, text)]
    started = time.process_time()
    find_flags(made, lambda done, of: None)
    # 54,000 characters at most: linear rules need a tenth of this.
    assert time.process_time() - started < 3
