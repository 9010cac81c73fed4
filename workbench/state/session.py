"""The one mutable state of the workbench: a project and, in parts with names, what is shown of it and what is known.

Knows no terminal: a screen calls these methods and paints what they leave behind, `tamis do` and the tests call them
without a screen. A verdict is on disk before its method returns; only then is anything counted or marked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from engine.errors import shell_command
from engine.phrases import counted
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

Tone = Literal["info", "done", "refused", "error"]


@dataclass(frozen=True, slots=True)
class Message:
    """What the last key led to, in a sentence."""

    text: str
    tone: Tone = "info"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that is open: the id of the command that asked it, and what it is about."""

    command: str
    target: str


class Session:
    """Joins its parts; each of them knows the project alone.

    `place` is where one is, `overview` its lines, `selection` the marked rows, `queue` the order of the list and what
    verdicts have taught, `proposals` what waits for a key, `progress` the counts and what runs beside the keys,
    `shared_text` what many rows have in common, `remembered` what outlives the sitting.

    `message` is what the last key led to, `command` the id of the command that is done (or was done last), `pending`
    the one that was asked about and must be given once more, `on_screen` the rows whose text was painted.
    """

    def __init__(self, project: Project) -> None:
        saved = load_state(project.folder)
        self.project = project
        self.message = Message("")
        self.command = ""
        self.pending: Asked | None = None
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

    def tell(self, text: str, tone: Tone = "info") -> None:
        """News from beside the keys: a question, or an error that no key has answered yet, is not taken off for it."""
        if self.pending is None and (self.message.tone != "error" or tone == "error"):
            self.say(text, tone)

    def confirms(self, target: str, question: str) -> bool:
        """Whether the command that is done was asked about before, on the same target, and given again. Else it is
        asked about now; any other command or key takes the question back."""
        now = Asked(self.command, target)
        asked, self.pending = self.pending, None
        if asked == now:
            return True
        self.pending = now
        self.say(question, "refused")
        return False

    def save_place(self) -> None:
        """Write `session.json`, and how far the journals go; a window that only reads leaves both alone."""
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
        self.project.keep_seen()

    # -- what is shown

    def set_filter(self, text: str, matched: Sequence[int] | None = None) -> None:
        """Show other rows (`matched`, where they are known already). Raises UsageError where the text is no selector;
        the list then stays."""
        self.place.set_filter(text, self.queue.ranked, matched)
        shown = self.place.entries
        if not len(shown):
            self.say(f"no row matches {text.strip()!r}: / changes the filter", "refused")
        else:
            verb = "matches" if shown.matched == 1 else "match"
            self.say(f"{counted(shown.matched, 'row')} {verb} {text.strip()!r}" if text.strip() else "all rows")

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
        if found.understood_better:
            rows = f"{found.understood_better:,} of the first rows can be read more fully by now"
            self.tell(f"{rows}: {shell_command('reread', self.project.folder.name)}")
        self.refresh_overview()

    def take_over(self) -> None:
        """Decide here, in place of the window that does. Raises ProjectError."""
        self.project.take_over()
        self.reload(findings=False)
        self.say("this window decides now; the other one only reads", "done")

    def follow_journals(self) -> bool:
        """Take in what others have decided here since; whether they have. Raises ProjectError."""
        findings = self.project.findings
        if not self.project.follow_journals():
            return False
        if self.project.mapping != self._mapping or self.project.findings is not findings:
            self.reload(findings=False)
        self.refresh_counts()
        return True

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
        """Take the last act back and go to where it was made; asked first where it is a large one."""
        if self._may_reverse("undo") and (sentence := self.project.undo()) is not None:
            self._go_back_to(self.place.last_act())
            self.say(f"undone: {sentence}", "done")

    def redo(self) -> None:
        """Do the last undone act again; asked first where it is a large one."""
        if self._may_reverse("redo") and (sentence := self.project.redo()) is not None:
            self._go_back_to(self.place.last_undone())
            self.say(f"done again: {sentence}", "done")

    def _may_reverse(self, verb: Literal["undo", "redo"]) -> bool:
        found = self.project.next_reversal(verb)
        if found is None:
            self.say(f"nothing to {verb}", "refused")
            return False
        question = plans.reversal_question(verb, found)
        # What is asked stands first: a narrow line is cut behind it.
        return not question or self.confirms(f"{verb} {found.number}", f"same key again {question}")

    def _go_back_to(self, key: EntryKey | None) -> None:
        if self.project.mapping != self._mapping:
            # The rows read otherwise now, and what a scan found in them went with it.
            self.reload()
        self.refresh_counts()
        self.place.go_to(key)
