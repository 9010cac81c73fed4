"""A row as the trainer would see it: its tokens, those that are learnt lit. Asked of the trainer's own libraries, in a
process beside the screen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from textual import work
from textual.app import ComposeResult

from engine.errors import TamisError
from engine.phrases import share
from workbench.commands.targets import TOKENS
from workbench.render.token_lines import token_paragraphs
from workbench.text.blocks import Paragraph
from workbench.text.escape import visible_line
from workbench.ui.jobs import TOKEN_VIEW_MODULE, run_job
from workbench.ui.keymap import bindings_for
from workbench.ui.screens.base import WorkScreen
from workbench.ui.widgets.lines import OneLine
from workbench.ui.widgets.reader import Reader


class TokensScreen(WorkScreen):
    """See the module: of the row under the cursor."""

    NAME = TOKENS
    BINDINGS = bindings_for(TOKENS)

    def __init__(self) -> None:
        super().__init__()
        self._view: Mapping[str, Any] | None = None
        self._words = "asking the trainer's libraries \u2026"

    def compose_body(self) -> ComposeResult:
        styles = self.host.role_styles
        yield OneLine(styles, id="title")
        yield Reader(styles, gutter=8, id="pane")

    def on_mount(self) -> None:
        entry = self.session.place.entry
        if entry is None:
            self._words = "no row here"
        else:
            self._ask(entry.row)
        super().on_mount()

    @work(exclusive=True, group="tokens")
    async def _ask(self, row: int) -> None:
        def progress(phase: str, done: int, of: int) -> None:
            self._words = f"{phase} {share(done / of)}" if of else phase
            self.sync_if_current()

        try:
            told = await run_job(TOKEN_VIEW_MODULE, self.session.project.folder, progress, "{}", str(row))
            self._view, self._words = told["view"], ""
        except TamisError as fault:
            self._words = str(fault)
        self.sync_if_current()

    def scroll_reader(self, pages: float) -> None:
        self.query_one(Reader).scroll_pages(pages)

    def _document(self) -> Iterator[Paragraph]:
        if self._view is None:
            yield Paragraph(((visible_line(self._words), "muted"),))
        else:
            yield from token_paragraphs(self._view)

    def sync_body(self) -> None:
        told = self._words or "learnt tokens are lit; what is only read stands dim, special tokens stand out"
        self.query_one("#title", OneLine).show(((f" {visible_line(told)}", "title"),))
        self.query_one(Reader).open((self._words, self._view is None), self._document)
