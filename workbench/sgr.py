"""Styles as terminals are told them: what an SGR sequence makes of one, and which sequence turns one into another."""

from __future__ import annotations

Style = tuple[str, str, tuple[str, ...]]
"""(foreground, background, attributes) as SGR parameters; an empty colour is the terminal's own."""

PLAIN: Style = ("", "", ())
_ATTRIBUTES = {"1", "2", "3", "4", "5", "7", "8", "9", "21"}
_ENDS = {"22": ("1", "2"), "23": ("3",), "24": ("4", "21"), "25": ("5",), "27": ("7",), "28": ("8",), "29": ("9",)}
_END_OF = {attribute: end for end, attributes in _ENDS.items() for attribute in attributes}
# Attributes that show on a blank: such a blank is no empty cell.
SHOWN_ON_BLANKS = {"4", "7", "9", "21"}


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
