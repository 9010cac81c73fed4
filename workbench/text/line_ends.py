"""Ends of lines that are no line feeds: hidden from what would turn them into some, put back where something has.

Text holds carriage returns, form feeds, vertical tabs, U+0085, U+2028 … as it was read. Widgets and editors take them
for ends of lines and write one kind in their place; what a person did not touch must come back byte for byte.
"""

from __future__ import annotations

import re
from itertools import chain, groupby, islice

# Where Python's `splitlines` splits, but for the line feed.
OTHER_ENDS = "\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
# Code points that are no characters by definition, then those of private use.
_NO_CHARACTERS = (range(0xFDD0, 0xFDF0), range(0xF0000, 0x110000))
# Those that editors write in each other's place when they save; the others they keep.
_END = re.compile("\r\n|\r|\n")


def stand_ins(text: str) -> dict[int, int]:
    """For each of OTHER_ENDS a code point that ends no line and does not occur in `text`; for `str.translate`."""
    used = set(map(ord, text))
    free = (code for code in chain(*_NO_CHARACTERS) if code not in used)
    return dict(zip(map(ord, OTHER_ENDS), islice(free, len(OTHER_ENDS)), strict=True))


def ends_of_lines(text: str) -> set[str]:
    """Which of CR, LF and CR LF occur."""
    return set(_END.findall(text))


def with_line_feeds(text: str) -> str:
    """The text with every end of a line as a line feed."""
    return _END.sub("\n", text)


def with_ends_of(before: str, after: str, lost: set[str]) -> str:
    """`after` with the ends that its lines have in `before`, of those kinds that were `lost` and are line feeds now; a
    line that is new gets the end of the one in its place, or before it."""
    ends = [*_END.findall(before), ""]
    if lost.isdisjoint(ends):
        return after
    # The longest common subsequence, in C++: difflib takes half a second for two texts of a page.
    from rapidfuzz.distance import Indel

    old, new, new_ends = _END.split(before), _END.split(after), _END.findall(after)
    for _, run in groupby(Indel.opcodes(old, new), key=lambda step: step.tag == "equal"):
        steps = list(run)
        first, last = steps[0].src_start, steps[-1].src_end - 1
        for offset, line in enumerate(range(steps[0].dest_start, min(steps[-1].dest_end, len(new_ends)))):
            end = ends[max(0, min(first + offset, last))]
            if end in lost and new_ends[line] == "\n":
                new_ends[line] = end
    return "".join(chain(*zip(new, [*new_ends, ""], strict=True)))
