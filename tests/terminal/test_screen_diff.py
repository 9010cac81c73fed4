"""The cell-diffing driver against an emulator: whatever frames come, the screen is that of the stock driver."""

from __future__ import annotations

import random

import pytest
from pseudo import Emulated

from workbench.terminal.flow_control import (
    MOST_IN_FLIGHT,
    PATIENCE_SECONDS,
    QUESTION,
    UNANSWERED,
    FlowControl,
    escape_seconds,
)
from workbench.terminal.screen_diff import ScreenDiff

WORDS = ["plain ", "words", "   ", "          ", "数据", "集", "かな", "e\u0301", "n\u0303o", "─│", "한글", "x"]
STYLES = [
    "",
    "0",
    "1",
    "38;2;10;20;30",
    "1;38;2;10;20;30;48;2;1;2;3",
    "4;31;44",
    "7",
    "48;5;17",
    "9;38;5;200",
    "92;103",
    "3;39;49",
]


def strip(dice: random.Random, width: int) -> str:
    """Styled text of exactly `width` columns, as Textual renders one: reset behind every segment."""
    out, left = [], width
    while left > 0:
        text, room = "", dice.randint(1, left)
        while room > 0:
            word = dice.choice(WORDS)
            size = sum(2 if ord(c) > 0x2E80 else 0 if ord(c) in (0x301, 0x303) else 1 for c in word)
            if size > room:
                word, size = " " * room, room
            text, room, left = text + word, room - size, left - size
        style = dice.choice(STYLES)
        out.append(f"\x1b[{style}m{text}\x1b[0m" if style else text)
    return "".join(out)


def frame(dice: random.Random, width: int, height: int) -> str:
    """A whole screen, or a few lines or regions of it; sometimes one made for another size."""
    if dice.random() < 0.15:
        rows = [f"\x1b[{y + 1};1H{strip(dice, width)}" for y in range(height + dice.choice((0, 0, 2)))]
        return "\n".join(rows) + "\x1b[1;1H"
    parts = []
    for _ in range(dice.randint(1, 4)):
        y, x = dice.randrange(height), 0
        parts.append(f"\x1b[{y + 1};{x + 1}H{strip(dice, width)}")
    return "".join(parts) + f"\x1b[{dice.randint(1, height)};{dice.randint(1, width)}H"


@pytest.mark.parametrize("seed", [0, 1, 2, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(3, 6))])
@pytest.mark.parametrize("erase", [True, False])
def test_the_screen_is_the_same_over_thousands_of_random_frames(seed: int, erase: bool) -> None:
    dice = random.Random(seed)
    width, height = dice.choice([(80, 24), (40, 10), (120, 40), (7, 3)])
    screen, stock, ours = ScreenDiff(width, height, erase=erase), Emulated(width, height), Emulated(width, height)
    for step in range(350):
        if dice.random() < 0.02:
            width, height = dice.randint(2, 120), dice.randint(2, 40)
            screen.resize(width, height)
            stock, ours = Emulated(width, height), Emulated(width, height)
        drawn = frame(dice, width, height)
        assert screen.take(drawn)
        stock.feed_frame(drawn)
        if dice.random() < 0.7:
            ours.feed(screen.difference())
            if step % 5 == 0 or dice.random() < 0.3:
                assert ours.cells() == stock.cells(), f"step {step}"
    ours.feed(screen.difference())
    assert ours.cells() == stock.cells()
    assert screen.difference() == ""


def test_a_frame_that_changes_nothing_sends_nothing_and_a_mark_a_few_bytes() -> None:
    screen = ScreenDiff(80, 24)
    line = "\x1b[5;1H\x1b[38;2;1;2;3m{} a row of the list\x1b[0m\x1b[1;1H"
    screen.take(line.format("·"))
    screen.difference()
    screen.take(line.format("·"))
    assert screen.difference() == ""
    screen.take(line.format("✓"))
    assert screen.difference() == "\x1b[5H✓"


def test_what_is_no_text_is_not_taken() -> None:
    screen = ScreenDiff(20, 2)
    for odd in (
        "\x1b[2J",
        "\x1b[1;1H\x1b]8;;x\x1b\\a",
        "\x1b[1;1Ha\x1b[K",
        "no position",
        "\x1b[1;1H\x1b[38;9mx",
        "\x1b[1;1H\t",
    ):
        assert not screen.take(odd)
    assert screen.difference() == ""


def test_after_a_stranger_wrote_everything_is_sent_again() -> None:
    screen = ScreenDiff(10, 1)
    screen.take("\x1b[1;1Habc")
    first = screen.difference()
    screen.forget()
    screen.take("\x1b[1;1Habc")
    assert screen.difference() == first


def test_half_a_wide_character_at_the_margin_becomes_a_blank() -> None:
    screen = ScreenDiff(3, 1)
    screen.take("\x1b[1;1Hab数")
    assert screen.difference().endswith("ab ")


def test_two_frames_are_on_their_way_at_most() -> None:
    flow_control = FlowControl()
    assert all(flow_control.may_send(0.0) and flow_control.sent(0.0) == QUESTION for _ in range(UNANSWERED))
    # A terminal that never answered is neither asked again nor waited for.
    assert flow_control.sent(0.0) == ""
    assert flow_control.may_send(0.0)
    for _ in range(UNANSWERED):
        flow_control.answered(0.5)
    for _ in range(MOST_IN_FLIGHT):
        assert flow_control.may_send(1.0)
        assert flow_control.sent(1.0) == QUESTION
    assert not flow_control.may_send(1.0)
    flow_control.answered(1.0)
    assert flow_control.may_send(1.0)
    flow_control.sent(1.0)
    assert flow_control.may_send(1.0 + PATIENCE_SECONDS + 0.1)


def test_an_escape_waits_as_long_as_the_network_takes() -> None:
    flow_control = FlowControl()
    assert flow_control.round_trip is None
    flow_control.sent(1.0)
    flow_control.sent(1.1)
    flow_control.answered(1.2)
    flow_control.answered(1.25)
    assert flow_control.round_trip == pytest.approx(0.2)
    assert escape_seconds(0.05, True, 0.02) == 0.1
    assert escape_seconds(0.05, True, 0.2) == 0.4
    assert escape_seconds(0.05, True, 3.0) == 0.5
    assert escape_seconds(0.05, True, None) == 0.3
    assert escape_seconds(0.05, False, None) == escape_seconds(0.05, False, 0.001) == 0.05
    # A person who asked for a longer wait gets it.
    assert escape_seconds(2.0, False, 0.001) == 2.0
