"""The commands that move: in the list, between groups, in the reader."""

from __future__ import annotations

from workbench.actions import edit_turns, navigate, preconditions
from workbench.commands.command import Command
from workbench.commands.targets import CURSORS, LISTS, OVERVIEW, PANES, TRIAGE

NAVIGATE_COMMANDS = (
    Command("down", "down", "next line", ("j", "down"),
            CURSORS, lambda target: target.step(1)),
    Command("up", "up", "previous line", ("k", "up"),
            CURSORS, lambda target: target.step(-1)),
    Command("page-down", "page", "list: a page down", ("ctrl+f",), LISTS, lambda target: target.page(1)),
    Command("page-up", "page up", "list: a page up", ("ctrl+b",), LISTS, lambda target: target.page(-1)),
    Command("half-down", "half page", "list: half a page down", ("ctrl+d",), LISTS, lambda target: target.page(0.5)),
    Command("half-up", "half page up", "list: half a page up", ("ctrl+u",), LISTS, lambda target: target.page(-0.5)),
    Command("top", "top", "first line", ("g", "home"), LISTS, lambda target: target.page(float("-inf"))),
    Command("bottom", "bottom", "last line", ("G", "end"), LISTS, lambda target: target.page(float("inf"))),
    Command("group-next", "next group", "next group", ("right_square_bracket",), (TRIAGE,),
            lambda target: navigate.next_group(target.session)),
    Command("group-previous", "group before", "previous group", ("left_square_bracket",), (TRIAGE,),
            lambda target: navigate.previous_group(target.session)),
    Command("section-next", "next section", "next section", ("right_square_bracket",), (OVERVIEW,),
            lambda target: navigate.move_section(target.session, 1)),
    Command("section-previous", "section before", "previous section", ("left_square_bracket",), (OVERVIEW,),
            lambda target: navigate.move_section(target.session, -1)),
    Command("match-next", "next match", "next row of the filter, headers passed over", ("n",), (TRIAGE,),
            lambda target: navigate.next_match(target.session, 1)),
    Command("match-previous", "match before", "previous row of the filter", ("p",), (TRIAGE,),
            lambda target: navigate.next_match(target.session, -1)),
    Command("turn-next", "next", "one turn in focus, then the next", ("l", "right"), (TRIAGE,),
            lambda target: edit_turns.focus(target.session, 1), preconditions.no_row),
    Command("turn-previous", "back", "the turn before; before the first the whole row", ("h", "left"), (TRIAGE,),
            lambda target: edit_turns.focus(target.session, -1), preconditions.no_row),
    Command("read-down", "read on", "reader: half a page down", ("J",), (TRIAGE, *PANES),
            lambda target: target.scroll_reader(0.5)),
    Command("read-up", "read back", "reader: half a page up", ("K",), (TRIAGE, *PANES),
            lambda target: target.scroll_reader(-0.5)),
    Command("read-page-down", "next page", "reader: a page down", ("pagedown",), (TRIAGE, *PANES),
            lambda target: target.scroll_reader(1)),
    Command("read-page-up", "page before", "reader: a page up", ("pageup",), (TRIAGE, *PANES),
            lambda target: target.scroll_reader(-1)),
)  # fmt: skip
