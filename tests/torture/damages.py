"""Ways in which the bytes of a file come to harm: what a disk, a memory, a copy that was cut off or a careless script
does to them. Each takes the content and dice and gives other content; the same dice give the same damage."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence

SECTOR = 512
LONGEST = 64
Harm = Callable[[bytes, random.Random], bytes]


def _place(content: bytes, dice: random.Random) -> int:
    return dice.randrange(len(content))


def flipped_bit(content: bytes, dice: random.Random) -> bytes:
    """One bit is another: memory, or a disk that does not notice."""
    at = _place(content, dice)
    return content[:at] + bytes([content[at] ^ (1 << dice.randrange(8))]) + content[at + 1 :]


def other_byte(content: bytes, dice: random.Random) -> bytes:
    at = _place(content, dice)
    return content[:at] + dice.randbytes(1) + content[at + 1 :]


def other_digit(content: bytes, dice: random.Random) -> bytes:
    """One digit or hex letter is another: what most easily still looks like what it was."""
    places = [at for at, byte in enumerate(content) if byte in b"0123456789abcdef"]
    if not places:
        return content
    at = dice.choice(places)
    return content[:at] + dice.choice(b"0123456789abcdef").to_bytes() + content[at + 1 :]


def overwritten(content: bytes, dice: random.Random) -> bytes:
    at, length = _place(content, dice), dice.randint(1, LONGEST)
    return content[:at] + dice.randbytes(length)[: len(content) - at] + content[at + length :]


def overwritten_by_its_own(content: bytes, dice: random.Random) -> bytes:
    """A stretch holds what stands elsewhere in the file: a block that was written to the wrong place."""
    at, other = _place(content, dice), _place(content, dice)
    piece = content[other : other + dice.choice((8, LONGEST, SECTOR))]
    return (content[:at] + piece + content[at + len(piece) :])[: max(len(content), at)]


def inserted(content: bytes, dice: random.Random) -> bytes:
    at = dice.randint(0, len(content))
    return content[:at] + dice.randbytes(dice.randint(1, LONGEST)) + content[at:]


def removed(content: bytes, dice: random.Random) -> bytes:
    at = _place(content, dice)
    return content[:at] + content[at + dice.randint(1, LONGEST) :]


def cut(content: bytes, dice: random.Random) -> bytes:
    """The end is gone: a copy that stopped, a full disk."""
    return content[: _place(content, dice)]


def zeroed_sector(content: bytes, dice: random.Random) -> bytes:
    """A sector reads as zeros: a block that was reserved and never written."""
    at = _place(content, dice) // SECTOR * SECTOR
    return content[:at] + bytes(len(content[at : at + SECTOR])) + content[at + SECTOR :]


def line_feed_planted(content: bytes, dice: random.Random) -> bytes:
    at = _place(content, dice)
    return content[:at] + b"\n" + content[at + 1 :]


def line_feed_lost(content: bytes, dice: random.Random) -> bytes:
    """A line feed is something else: two lines are one."""
    places = [at for at, byte in enumerate(content) if byte == 10]
    if not places:
        return content
    at = dice.choice(places)
    return (
        content[:at] + dice.choice((b" ", b"\r", b"\0", b"\x0b", b"", b"\x8a", dice.randbytes(1))) + content[at + 1 :]
    )


# -- whole lines: what an editor, a merge of two copies by hand or a sort does


def _lines(content: bytes) -> list[bytes]:
    return content.splitlines(keepends=True) if b"\n" in content else [content]


def exchanged_lines(content: bytes, dice: random.Random) -> bytes:
    lines = _lines(content)
    one, other = dice.randrange(len(lines)), dice.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return b"".join(lines)


def doubled_line(content: bytes, dice: random.Random) -> bytes:
    lines = _lines(content)
    lines.insert(dice.randint(0, len(lines)), dice.choice(lines))
    return b"".join(lines)


def removed_line(content: bytes, dice: random.Random) -> bytes:
    """A line from the middle: what a cut at the end of a line takes is `cut_behind_a_line`."""
    lines = _lines(content)
    if len(lines) > 1:
        del lines[dice.randrange(len(lines) - 1)]
    return b"".join(lines)


def moved_line(content: bytes, dice: random.Random) -> bytes:
    lines = _lines(content)
    line = lines.pop(dice.randrange(len(lines)))
    lines.insert(dice.randint(0, len(lines)), line)
    return b"".join(lines)


def cut_behind_a_line(content: bytes, dice: random.Random) -> bytes:
    """The end is gone exactly from the beginning of a line on: nothing in the file itself says so."""
    lines = _lines(content)
    return b"".join(lines[: dice.randrange(len(lines))])


OF_BYTES: tuple[Harm, ...] = (
    flipped_bit,
    other_byte,
    other_digit,
    overwritten,
    overwritten_by_its_own,
    inserted,
    removed,
    cut,
    zeroed_sector,
)
OF_LINES: tuple[Harm, ...] = (
    line_feed_planted,
    line_feed_lost,
    exchanged_lines,
    doubled_line,
    removed_line,
    moved_line,
    cut_behind_a_line,
)
NAMED: Mapping[str, Harm] = {harm.__name__: harm for harm in (*OF_BYTES, *OF_LINES)}


def damaged(content: bytes, dice: random.Random, ways: Sequence[Harm] = OF_BYTES) -> tuple[str, bytes]:
    """(the name of one of the `ways`, what it made of the content): never the content itself, which must not be
    empty."""
    while True:
        harm = dice.choice(ways)
        harmed = harm(content, dice)
        if harmed != content:
            return harm.__name__, harmed
