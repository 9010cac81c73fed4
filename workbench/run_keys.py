"""What the keys of the training screen do with a run that has a model or rows: try it, judge it, look at its rows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from engine.training.answering import check_can_answer
from engine.training.judgements import Judging
from workbench.looking_again import look_again, show_rows

if TYPE_CHECKING:
    from workbench.screens.train import TrainScreen

WHAT = ("try", "judge", "suspects", "batch")


def act(screen: TrainScreen, what: str) -> None:
    """One of `WHAT`, on the run under the cursor, else on the watched one. Raises TrainingError."""
    session = screen.session
    watched = screen.watched.dir if screen.watched is not None else None
    under = screen.runs[screen.cursor - 1].dir if screen.cursor > 0 else None
    run = under or watched
    if run is None:
        session.say("no run here: j goes to one", "refused")
    elif what == "try":
        from workbench.screens.try_run import TryScreen

        check_can_answer(run)
        screen.tamis.push_screen(TryScreen(run))
    elif what == "judge":
        _judge(screen, watched, under)
    elif what == "suspects":
        look_again(screen.tamis, run.name)
    else:
        _batch(screen)


def _judge(screen: TrainScreen, watched: Path | None, under: Path | None) -> None:
    from workbench.screens.judge import JudgeScreen

    if watched is None or under is None or watched == under:
        screen.session.say("watch one run (enter), then go to the other (j): they are judged blind", "refused")
        return
    screen.tamis.push_screen(JudgeScreen(Judging(watched, under, by=screen.session.project.reviewer)))


def _batch(screen: TrainScreen) -> None:
    """The rows of the step that the latest alert of the watched run points at."""
    run = screen.watched
    steps = [int(alert["step"]) for alert in run.alerts if alert.get("step")] if run is not None else []
    if run is None:
        screen.session.say("no run is being watched: enter on one", "refused")
    elif not steps:
        screen.session.say("no alert of this run points at a step", "refused")
    else:
        show_rows(screen.tamis, f"batch:{run.dir.name}/{steps[-1]}")
