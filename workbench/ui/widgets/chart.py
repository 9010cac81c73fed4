"""Loss curves with their axes; only the lines that changed are sent."""

from __future__ import annotations

from collections.abc import Sequence

from textual.strip import Strip

from workbench.text.blocks import Styled
from workbench.text.braille import Curve, draw, frame_for, layered
from workbench.ui.widgets.lines import Lines, Styles

AXIS_WIDTH = 8
LABEL_EVERY = 3


class Chart(Lines):
    """`show` takes curves, those behind first; `last_step` is where the axis ends."""

    def __init__(self, styles: Styles, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(styles, id=id)
        self._curves: Sequence[Curve] = ()
        self._last_step = 1.0
        self._log = False
        self._kept: dict[tuple[Styled, ...], Strip] = {}

    def show(self, curves: Sequence[Curve], last_step: float, *, log: bool = False) -> None:
        self._curves, self._last_step, self._log = curves, last_step, log
        self.sync()

    def make_lines(self, width: int, height: int) -> Sequence[Strip]:
        rows, columns = height - 1, width - AXIS_WIDTH - 1
        frame = frame_for(self._curves, self._last_step, log=self._log)
        if frame is None or rows < 2 or columns < 4:
            blank = self.styled.strip(((" no loss yet", "muted"),) if frame is None else (), width)
            return [blank, *[self.styled.strip((), width)] * (height - 1)]
        drawn = [(draw(curve, frame, columns, rows), curve.role) for curve in self._curves]
        lines: list[tuple[Styled, ...]] = []
        for index, line in enumerate(layered(drawn)):
            value = frame.value_at(index / max(1, rows - 1))
            labelled = (index % LABEL_EVERY == 0 and index < rows - 2) or index == rows - 1
            label = f"{value:>{AXIS_WIDTH - 1}.3g} " if labelled else " " * AXIS_WIDTH
            lines.append(((label, "muted"), ("\u2502", "line"), *line))
        end = f"step {frame.last_step:,.0f}"
        axis = f"{'0':>{AXIS_WIDTH}} {'log scale' if self._log else '':<10}{end:>{columns - 10}}"
        lines.append(((axis, "muted"),))
        return self._strips(lines, width)

    def _strips(self, lines: Sequence[tuple[Styled, ...]], width: int) -> Sequence[Strip]:
        """The strips of the lines; a step changes one or two, the others are those of before."""
        before = self._kept
        self._kept = {}
        for line in lines:
            kept = before.get(line)
            self._kept[line] = kept if kept and kept.cell_length == width else self.styled.strip(line, width)
        return [self._kept[line] for line in lines]
