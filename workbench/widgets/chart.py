"""A loss curve in braille: two by four dots a character, drawn here: plot libraries send the whole area anew."""

from __future__ import annotations

import math
from collections.abc import Sequence

from textual.strip import Strip

from workbench.widgets.lines import Lines, Styles

AXIS_WIDTH = 8
# Dots of a braille cell by (column, row), as Unicode numbers them.
DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
Point = tuple[float, float]


class Chart(Lines):
    """`show` takes (step, value) points in step order; `last_step` is where the axis ends."""

    def __init__(self, styles: Styles, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(styles, id=id)
        self._points: Sequence[Point] = ()
        self._last_step = 1.0

    def show(self, points: Sequence[Point], last_step: float) -> None:
        self._points, self._last_step = points, max(last_step, 1.0)
        self.sync()

    def make_lines(self, width: int, height: int) -> Sequence[Strip]:
        points = [(step, value) for step, value in self._points if math.isfinite(value)]
        rows, columns = height - 1, width - AXIS_WIDTH - 1
        if not points or rows < 2 or columns < 4:
            blank = self.styled.strip(((" no loss yet", "muted"),) if not points else (), width)
            return [blank, *[self.styled.strip((), width)] * (height - 1)]
        low, high = bounds([value for _, value in points])
        drawn = braille(points, self._last_step, low, high, columns, rows)
        lines = []
        for index, text in enumerate(drawn):
            value = high - (high - low) * index / max(1, rows - 1)
            label = f"{value:>{AXIS_WIDTH - 1}.3g} " if index % 3 == 0 or index == rows - 1 else " " * AXIS_WIDTH
            lines.append(self.styled.strip(((label, "muted"), ("\u2502", "line"), (text, "chart")), width))
        end = f"step {self._last_step:,.0f}"
        axis = f"{'0':>{AXIS_WIDTH}} {end:>{columns}}"
        lines.append(self.styled.strip(((axis, "muted"),), width))
        return lines


def bounds(values: Sequence[float]) -> tuple[float, float]:
    """The range of the axis: all values, with room where they are all the same."""
    low, high = min(values), max(values)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def braille(points: Sequence[Point], last_step: float, low: float, high: float, columns: int, rows: int) -> list[str]:
    """The curve as `rows` lines of `columns` braille characters.

    Of the points that fall on one dot column the smallest and largest are joined, and each column to the one before,
    so that no spike is lost however many points there are.
    """
    wide, tall = columns * 2, rows * 4
    spans: dict[int, tuple[int, int]] = {}
    lasts: dict[int, int] = {}
    for step, value in points:
        x = min(wide - 1, max(0, round(step / last_step * (wide - 1))))
        y = min(tall - 1, max(0, round((high - value) / (high - low) * (tall - 1))))
        top, bottom = spans.get(x, (y, y))
        spans[x] = (min(top, y), max(bottom, y))
        lasts[x] = y
    cells = [[0] * columns for _ in range(rows)]
    before: tuple[int, int] | None = None
    for x in sorted(spans):
        if before is not None:
            _join(cells, before, (x, spans[x][0] if lasts[x] == spans[x][1] else spans[x][1]))
        for y in range(spans[x][0], spans[x][1] + 1):
            _dot(cells, x, y)
        before = (x, lasts[x])
    return ["".join(chr(0x2800 + cell) if cell else " " for cell in line) for line in cells]


def _join(cells: list[list[int]], start: tuple[int, int], end: tuple[int, int]) -> None:
    (x0, y0), (x1, y1) = start, end
    steps = max(abs(x1 - x0), abs(y1 - y0), 1)
    for step in range(1, steps):
        _dot(cells, round(x0 + (x1 - x0) * step / steps), round(y0 + (y1 - y0) * step / steps))


def _dot(cells: list[list[int]], x: int, y: int) -> None:
    cells[y // 4][x // 2] |= DOTS[x % 2][y % 4]
