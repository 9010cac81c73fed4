"""Export: what would be written and where, what stays behind and why; enter writes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from textual import work
from textual.app import ComposeResult

from engine.errors import TamisError
from engine.export.curated import Curated, curate
from engine.export.write import are_lines, export_paths
from engine.phrases import counted
from engine.workflows.export import export
from workbench.commands.targets import EXPORT
from workbench.text.blocks import Paragraph
from workbench.text.escape import visible_line
from workbench.ui.keymap import bindings_for
from workbench.ui.screens.base import WorkScreen
from workbench.ui.widgets.reader import Reader

NAME_WIDTH = 20


class ExportScreen(WorkScreen):
    """See the module."""

    NAME = EXPORT
    BINDINGS = bindings_for(EXPORT)

    def __init__(self) -> None:
        super().__init__()
        self._curated: Curated | None = None
        self._written: dict[str, Any] | None = None

    @property
    def target(self) -> Path:
        return self.session.project.folder / "exports"

    def compose_body(self) -> ComposeResult:
        yield Reader(self.host.role_styles, gutter=0, id="pane")

    def on_mount(self) -> None:
        self._curated = curate(self.session.project)
        super().on_mount()

    def scroll_reader(self, pages: float) -> None:
        self.query_one(Reader).scroll_pages(pages)

    def write_export(self) -> None:
        if self._curated is not None and not self._curated.training:
            self.session.say("nothing to write: no training row is accepted yet", "refused")
            return
        if self.host.is_writing:
            return
        self.session.say("writing \u2026")
        self.host.is_writing = True
        self._write()

    @work(thread=True, exclusive=True, group="export")
    def _write(self) -> None:
        # A thread of its own: reading and hashing a large set must not hold up a key.
        try:
            written = export(self.session.project, self.target)
        except TamisError as error:
            self.app.call_from_thread(self._done, None, str(error))
            return
        finally:
            self.host.is_writing = False
        self.app.call_from_thread(self._done, written, "")

    def _done(self, written: dict[str, Any] | None, fault: str) -> None:
        if written is None:
            self.session.say(fault, "error")
        else:
            self._written = written
            self.session.say(f"wrote {counted(written['rows'], 'row')} to {export_paths(self.target)[0]}", "done")
        self.host.sync_screen()

    def sync_body(self) -> None:
        self.query_one(Reader).open(("export", self._written is not None), self._paragraphs)

    def _paragraphs(self) -> Iterator[Paragraph]:
        curated = self._curated
        if curated is None:
            return
        project = self.session.project
        training, heldout, manifest = export_paths(self.target)
        title = "Written" if self._written is not None else "What enter would write"
        yield Paragraph(((title, "title"),))
        edited = sum(1 for row in curated.training if project.is_edited(row))
        note = f"accepted; {edited:,} edited, the others {'byte for byte' if are_lines(project) else 'as they came'}"
        yield self._file(training, len(curated.training), note)
        if curated.heldout:
            yield self._file(heldout, len(curated.heldout), "accepted held-out rows, to measure with")
        yield self._file(manifest, None, "where every row comes from, and who decided")
        yield Paragraph((("       in  ", "muted"), (visible_line(str(self.target)), "text")), hang=11)
        yield Paragraph(())
        yield Paragraph((("What stays behind", "title"),))
        for reason, rows in curated.counts().items():
            yield Paragraph(((f"  {rows:>7,}  ", "text"), (_behind(reason), "text")))
        if not curated.left_out:
            yield Paragraph((("  nothing", "muted"),))
        yield Paragraph(())
        yield Paragraph((("Another place or format: tamis export PROJECT --to PATH --format messages", "muted"),))

    def _file(self, path: Path, rows: int | None, note: str) -> Paragraph:
        count = f"{rows:>7,}  " if rows is not None else " " * 9
        return Paragraph(
            ((f"  {count}", "text"), (f"{path.name:<{NAME_WIDTH}} ", "key"), (note, "muted")), hang=12 + NAME_WIDTH
        )


def _behind(reason: str) -> str:
    """The reason a row stays behind, in words."""
    return "too like a held-out row (leak)" if reason == "leak" else reason
