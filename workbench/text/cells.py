"""Text in terminal columns: its width, where it is cut, where it is wrapped. For texts made visible (escape)."""

from __future__ import annotations

from bisect import bisect_right

from rich.cells import get_character_cell_size


def cells(text: str) -> int:
    """How many terminal columns a visible text takes."""
    return len(text) if text.isascii() else sum(map(get_character_cell_size, text))


def cut(text: str, width: int) -> str:
    """The longest beginning of a visible text that fits `width` columns."""
    if text.isascii():
        return text[:width]
    taken = 0
    for index, character in enumerate(text):
        taken += get_character_cell_size(character)
        if taken > width:
            return text[:index]
    return text


def fitted(text: str, width: int) -> str:
    """A visible text cut (with an ellipsis) or padded to exactly `width` columns."""
    room = width - cells(text)
    if room >= 0:
        return text + " " * room
    if width <= 0:
        return ""
    shorter = cut(text, width - 1) + "\u2026"
    return shorter + " " * (width - cells(shorter))


FULL, HALF = "\u2501", "\u2578"


def bar(share: float, width: int) -> str:
    """A bar of so much (0 to 1) of `width` columns, to half a column; more than nothing is always seen."""
    full, half = divmod(max(round(share * width * 2), 1 if share > 0 else 0), 2)
    return (FULL * full + HALF * half).ljust(width)


def line_breaks(text: str, width: int, start: int = 0) -> tuple[int, int]:
    """Where the line that begins at `start` of a visible paragraph ends, and where the next one begins.

    Breaks after the last blank that fits, else within the word. Looks at no more of the text than one line needs,
    so a paragraph of a megabyte costs what is shown of it.
    """
    window = text[start : start + width + 1]
    if window.isascii():
        fit = min(len(window), width)
    else:
        taken = fit = 0
        for character in window:
            taken += get_character_cell_size(character)
            if taken > width:
                break
            fit += 1
        # A zero-width mark belongs to the character before it, even past the window.
        while 0 < start + fit < len(text) and get_character_cell_size(text[start + fit]) == 0:
            fit += 1
        fit = max(fit, 1)
    if start + fit >= len(text):
        return len(text), len(text)
    if text[start + fit] == " ":
        return start + fit, start + fit + 1
    blank = text.rfind(" ", start, start + fit)
    # Nothing but indentation before the blank is no place to break.
    if blank > start and text[start:blank].strip():
        return blank, blank + 1
    return start + fit, start + fit


def slices(pieces: list[tuple[str, str]], start: int, end: int) -> list[tuple[str, str]]:
    """The part `start:end` (characters of the joined text) of styled pieces."""
    ends: list[int] = []
    total = 0
    for text, _ in pieces:
        total += len(text)
        ends.append(total)
    out: list[tuple[str, str]] = []
    for index in range(bisect_right(ends, start), len(pieces)):
        text, style = pieces[index]
        begin = ends[index] - len(text)
        if begin >= end:
            break
        part = text[max(0, start - begin) : end - begin]
        if part:
            out.append((part, style))
    return out
