"""What runs beside the keys: reading the rest of a large source, then the scan. Jobs of their own; triage goes on."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING

from textual.worker import Worker

from engine.errors import TamisError
from engine.phrases import share
from workbench.actions import order, repairs
from workbench.state.session import Session
from workbench.text.phrases import counted
from workbench.ui import jobs

if TYPE_CHECKING:
    from engine.review.edit_rules import RowRule
    from workbench.ui.app import TamisApp

# How often a window looks for rows that a job (its own, or another window's) has put on disk.
POLL_SECONDS = 0.5
# A key waits for one slice of a search at most.
SLICE_SECONDS = 0.006
SHOW_SECONDS = 0.3
# How often a window looks whether another one has taken over.
OWNER_SECONDS = 1.0
TELL_SECONDS = 0.5


class Background:
    """One of the application; `start` does what is still to do, in order."""

    def __init__(self, app: TamisApp) -> None:
        self._app = app
        self._job: Worker[None] | None = None
        self._settings_at = 0
        self._learning = False
        self._told = 0.0

    def start(self) -> None:
        """Read what is not read yet, then scan what is not scanned yet."""
        project = self._app.session.project
        if not project.readonly:
            self._app.set_interval(OWNER_SECONDS, self.check_ownership, name="owner")
        if not project.is_complete:
            self._settings_at = self._settings_time()
            self._app.set_interval(POLL_SECONDS, self.take_rows, name="rows")
        if not project.readonly and (not project.is_complete or not project.is_scanned):
            self._job = self._app.run_worker(self._read_and_scan(), exclusive=True, group="jobs")

    def search(self) -> None:
        """Go on with the search of the session, a little at a time, until it is done or another filter is set."""
        if self._app.session.place.searching is not None:
            self._app.run_worker(self._search(), exclusive=True, group="search")

    async def _search(self) -> None:
        from workbench.actions.search import go_on, show_found

        session = self._app.session
        searching, shown = session.place.searching, monotonic()
        while searching is not None and session.place.searching is searching:
            if searching.found and not self._app.frame_is_out:
                # What was found is painted first; looking on would keep it waiting.
                await asyncio.sleep(SLICE_SECONDS / 4)
                continue
            had = len(searching.found)
            go_on(session, SLICE_SECONDS)
            # The first row at once, then now and then: each time costs a frame.
            is_first = not had and bool(searching.found)
            if session.place.searching is None or is_first or monotonic() - shown > SHOW_SECONDS:
                show_found(session)
                self._app.sync_screen()
                shown = monotonic()
            # Keys come first.
            await asyncio.sleep(SLICE_SECONDS / 4)

    def scan_anew(self) -> None:
        """After a change of what findings depend on (mapping, held-out set)."""
        if self._app.session.project.is_complete:
            self._job = self._app.run_worker(self._read_and_scan(), exclusive=True, group="jobs")

    def hold(self, job: Worker[None]) -> None:
        """Take charge of another job: `cancel` stops it."""
        self._job = job

    def cancel(self) -> None:
        """Stop the job; what it has found so far is lost, what was decided is not."""
        if self._job is not None:
            self._job.cancel()
        session = self._app.session
        reading = not session.project.is_complete
        session.progress.job, session.progress.scanning = "", None
        what = "reading was stopped: the next start goes on" if reading else "the scan was stopped: no groups and flags"
        session.say(f"{what} until the next start" if not reading else what)

    async def _read_and_scan(self) -> None:
        from workbench.state.progress import ScanProgress

        app = self._app
        session = app.session
        try:
            if not session.project.is_complete:
                session.progress.job = f"reading {len(session.project.rows):,} rows"
                app.sync_screen()
                await jobs.run_job(jobs.READ_MODULE, session.project.folder, self._read_progress)
                self.take_rows()
            session.progress.job, session.progress.scanning = "scanning", ScanProgress().moved("reading", 0, 0)
            app.sync_screen()
            await jobs.run_scan(session.project.folder, self._scan_progress, self._exact_found)
            session.project.reload_findings()
            session.reload()
            session.say("scanned", "done")
        except TamisError as error:
            session.say(str(error), "error")
        finally:
            session.progress.job, session.progress.scanning = "", None
        app.sync_screen()
        app.ask_what_is_open()

    def learn(self) -> None:
        """Put the rows in order by what was learnt so far, in a job of its own; one at a time."""
        session = self._app.session
        if self._learning or session.project.findings is None:
            return
        self._learning = True
        session.queue.verdicts_since_learned = 0
        self._app.run_worker(self._learn(), group="queue")

    async def _learn(self) -> None:
        session = self._app.session
        try:
            await jobs.run_job(jobs.QUEUE_MODULE, session.project.folder, lambda phase, done, of: None)
            order.take_queue(session)
            if session.queue.sorted_by == order.RISK:
                session.say(f"order: {order.LABELS[order.RISK]}{order.learned_words(session.queue.learned)}", "done")
        except TamisError as error:
            session.say(str(error), "error")
        finally:
            self._learning = False
        self._app.sync_screen()

    def rank(self, name: str) -> None:
        """Work an order out that reads every row, and show the list in it."""
        self._app.session.say(f"sorting: {order.LABELS[name]}")
        self._app.run_worker(self._rank(name), exclusive=True, group="rank")

    async def _rank(self, name: str) -> None:
        session = self._app.session
        ranked = await asyncio.to_thread(order.ranking, session, name)
        order.take_order(session, name, ranked)
        self._app.sync_screen()

    def find_fitting(self) -> None:
        """Look for the rows that the change behind the last edit fits, too."""
        rule = self._app.session.proposals.take_edit_rule()
        if rule is not None:
            self._app.run_worker(self._find_fitting(rule), exclusive=True, group="fitting")

    async def _find_fitting(self, rule: RowRule) -> None:
        session = self._app.session
        rows = await asyncio.to_thread(repairs.fitting, session.project, rule, range(len(session.project.rows)))
        if rows:
            session.proposals.fits = (rule, tuple(rows))
            more = f"F shows {counted(len(rows), 'more row')} that the same change fits ({rule.rule.about})"
            session.say(f"{more} \u00b7 {session.message.text}", "done")
            self._app.sync_screen()

    def _read_progress(self, phase: str, done: int, of: int) -> None:
        self._tell(f"{phase} {done:,} rows")

    def _scan_progress(self, phase: str, done: int, of: int) -> None:
        session = self._app.session
        if session.progress.scanning is None:
            return
        is_new = phase != session.progress.scanning.phase
        session.progress.scanning = session.progress.scanning.moved(phase, done, of)
        self._tell(f"scanning: {phase} {share(done / of)}" if of else f"scanning: {phase}", now=is_new)

    def _exact_found(self, groups: int) -> None:
        """Groups of equal rows can be settled while the scan goes on."""
        session = self._app.session
        if groups and session.project.findings is None and session.project.reload_findings():
            session.reload()
            self._app.sync_screen()

    def _tell(self, text: str, *, now: bool = False) -> None:
        """Show how far the job is: twice a second is often enough for an eye, and for a slow link."""
        if text != self._app.session.progress.job and (now or monotonic() - self._told > TELL_SECONDS):
            self._told = monotonic()
            self._app.session.progress.job = text
            self._app.sync_screen()

    def _settings_time(self) -> int:
        try:
            return (self._app.session.project.folder / "project.toml").stat().st_mtime_ns
        except OSError:
            return 0

    def check_ownership(self) -> None:
        """Say so where another window has taken over: a read of one small file, until it has."""
        try:
            self._app.session.project.check_ownership()
        except TamisError as error:
            self._app.session.say(str(error), "error")
            self._app.sync_screen()

    def take_rows(self) -> None:
        """Take in the rows that have come; where nothing changed on disk this costs one look at a file."""
        project = self._app.session.project
        if project.is_complete or (now := self._settings_time()) == self._settings_at:
            return
        self._settings_at = now
        try:
            project.refresh_rows()
        except TamisError as error:
            self._app.session.say(str(error), "error")
            return
        self._app.session.reload(findings=False)
        self._app.sync_screen()


# Looking at rows again: what a run says of them, brought into triage; re-scoring, as a job beside the keys.

RESCORE = "rescore"
SUSPECTS = "is:suspect"


def look_again(app: TamisApp, which: str) -> None:
    """Start the job: `rescore`, the id of a run, or "" for the newest run that measured rows."""
    session = app.session
    if session.progress.job:
        session.say(f"{session.progress.job}: esc stops it", "refused")
    elif session.project.readonly:
        session.say(f"read-only: {session.project.readonly_reason}", "refused")
    else:
        session.progress.job = "re-scoring" if which == RESCORE else "reading the run"
        app.background.hold(app.run_worker(_look(app, which), group="suspects"))


async def _look(app: TamisApp, which: str) -> None:
    session = app.session

    def tell(phase: str, done: int, of: int) -> None:
        share = f" {done:,}/{of:,}" if of else ""
        if session.progress.job != f"{phase}{share}":
            session.progress.job = f"{phase}{share}"
            app.sync_screen()

    try:
        from workbench.ui.jobs import SUSPECTS_MODULE, run_job

        words = [which] if which else []
        await run_job(SUSPECTS_MODULE, session.project.folder, tell, *words)
        session.project.reload_findings()
        session.reload(findings=False)
        _tell_found(session)
        if which != RESCORE and session.place.screen == "train":
            show_rows(app, SUSPECTS)
    except asyncio.CancelledError:
        session.say("stopped: nothing has changed")
        raise
    except TamisError as error:
        session.say(str(error), "error")
    finally:
        session.progress.job = ""
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
    if len(session.place.entries) and message.tone == "done":
        session.message = message
    app.go("triage")
