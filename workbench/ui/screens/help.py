"""Help: every key, from the table."""

from __future__ import annotations

from collections.abc import Iterator

from textual.app import ComposeResult

from workbench.actions.preconditions import read_only
from workbench.commands.key_table import key_name
from workbench.commands.registry import COMMANDS, is_barred
from workbench.commands.targets import HELP
from workbench.text.blocks import Paragraph
from workbench.ui.keymap import bindings_for
from workbench.ui.screens.base import WorkScreen
from workbench.ui.widgets.reader import Reader

SELECTORS = (
    ("row:17  row:17-40", "by number"),
    ("bucket:drop|fix|check|clean", "what the scan proposes"),
    ("kind:exact|near|prefix|conflict", "rows in such a group"),
    ("flag:NAME  cluster:ID  source:FILE", "one signal, one group, one file"),
    ("is:undecided|accepted|edited", "by verdict; also rejected, skipped, heldout, seen, suspect"),
    ("turns>4  tokens>500  date<2024", "by size and date"),
    ("field.meta.year<=2018", "any field by its dotted path"),
    ("/regex/  word  \"two words\"", "in the text; and, or, not and parentheses join them"),
)  # fmt: skip
SECTIONS = {
    "triage": "Triage",
    "overview": "Overview",
    "mapping": "Fields of the file",
    "offer": "Repairs, and an edit for other rows",
    "pick": "Pick",
    "slices": "Slices",
    "export": "Export",
    "train": "Training",
    "runs": "Runs",
    "compare": "Comparison",
    "try": "Trying a run",
    "judge": "Judging two runs",
    "heldout": "The held-out set",
    "tokens": "A row as the trainer sees it",
    "help": "Help",
}
KEY_WIDTH = 12
SELECTOR_WIDTH = 36


class HelpScreen(WorkScreen):
    """See the module."""

    NAME = HELP
    BINDINGS = bindings_for(HELP)

    def compose_body(self) -> ComposeResult:
        self._came_from = self.session.place.screen
        yield Reader(self.host.role_styles, gutter=0, id="pane")

    def scroll_reader(self, pages: float) -> None:
        self.query_one(Reader).scroll_pages(pages)

    def sync_body(self) -> None:
        self.query_one(Reader).open("help", self._paragraphs)

    def _paragraphs(self) -> Iterator[Paragraph]:
        own = self.host.keymap_in_use
        refused = read_only(self.session)
        if refused is not None:
            yield Paragraph(((refused, "refused"),))
            yield Paragraph((("Keys that decide are greyed out.", "muted"),))
            yield Paragraph(())
        told: set[str] = set()
        # The screen one came from is what one asks about.
        for where in sorted(SECTIONS, key=lambda where: where != self._came_from):
            yield Paragraph(((SECTIONS[where], "title"),))
            for command in COMMANDS:
                if where not in command.where or command.id in told or command.id[-1] in "23456789":
                    continue
                told.add(command.id)
                keys = own[command.id].split(",") if command.id in own else command.keys
                names = " ".join(key_name(key.strip()) for key in keys)
                roles = ("disabled", "disabled") if refused and is_barred(command, self.session) else ("key", "text")
                words = ((f"  {names:<{KEY_WIDTH}} ", roles[0]), (command.help, roles[1]))
                yield Paragraph(words, hang=KEY_WIDTH + 3)
            yield Paragraph(())
        yield Paragraph((("Filter ( / ): selectors, the same as on the command line", "title"),))
        for example, meaning in SELECTORS:
            yield Paragraph(((f"  {example:<{SELECTOR_WIDTH}} ", "key"), (meaning, "text")), hang=SELECTOR_WIDTH + 3)
        yield Paragraph(())
        yield Paragraph((("Marks", "title"),))
        marks = (
            (
                ("\u2713a ", "accepted"),
                ("accepted   ", "text"),
                ("\u00b1e ", "edited"),
                ("edited and accepted   ", "text"),
            ),
            (("\u2717x ", "rejected"), ("rejected   ", "text"), ("\u2192s ", "skipped"), ("skipped   ", "text")),
            (
                ("\u00b7  ", "undecided"),
                ("undecided  ", "text"),
                ("H  ", "heldout"),
                ("held out: no bulk key touches it", "text"),
            ),
        )
        for mark in marks:
            yield Paragraph((("  ", "text"), *mark))
