"""The one mutable state of the workbench: a project and, in parts with names, what is shown of it and what is known.

Knows no terminal: a screen calls these methods and paints what they leave behind, `tamis do` and the tests call them
without a screen. A verdict is on disk before its method returns; only then is anything counted or marked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from engine.project.project import Project
from workbench.state import plans
from workbench.state.entries import EntryKey
from workbench.state.overview import Overview
from workbench.state.place import Place
from workbench.state.plans import DecisionPlan
from workbench.state.progress import Progress
from workbench.state.proposals import Proposals
from workbench.state.queue import ReviewQueue
from workbench.state.row_pass import RowPass
from workbench.state.saved import MOST_FILTERS, Remembered, SavedState, load_state, save_state
from workbench.state.selection import Selection
from workbench.state.shared_text import SharedText
from workbench.text.phrases import counted

Tone = Literal["info", "done", "refused", "error"]


@dataclass(frozen=True, slots=True)
class Message:
    """What the last key led to, in a sentence."""

    text: str
    tone: Tone = "info"


class Session:
    """Joins its parts; each of them knows the project alone.

    `place` is where one is, `overview` its lines, `selection` the marked rows, `queue` the order of the list and what
    verdicts have taught, `proposals` what waits for a key, `progress` the counts and what runs beside the keys,
    `shared_text` what many rows have in common, `remembered` what outlives the sitting.

    `message` is what the last key led to, `pending` the key (command and target) that must be pressed once more,
    `on_screen` the rows whose text was painted.
    """

    def __init__(self, project: Project) -> None:
        saved = load_state(project.folder)
        self.project = project
        self.message = Message("")
        self.pending: tuple[str, str] | None = None
        self.on_screen: set[int] = set()
        self.place = Place(project, saved)
        self.overview = Overview(project)
        self.selection = Selection()
        self.queue = ReviewQueue(project)
        self.proposals = Proposals()
        self.progress = Progress(project)
        self.shared_text = SharedText(project)
        self.remembered = Remembered(saved.drafts, set(saved.asked), list(saved.filters))
        self._mapping = project.mapping

    def say(self, text: str, tone: Tone = "info") -> None:
        self.message = Message(text, tone)

    def save_place(self) -> None:
        """Write `session.json`; a window that only reads leaves the other one's place alone."""
        if self.project.readonly:
            return
        key, known = self.place.key, self.remembered
        state = SavedState(
            self.place.list_screen,
            self.place.filter_text,
            self.project.rows.id(key.row) if key is not None else None,
            key.cluster_id if key is not None else None,
            key.is_header if key is not None else False,
            known.drafts,
            frozenset(known.asked),
            tuple(known.filters[-MOST_FILTERS:]),
        )
        save_state(self.project.folder, state)

    # -- what is shown

    def set_filter(self, text: str, matched: Sequence[int] | None = None) -> None:
        """Show other rows (`matched`, where they are known already). Raises UsageError where the text is no selector;
        the list then stays."""
        self.place.set_filter(text, self.queue.ranked, matched)
        shown = self.place.entries
        if not len(shown):
            self.say(f"no row matches {text.strip()!r}: / changes the filter", "refused")
        else:
            self.say(f"{counted(shown.matched, 'row')} match {text.strip()!r}" if text.strip() else "all rows")

    def open_item(self) -> None:
        """Go to the rows of the overview line under the cursor."""
        if self.overview.item is not None:
            self.set_filter(self.overview.item.filter_text)

    def reload(self, *, findings: bool = True) -> None:
        """After a scan, or (`findings` False) after rows came in: the same filter over what is there now."""
        self._mapping = self.project.mapping
        self.shared_text.forget_openings()
        self.queue.take_rows()
        if self.place.is_shown:
            # Who is reading stays with the row; else the scan's first group is what to look at.
            self.place.rebuild(self.queue.ranked, stay=self.place.screen == "triage" or not findings)
        self.refresh_counts()
        if findings:
            self.overview.cursor = 0

    def refresh_counts(self) -> None:
        """Count verdicts and overview lines afresh."""
        self.queue.forget_records()
        self.progress.count_verdicts()
        if self.place.screen == "overview":
            self.refresh_overview()

    def refresh_overview(self) -> None:
        self.progress.recount_tokens()
        self.overview.refresh()

    def take_row_pass(self, found: RowPass) -> None:
        """What a pass over all rows has found: years for the overview, prompts for the reader."""
        self.overview.years, self.shared_text.prompts = found.years, found.prompts
        self.refresh_overview()

    # -- deciding

    def act(self, plan: DecisionPlan, *, advance: bool = True) -> None:
        """Write a plan, count it and, with `advance`, go to what asks for a verdict next."""
        before = self.progress.verdicts_of(plan.rows)
        if plans.carry_out(self.project, plan, self.on_screen) is None:
            self.say(plan.sentence, "refused")
            return
        self.progress.note_act(plan.rows, before)
        self.queue.forget_records()
        self.place.note_act()
        self.say(plan.sentence, "done")
        if advance:
            self.advance()
        elif self.place.screen == "overview":
            self.refresh_overview()

    def advance(self) -> None:
        """Go to the next entry that asks for a verdict; where none does, stay and say so."""
        if not self.place.advance():
            rest = "all decided here, o shows what is left" if self.place.filter_text else "all decided, E exports"
            self.say(f"{self.message.text} \u00b7 {rest}", "done")

    def after_bulk(self) -> None:
        """After an act from the command line of the screen: count anew, and remember where it was done."""
        self.place.note_act()
        self.refresh_counts()

    def undo(self) -> None:
        """Take the last act back and go to where it was made."""
        sentence = self.project.undo()
        if sentence is None:
            self.say("nothing to undo", "refused")
            return
        self._go_back_to(self.place.last_act())
        self.say(f"undone: {sentence}", "done")

    def redo(self) -> None:
        """Do the last undone act again."""
        sentence = self.project.redo()
        if sentence is None:
            self.say("nothing to redo", "refused")
            return
        self._go_back_to(self.place.last_undone())
        self.say(f"done again: {sentence}", "done")

    def _go_back_to(self, key: EntryKey | None) -> None:
        if self.project.mapping != self._mapping:
            # The rows read otherwise now, and what a scan found in them went with it.
            self.reload()
        self.refresh_counts()
        self.place.go_to(key)
