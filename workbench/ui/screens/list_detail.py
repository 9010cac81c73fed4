"""What the screens of repairs, pick and slices share: a list on one side, a document on the other."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Container

from engine.errors import TamisError
from workbench.actions import first_open
from workbench.text.blocks import Styled
from workbench.ui.jobs import run_job
from workbench.ui.screens.base import WorkScreen
from workbench.ui.widgets.line_list import LineList, ListSource
from workbench.ui.widgets.lines import OneLine, Sentence
from workbench.ui.widgets.reader import Reader

# Repairs are asked about where they are looked for: what they are offered for stands still.
DECIDES = ("pick-accept", "slice-accept", "slice-reject")


class ListDetailScreen(WorkScreen):
    """Subclasses give the list its source, say how its cursor moves, and fill the reader in `sync_reader`."""

    def source(self) -> ListSource:
        raise NotImplementedError

    def move(self, steps: int) -> None:
        raise NotImplementedError

    def sync_reader(self, reader: Reader) -> None:
        raise NotImplementedError

    def heading(self) -> list[Styled]:
        """The line above the reader."""
        return []

    def summary(self) -> list[Styled]:
        """The line below both."""
        return []

    def compose_body(self) -> ComposeResult:
        styles = self.host.role_styles
        with Container(id="body"):
            yield LineList(styles, self.source(), id="list")
            with Container(id="reading"):
                yield OneLine(styles, id="title")
                yield Reader(styles, id="reader")
        yield Sentence(styles, id="reason")

    def step(self, steps: int) -> None:
        self.move(steps)

    def page(self, pages: float) -> None:
        self.move(int(self.query_one(LineList).page_size * pages))

    def scroll_reader(self, pages: float) -> None:
        if not self.query_one(Reader).scroll_pages(pages):
            self.session.say("the end of the text" if pages > 0 else "the beginning of the text")

    def _perform(self, command_id: str) -> None:
        if first_open.asks_heldout(self.session, command_id in DECIDES):
            self.host.ask_heldout(command_id)
        else:
            super()._perform(command_id)

    def sync_body(self) -> None:
        rows = self.query_one(LineList)
        rows.no_higher(None if self.has_class("-wide") or self.has_class("-vast") else len(self.source()))
        rows.sync()
        self.sync_reader(self.query_one(Reader))
        self.session.on_screen |= self.query_one(Reader).seen_rows
        self.query_one("#title", OneLine).show(self.heading())
        self.query_one("#reason", OneLine).show(self.summary())


class JobListScreen(ListDetailScreen):
    """A list that a job (`MODULE`) works out anew whenever it is stale; `DOING` is what the status line says then."""

    MODULE = ""
    DOING = ""
    _working = False

    def state(self) -> object:
        """What is shown as it stands: what the job brings is taken for what it was asked for only."""
        raise NotImplementedError

    def is_stale(self) -> bool:
        raise NotImplementedError

    def words(self) -> tuple[str, ...]:
        """What the job is told."""
        raise NotImplementedError

    def take(self) -> None:
        """Take in what the job has left on disk. Raises TamisError."""
        raise NotImplementedError

    def give_up(self) -> None:
        """Leave the list as it is: tried again by itself, the job would fail again."""
        raise NotImplementedError

    def sync_body(self) -> None:
        if self.is_stale() and not self._working:
            self._working = True
            self.session.progress.job = self.DOING
            self.run_worker(self._work_out(), group="list")
        super().sync_body()

    async def _work_out(self) -> None:
        """Run the job for the list as it stands; what is asked for meanwhile is worked out after it."""
        session, asked = self.session, self.state()
        try:
            await run_job(self.MODULE, session.project.folder, lambda *_: None, *self.words())
            if self.state() == asked:
                self.take()
        except TamisError as error:
            session.say(str(error), "error")
            self.give_up()
        finally:
            session.progress.job = ""
            self._working = False
        self.host.sync_screen()
