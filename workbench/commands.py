"""COMMANDS: the one table of what a person can do. Footer, help, README, key bindings and `tamis do` come from it.

Knows no terminal. A command acts on a `Stage`: the screen in front, seen as the few things a command may ask of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from engine.errors import TamisError
from workbench.grouping import both_fine, choose, drop_both, not_duplicates, range_mark, split_off, toggle_mark
from workbench.headless import Outcome, run_headless
from workbench.remarks import toggle_later
from workbench.session import Session
from workbench.verdicts import Verb
from workbench.view import SETTLED_KINDS


class Stage(Protocol):
    """What a command may ask of the screen in front."""

    @property
    def session(self) -> Session: ...

    def step(self, steps: int) -> None:
        """Move the cursor by lines."""

    def page(self, pages: float) -> None:
        """Move the cursor by pages of the list; infinite goes to the top or the bottom."""

    def scroll_reader(self, pages: float) -> None: ...

    def go(self, screen: str) -> None: ...

    def leave(self) -> None: ...

    def open_editor(self, *, external: bool) -> None: ...

    def stop_run(self) -> None: ...

    def copy(self) -> None:
        """Copy the row under the cursor."""

    def reserve(self) -> None:
        """Reserve the held-out set that is offered."""

    def change_amount(self, factor: float) -> None:
        """Offer more or fewer."""

    def ask(self, purpose: str) -> None:
        """Open the line to type into: a filter, a tag, a note."""

    def cancel_job(self) -> None: ...

    def confirm(self) -> None:
        """What enter does on a screen of its own (export, train)."""


Run = Callable[[Stage], None]
WhyNot = Callable[[Session], str | None]


@dataclass(frozen=True, slots=True)
class Command:
    """`keys` are Textual key names, the first is the one shown; `where` the screens it works on.

    `why_disabled` gives the reason why the command cannot act now, or None.
    """

    id: str
    label: str
    help: str
    keys: tuple[str, ...]
    where: tuple[str, ...]
    run: Run
    why_disabled: WhyNot = lambda session: None

    @property
    def decides(self) -> bool:
        """Whether it changes the row on the screen: then that row must be on the screen."""
        return self.id in DECIDING

    @property
    def opens_a_line(self) -> bool:
        """Whether the keys behind it are text."""
        return self.id in OPENS_A_LINE


DECIDING = frozenset(
    {"accept", "reject", "skip", "keep", "reset", "later", "not-duplicates", "split", "both-fine", "drop-both"}
    | {f"choose-{place}" for place in range(1, 10)}
)
# What is typed behind these is text.
OPENS_A_LINE = frozenset({"edit", "edit-external", "filter", "tag", "note", "command"})
TRIAGE = ("triage",)
LISTS = ("overview", "triage")
PANES = ("help", "export", "train")
OFFER = ("heldout",)


def _judge(verb: Verb) -> Run:
    return lambda stage: stage.session.judge(verb)


def _choose(place: int) -> Run:
    return lambda stage: choose(stage.session, place)


def _why_no_verdict(session: Session) -> str | None:
    if session.project.readonly:
        return f"read-only: {session.project.readonly_reason}"
    if session.screen == "triage" and session.entry is None:
        return "no row here: / changes the filter"
    return None


def _why_no_edit(session: Session) -> str | None:
    refused = _why_no_verdict(session)
    if refused is not None or session.entry is None:
        return refused
    if session.entry.is_header:
        return "this is a group: go to one of its rows (j) to edit it"
    return None if session.edit_fields(session.entry.row) else "this row has no text that can be edited in place"


def _why_no_keep(session: Session) -> str | None:
    refused = _why_no_verdict(session)
    if refused is not None or session.entry is None or session.entry.cluster is not None:
        return refused
    groups = [cluster for cluster in session.project.clusters_of(session.entry.row) if cluster.kind != "variant"]
    if groups:
        return f"its group is not in this filter: / cluster:{groups[0].id} shows it"
    return "this row is in no group: a accepts it, x rejects it"


def _why_no_open(session: Session) -> str | None:
    return None if session.item is not None else "nothing to open"


def _why_no_cancel(session: Session) -> str | None:
    return None if session.job or session.marked else "nothing is running"


def _why_no_row(session: Session) -> str | None:
    return None if session.entry is not None else "no row here: / changes the filter"


def _toggle_why(stage: Stage) -> None:
    stage.session.why_open = not stage.session.why_open


COMMANDS: tuple[Command, ...] = (
    Command("accept", "accept", "accept the row, or every row of the group", ("a",), LISTS,
            _judge("accept"), _why_no_verdict),
    Command("reject", "reject", "reject the row, or every row of the group", ("x",), LISTS,
            _judge("reject"), _why_no_verdict),
    Command("skip", "skip", "leave it for later: counts as decided, is not exported", ("space",), LISTS,
            _judge("skip"), _why_no_verdict),
    Command("keep", "keep", "group: accept the keeper, reject the rest; on a member: keep that one", ("enter",), TRIAGE,
            lambda stage: stage.session.keep(), _why_no_keep),
    Command("open", "open", "open these rows", ("enter",), ("overview",),
            lambda stage: stage.go("triage"), _why_no_open),
    Command("reset", "reset", "take verdict and edit back: the row is undecided again", ("r",), TRIAGE,
            _judge("reset"), _why_no_verdict),
    Command("edit", "edit", "edit the row here", ("e",), TRIAGE,
            lambda stage: stage.open_editor(external=False), _why_no_edit),
    Command("edit-external", "$EDITOR", "edit the row in $VISUAL or $EDITOR", ("ctrl+e",), TRIAGE,
            lambda stage: stage.open_editor(external=True), _why_no_edit),
    Command("undo", "undo", "take the last act back, whatever its size", ("u",), LISTS,
            lambda stage: stage.session.undo(), _why_no_verdict),
    Command("redo", "redo", "do the undone act again", ("ctrl+r",), LISTS,
            lambda stage: stage.session.redo(), _why_no_verdict),
    Command("down", "down", "next line", ("j", "down"), (*LISTS, "train"), lambda stage: stage.step(1)),
    Command("up", "up", "previous line", ("k", "up"), (*LISTS, "train"), lambda stage: stage.step(-1)),
    Command("page-down", "page", "list: a page down", ("ctrl+f",), LISTS, lambda stage: stage.page(1)),
    Command("page-up", "page up", "list: a page up", ("ctrl+b",), LISTS, lambda stage: stage.page(-1)),
    Command("top", "top", "first line", ("g", "home"), LISTS, lambda stage: stage.page(float("-inf"))),
    Command("bottom", "bottom", "last line", ("G", "end"), LISTS, lambda stage: stage.page(float("inf"))),
    Command("group-next", "next group", "next group", ("right_square_bracket",), TRIAGE,
            lambda stage: stage.session.next_group()),
    Command("group-previous", "group before", "previous group", ("left_square_bracket",), TRIAGE,
            lambda stage: stage.session.previous_group()),
    Command("read-down", "read on", "reader: half a page down", ("J",), (*TRIAGE, *PANES),
            lambda stage: stage.scroll_reader(0.5)),
    Command("read-up", "read back", "reader: half a page up", ("K",), (*TRIAGE, *PANES),
            lambda stage: stage.scroll_reader(-0.5)),
    Command("read-page-down", "reader page", "reader: a page down", ("pagedown",), (*TRIAGE, *PANES),
            lambda stage: stage.scroll_reader(1)),
    Command("read-page-up", "reader page up", "reader: a page up", ("pageup",), (*TRIAGE, *PANES),
            lambda stage: stage.scroll_reader(-1)),
    Command("why", "why", "every finding and its evidence, the whole system prompt, the edit as a diff", ("w",), TRIAGE,
            _toggle_why),
    Command("filter", "filter", "show other rows: a selector such as bucket:drop, flag:truncated, /regex/",
            ("slash",), LISTS, lambda stage: stage.ask("filter")),
    Command("half-down", "half page", "list: half a page down", ("ctrl+d",), LISTS, lambda stage: stage.page(0.5)),
    Command("half-up", "half page up", "list: half a page up", ("ctrl+u",), LISTS, lambda stage: stage.page(-0.5)),
    Command("match-next", "next match", "next row of the filter, headers passed over", ("n",), TRIAGE,
            lambda stage: stage.session.next_match(1)),
    Command("match-previous", "match before", "previous row of the filter", ("p",), TRIAGE,
            lambda stage: stage.session.next_match(-1)),
    Command("mark", "mark", "mark the row or group for the next verb, or take the mark off", ("m",), TRIAGE,
            lambda stage: toggle_mark(stage.session)),
    Command("range", "range", "begin a range; again: mark all between", ("v",), TRIAGE,
            lambda stage: range_mark(stage.session)),
    Command("not-duplicates", "no duplicates", "the group's rows (or its marked ones) are no duplicates",
            ("N",), TRIAGE,
            lambda stage: not_duplicates(stage.session), _why_no_verdict),
    Command("split", "split off", "split the marked rows off their group", ("S",), TRIAGE,
            lambda stage: split_off(stage.session), _why_no_verdict),
    Command("both-fine", "both fine", "conflict: the answers are fine beside each other, accept them all",
            ("b",), TRIAGE,
            lambda stage: both_fine(stage.session), _why_no_verdict),
    Command("drop-both", "drop both", "conflict: no answer is right, reject them all", ("D",), TRIAGE,
            lambda stage: drop_both(stage.session), _why_no_verdict),
    *(Command(f"choose-{place}", f"keep {place}", f"group: keep the row numbered {place} (to 9), reject the rest",
              (str(place),), TRIAGE, _choose(place), _why_no_verdict) for place in range(1, 10)),
    Command("command", "command", "a command by name, a row number, or a verb with a selector",
            ("colon", "ctrl+p"), LISTS,
            lambda stage: stage.ask("command")),
    Command("copy", "copy", "copy the row as it stands, to the clipboard and to copy.txt", ("y",), TRIAGE,
            lambda stage: stage.copy(), _why_no_row),
    Command("tag", "tag", "put tags on the row or group; -word takes one off", ("t",), TRIAGE,
            lambda stage: stage.ask("tag"), _why_no_verdict),
    Command("note", "note", "write a note on the row", ("i",), TRIAGE,
            lambda stage: stage.ask("note"), _why_no_verdict),
    Command("later", "later", "flag for later (tag:later), or take the flag off", ("f",), TRIAGE,
            lambda stage: toggle_later(stage.session), _why_no_verdict),
    Command("overview", "overview", "what can be settled", ("o",), ("triage", *PANES),
            lambda stage: stage.go("overview")),
    Command("export", "export", "open the export screen; nothing is written yet", ("E",), LISTS,
            lambda stage: stage.go("export")),
    Command("train", "train", "open the training screen; nothing is started yet", ("T",), LISTS,
            lambda stage: stage.go("train")),
    Command("help", "help", "all keys", ("question_mark", "f1"), (*LISTS, "export", "train"),
            lambda stage: stage.go("help")),
    Command("write", "write", "write the export", ("enter",), ("export",), lambda stage: stage.confirm()),
    Command("start", "start", "start the run, or attach to the run under the cursor", ("enter",), ("train",),
            lambda stage: stage.confirm()),
    Command("stop-run", "stop", "stop the watched run: it saves and ends within one step", ("s",), ("train",),
            lambda stage: stage.stop_run()),
    Command("reserve", "reserve", "reserve the held-out set that is offered", ("y",), OFFER,
            lambda stage: stage.reserve()),
    Command("decline", "not now", "hold nothing out now", ("n", "escape", "q"), OFFER, lambda stage: stage.leave()),
    Command("more", "more", "hold out more rows", ("plus",), OFFER, lambda stage: stage.change_amount(1.25)),
    Command("fewer", "fewer", "hold out fewer rows", ("minus",), OFFER, lambda stage: stage.change_amount(0.8)),
    Command("back", "back", "back to where one came from", ("escape", "q"), PANES, lambda stage: stage.leave()),
    Command("cancel", "stop scan", "take the marks off, else stop the job that is running", ("escape",), LISTS,
            lambda stage: stage.cancel_job(), _why_no_cancel),
    Command("leave", "leave", "leave; the next start comes back to this row", ("q", "ctrl+q"), LISTS,
            lambda stage: stage.leave()),
)  # fmt: skip

BY_ID: dict[str, Command] = {command.id: command for command in COMMANDS}

# At most seven hints fit 80 columns; which seven depends on what is under the cursor.
HINTS: dict[str, tuple[str, ...]] = {
    "overview": ("open", "reject", "accept", "filter", "export", "train", "help"),
    "group": ("keep", "reject", "group-next", "undo", "filter", "overview", "help"),
    "conflict": ("choose-1", "both-fine", "drop-both", "group-next", "undo", "filter", "help"),
    "member": ("keep", "accept", "reject", "edit", "undo", "group-next", "help"),
    "row": ("accept", "reject", "skip", "edit", "undo", "filter", "help"),
    "export": ("write", "back"),
    "train": ("start", "down", "stop-run", "back"),
    "help": ("read-page-down", "back"),
    "heldout": ("reserve", "decline", "more", "fewer"),
}

KEY_NAMES = {
    "question_mark": "?",
    "slash": "/",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "pagedown": "pgdn",
    "pageup": "pgup",
    "escape": "esc",
    "down": "\u2193",
    "up": "\u2191",
    "plus": "+",
    "minus": "-",
    "colon": ":",
}


def key_name(key: str) -> str:
    """A key as the person sees it: `slash` -> `/`."""
    return KEY_NAMES.get(key, key)


def hints_for(session: Session) -> list[Command]:
    """The commands worth a hint on the screen in front, most useful first."""
    where = session.screen
    entry = session.entry
    if where == "triage":
        where = "row"
        if entry is not None and entry.cluster is not None:
            header = "group" if entry.cluster.kind in SETTLED_KINDS else "conflict"
            where = header if entry.is_header else "member"
    return [BY_ID[name] for name in HINTS.get(where, ())]


def perform(stage: Stage, command: Command) -> None:
    """Run a command. What it cannot do it says in the session's message; nothing it raises goes further."""
    session = stage.session
    reason = command.why_disabled(session)
    if session.pending is not None and session.pending[0] != command.id:
        session.pending = None
    if reason is not None:
        session.say(reason, "refused")
        return
    session.say("")
    try:
        command.run(stage)
    except TamisError as error:
        session.say(str(error), "error")


def key_table_markdown() -> str:
    """The key table of the README."""
    lines = ["| key | where | what it does |", "|---|---|---|"]
    for command in COMMANDS:
        if command.id == "choose-1":
            lines.append("| `1` \u2026 `9` | triage | group: keep that row of those shown, reject the rest |")
        if command.id.startswith("choose-"):
            continue
        keys = " ".join(f"`{key_name(key)}`" for key in command.keys)
        lines.append(f"| {keys} | {', '.join(command.where)} | {command.help} |")
    return "\n".join(lines)


def main() -> int:
    """Print the key table, as the README holds it."""
    print(key_table_markdown())
    return 0


__all__ = [
    "BY_ID",
    "COMMANDS",
    "Command",
    "Outcome",
    "Stage",
    "hints_for",
    "key_table_markdown",
    "perform",
    "run_headless",
]

if __name__ == "__main__":
    raise SystemExit(main())
