"""Curves in braille, two by four dots a character, drawn here: plot libraries send the whole area anew. No terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from engine.training.history import Column

# Dots of a braille cell by (column, row), as Unicode numbers them.
DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
SMOOTHING = 0.9
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

    def across(self, step: float, wide: int) -> int:
        """The dot column of a step."""
        return min(wide - 1, max(0, round(step / self.last_step * (wide - 1))))

    def down(self, value: float, tall: int) -> int:
        """The dot row of a value, from the top."""
        high, low, at = (scaled(each, self.log) for each in (self.high, self.low, value))
        return min(tall - 1, max(0, round((high - at) / (high - low) * (tall - 1))))

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
    values = [value for curve in curves for point in curve.points for value in (point.low, point.high)]
    values = [value for value in values if math.isfinite(value) and (value > 0 or not log)]
    if not values:
        return None
    low, high = min(values), max(values)
    if low == high:
        low, high = (low / 2, high * 2) if log else (low - 0.5, high + 0.5)
    return Frame(max(last_step, 1.0), low, high, log)


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
    wide, tall = columns * 2, rows * 4
    spans: dict[int, tuple[int, int, int]] = {}
    for point in curve.points:
        if not math.isfinite(point.low + point.high) or (frame.log and point.low <= 0):
            continue
        x = frame.across(point.step, wide)
        top, bottom, last = (frame.down(value, tall) for value in (point.high, point.low, point.last))
        if x in spans:
            top, bottom = min(top, spans[x][0]), max(bottom, spans[x][1])
        spans[x] = (top, bottom, last)
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
