"""Several runs followed through their files: what became of them, also of one that had ended and is taken up again.

A look costs one `stat` a run that has ended: whatever begins it anew makes or renames a file in its folder. Runs that
are alive are read at every look, since a process may die without a word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from engine.errors import TrainingError
from engine.training.runs.status import RunState, read_run


@dataclass(frozen=True, slots=True)
class _Seen:
    """A run as it was read last, and the time of its folder then."""

    state: RunState
    folder_time: int


class FollowedRuns:
    """`look` brings `states` up to the files. `folders` are those of the runs, in the order in which they are told."""

    def __init__(self, folders: Callable[[], Iterable[Path]]) -> None:
        self._folders = folders
        self._seen: dict[Path, _Seen] = {}
        self.states: tuple[RunState, ...] = ()

    def look(self) -> bool:
        """Whether anything is other than at the last look."""
        before = [_told(state) for state in self.states]
        self._seen = {folder: seen for folder in self._folders() if (seen := self._look_at(folder)) is not None}
        self.states = tuple(seen.state for seen in self._seen.values())
        return [_told(state) for state in self.states] != before

    def _look_at(self, folder: Path) -> _Seen | None:
        try:
            folder_time = folder.stat().st_mtime_ns
        except OSError:  # deleted meanwhile
            return None
        seen = self._seen.get(folder)
        if seen is not None and not seen.state.alive and seen.folder_time == folder_time:
            return seen
        try:
            return _Seen(read_run(folder), folder_time)
        except TrainingError:  # its spec is not written yet, or it is no run
            return None


def _told(state: RunState) -> tuple[RunState, bool]:
    """What is told of a run: the age of its heartbeat is another one at every look, that it has become too old is
    news."""
    return replace(state, heard=None), state.frozen
