"""The commands that show rows and remark on them: filter, marks, tags, notes, a copy."""

from __future__ import annotations

from workbench.actions import groups, preconditions, tags
from workbench.commands.command import LISTS, TRIAGE, Command, Stage


def _toggle_why(stage: Stage) -> None:
    session = stage.session
    session.place.why_open = not session.place.why_open
    if session.place.why_open and session.place.entry is not None and session.place.entry.is_header:
        session.say("what was found about the group is shown already; j goes to its rows")


def _toggle_raw(stage: Stage) -> None:
    stage.session.place.raw_open = not stage.session.place.raw_open


LOOKING: tuple[Command, ...] = (
    Command("open", "open", "open these rows", ("enter",), ("overview",),
            lambda stage: stage.go("triage"), preconditions.no_open),
    Command("why", "why", "every finding and its evidence, the whole system prompt, the edit as a diff", ("w",), TRIAGE,
            _toggle_why),
    Command("raw", "raw", "the row as it was read, byte for byte; again: laid out", ("z",), TRIAGE,
            _toggle_raw, preconditions.no_raw),
    Command("filter", "filter", "show other rows: a selector such as bucket:drop, flag:truncated, /regex/",
            ("slash",), LISTS, lambda stage: stage.ask("filter"), opens_a_line=True),
    Command("command", "command", "a command by name, a row number, or a verb with a selector",
            ("colon", "ctrl+p"), LISTS,
            lambda stage: stage.ask("command"), opens_a_line=True),
    Command("mark", "mark", "mark the row or group for the next verb, or take the mark off", ("m",), TRIAGE,
            lambda stage: groups.toggle_mark(stage.session)),
    Command("range", "range", "begin a range; again: mark all between", ("v",), TRIAGE,
            lambda stage: groups.mark_range(stage.session)),
    Command("mark-all", "mark all", "mark every row of the filter, or take all marks off", ("asterisk",), TRIAGE,
            lambda stage: groups.mark_all(stage.session)),
    Command("copy", "copy", "copy the row as it stands, to the clipboard and to copy.txt", ("y",), TRIAGE,
            lambda stage: stage.copy(), preconditions.no_row),
    Command("tag", "tag", "put tags on the row or group; -word takes one off", ("t",), TRIAGE,
            lambda stage: stage.ask("tag"), preconditions.no_verdict, opens_a_line=True),
    Command("note", "note", "write a note on the row", ("i",), TRIAGE,
            lambda stage: stage.ask("note"), preconditions.no_verdict, opens_a_line=True),
    Command("later", "later", "flag for later (tag:later), or take the flag off", ("f",), TRIAGE,
            lambda stage: tags.toggle_later(stage.session), preconditions.no_verdict, decides=True),
)  # fmt: skip
