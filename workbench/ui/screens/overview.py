"""Overview: what can be settled, ranked by rows per key; the place where one lands."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.widget import Widget

from engine.model import VERDICTS
from engine.phrases import counted
from workbench.commands.targets import OVERVIEW
from workbench.render.scan_steps import step_lines
from workbench.render.side_panel import item_paragraphs
from workbench.state.overview import SECTION_TITLES, Item
from workbench.state.progress import progress_words
from workbench.state.session import Session
from workbench.text.blocks import Styled
from workbench.text.cells import bar, fitted
from workbench.ui.keymap import bindings_for
from workbench.ui.screens.lists import ListScreen
from workbench.ui.widgets.line_list import LineList
from workbench.ui.widgets.lines import OneLine, Sentence
from workbench.ui.widgets.reader import Reader

Line = Item | tuple[Styled, ...]

WIDEST = 100
BAR_WIDTH = 14
NARROW_BAR = 5
ROOMY = 72


class ItemLines:
    """The overview as lines: a title before each section, the items below it; while a scan runs its steps above all."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def _lines(self) -> list[Line]:
        session = self._session
        lines: list[Line] = []
        if session.progress.scanning is not None:
            lines.append(((f" Scanning {counted(len(session.project.rows), 'row')}", "title"),))
            lines += step_lines(session.progress.scanning)
        elif not session.project.is_complete:
            lines.append(((" Reading the file", "title"),))
            lines.append(((f"   {counted(len(session.project.rows), 'row')} so far", "text"),))
        section = ""
        for item in session.overview.items:
            if item.section != section:
                if lines:
                    lines.append(())
                section = item.section
                lines.append(((f" {SECTION_TITLES[item.section]}", "title"),))
            lines.append(item)
        return lines

    def __len__(self) -> int:
        return len(self._lines())

    @property
    def cursor(self) -> int:
        item = self._session.overview.item
        return next((index for index, line in enumerate(self._lines()) if line is item), 0)

    def block(self, index: int) -> int:
        return 1

    def item_at(self, index: int) -> int | None:
        """The number of the item that stands on a line."""
        lines = self._lines()
        line = lines[index] if index < len(lines) else None
        return next((number for number, item in enumerate(self._session.overview.items) if item is line), None)

    def line(self, index: int, width: int) -> tuple[Styled, ...]:
        line = self._lines()[index]
        return self._item_line(line, min(width, WIDEST)) if isinstance(line, Item) else line

    def _item_line(self, item: Item, width: int) -> tuple[Styled, ...]:
        bar_width = BAR_WIDTH if width >= ROOMY else NARROW_BAR
        shown_bar = bar(item.rows / max(1, self._largest(item)), bar_width)
        notes = 20 if width >= ROOMY else 10
        label = fitted(item.label, max(8, width - bar_width - notes - 12))
        role = "text"
        if item.section == "buckets":
            role = item.label.split()[0]
        elif item.section == "decided" and item.label in VERDICTS:
            role = item.label
        note = ""
        if item.section == "settle":
            keys = f"{item.keys:>4} key{'s' if item.keys != 1 else ' '}  " if width >= ROOMY else ""
            note = f"{keys}{item.rows / item.keys:>5.1f}/key"
        elif item.section in ("buckets", "flags", "sources"):
            note = f"of {item.of:,}" if item.rows != item.of else ""
        return (("  ", "text"), (label, role), (f"{item.rows:>7,} ", "text"), (shown_bar, "bar"), (f" {note}", "muted"))

    def _largest(self, item: Item) -> int:
        return max(other.rows for other in self._session.overview.items if other.section == item.section)


class OverviewScreen(ListScreen):
    """See the module."""

    NAME = OVERVIEW
    BINDINGS = bindings_for(OVERVIEW)

    def compose_body(self) -> ComposeResult:
        styles = self.host.role_styles
        yield OneLine(styles, id="progress")
        with Widget(id="settling"):
            yield LineList(styles, ItemLines(self.session), id="items")
        yield Sentence(styles, id="reason")
        yield self.input_line()

    def on_screen_resume(self) -> None:
        self.session.refresh_overview()
        super().on_screen_resume()

    # -- what commands ask

    def step(self, steps: int) -> None:
        self.session.overview.move(steps)

    def page(self, pages: float) -> None:
        if abs(pages) == float("inf"):
            self.session.overview.move(int(-1e9 if pages < 0 else 1e9))
        else:
            self.session.overview.move(int(pages * self.query_one(LineList).page_size))

    def open_item(self) -> None:
        self.session.open_item()
        self.show_rows()

    @on(LineList.Clicked)
    def line_clicked(self, event: LineList.Clicked) -> None:
        number = ItemLines(self.session).item_at(event.index)
        if number is not None:
            self.session.pending = None
            self.session.overview.cursor = number
            self.sync()

    # -- painting

    def sync_body(self) -> None:
        self.query_one("#progress", OneLine).show(((f" {self._progress()}", "muted"),))
        self.query_one(LineList).sync()
        if self.has_class("-vast"):
            self._preview()
        self.query_one("#reason", OneLine).show(((f" {self._next_step()}", "reason"),))

    def _preview(self) -> None:
        """What the line under the cursor holds, where there is room beside."""
        session, item = self.session, self.session.overview.item
        reader = next(iter(self.query("#preview").results(Reader)), None)
        if reader is None:
            # Made when it is first needed: a terminal of the usual width starts without it.
            self.query_one("#settling").mount(Reader(self.host.role_styles, gutter=0, id="preview"))
            self.call_after_refresh(self.sync)
        elif item is None:
            reader.open(None, tuple)
        elif reader.key != item:
            reader.open(item, lambda: item_paragraphs(session, item))

    def _progress(self) -> str:
        session = self.session
        accepted, left = session.progress.tally["accepted"], session.progress.tally["undecided"]
        pace = session.progress.pace.rows_a_minute
        told = session.progress
        return progress_words(
            accepted, told.accepted_tokens, *told.goal, pace, left, told.tokens_of, about=told.tokens_about
        )

    def _next_step(self) -> str:
        """What to do now, in one sentence."""
        session = self.session
        if session.progress.job:
            return "rows can be read and judged meanwhile; esc stops it"
        if not session.project.is_scanned:
            return "not scanned to the end: the next start goes on"
        settle = [item for item in session.overview.items if item.section == "settle"]
        if settle:
            best = settle[0]
            keys = "K keeps one of each" if best.keeps else "x rejects all" if best.bulk else "enter opens them"
            rows = counted(best.rows, "row")
            what = best.label if best.label.startswith(rows) else f"{best.label}, {rows}"
            return f"next: {what}; {keys if not session.project.readonly else 'enter opens them'}"
        if session.progress.tally["undecided"]:
            return f"next: {session.progress.tally['undecided']:,} undecided rows; enter on a bucket opens them"
        return "everything is decided: E exports, T trains"
