"""Pieces of a screen on their way to the terminal: how to get to one, and how to write one."""

from __future__ import annotations

from functools import cache, lru_cache
from unicodedata import category

Piece = tuple[int, int, int, int, bool, str]
"""(row, column, column of the cursor behind it or -1, style, whether it is blank, what to write)"""
# Further down a position costs no more than steps.
MOST_DOWN = 3


@lru_cache(4096)
def move(here: tuple[int, int], x: int, y: int) -> str:
    """The shortest way to a cell from where the cursor is; a negative column: nobody knows."""
    column, row = here
    place = f"\x1b[{y + 1};{x + 1}H" if x else f"\x1b[{y + 1}H"
    if column < 0 or not 0 <= y - row <= MOST_DOWN:
        return place
    # A vertical tab goes down in its column; a line feed would be given a carriage return by the pty.
    down = "\v" * (y - row)
    if x == column:
        return down
    if not x:
        return min(place, down + "\x1b[G", key=len)
    steps = abs(x - column)
    aside = f"\x1b[{steps if steps > 1 else ''}{'C' if x > column else 'D'}"
    return min(place, down + aside, down + f"\x1b[{x + 1}G", key=len)


@cache
def is_disputed(cell: str) -> bool:
    """Whether terminals may differ in how wide a cell is: marks, emoji, flags, jamo, what Unicode has not assigned."""
    if cell.isascii():
        return False
    code = ord(cell[0])
    return (
        len(cell) > 1
        or 0x1F000 <= code < 0x20000
        or 0x1100 <= code < 0x1200
        or category(cell) in ("Mn", "Mc", "Me", "Cf", "Cn", "Co")
    )


def spelled(cells: list[str], start: int, end: int, *, placed: bool) -> str:
    """The text of cells. The cursor is put where it belongs behind each that a terminal may take for wider or narrower
    than we do, so that the others stand in their columns all the same; behind the last one if it is to be `placed`.
    """
    out: list[str] = []
    for x in range(start, end):
        cell = cells[x]
        out.append(cell)
        if cell and is_disputed(cell):
            following = x + 1
            while following < end and not cells[following]:
                following += 1
            if following < end or placed:
                out.append(f"\x1b[{following + 1}G")
    return "".join(out)
