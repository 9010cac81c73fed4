"""The one mutable state of the workbench: a project, what is shown of it, and where the cursor stands.

Knows no terminal: a screen calls these methods and paints what they leave behind, `tamis do` and the tests call them
without a screen. A verdict is on disk before its method returns; only then is anything counted or marked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from engine.errors import UsageError
from engine.model import Flag, VerdictName
from engine.phrases import counted
from engine.project.project import Project
from workbench.state import entries, plans
from workbench.state.overview import Item, overview_items
from workbench.state.progress import Pace, TokenCount
from workbench.state.saved import Drafts, SavedState, load_state, save_state

if TYPE_CHECKING:
    from engine.review.edit_rules import RowRule
    from engine.review.signal_precision import Record
    from engine.review.store import Queue
    from workbench.actions.pick import Board
    from workbench.actions.repairs import Offer
    from workbench.actions.search import Search
    from workbench.actions.slices import SliceBoard
    from workbench.state.entries import Entry, View
    from workbench.state.plans import Plan
    from workbench.state.progress import Years
    from workbench.state.scan_progress import ScanProgress

MOST_FILTERS = 100
LIST_SCREENS = ("overview", "triage")
SETTLE = "settle"
"""The order at the start: groups first, then rows by bucket."""
Tone = Literal["info", "done", "refused", "error"]
Place = tuple[int, str | None, bool]


@dataclass(frozen=True, slots=True)
class Message:
    """What the last key led to, in a sentence."""

    text: str
    tone: Tone = "info"


class Session:
    """See the module. `on_screen` holds the rows whose text was painted, `job` says what runs beside the keys,
    `scanning` how far a scan is, `goal` how many accepted rows and tokens one is after.

    `order` names the order of the list and `ranked` holds all rows in it (None: groups first). `queue` is what was
    learnt, `records` how often each signal was right (None: to be counted), `latest` the outcomes of single verdicts by
    filter, oldest first, from which advice to stop is drawn. `offer` are changes to look through, `edit_rule` the
    change behind the last edit while it is not yet looked for in other rows, `fits` that change and the rows it fits;
    `board` and `slices` are what the screens of pick and slices show.

    The list (`view`, `cursor`) is worked out when it is first asked for: the overview does not need it.
    """

    def __init__(self, project: Project) -> None:
        self.project = project
        self.message = Message("")
        self.on_screen: set[int] = set()
        self.marked: set[int] = set()
        self.range_start: int | None = None
        self.why_open = False
        self.raw_open = False
        self._turn: tuple[int, int] | None = None
        self.job = ""
        self.scanning: ScanProgress | None = None
        self.pending: tuple[str, str] | None = None
        self.tally: Counter[VerdictName] = Counter()
        self.years: Years | None = None
        self.shared_prompts: Mapping[int, int] = {}
        self.goal: tuple[int | None, int | None] = (None, None)
        self.pace = Pace()
        self._tokens = TokenCount(project)
        self._counts_tokens = False
        self.accepted_tokens: int | None = None
        self._items: list[Item] | None = None
        self.item_cursor = 0
        self.order = SETTLE
        self.ranked: Sequence[int] | None = None
        self.queue: Queue | None = None
        self.verdicts_since_learnt = 0
        self.records: dict[str, Record] | None = None
        self.latest: dict[str, list[bool]] = {}
        self.offer: Offer | None = None
        self.edit_rule: RowRule | None = None
        self.fits: tuple[RowRule, tuple[int, ...]] | None = None
        self.board: Board | None = None
        self.slices: SliceBoard | None = None
        self.searching: Search | None = None
        self._places: list[Place | None] = []
        self._undone_places: list[Place | None] = []
        self._openings: frozenset[str] | None = None
        self._mapping = project.mapping
        self._saved = saved = load_state(project.folder)
        self._screen = self._list = saved.screen if saved.screen in LIST_SCREENS else "overview"
        self.drafts: Drafts = saved.drafts
        self.asked: set[str] = set(saved.asked)
        self.filters: list[str] = list(saved.filters)
        self._view: View | None = None
        self._cursor = 0
        self.count_verdicts()

    # -- where one is

    @property
    def screen(self) -> str:
        """The name of the screen in front."""
        return self._screen

    @screen.setter
    def screen(self, name: str) -> None:
        self._screen = name
        if name in LIST_SCREENS:
            # Help, export and training lie on top of a list; one comes back to the list.
            self._list = name

    @property
    def view(self) -> View:
        """The list: at first that of the saved filter, with the cursor on the saved row."""
        if self._view is None:
            try:
                self._view = entries.build_view(self.project, self._saved.filter_text)
            except UsageError:
                self._view = entries.build_view(self.project, "")
            here = self._saved_place()
            found = self._view.find(*here) if here is not None else None
            self._cursor = found if found is not None else self._view.open_from(0, self.project) or 0
        return self._view

    @view.setter
    def view(self, view: View) -> None:
        self._view = view

    @property
    def cursor(self) -> int:
        """The place in the list."""
        return self._cursor if len(self.view) else 0

    @cursor.setter
    def cursor(self, index: int) -> None:
        self._cursor = index

    @property
    def filter_text(self) -> str:
        return self._view.filter_text if self._view is not None else self._saved.filter_text

    @property
    def entry(self) -> Entry | None:
        """The entry under the cursor; None where the filter shows nothing."""
        return self.view.entry(self.cursor) if len(self.view) else None

    @property
    def turn(self) -> int | None:
        """The number of the turn in focus; another row under the cursor has none."""
        entry = self.entry
        here = entry is not None and not entry.is_header and self._turn is not None and self._turn[0] == entry.row
        return self._turn[1] if here and self._turn is not None else None

    @property
    def on_conflict(self) -> bool:
        """Whether the cursor of the list in front is on the header of a conflict."""
        entry = self.entry if self.screen == "triage" else None
        return entry is not None and entry.is_header and entry.cluster is not None and entry.cluster.kind == "conflict"

    def focus_turn(self, turn: int | None) -> None:
        """Put a turn of the row under the cursor in focus, or (None) show the whole row."""
        self._turn = (self.entry.row, turn) if self.entry is not None and turn is not None else None

    @property
    def items(self) -> list[Item]:
        """The lines of the overview; worked out when first asked for."""
        if self._items is None:
            self._items = overview_items(self.project, self.years)
        return self._items

    @property
    def item(self) -> Item | None:
        """The overview line under the cursor."""
        return self.items[self.item_cursor] if self.items else None

    @property
    def top_flag(self) -> Flag | None:
        entry = self.entry
        flags = self.project.flags_of(entry.row) if entry is not None and not entry.is_header else ()
        return flags[0] if flags else None

    def headline(self, row: int) -> str:
        """What tells this row from others at a glance."""
        return entries.headline(self.project, row, self.openings)

    @property
    def openings(self) -> frozenset[str]:
        """What many requests begin with; looked for when first asked."""
        if self._openings is None:
            self._openings = entries.shared_openings(self.project)
        return self._openings

    def say(self, text: str, tone: Tone = "info") -> None:
        self.message = Message(text, tone)

    def saved(self) -> SavedState:
        """Where the person is, for the next time."""
        place = self._place()
        row, cluster, is_header = place if place is not None else (None, None, False)
        return SavedState(
            self._list,
            self.filter_text,
            self.project.rows.id(row) if row is not None else None,
            cluster,
            is_header,
            self.drafts,
            frozenset(self.asked),
            tuple(self.filters[-MOST_FILTERS:]),
        )

    def save_place(self) -> None:
        """Write `session.json`; a window that only reads leaves the other one's place alone."""
        if not self.project.readonly:
            save_state(self.project.folder, self.saved())

    def _saved_place(self) -> Place | None:
        saved = self._saved
        number = self.project.rows.number(saved.row) if isinstance(saved.row, str) else None
        return (number, saved.cluster, saved.is_header) if number is not None else None

    # -- moving

    def move(self, steps: int) -> None:
        self.move_to(self.cursor + steps)

    def move_to(self, index: int) -> None:
        """Put the cursor on an entry, or on the nearest one there is."""
        self.cursor = max(0, min(index, len(self.view) - 1))

    def move_item(self, steps: int) -> None:
        self.item_cursor = max(0, min(self.item_cursor + steps, len(self.items) - 1))

    def advance(self) -> None:
        """Go to the next entry that asks for a verdict; where none does, stay and say so."""
        following = self.view.open_from(self.cursor + 1, self.project) if len(self.view) else None
        if following is not None:
            self.cursor = following
        else:
            rest = "all decided here, o shows what is left" if self.filter_text else "all decided, E exports"
            self.say(f"{self.message.text} \u00b7 {rest}", "done")

    def set_filter(self, text: str, matched: Sequence[int] | None = None) -> None:
        """Show other rows (`matched`, where they are known already). Raises UsageError where the text is no selector;
        the view then stays."""
        place = self._place()
        view = entries.build_view(self.project, text, self.ranked, matched)
        self.view = view
        self.searching = None
        here = view.find(*place) if place is not None else None
        # The row one was on, if it is still there; else the first that is open.
        first_open = view.open_from(0, self.project) if len(view) else None
        self.cursor = here if here is not None and not text.strip() else first_open or 0
        if not len(view):
            self.say(f"no row matches {text.strip()!r}: / changes the filter", "refused")
        else:
            self.say(f"{counted(view.matched, 'row')} match {text.strip()!r}" if text.strip() else "all rows")

    def open_item(self) -> None:
        """Go to the rows of the overview line under the cursor."""
        if self.item is not None:
            self.set_filter(self.item.filter_text)

    def reload(self, *, findings: bool = True) -> None:
        """After a scan, or (`findings` False) after rows came in: the same filter over what is there now."""
        self._mapping, self._openings = self.project.mapping, None
        if len(self.ranked or ()) != len(self.project.rows):
            # Rows came in: an order that knows nothing of them is given up.
            self.order, self.ranked = SETTLE, None
        if self._view is not None:
            # Who is reading stays with the row; else the scan's first group is what to look at.
            entry = self.entry if self.screen == "triage" or not findings else None
            self.view = view = entries.build_view(self.project, self.filter_text, self.ranked)
            found = view.find(entry.row, None) if entry is not None else None
            self.cursor = found if found is not None else view.open_from(0, self.project) or 0
        self.refresh_counts()
        if findings:
            self.item_cursor = 0

    def count_verdicts(self) -> None:
        """Rows by verdict; the held-out set is judged in a sitting of its own and is no part of what is left."""
        project = self.project
        self.tally = Counter(project.tally())
        self.tally.subtract(project.verdict(row) for row in project.heldout)

    def refresh_counts(self) -> None:
        """Count verdicts and overview lines afresh."""
        self.records = None
        self.count_verdicts()
        if self.screen == "overview":
            self.refresh_items()

    def count_tokens(self) -> None:
        """Tell the accepted tokens from now on. Rows are read for it, so the first paint does not wait for them."""
        self._counts_tokens = True
        self.accepted_tokens = self._tokens.accepted()

    def refresh_items(self) -> None:
        self.accepted_tokens = self._tokens.accepted() if self._counts_tokens else None
        here = self.item.filter_text if self._items and self.item is not None else None
        self._items = overview_items(self.project, self.years)
        for index, item in enumerate(self.items):
            if item.filter_text == here:
                self.item_cursor = index
        self.item_cursor = max(0, min(self.item_cursor, len(self.items) - 1))

    # -- deciding

    def clear_marks(self) -> None:
        self.marked.clear()
        self.range_start = None

    def after_bulk(self) -> None:
        """After an act from the command line of the screen: count anew, and remember where it was done."""
        self._places.append(self._place() if self.screen == "triage" else None)
        self._undone_places.clear()
        self.refresh_counts()

    def remember_filter(self, text: str) -> None:
        """Keep a filter for the arrow keys of the filter line, the latest last, each once."""
        text = text.strip()
        if text:
            self.filters = [*(known for known in self.filters if known != text), text][-MOST_FILTERS:]

    def act(self, plan: Plan, *, advance: bool = True) -> None:
        """Write a plan, count it and, with `advance`, go to what asks for a verdict next."""
        counted_rows = [row for row in plan.rows if not self.project.is_heldout(row)]
        before = Counter(self.project.verdict(row) for row in counted_rows)
        if plans.carry_out(self.project, plan, self.on_screen) is None:
            self.say(plan.sentence, "refused")
            return
        self.records = None
        # A pass over all rows is not paid for with every key.
        self.tally.subtract(before)
        self.tally.update(self.project.verdict(row) for row in counted_rows)
        self._places.append(self._place() if self.screen == "triage" else None)
        self._undone_places.clear()
        self.pace.note(len(plan.rows))
        self.say(plan.sentence, "done")
        if advance:
            self.advance()
        elif self.screen == "overview":
            self.refresh_items()

    def _place(self) -> Place | None:
        if self._view is None:
            return self._saved_place()
        entry = self.entry
        return (entry.row, entry.cluster.id if entry.cluster else None, entry.is_header) if entry is not None else None

    def undo(self) -> None:
        """Take the last act back and go to where it was made."""
        sentence = self.project.undo()
        if sentence is None:
            self.say("nothing to undo", "refused")
            return
        place = self._places.pop() if self._places else None
        self._undone_places.append(place)
        self._after_undo(place)
        self.say(f"undone: {sentence}", "done")

    def redo(self) -> None:
        """Do the last undone act again."""
        sentence = self.project.redo()
        if sentence is None:
            self.say("nothing to redo", "refused")
            return
        place = self._undone_places.pop() if self._undone_places else None
        self._places.append(place)
        self._after_undo(place)
        self.say(f"done again: {sentence}", "done")

    def _after_undo(self, place: Place | None) -> None:
        if self.project.mapping != self._mapping:
            # The rows read otherwise now, and what a scan found in them went with it.
            self.reload()
        self.refresh_counts()
        if place is not None and len(self.view):
            found = self.view.find(*place)
            self.cursor = self.cursor if found is None else found
