"""Looking at rows again: what a run says of them, brought into triage; re-scoring, as a job beside the keys."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from engine.errors import TamisError
from workbench.session import Session
from workbench.wording import counted

if TYPE_CHECKING:
    from workbench.app import TamisApp

RESCORE = "rescore"
SUSPECTS = "is:suspect"


def look_again(app: TamisApp, which: str) -> None:
    """Start the job: `rescore`, the id of a run, or "" for the newest run that measured rows."""
    session = app.session
    if session.job:
        session.say(f"{session.job}: esc stops it", "refused")
    elif session.project.readonly:
        session.say(f"read-only: {session.project.readonly_reason}", "refused")
    else:
        session.job = "re-scoring" if which == RESCORE else "reading the run"
        app.background.hold(app.run_worker(_look(app, which), group="suspects"))


async def _look(app: TamisApp, which: str) -> None:
    session = app.session

    def tell(phase: str, done: int, of: int) -> None:
        share = f" {done:,}/{of:,}" if of else ""
        if session.job != f"{phase}{share}":
            session.job = f"{phase}{share}"
            app.sync_screen()

    try:
        from workbench.scan_job import SUSPECTS_MODULE, run_job

        words = [which] if which else []
        await run_job(SUSPECTS_MODULE, session.project.folder, tell, *words)
        session.project.reload_findings()
        session.reload(findings=False)
        _tell_found(session)
        if which != RESCORE and session.screen == "train":
            show_rows(app, SUSPECTS)
    except asyncio.CancelledError:
        session.say("stopped: nothing has changed")
        raise
    except TamisError as error:
        session.say(str(error), "error")
    finally:
        session.job = ""
        app.sync_screen()


def _tell_found(session: Session) -> None:
    project = session.project
    left = sum(map(project.is_suspect, range(len(project.rows))))
    ranked = len(project.suspects.scores)
    scored = f"; {counted(ranked, 'untouched row')} ranked: s orders by surprise" if ranked else ""
    session.say(f"{counted(left, 'row')} to look at again: / {SUSPECTS}{scored}", "done")


def show_rows(app: TamisApp, filter_text: str) -> None:
    """Open rows in triage, whatever screen is in front."""
    session = app.session
    message = session.message
    session.set_filter(filter_text)
    if len(session.view) and message.tone == "done":
        session.message = message
    app.go("triage")
