"""A comparison as it goes on, read from the files of its runs: how far each arm is, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.training.compare.arms import BASE
from engine.training.compare.reuse import is_whole
from engine.training.compare.store import Comparison, read_comparison, read_result
from engine.training.runs.follow import FollowedRuns
from engine.training.runs.status import RunState, is_alive, tail_events


@dataclass(frozen=True, slots=True)
class ArmState:
    """One arm: steps over all its runs, how many of these are whole, the newest training loss, the held-out loss so far
    (mean over the runs that have ended), and what stands against a verdict ("" for nothing)."""

    name: str
    rows: int
    runs: int
    whole: int
    step: int
    of: int
    loss: float | None
    nll: float | None
    fault: str


class LiveComparison:
    """Reads further at each `read`; `changed` says whether anything on a screen would be other than before."""

    def __init__(self, folder: Path) -> None:
        self.comparison: Comparison = read_comparison(folder)
        self.arms: tuple[ArmState, ...] = ()
        self.result: Mapping[str, Any] | None = None
        folders = [self.comparison.run_dir(trial) for trial in self.comparison.trials]
        self._runs = FollowedRuns(lambda: folders)
        self._offsets: dict[str, int] = {}
        self._loss: dict[str, float] = {}
        self._nll: dict[str, float] = {}

    def read(self) -> bool:
        """Take in what has been written since; whether anything changed."""
        before = (self.arms, self.result)
        if self.result is None:
            self.result = read_result(self.comparison.dir)
        was_alive = any(state.alive for state in self._runs.states)
        if self._runs.look() or was_alive or not self.arms:
            states = {state.id: state for state in self._runs.states}
            for run in states:
                self._read_events(run)
            self.arms = tuple(self._arm(name, rows, states) for name, rows in self.comparison.arms)
        return (self.arms, self.result) != before

    @property
    def is_going_on(self) -> bool:
        """Whether some run of it is alive."""
        return any(is_alive(self.comparison.run_dir(trial)) for trial in self.comparison.trials)

    @property
    def is_ready(self) -> bool:
        """Whether all runs are whole, so that a verdict can be worked out."""
        return all(arm.whole == arm.runs for arm in self.arms)

    def _read_events(self, run: str) -> None:
        folder = self.comparison.dir.parent / run
        events, self._offsets[run] = tail_events(folder, self._offsets.get(run, 0))
        for event in events:
            if event["ev"] == "log" and isinstance(event.get("loss"), int | float):
                self._loss[run] = float(event["loss"])
            elif event["ev"] == "eval" and isinstance(event.get("nll"), int | float) and event["step"]:
                self._nll[run] = float(event["nll"])

    def _arm(self, name: str, rows: int, states: Mapping[str, RunState]) -> ArmState:
        runs = [trial.run for trial in self.comparison.of_arm(name)]
        found = [states[run] for run in runs if run in states]
        losses = [self._loss[run] for run in runs if run in self._loss]
        nll = [self._nll[run] for run in runs if run in self._nll]
        whole = sum(is_whole(state) for state in found)
        gone = len(runs) - len(found)
        broken = [state for state in found if not state.alive and not is_whole(state)]
        fault = f"{gone} runs are gone" if gone else f"{broken[0].id} {broken[0].state}" if broken else ""
        steps = self.comparison.steps * len(runs)
        return ArmState(
            name,
            rows,
            len(runs),
            whole,
            sum(state.step for state in found),
            0 if name == BASE else steps,
            losses[-1] if losses else None,
            sum(nll) / len(nll) if nll else None,
            fault,
        )
