"""The commands that show rows and remark on them: filter, marks, tags, notes, a copy."""

from __future__ import annotations

from workbench.actions import groups, preconditions, tags
from workbench.commands.command import Command
from workbench.commands.targets import LISTS, OVERVIEW, TOKENS, TRIAGE, CommandTarget, ListTarget


def _toggle_why(target: CommandTarget) -> None:
    session = target.session
    session.place.why_open = not session.place.why_open
    if session.place.why_open and session.place.entry is not None and session.place.entry.is_header:
        session.say("what was found about the group is shown already; j goes to its rows")


def _show_proposed(target: ListTarget) -> None:
    target.session.set_filter("is:proposed")
    target.show_rows()


def _toggle_raw(target: CommandTarget) -> None:
    target.session.place.raw_open = not target.session.place.raw_open


INSPECT_COMMANDS = (
    Command("open", "open", "open these rows", ("enter",), (OVERVIEW,),
            lambda target: target.open_item(), preconditions.no_open),
    Command("proposed", "proposed", "the rows that something is proposed for", ("p",), (OVERVIEW,), _show_proposed),
    Command("why", "why", "every finding with its evidence, all that is folded, the edit as a diff", ("w",),
            (TRIAGE,),
            _toggle_why),
    Command("raw", "raw", "the row as it was read, byte for byte; again: laid out", ("z",), (TRIAGE,),
            _toggle_raw, preconditions.no_raw),
    Command("tokens", "tokens", "the row as the trainer would see it: its tokens, those that are learnt lit", ("Z",),
            (TRIAGE,), lambda target: target.go(TOKENS), preconditions.no_row),
    Command("filter", "filter", "show other rows: a selector such as bucket:drop, flag:truncated, /regex/",
            ("slash",), LISTS, lambda target: target.ask_filter(), opens_a_line=True),
    Command("command", "command", "a command by name, a row number, or a verb with a selector",
            ("colon", "ctrl+p"), LISTS,
            lambda target: target.ask_command(), opens_a_line=True),
    Command("mark", "mark", "mark the row or group for the next verb, or take the mark off", ("m",), (TRIAGE,),
            lambda target: groups.toggle_mark(target.session)),
    Command("range", "range", "begin a range; again: mark all between", ("v",), (TRIAGE,),
            lambda target: groups.mark_range(target.session)),
    Command("mark-all", "mark all", "mark every row of the filter, or take all marks off", ("asterisk",), (TRIAGE,),
            lambda target: groups.mark_all(target.session)),
    Command("copy", "copy", "copy the row as it stands, to the clipboard and to copy.txt", ("y",), (TRIAGE,),
            lambda target: target.copy_row(), preconditions.no_row),
    Command("tag", "tag", "put tags on the row or group; -word takes one off", ("t",), (TRIAGE,),
            lambda target: target.ask_tags(), preconditions.no_verdict, opens_a_line=True),
    Command("note", "note", "write a note on the row", ("i",), (TRIAGE,),
            lambda target: target.ask_note(), preconditions.no_verdict, opens_a_line=True),
    Command("later", "later", "flag for later (tag:later), or take the flag off", ("f",), (TRIAGE,),
            lambda target: tags.toggle_later(target.session), preconditions.no_verdict, decides=True),
)  # fmt: skip
