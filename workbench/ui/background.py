"""What runs beside the keys, in jobs, threads and between the keys: reading the rest of a large source, the scan,
searching, orders, the rows an edit fits, what training says of rows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Protocol

from textual.timer import Timer
from textual.worker import Worker, WorkType, get_current_worker

from engine.config import training_for
from engine.errors import TamisError
from engine.phrases import counted, share
from engine.review.edit_rules import RowRule
from workbench.actions import order, proposed, repairs
from workbench.actions.preconditions import read_only
from workbench.actions.search import go_on, show_found
from workbench.state.progress import ScanProgress
from workbench.state.row_pass import RowPass, pass_over_rows
from workbench.state.session import Session
from workbench.ui import jobs

# How often a window looks what a job of its own, another window or another command has put on disk.
LOOK_SECONDS = 1.0
# While rows are still being read they are what one waits for.
POLL_SECONDS = 0.5
# A key waits for one slice of a search at most.
SLICE_SECONDS = 0.006
SHOW_SECONDS = 0.3
TELL_SECONDS = 0.5
# What the job that looks at rows again is told in place of a run: tune on the accepted rows first.
RESCORE = "rescore"
SUSPECTS = "is:suspect"


class BackgroundHost(Protocol):
    """What the background asks of the application."""

    @property
    def session(self) -> Session: ...

    @property
    def frame_is_out(self) -> bool: ...

    def go(self, name: str) -> None: ...

    def sync_screen(self) -> None: ...

    def set_interval(self, interval: float, callback: Callable[[], None], *, name: str) -> Timer: ...

    def run_worker(
        self, work: WorkType[None], *, group: str, exclusive: bool = False, thread: bool = False
    ) -> Worker[None]: ...

    def call_from_thread(self, callback: Callable[..., None], *args: object) -> None: ...


class Background:
    """One of the application. Whatever can be stopped, `cancel` stops."""

    def __init__(self, host: BackgroundHost) -> None:
        self._host = host
        self._job: Worker[None] | None = None
        self._rows_at = self._scan_at = 0
        self._learning = False
        self._told = 0.0
        # What was said of journals that cannot be read.
        self._fault = ""

    def start(self) -> None:
        """Read what is not read yet, then scan what is not scanned yet; from now on look what others do here."""
        self._rows_at, self._scan_at = self._time_of("project.toml"), self._time_of("scan.bin")
        every = LOOK_SECONDS if self._host.session.project.is_complete else POLL_SECONDS
        self._host.set_interval(every, self.look_at_disk, name="disk")
        self.read_and_scan()

    def read_and_scan(self) -> None:
        """Read and scan what is left to do, where this window may."""
        project = self._host.session.project
        if not project.readonly and not (project.is_complete and project.is_scanned):
            self._job = self._host.run_worker(self._read_and_scan(), exclusive=True, group="jobs")

    def scan_anew(self) -> None:
        """After a change of what findings depend on (mapping, held-out set)."""
        if self._host.session.project.is_complete:
            self._job = self._host.run_worker(self._read_and_scan(), exclusive=True, group="jobs")

    def cancel(self) -> None:
        """Stop the job; what it has found so far is lost, what was decided is not."""
        if self._job is not None:
            self._job.cancel()
        session = self._host.session
        reading = not session.project.is_complete
        session.progress.job, session.progress.scanning = "", None
        what = "reading was stopped: the next start goes on" if reading else "the scan was stopped: no groups and flags"
        session.say(f"{what} until the next start" if not reading else what)

    # -- reading and scanning

    async def _read_and_scan(self) -> None:
        host, session = self._host, self._host.session
        try:
            if not session.project.is_complete:
                session.progress.job = f"reading {len(session.project.rows):,} rows"
                host.sync_screen()
                await jobs.run_job(jobs.READ_MODULE, session.project.folder, self._read_progress)
                self.take_rows()
            session.progress.job, session.progress.scanning = "scanning", ScanProgress().moved("reading", 0, 0)
            host.sync_screen()
            told = await jobs.run_scan(session.project.folder, self._scan_progress, self._exact_found)
            session.project.reload_findings()
            session.reload()
            done = "scanned" if session.place.screen == "overview" else "scanned: o shows what can be settled"
            session.tell(proposed.told_once(session) or done, "done")
            for sentence in told:
                session.say(sentence, "error")
        except TamisError as error:
            session.say(str(error), "error")
        finally:
            session.progress.job, session.progress.scanning = "", None
        host.sync_screen()
        self.count_tokens()

    def look_at_disk(self) -> None:
        """What other processes did here: rows, decisions, findings, the right to decide. Where nothing changed this
        costs a look at some small files."""
        self.check_ownership()
        self.take_rows()
        self._take_decisions()
        self._take_findings()

    def take_rows(self) -> None:
        """Take in the rows that have come: of a source that is still read, or by `tamis add` elsewhere."""
        session, now = self._host.session, self._time_of("project.toml")
        if now == self._rows_at:
            return
        was_complete, self._rows_at = session.project.is_complete, now
        try:
            more = session.project.refresh_rows()
        except TamisError as error:
            session.tell(str(error), "error")
            self._host.sync_screen()
            return
        session.reload(findings=False)
        if was_complete and more:
            session.tell(f"{counted(more, 'row')} added by another process", "done")
        self._host.sync_screen()

    def _take_decisions(self) -> None:
        """Take in what another window or command has decided; the list stays, as it does behind an act of one's own."""
        session = self._host.session
        try:
            changed = session.follow_journals()
            self._fault = ""
        except TamisError as error:
            # Once, not once a second.
            changed = str(error) != self._fault
            if changed:
                self._fault = str(error)
                session.tell(self._fault, "error")
        if changed:
            self._host.sync_screen()

    def _take_findings(self) -> None:
        """Take in what a scan elsewhere found."""
        session, now = self._host.session, self._time_of("scan.bin")
        if now == self._scan_at or session.progress.scanning is not None:
            return
        self._scan_at = now
        if not session.project.is_scanned and session.project.reload_findings():
            session.reload(findings=False)
            self._host.sync_screen()

    def _time_of(self, name: str) -> int:
        try:
            return (self._host.session.project.folder / name).stat().st_mtime_ns
        except OSError:
            return 0

    def _read_progress(self, phase: str, done: int, of: int) -> None:
        self._tell(f"{phase} {done:,} rows")

    def _scan_progress(self, phase: str, done: int, of: int) -> None:
        session = self._host.session
        if session.progress.scanning is None:
            return
        is_new = phase != session.progress.scanning.phase
        session.progress.scanning = session.progress.scanning.moved(phase, done, of)
        self._tell(f"scanning: {phase} {share(done / of)}" if of else f"scanning: {phase}", now=is_new)

    def _tell(self, text: str, *, now: bool = False) -> None:
        """Show how far the job is: twice a second is often enough for an eye, and for a slow link."""
        if text != self._host.session.progress.job and (now or monotonic() - self._told > TELL_SECONDS):
            self._told = monotonic()
            self._host.session.progress.job = text
            self._host.sync_screen()

    def _exact_found(self, groups: int) -> None:
        """Groups of equal rows can be settled while the scan goes on."""
        session = self._host.session
        if groups and session.project.findings is None and session.project.reload_findings():
            session.reload()
            self._host.sync_screen()

    def check_ownership(self) -> None:
        """Say so where another window has taken over: a read of one small file, until it has."""
        session = self._host.session
        try:
            session.project.check_ownership()
        except TamisError as error:
            session.pending = None
            session.say(read_only(session) or str(error), "error")
            self._host.sync_screen()

    # -- searching

    def search(self) -> None:
        """Go on with the search of the session, a little at a time, until it is done or another filter is set."""
        if self._host.session.place.searching is not None:
            self._host.run_worker(self._search(), exclusive=True, group="search")

    async def _search(self) -> None:
        session = self._host.session
        searching, shown = session.place.searching, monotonic()
        while searching is not None and session.place.searching is searching:
            if searching.found and not self._host.frame_is_out:
                # What was found is painted first; looking on would keep it waiting.
                await asyncio.sleep(SLICE_SECONDS / 4)
                continue
            had = len(searching.found)
            go_on(session, SLICE_SECONDS)
            # The first row at once, then now and then: each time costs a frame.
            is_first = not had and bool(searching.found)
            if session.place.searching is None or is_first or monotonic() - shown > SHOW_SECONDS:
                show_found(session)
                self._host.sync_screen()
                shown = monotonic()
            # Keys come first.
            await asyncio.sleep(SLICE_SECONDS / 4)

    # -- orders

    def learn(self) -> None:
        """Put the rows in order by what was learned so far, in a job of its own; one at a time."""
        session = self._host.session
        if self._learning or session.project.findings is None:
            return
        self._learning = True
        session.queue.verdicts_since_learned = 0
        self._host.run_worker(self._learn(), group="queue")

    async def _learn(self) -> None:
        session = self._host.session
        try:
            await jobs.run_job(jobs.QUEUE_MODULE, session.project.folder, lambda phase, done, of: None)
            order.take_queue(session)
            if session.queue.sorted_by == order.RISK:
                session.tell(f"order: {order.LABELS[order.RISK]}{order.learned_words(session.queue.learned)}", "done")
        except TamisError as error:
            session.say(str(error), "error")
        finally:
            self._learning = False
        self._host.sync_screen()

    def rank(self, name: str) -> None:
        """Work an order out that reads every row, and show the list in it."""
        self._host.session.say(f"sorting: {order.LABELS[name]}")
        self._host.run_worker(self._rank(name), exclusive=True, group="rank")

    async def _rank(self, name: str) -> None:
        session = self._host.session
        ranked = await asyncio.to_thread(order.ranking, session, name)
        order.take_order(session, name, ranked)
        self._host.sync_screen()

    # -- what an edit leads to

    def find_fitting(self) -> None:
        """Look for the rows that the change behind the last edit fits, too."""
        rule = self._host.session.proposals.take_edit_rule()
        if rule is not None:
            self._host.run_worker(self._find_fitting(rule), exclusive=True, group="fitting")

    async def _find_fitting(self, rule: RowRule) -> None:
        session = self._host.session
        rows = await asyncio.to_thread(repairs.fitting, session.project, rule, range(len(session.project.rows)))
        if rows:
            session.proposals.fits = (rule, tuple(rows))
            more = f"F shows {counted(len(rows), 'more row')} that the same change fits ({rule.rule.about})"
            session.tell(f"{more} \u00b7 {session.message.text}", "done")
            self._host.sync_screen()

    # -- tokens

    def count_tokens(self) -> None:
        """Count the tokens of rows with the chosen model's tokenizer, where one is chosen; else they are told about."""
        session = self._host.session
        if session.progress.job or session.project.readonly or not session.project.is_complete:
            return
        try:
            model = training_for(session.project.folder).model
        except TamisError:  # it waits for a yes; the plan says so
            return
        if model:
            self._job = self._host.run_worker(self._count_tokens(), group="tokens", exclusive=True)

    async def _count_tokens(self) -> None:
        session = self._host.session
        try:
            await jobs.run_job(jobs.TOKENS_MODULE, session.project.folder, self._look_progress)
            session.progress.take_token_counts()
        except asyncio.CancelledError:
            session.say("stopped: tokens are told about until the next start")
            raise
        except TamisError as error:
            session.tell(str(error), "error")
        finally:
            session.progress.job = ""
            self._host.sync_screen()

    # -- looking at rows again

    def rescore(self) -> None:
        """Tune on the accepted rows and rank the undecided ones by surprise; decides nothing."""
        self._start_looking(RESCORE, "re-scoring")

    def find_suspects(self, run: str) -> None:
        """Read what a run (its id) says of single rows, and bring those worth another look into triage."""
        self._start_looking(run, "reading the run")

    def _start_looking(self, which: str, doing: str) -> None:
        session = self._host.session
        if session.progress.job:
            session.say(f"{session.progress.job}: esc stops it", "refused")
        elif session.project.readonly:
            session.say(read_only(session) or "", "refused")
        else:
            session.progress.job = doing
            self._job = self._host.run_worker(self._look(which), group="suspects")

    async def _look(self, which: str) -> None:
        session = self._host.session
        try:
            await jobs.run_job(jobs.SUSPECTS_MODULE, session.project.folder, self._look_progress, which)
            session.project.reload_findings()
            session.reload(findings=False)
            session.tell(_suspects_in_words(session), "done")
            if which != RESCORE and session.place.screen == "train":
                self._show_suspects()
        except asyncio.CancelledError:
            session.say("stopped: nothing has changed")
            raise
        except TamisError as error:
            session.say(str(error), "error")
        finally:
            session.progress.job = ""
            self._host.sync_screen()

    def _look_progress(self, phase: str, done: int, of: int) -> None:
        text = f"{phase} {done:,}/{of:,}" if of else phase
        if self._host.session.progress.job != text:
            self._host.session.progress.job = text
            self._host.sync_screen()

    def _show_suspects(self) -> None:
        """Open them in triage; what was found stays in the message unless nothing is left to look at."""
        session = self._host.session
        message = session.message
        session.set_filter(SUSPECTS)
        if len(session.place.entries):
            session.message = message
        self._host.go("triage")

    # -- reading every row once

    def pass_over_rows(self) -> None:
        """Find the year of each row and the system prompts that rows share, in a thread."""
        self._host.run_worker(self._pass_over_rows, group="rows", exclusive=True, thread=True)

    def _pass_over_rows(self) -> None:
        worker = get_current_worker()
        found = pass_over_rows(self._host.session.project, lambda: worker.is_cancelled)
        if not worker.is_cancelled and (found.years is not None or found.prompts or found.understood_better):
            self._host.call_from_thread(self._take_row_pass, found)

    def _take_row_pass(self, found: RowPass) -> None:
        self._host.session.take_row_pass(found)
        self._host.sync_screen()


def _suspects_in_words(session: Session) -> str:
    project = session.project
    left = sum(map(project.is_suspect, range(len(project.rows))))
    ranked = len(project.suspects.scores)
    scored = f"; {counted(ranked, 'untouched row')} ranked: s orders by surprise" if ranked else ""
    return f"{counted(left, 'row')} to look at again: / {SUSPECTS}{scored}"
