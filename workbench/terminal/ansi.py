"""What is sent to a terminal: the SGR sequence from one style to another, the way to a cell, the text of cells."""

from __future__ import annotations

from functools import cache, lru_cache
from unicodedata import category

Style = tuple[str, str, tuple[str, ...]]
"""(foreground, background, attributes) as SGR parameters; an empty colour is the terminal's own."""
Piece = tuple[int, int, int, int, bool, str]
"""(row, column, column of the cursor behind it or -1, style, whether it is blank, what to write)"""

PLAIN: Style = ("", "", ())
# Attributes that show on a blank: such a blank is no empty cell.
SHOWN_ON_BLANKS = {"4", "7", "9", "21"}
# Further down a position costs no more than steps.
MOST_DOWN = 3
_ATTRIBUTES = {"1", "2", "3", "4", "5", "7", "8", "9", "21"}
_ENDS = {"22": ("1", "2"), "23": ("3",), "24": ("4", "21"), "25": ("5",), "27": ("7",), "28": ("8",), "29": ("9",)}
_END_OF = {attribute: end for end, attributes in _ENDS.items() for attribute in attributes}

# -- styles


def after_sgr(style: Style, parameters: str) -> Style | None:
    """The style after an SGR sequence, or None where it holds what is not understood."""
    front, back, attributes = style[0], style[1], set(style[2])
    parts = [part or "0" for part in parameters.split(";")]
    at = 0
    while at < len(parts):
        part = parts[at]
        length = 1
        if part == "0":
            front, back, attributes = "", "", set()
        elif part in _ATTRIBUTES:
            attributes.add(part)
        elif part in _ENDS:
            attributes.difference_update(_ENDS[part])
        elif part in ("38", "48"):
            length = {"2": 5, "5": 3}.get(parts[at + 1] if at + 1 < len(parts) else "", 0)
            colour = parts[at : at + length]
            if not length or len(colour) < length:
                return None
            front, back = (";".join(colour), back) if part == "38" else (front, ";".join(colour))
        elif len(part) == 2 and part[0] in "39" and part[1] in "01234567":
            front = part
        elif (len(part) == 2 and part[0] == "4") or (len(part) == 3 and part[:2] == "10"):
            if part[-1] not in "01234567" and part != "49":
                return None
            back = part
        else:
            if part != "39":
                return None
            front = ""
        if part == "49":
            back = ""
        at += length
    return (front, back, tuple(sorted(attributes)))


def transition(old: Style | None, new: Style) -> str:
    """The SGR sequence that turns one style into another: with what is over taken back, or from nothing on."""
    front, back, attributes = new
    whole = f"\x1b[{';'.join(part for part in ('0', *attributes, front, back) if part)}m"
    if old is None:
        return whole
    over = {_END_OF[part] for part in old[2] if part not in attributes}
    kept = [part for part in old[2] if _END_OF[part] not in over]
    parts = [*sorted(over), *(part for part in attributes if part not in kept)]
    if front != old[0]:
        parts.append(front or "39")
    if back != old[1]:
        parts.append(back or "49")
    change = f"\x1b[{';'.join(parts)}m"
    return change if len(change) < len(whole) else whole


# -- pieces of a screen on their way to the terminal


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
