"""Bytes of a terminal, cut anywhere and late: what becomes a key, and what never does."""

from __future__ import annotations

import sys

import pytest
from textual._xterm_parser import XTermParser
from textual.events import Key

from workbench.terminal.key_stream import CHARACTERS_AT_ONCE, MOST_PASTED, KeyStream, Piece
from workbench.terminal.sequences import key_sequence

LOCAL, FAR = 0.05, 0.5
GAPS = (0.02, 0.12, 0.3, 0.45)
# A key of each kind, and everything that terminals answer: most of them end in letters or digits that are verbs.
ARROWS = ["\x1b[D", "\x1bOD", "\x1b[1;5D", "\x1b[3~", "\x1b[3$", "\x1b[[A", "\x1b[97;5u", "\x1b[97;;97u"]
ANSWERS = [
    "\x1b[<0;12;34M", "\x1b[<0;12;34m", "\x1b[M !!", "\x1b[I", "\x1b[0n", "\x1b[?62;4c", "\x1b[>41;330;0c",
    "\x1b[?2026;2$y", "\x1b[12;40R", "\x1b[48;30;100;600;800t", "\x1b]11;rgb:ffff/aaaa/dddd\x07",
    "\x1b]11;rgb:ffff/aaaa/dddd\x1b\\", "\x1bP1$r0m\x1b\\", "\x1bP>|tmux 3.3a\x1b\\", "\x1b_Gi=1;OK\x1b\\",
]  # fmt: skip
PASTE = "\x1b[200~ax\x1b[13uAx\rK\x1b[201~"


def read(*reads: tuple[float, str], escape_seconds: float = LOCAL) -> list[Piece]:
    """What comes of it where so many seconds pass before each read, and nothing more comes for a while behind it."""
    stream, now, pieces = KeyStream(escape_seconds), 100.0, []

    def pass_time(until: float) -> None:
        nonlocal now
        while (left := stream.next_tick(now)) is not None and now + left <= until:
            now += left + 1e-6
            pieces.extend(stream.tick(now))
        now = until

    for gap, text in reads:
        pass_time(now + gap)
        pieces += stream.feed(text, now)
    pass_time(now + 5)
    return pieces


def typed(pieces: list[Piece]) -> str:
    """The characters that would be keys of their own."""
    return "".join(text for kind, text in pieces if kind == "alt" or (kind == "keys" and not text.startswith("\x1b")))


@pytest.mark.parametrize("escape_seconds", [LOCAL, FAR])
@pytest.mark.parametrize("sequence", [*ARROWS, *ANSWERS, PASTE])
def test_a_sequence_cut_at_any_byte_is_never_its_letters(sequence: str, escape_seconds: float) -> None:
    whole = read((0, sequence), escape_seconds=escape_seconds)
    by_hand = (("escape", "\x1b"), ("closed paste", ""))
    assert typed(whole) == ""
    for gap in GAPS:
        cuts = [[(0.0, sequence[:cut]), (gap, sequence[cut:])] for cut in range(1, len(sequence))]
        for reads in (*cuts, [(gap, character) for character in sequence]):
            pieces = read(*reads, escape_seconds=escape_seconds)
            assert typed(pieces) == ""
            # The key it was, whatever came before it: an escape was taken for one where it stood alone for long.
            assert [piece for piece in pieces if piece not in by_hand] == whole


def test_the_key_is_the_one_that_was_pressed() -> None:
    assert read((0, "\x1b"), (0.12, "[D"), escape_seconds=FAR) == [("keys", "\x1b[D")]
    assert read((0, "\x1b"), (0.12, "[D")) == [("escape", "\x1b"), ("keys", "\x1b[D")]
    assert read((0, "jk\x1b[Dx")) == [("keys", "jk"), ("keys", "\x1b[D"), ("keys", "x")]
    assert read((0, "\x9b1;5D")) == [("keys", "\x1b[1;5D")]
    assert read((0, "\x1b[0nj\x1b[3n")) == [("answer", "\x1b[0n"), ("keys", "j"), ("answer", "\x1b[3n")]


def test_an_escape_by_itself_is_one_and_a_letter_right_behind_it_is_none() -> None:
    assert read((0, "\x1b")) == [("escape", "\x1b")]
    assert read((0, "\x1b\x1b")) == [("escape", "\x1b"), ("escape", "\x1b")]
    assert read((0, "\x1ba")) == [("alt", "a")]
    assert read((0, "\x1b"), (0.12, "ax"), escape_seconds=FAR) == [("escape", "\x1b"), ("dropped", "ax")]
    assert read((0, "\x1b"), (0.12, "ax")) == [("escape", "\x1b"), ("keys", "ax")]
    # Brackets that a person typed behind it, in no hurry and in some.
    assert read((0, "\x1b"), (2, "]"), (0.3, "j")) == [("escape", "\x1b"), ("keys", "]"), ("keys", "j")]
    assert read((0, "\x1b"), (0.3, "]"), (0.3, "j")) == [("escape", "\x1b"), ("keys", "]j")]
    assert read((0, "\x1b"), (0.3, "[")) == [("escape", "\x1b"), ("keys", "[")]


@pytest.mark.parametrize(
    "sequence",
    ["\x1b[1114112u", "\x1b[99999999999;5u", "\x1b[55296u", "\x1b[1;1:3B", "\x1b[97;1:3u", "\x1b[97;1;1114112u",
     "\x1b[0u", "\x1b[97D", "\x1b[97~", "\x1b[;;u", "\x1b[:::u", "\x1b[<1;2M", "\x1b[<99999999;1;1M",
     "\x1b[48;99999;99999;1;1t", "\x1b[\u00e9", "\x1b[1;\r", "\x1b[?2026;99999999999$y", f"\x1b[{'1' * 9000}u"],
)  # fmt: skip
def test_numbers_that_no_terminal_sends_are_no_key(sequence: str) -> None:
    assert read((0, sequence), (0.1, "j")) == [("keys", "j")]


def test_a_repeated_key_is_a_key_and_a_released_one_is_none() -> None:
    assert read((0, "\x1b[97;1:2u")) == [("keys", "\x1b[97;1u")]
    assert read((0, "\x1b[97:65;2;65u")) == [("keys", "\x1b[97;2;65u")]
    assert read((0, "\x1b[27;5;106~")) == [("keys", "\x1b[106;5u")]


def test_whatever_is_handed_on_leaves_the_parser_ready_for_the_next_key() -> None:
    """It reads on from a sequence that it does not know, and makes keys of it."""
    from textual._ansi_sequences import ANSI_SEQUENCES_KEYS

    for sequence in [*ANSI_SEQUENCES_KEYS, *ARROWS, *ANSWERS, "\x1b[57399u", "\x1b[0;;20320:22909u"]:
        known = key_sequence(sequence)
        if known and len(known) > 1 and known != "\x1b\x1b":
            parser = XTermParser()
            list(parser.feed(known))
            behind = list(parser.feed("j"))
            assert [event.key for event in behind if isinstance(event, Key)] == ["j"], repr(sequence)
            assert len(behind) == 1


@pytest.mark.parametrize("opening", ["\x1b]", "\x1bP", "\x1b_", "\x1b^", "\x1bX", "\x1b[", "\x9d"])
def test_megabytes_without_an_end_are_neither_kept_nor_keys(opening: str) -> None:
    stream = KeyStream(LOCAL)
    filling = "1" * 4096 if opening == "\x1b[" else "ax\r;" * 1024
    assert stream.feed(opening, 0.0) == []
    for number in range(500):
        assert stream.feed(filling, number / 1000) == []
    assert sum(sys.getsizeof(getattr(stream, name)) for name in vars(stream)) < 4000
    assert stream.tick(2.0) == []
    assert stream.feed("j", 2.1) == [("keys", "j")]


def test_a_paste_is_text_with_line_feeds() -> None:
    assert read((0, PASTE)) == [("paste", "ax\nAx\nK")]
    assert read((0, "\x1b[200~a\x1b[10;5ub\x1b[106;5uc\x1b[27;5;106~d\r\ne\x1b[201~")) == [("paste", "a\nb\nc\nd\ne")]


def test_marks_of_a_paste_inside_a_paste_end_nothing() -> None:
    assert read((0, "\x1b[200~a\x1b[200~x\x1b[201~x\x1b[201~j")) == [("paste", "axx"), ("keys", "j")]
    assert read((0, "\x1b[200~a\x1b[201~xx\x1b[201~j")) == [("paste", "axx"), ("keys", "j")]


def test_a_paste_without_an_end_stays_one_until_escape_is_pressed() -> None:
    pieces = read((0, "\x1b[200~ax"), (3, "ax"), (3, "\x1b"), (0.1, "ax"), (0.1, "\x1b"), (2, "j"))
    kinds = [kind for kind, _ in pieces if kind != "open paste"]
    assert kinds == ["paste", "closed paste", "keys"]
    assert ("paste", "axax\x1bax") in pieces
    assert pieces[0] == ("open paste", "")
    assert ("answer", "") in read((0, "\x1b[200~ax\x1b[0nax\x1b[201~"))
    for twice in ([(0.1, "\x1b\x1b")], [(0.1, "\x1b"), (0.1, "\x1b")]):
        pieces = read((0, "\x1b[200~ax"), *twice, (0.1, "j"))
        assert pieces == [("paste", "ax"), ("closed paste", ""), ("keys", "j")]


def test_a_paste_of_a_megabyte_is_taken_and_more_than_anyone_reads_is_cut() -> None:
    text = "accept and reject\n" * 60_000
    parts = [(0.0, text[start : start + 4096]) for start in range(0, len(text), 4096)]
    assert read((0, "\x1b[200~"), *parts, (0, "\x1b[201~")) == [("paste", text)]
    ((kind, kept),) = read((0, "\x1b[200~"), *parts * 5, (0, "\x1b[201~"))
    assert (kind, len(kept)) == ("paste", MOST_PASTED)


def test_a_paste_without_marks_is_told_by_its_size_and_a_held_key_is_none() -> None:
    lines = "first line, accept\rsecond line, reject\rthird line, with an x in it\r"
    assert read((0, lines)) == [("paste", lines.replace("\r", "\n"))]
    assert read((0, lines), (0.1, "ax")) == [("paste", lines.replace("\r", "\n")), ("paste", "ax")]
    assert read((0, "ax" * CHARACTERS_AT_ONCE))[0][0] == "paste"
    assert read((0, "j" * 4096)) == [("keys", "j" * 4096)]
    assert read((0, "/row:11-14\rjxk")) == [("keys", "/row:11-14\rjxk")]
    assert read((0, "/" + "row:3 or " * 30)) == [("keys", "/" + "row:3 or " * 30)]
    assert read((0, lines + "\x1b[0n")) == [("paste", lines.replace("\r", "\n")), ("answer", "")]
