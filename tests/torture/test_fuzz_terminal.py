"""Whatever a terminal sends, cut anywhere: no fault, nothing kept, and the key that comes behind it is that key."""

from __future__ import annotations

import random
import sys
from codecs import getincrementaldecoder
from collections.abc import Callable

import pytest
from fuzzing import CASES, fuzz, mutated
from textual._xterm_parser import XTermParser
from textual.events import Key

from workbench.terminal.driver import NOT_UTF8
from workbench.terminal.key_stream import KeyStream

pytestmark = [pytest.mark.slow, pytest.mark.timeout(7200)]

PLAIN = (b"jkx", b"\r", b"\t", b"\x7f", "é漢😀".encode(), b"\x00", b"\x03", b" ")
KEYS = (
    b"\x1b[D",
    b"\x1bOD",
    b"\x1b[1;5D",
    b"\x1b[3~",
    b"\x1b[97;5u",
    b"\x1b[97;;97u",
    b"\x1b[[A",
    b"\x1b[3$",
    b"\x1ba",
)
REPLIES = (
    b"\x1b[?62;4c", b"\x1b[>41;330;0c", b"\x1b[?2026;2$y", b"\x1b[?1u", b"\x1b[12;40R", b"\x1b[0n", b"\x1b[3;0;0t",
    b"\x1b[48;30;100;600;800t", b"\x1b]11;rgb:ffff/aaaa/dddd\x07", b"\x1b]10;rgba:f/f/f/f\x1b\\",
    b"\x1b]4;1;#123456\x07",
    b"\x1bP1$r0m\x1b\\", b"\x1bP>|tmux 3.3a\x1b\\", b"\x1bP1+r544e=78\x1b\\", b"\x1b_Gi=1;OK\x1b\\",
    b"\x1b]52;c;aGk=\x07",
    b"\x1b[I", b"\x1b[O", b"\x1b[?997;1n", b"\x9b0n", b"\x1b[?6c",
)  # fmt: skip
MOUSE = (
    b"\x1b[<0;12;34M",
    b"\x1b[<64;1;1m",
    b"\x1b[M !!",
    b"\x1b[<35;-4;99999999M",
    b"\x1b[<0;1.5;2.5M",
    b"\x1b[32;1;1M",
)
PASTES = (b"\x1b[200~ax\rK\x1b[201~", b"\x1b[200~a\x1b[200~b\x1b[201~c", b"\x1b[200~\xff\x00\x1b[0n", b"\x1b[201~")
SEEDS = (*PLAIN, *KEYS, *REPLIES, *MOUSE, *PASTES)


def joined(content: bytes, dice: random.Random) -> bytes:
    """Several of them one behind the other, some damaged."""
    pieces = [content, *(dice.choice(SEEDS) for _ in range(dice.randint(0, 5)))]
    return b"".join(mutated(piece, dice, 2) if dice.random() < 0.5 else piece for piece in pieces)


def noise(content: bytes, dice: random.Random) -> bytes:
    """Bytes that mean nothing, and those of sequences in no order."""
    alphabet = dice.choice(
        (bytes(range(256)), b"\x1b[]O?;<>0123456789~MuRcnyt$\\P_\x07\x18", b"\x1b\x1b\x9b\x9d\x90[2001~")
    )
    return content + bytes(dice.choices(alphabet, k=dice.randint(1, 80)))


def typed(case: bytes) -> None:
    """Read as the driver reads it, in pieces and gaps that the case itself decides."""
    dice = random.Random(case)
    stream, parser, now = KeyStream(dice.choice((0.05, 0.5))), XTermParser(), 100.0
    decode = getincrementaldecoder("utf-8")(errors="surrogateescape").decode
    last: list[object] = []

    def take(pieces: list[tuple[str, str]]) -> None:
        nonlocal last
        last = []
        for kind, text in pieces:
            assert kind in ("keys", "alt", "escape", "paste", "answer", "dropped", "open paste", "closed paste")
            if kind == "keys":
                last += list(parser.feed(text))

    while case:
        size = dice.choice((1, 1, 2, 3, 7, len(case)))
        piece, case = case[:size], case[size:]
        now += dice.choice((0.0, 0.0, 0.02, 0.3, 1.2))
        take(stream.tick(now))
        text = decode(piece).translate(NOT_UTF8)
        if text:
            take(stream.feed(text, now))  # type: ignore[arg-type]
    # What a person does in the end, whatever was open: escape twice, wait, a key.
    for text in ("\x1b\x1b", "\x18\x1b\\", "\x1b[201~", "\x1b\x1b"):
        now += 2.0
        take(stream.tick(now))
        take(stream.feed(text, now))  # type: ignore[arg-type]
    for _ in range(3):
        now += 2.0
        take(stream.tick(now))
    take(stream.feed("j", now + 2.0))  # type: ignore[arg-type]
    assert [event.key for event in last if isinstance(event, Key)] == ["j"], last
    assert sum(sys.getsizeof(value) for value in vars(stream).values()) < 6000


@pytest.mark.parametrize("way", [joined, noise])
def test_what_a_terminal_sends(way: Callable[[bytes, random.Random], bytes]) -> None:
    fuzz(f"terminal {way.__name__}", SEEDS, typed, ways=(way,), cases=CASES // 2)
