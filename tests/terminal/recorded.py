"""Starts the workbench with a driver that writes down every frame Textual makes and everything that goes out for it.

Run as a script: `recorded.py LOG ARGUMENTS…`, the arguments being those of `tamis`. One JSON list a line:
["in", width, height, frame] is what Textual wrote, ["out", text] what was sent, ["even", bool] whether nothing is held.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from workbench.cli.main import main
from workbench.terminal.driver import CellDriver, TamisDriver


def record(log: Path) -> None:
    """Have the drivers write to `log`."""
    stream = log.open("a", encoding="utf-8")
    take, send, send_frame = CellDriver.write, TamisDriver.write, CellDriver.send_frame

    def note(*what: object) -> None:
        stream.write(json.dumps(what) + "\n")
        stream.flush()

    def taken(self: CellDriver, data: str) -> None:
        note("in", *self._app.size, data)
        take(self, data)
        note("even", not self.holds_frame)

    def sent(self: TamisDriver, data: str) -> None:
        note("out", data)
        send(self, data)

    def frame_sent(self: CellDriver) -> None:
        send_frame(self)
        note("even", not self.holds_frame)

    CellDriver.write, TamisDriver.write, CellDriver.send_frame = taken, sent, frame_sent  # type: ignore[method-assign]


if __name__ == "__main__":
    record(Path(sys.argv[1]))
    sys.exit(main(sys.argv[2:]))
