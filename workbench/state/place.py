"""Where the person is: the screen, the list it shows, the cursor in it, and where each act was made."""

from __future__ import annotations

from collections.abc import Sequence

from engine.errors import UsageError
from engine.project.project import Project
from workbench.state.entries import Entries, Entry, EntryKey, build_entries
from workbench.state.saved import SavedState
from workbench.state.search import Search

LIST_SCREENS = ("overview", "triage")


class Place:
    """Of a project, at first where it was `saved`.

    The entries of the list are worked out when first asked for: the overview does not need them. `searching` is a
    search whose rows are still coming in; `why_open` and `raw_open` say how the row under the cursor is shown.
    `is_new`: nobody was here before, and nothing is scanned.
    """

    def __init__(self, project: Project, saved: SavedState) -> None:
        self._project = project
        self._saved = saved
        self.is_new = saved.screen not in LIST_SCREENS and not project.is_scanned
        # A new file shows its rows: the overview ranks what a scan has found, and that is still to come.
        begin = "triage" if self.is_new else "overview"
        self._screen = self.list_screen = saved.screen if saved.screen in LIST_SCREENS else begin
        self._entries: Entries | None = None
        self._cursor = 0
        self._turn: tuple[int, int] | None = None
        self._acts: list[EntryKey | None] = []
        self._undone: list[EntryKey | None] = []
        self.searching: Search | None = None
        self.why_open = False
        self.raw_open = False

    @property
    def screen(self) -> str:
        """The name of the screen in front."""
        return self._screen

    @screen.setter
    def screen(self, name: str) -> None:
        self._screen = name
        if name in LIST_SCREENS:
            # Help, export and training lie on top of a list; one comes back to the list.
            self.list_screen = name

    # -- the list

    @property
    def entries(self) -> Entries:
        """The list: at first that of the saved filter, with the cursor on the saved row."""
        if self._entries is None:
            key = self.key
            self._entries = self._built(self._saved.filter_text, None)
            self._cursor_to(key)
        return self._entries

    @entries.setter
    def entries(self, entries: Entries) -> None:
        self._entries = entries

    @property
    def is_shown(self) -> bool:
        """Whether the list has been asked for."""
        return self._entries is not None

    @property
    def filter_text(self) -> str:
        return self._entries.filter_text if self._entries is not None else self._saved.filter_text

    def set_filter(self, text: str, ranked: Sequence[int] | None, matched: Sequence[int] | None = None) -> None:
        """Show other rows (`matched`, where they are known already), in the order `ranked`. Raises UsageError where the
        text is no selector; the list then stays."""
        key = self.key
        self._entries = build_entries(self._project, text, ranked, matched)
        self.searching = None
        # The row one was on, if it is still there; else the first that is open.
        self._cursor_to(key if not text.strip() else None)

    def rebuild(self, ranked: Sequence[int] | None, *, stay: bool) -> None:
        """The same filter over what is there now. With `stay` the cursor stays on its row, else it goes to the first
        that is open."""
        entry = self.entry if stay else None
        self._entries = self._built(self.filter_text, ranked)
        self._cursor_to(EntryKey(entry.row) if entry is not None else None)

    def _built(self, filter_text: str, ranked: Sequence[int] | None) -> Entries:
        """The entries of a filter that was one when it was set; all rows where it no longer is, as a scan may find
        other groups than those it names."""
        try:
            return build_entries(self._project, filter_text, ranked)
        except UsageError:
            return build_entries(self._project, "", ranked)

    def _cursor_to(self, key: EntryKey | None) -> None:
        """To an entry that is there, else to the first that is open."""
        found = self.entries.find(*key) if key is not None else None
        self._cursor = found if found is not None else self.entries.open_from(0, self._project) or 0

    # -- the cursor

    @property
    def cursor(self) -> int:
        """The place in the list."""
        return self._cursor if len(self.entries) else 0

    @cursor.setter
    def cursor(self, index: int) -> None:
        self._cursor = index

    def move(self, steps: int) -> None:
        self.move_to(self.cursor + steps)

    def move_to(self, index: int) -> None:
        """Put the cursor on an entry, or on the nearest one there is."""
        self.cursor = max(0, min(index, len(self.entries) - 1))

    def advance(self) -> bool:
        """Go to the next entry that asks for a verdict; whether there is one."""
        following = self.entries.open_from(self.cursor + 1, self._project) if len(self.entries) else None
        if following is not None:
            self.cursor = following
        return following is not None

    @property
    def entry(self) -> Entry | None:
        """The entry under the cursor; None where the filter shows nothing."""
        return self.entries.entry(self.cursor) if len(self.entries) else None

    @property
    def key(self) -> EntryKey | None:
        """What finds the entry under the cursor again in another list."""
        if self._entries is None:
            saved = self._saved
            row = self._project.rows.number(saved.row) if isinstance(saved.row, str) else None
            return EntryKey(row, saved.cluster, saved.is_header) if row is not None else None
        entry = self.entry
        if entry is None:
            return None
        return EntryKey(entry.row, entry.cluster.id if entry.cluster else None, entry.is_header)

    @property
    def on_conflict(self) -> bool:
        """Whether the cursor of the list in front is on the header of a conflict."""
        entry = self.entry if self.screen == "triage" else None
        return entry is not None and entry.is_header and entry.cluster is not None and entry.cluster.kind == "conflict"

    @property
    def turn(self) -> int | None:
        """The number of the turn in focus; another row under the cursor has none."""
        entry = self.entry
        if self._turn is None or entry is None or entry.is_header or self._turn[0] != entry.row:
            return None
        return self._turn[1]

    def focus_turn(self, turn: int | None) -> None:
        """Put a turn of the row under the cursor in focus, or (None) show the whole row."""
        self._turn = (self.entry.row, turn) if self.entry is not None and turn is not None else None

    # -- where acts were made

    def note_act(self) -> None:
        """An act was made here, and what was undone before cannot be done again."""
        self._acts.append(self.key if self.screen == "triage" else None)
        self._undone.clear()

    def last_act(self) -> EntryKey | None:
        """Where the act was made that is being undone."""
        self._undone.append(self._acts.pop() if self._acts else None)
        return self._undone[-1]

    def last_undone(self) -> EntryKey | None:
        """Where the act was made that is being done again."""
        self._acts.append(self._undone.pop() if self._undone else None)
        return self._acts[-1]

    def go_to(self, key: EntryKey | None) -> None:
        """Put the cursor on an entry, where the list shows it."""
        if key is not None and len(self.entries):
            found = self.entries.find(*key)
            self.cursor = self.cursor if found is None else found
