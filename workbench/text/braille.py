"""Curves in braille, two by four dots a character, drawn here: plot libraries send the whole area anew. No terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from engine.training.runs.loss_history import Column

# Dots of a braille cell by (column, row), as Unicode numbers them.
DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
SMOOTHING = 0.9
DECADE_PARTS = 4
ROUND_VALUES = (1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)
# Of the height a curve takes a third at least, once so many points say where it goes.
FILLED = 1 / 3
TELLING_POINTS = 32
FINEST = 30
Cells = list[dict[int, int]]
"""Of each line the cells that are not empty: column -> the bits of a braille character."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Stretches in order of steps, to be drawn in a role of the theme: as a line, or as separate points."""

    points: Sequence[Column]
    role: str
    joined: bool = True


@dataclass(frozen=True, slots=True)
class Frame:
    """What is drawn into: the last step of the axis, and the values at its bottom and top."""

    last_step: float
    low: float
    high: float
    log: bool = False

    def value_at(self, share: float) -> float:
        """The value at a share of the height, from the top."""
        high, low = scaled(self.high, self.log), scaled(self.low, self.log)
        at = high - (high - low) * share
        return 10.0**at if self.log else at


def scaled(value: float, log: bool) -> float:
    """The value on the axis."""
    return math.log10(value) if log else value


def frame_for(curves: Sequence[Curve], last_step: float, *, log: bool = False) -> Frame | None:
    """The frame that holds all curves; None where there is nothing to draw. A logarithm leaves out 0 and below."""
    low, high, newest, count = math.inf, -math.inf, 0, 0
    for curve in curves:
        count = max(count, len(curve.points))
        for point in curve.points:
            if math.isfinite(point.low + point.high) and not (log and point.low <= 0):
                low, high, newest = min(low, point.low), max(high, point.high), max(newest, point.step)
    if low > high:
        return None
    if low == high:
        low, high = (low / 2, high * 2) if log else (low - 0.5, high + 0.5)
    starts = count < TELLING_POINTS and newest < last_step
    return Frame(max(last_step, 1.0), *(decades(low, high) if log else rounded(low, high, starts=starts)), log)


def decades(low: float, high: float) -> tuple[float, float]:
    """The range widened to parts of a power of ten."""
    low, high = math.floor(math.log10(low) * DECADE_PARTS), math.ceil(math.log10(high) * DECADE_PARTS)
    return 10 ** (low / DECADE_PARTS), 10 ** (high / DECADE_PARTS)


def rounded(low: float, high: float, *, starts: bool) -> tuple[float, float]:
    """The range widened to halves, quarters ... of a round value, the coarsest that the curve fills well enough.

    A new lowest loss a little below the last must not redraw the whole curve. That of a run that `starts` stands on
    zero: few steps say nothing yet of where it goes, and their noise alone would fill any closer axis.
    """
    largest = max(abs(low), abs(high))
    decade = 10 ** math.floor(math.log10(largest))
    unit = next(value * decade for value in ROUND_VALUES if value * decade >= largest)
    for _ in range(FINEST):
        bottom, top = math.floor(low / unit) * unit, math.ceil(high / unit) * unit
        if starts or high - low >= (top - bottom) * FILLED:
            break
        unit /= 2
    return bottom, top


def smoothed(points: Sequence[Column]) -> list[Column]:
    """An exponential mean of the last values, as if started at the first one; half of it comes from seven stretches."""
    found: list[Column] = []
    mean = None
    for point in points:
        mean = point.last if mean is None else SMOOTHING * mean + (1 - SMOOTHING) * point.last
        found.append(Column(point.step, mean, mean, mean))
    return found


def draw(curve: Curve, frame: Frame, columns: int, rows: int) -> Cells:
    """The curve as `rows` lines of `columns` cells, each the bits of a braille character.

    Of the points on one dot column the smallest and largest are joined, and each column to the one before, so that no
    spike is lost however many points there are.
    """
    spans = dot_spans(curve, frame, columns * 2 - 1, rows * 4 - 1)
    cells: Cells = [{} for _ in range(rows)]
    before: tuple[int, int] | None = None
    for x in sorted(spans):
        top, bottom, last = spans[x]
        if before is not None and curve.joined:
            join(cells, before, (x, min(max(before[1], top), bottom)))
        for y in range(top, bottom + 1):
            dot(cells, x, y)
        before = (x, last)
    return cells


def dot_spans(curve: Curve, frame: Frame, right: int, lowest: int) -> dict[int, tuple[int, int, int]]:
    """Dot column -> (top, bottom, last) dot rows, counted from the top left; `right` and `lowest` are the last ones."""
    high = scaled(frame.high, frame.log)
    across, down = right / frame.last_step, lowest / (high - scaled(frame.low, frame.log))
    columns: dict[int, tuple[float, float, float]] = {}
    for point in curve.points:
        above, below = point.high, point.low
        if not math.isfinite(above + below) or (frame.log and below <= 0):
            continue
        x = min(round(point.step * across), right)
        before = columns.get(x)
        if before is not None:
            above, below = max(above, before[0]), min(below, before[1])
        columns[x] = (above, below, point.last)

    def height(value: float) -> int:
        return min(lowest, max(0, round((high - scaled(value, frame.log)) * down)))

    return {x: (height(above), height(below), height(last)) for x, (above, below, last) in columns.items()}


def join(cells: Cells, start: tuple[int, int], end: tuple[int, int]) -> None:
    """The dots between two."""
    (x0, y0), (x1, y1) = start, end
    steps = max(abs(x1 - x0), abs(y1 - y0), 1)
    for step in range(1, steps):
        dot(cells, round(x0 + (x1 - x0) * step / steps), round(y0 + (y1 - y0) * step / steps))


def dot(cells: Cells, x: int, y: int) -> None:
    """Set one dot."""
    line = cells[y // 4]
    line[x // 2] = line.get(x // 2, 0) | DOTS[x % 2][y % 4]


def layered(drawn: Sequence[tuple[Cells, str]]) -> list[list[tuple[str, str]]]:
    """Several drawings over each other, the last on top, as lines of (text, role): one colour a character, and no
    blanks behind the last one."""
    lines = []
    for row in range(len(drawn[0][0])):
        shown: dict[int, tuple[int, str]] = {}
        for cells, colour in drawn:
            for column, bits in cells[row].items():
                shown[column] = (bits | shown[column][0] if column in shown else bits, colour)
        line: list[tuple[str, str]] = []
        end = 0
        for column in sorted(shown):
            bits, role = shown[column]
            text = " " * (column - end) + chr(0x2800 + bits)
            if line and line[-1][1] == role:
                line[-1] = (line[-1][0] + text, role)
            else:
                line.append((text, role))
            end = column + 1
        lines.append(line)
    return lines
