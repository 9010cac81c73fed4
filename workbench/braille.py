"""Curves in braille, two by four dots a character, drawn here: plot libraries send the whole area anew. No terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from engine.training.history import Column

# Dots of a braille cell by (column, row), as Unicode numbers them.
DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
SMOOTHING = 0.9
SPAN_PARTS, DECADE_PARTS = 5, 4
Cells = list[list[int]]


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
    points = [point for curve in curves for point in curve.points if math.isfinite(point.low + point.high)]
    points = [point for point in points if point.low > 0] if log else points
    if not points:
        return None
    low, high = min(point.low for point in points), max(point.high for point in points)
    if low == high:
        low, high = (low / 2, high * 2) if log else (low - 0.5, high + 0.5)
    return Frame(max(last_step, 1.0), *rounded(low, high, log), log)


def rounded(low: float, high: float, log: bool) -> tuple[float, float]:
    """The range widened to round values: a new lowest loss a little below the last must not redraw the whole curve."""
    if log:
        low, high = math.floor(math.log10(low) * DECADE_PARTS), math.ceil(math.log10(high) * DECADE_PARTS)
        return 10 ** (low / DECADE_PARTS), 10 ** (high / DECADE_PARTS)
    unit = 10 ** math.floor(math.log10(high - low)) / SPAN_PARTS
    return math.floor(low / unit) * unit, math.ceil(high / unit) * unit


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
    cells = [[0] * columns for _ in range(rows)]
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
        if not math.isfinite(point.low + point.high) or (frame.log and point.low <= 0):
            continue
        x = min(right, max(0, round(point.step * across)))
        before = columns.get(x)
        if before is None:
            columns[x] = (point.high, point.low, point.last)
        else:
            columns[x] = (max(point.high, before[0]), min(point.low, before[1]), point.last)
    return {
        x: tuple(min(lowest, max(0, round((high - scaled(value, frame.log)) * down))) for value in values)  # type: ignore[misc]  # three each
        for x, values in columns.items()
    }


def join(cells: Cells, start: tuple[int, int], end: tuple[int, int]) -> None:
    """The dots between two."""
    (x0, y0), (x1, y1) = start, end
    steps = max(abs(x1 - x0), abs(y1 - y0), 1)
    for step in range(1, steps):
        dot(cells, round(x0 + (x1 - x0) * step / steps), round(y0 + (y1 - y0) * step / steps))


def dot(cells: Cells, x: int, y: int) -> None:
    """Set one dot."""
    cells[y // 4][x // 2] |= DOTS[x % 2][y % 4]


def layered(drawn: Sequence[tuple[Cells, str]]) -> list[list[tuple[str, str]]]:
    """Several drawings over each other, the last on top, as lines of (text, role): one colour a character."""
    lines = []
    for row in range(len(drawn[0][0])):
        line: list[tuple[str, str]] = []
        for column in range(len(drawn[0][0][row])):
            bits, role = 0, "text"
            for cells, colour in drawn:
                if cells[row][column]:
                    bits, role = bits | cells[row][column], colour
            text = chr(0x2800 + bits) if bits else " "
            if line and (line[-1][1] == role or not bits):
                line[-1] = (line[-1][0] + text, line[-1][1])
            else:
                line.append((text, role))
        lines.append(line)
    return lines
