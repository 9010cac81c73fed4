"""The offer of a first open, made once: reserve a held-out set before anything is decided."""

from __future__ import annotations

from collections.abc import Iterator

from textual.app import ComposeResult

from engine.errors import TamisError
from engine.phrases import counted
from workbench.actions.first_open import changed_proposal, proposed_rows, reserve
from workbench.commands.targets import HELDOUT
from workbench.state.saved import HELDOUT as ASKED_HELDOUT
from workbench.text.blocks import Paragraph
from workbench.ui.keymap import bindings_for
from workbench.ui.screens.base import WorkScreen
from workbench.ui.widgets.reader import Reader


class HeldoutScreen(WorkScreen):
    """See the module."""

    NAME = HELDOUT
    BINDINGS = bindings_for(HELDOUT)

    def __init__(self) -> None:
        super().__init__()
        self._wanted = 0

    def compose_body(self) -> ComposeResult:
        yield Reader(self.host.role_styles, gutter=0, id="pane")

    def on_mount(self) -> None:
        self._wanted = proposed_rows(len(self.session.project.rows))
        super().on_mount()

    def change_amount(self, factor: float) -> None:
        self._wanted = changed_proposal(len(self.session.project.rows), self._wanted, factor)

    def reserve(self) -> None:
        session = self.session
        try:
            drawn, cut = reserve(session.project, self._wanted)
        except TamisError as error:
            session.say(str(error), "error")
            return
        session.reload()
        variants = f" ({counted(cut, 'family of variants', 'families of variants')} on both sides)" if cut else ""
        self._close(f"{counted(drawn, 'row')} held out{variants}: H marks them, u takes this back")
        self.host.background.scan_anew()

    def leave(self) -> None:
        self._close(f"nothing is held out; later: tamis holdout PROJECT {self._wanted}")

    def _close(self, sentence: str) -> None:
        self.session.remembered.asked.add(ASKED_HELDOUT)
        self.session.save_place()
        self.app.pop_screen()
        self.session.say(sentence, "done")
        self.host.sync_screen()

    def sync_body(self) -> None:
        self.query_one(Reader).open(("heldout", self._wanted), self._paragraphs)

    def _paragraphs(self) -> Iterator[Paragraph]:
        rows = len(self.session.project.rows)
        yield Paragraph((("Reserve a held-out set?", "title"),))
        yield Paragraph(())
        yield Paragraph(
            (
                (f"{self._wanted:,}", "heldout"),
                (f" of {rows:,} rows, drawn by chance (seed 0) in whole groups, marked H.", "text"),
            )
        )
        yield Paragraph(
            (("They are never trained on: they tell whether the curated set is better than the raw one.", "text"),)
        )
        yield Paragraph(
            (("No bulk key touches them: judge them one by one. Only those you accept are used to measure.", "text"),)
        )
        yield Paragraph(())
        yield Paragraph((("Asked once. The share of every value of a field, or rows of a file of yours:", "muted"),))
        yield Paragraph((("tamis holdout PROJECT 200 --by FIELD   tamis holdout PROJECT FILE", "muted"),))
