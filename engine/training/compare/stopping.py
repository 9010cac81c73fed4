"""Comparisons and learning curves by name, and asking all runs of one to stop."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from engine.errors import TrainingError
from engine.training.compare.reuse import is_whole
from engine.training.compare.store import (
    COMPARE,
    CURVE,
    NAME,
    SWEEP,
    Comparison,
    list_comparisons,
    read_comparison,
    read_result,
)
from engine.training.runs.registry import registered_folders
from engine.training.runs.run_queue import ask_to_stop
from engine.training.runs.status import is_alive, read_run

Stage = Literal["finished", "running", "cut short"]


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a comparison is: how many of its runs are whole, and the ids of those that are alive."""

    comparison: Comparison
    stage: Stage
    whole: int
    alive: tuple[str, ...]

    @property
    def command(self) -> str:
        """The word of the command that goes on with it."""
        return next((kind for kind in (CURVE, SWEEP) if f"-{kind}" in self.comparison.id), COMPARE)


def standing_of(comparison: Comparison) -> Standing:
    """Read from the files of its runs; one that was deleted counts as neither whole nor alive."""
    whole, alive = 0, []
    for trial in comparison.trials:
        folder = comparison.run_dir(trial)
        try:
            whole += is_whole(read_run(folder))
        except TrainingError:
            continue
        if is_alive(folder):
            alive.append(trial.run)
    stage: Stage = "running" if alive else "finished" if read_result(comparison.dir) is not None else "cut short"
    return Standing(comparison, stage, whole, tuple(alive))


def comparisons_in(runs_dir: Path) -> tuple[Comparison, ...]:
    """Every comparison, learning curve and sweep of a folder of runs, the newest first."""
    found = [each for kind in (COMPARE, CURVE, SWEEP) for each in list_comparisons(runs_dir, kind)]
    return tuple(sorted(found, key=lambda comparison: comparison.id, reverse=True))


def known_comparisons() -> tuple[Comparison, ...]:
    """Those beside the runs that this user started on this machine."""
    folders = dict.fromkeys(folder.parent for folder in registered_folders())
    return tuple(comparison for folder in folders for comparison in comparisons_in(folder))


def find_comparison(named: Path) -> Comparison | None:
    """The comparison of a folder, or of an id or the beginning of one; None where the name means none."""
    if (named / NAME).is_file():
        return read_comparison(named)
    if len(named.parts) != 1:
        return None
    known = known_comparisons()
    exact = [comparison for comparison in known if comparison.id == str(named)]
    if exact:
        return exact[0]
    # The ids of its own runs begin as its own does, at times.
    begun = [comparison for comparison in known if comparison.id.startswith(str(named))]
    own = {trial.run for comparison in begun for trial in comparison.trials}
    runs = {folder.name for folder in registered_folders() if folder.name.startswith(str(named))}
    return begun[0] if len(begun) == 1 and runs <= own else None


def stop_comparison(comparison: Comparison) -> Standing:
    """Ask every run of it that is alive to save and end, also one that it took from an earlier comparison; how it stood
    before. What is whole stays, and the same comparison asked for again goes on with it.

    Raises TrainingError where no run is going on.
    """
    standing = standing_of(comparison)
    if not standing.alive:
        raise TrainingError(f"no run of {comparison.id} is going on", f"it is {standing.stage}", "see `tamis runs`")
    ask_to_stop([comparison.dir.parent / run for run in standing.alive])
    return standing
