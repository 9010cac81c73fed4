"""The commands of the screen that says which field of the file is what: one key a part."""

from __future__ import annotations

from collections.abc import Callable

from workbench.actions import fields, preconditions
from workbench.commands.command import Command
from workbench.commands.targets import FIELDS, LISTS, FieldsTarget


def _says(part: str) -> Callable[[FieldsTarget], None]:
    return lambda target: fields.assign(target.session, part)


FIELDS_COMMANDS = (
    Command("fields", "fields", "which field of the file is what, and how the rows are read by that", ("O",), LISTS,
            lambda target: target.go(FIELDS)),
    Command("field-prompt", "prompt", "this is what is asked; a second field is joined to it; a word: the user",
            ("p",), (FIELDS,), _says("prompt")),
    Command("field-response", "response", "this is the answer; a word: the assistant", ("r",), (FIELDS,),
            _says("response")),
    Command("field-system", "system", "this is the system prompt; a word: the system", ("s",), (FIELDS,),
            _says("system")),
    Command("field-messages", "messages", "this list is the messages; inside of one: this is what is said",
            ("m",), (FIELDS,), _says("messages")),
    Command("field-role", "who speaks", "inside of a message: this says who speaks", ("o",), (FIELDS,),
            _says("role")),
    Command("field-input", "input", "this is the input or context of what is asked", ("i",), (FIELDS,),
            _says("input")),
    Command("field-history", "history", "these are the turns before what is asked", ("h",), (FIELDS,),
            _says("history")),
    Command("field-chosen", "chosen", "this is the better of two answers", ("c",), (FIELDS,),
            _says("chosen")),
    Command("field-rejected", "rejected", "this is an answer that is not wanted", ("x",), (FIELDS,),
            _says("rejected")),
    Command("field-further", "further answers", "these are further answers, as good as the first", ("a",), (FIELDS,),
            _says("candidates")),
    Command("field-best", "best", "this says which of several answers is the best", ("b",), (FIELDS,),
            _says("winner")),
    Command("field-reasoning", "reasoning", "this is what was thought before the answer", ("n",), (FIELDS,),
            _says("reasoning")),
    Command("field-tools", "tools", "these are the tools; a word: a tool", ("t",), (FIELDS,),
            _says("tools")),
    Command("field-label", "label", "this says whether the answer is wanted", ("l",), (FIELDS,),
            _says("label")),
    Command("field-media", "picture", "this is a picture, a sound or a video that is asked about", ("v",), (FIELDS,),
            lambda target: fields.assign_medium(target.session)),
    Command("field-text", "whole text", "this text is learnt as it is, request and answer or neither", ("f",),
            (FIELDS,), _says("text")),
    Command("field-metadata", "meta", "this is metadata, no content; again: it is content", ("full_stop",),
            (FIELDS,), lambda target: fields.toggle_metadata(target.session)),
    Command("field-off", "off", "this is none of the parts", ("minus", "backspace"), (FIELDS,),
            lambda target: fields.take_off(target.session)),
    Command("field-row", "next row", "the next row, of another shape where there is one", ("tab",), (FIELDS,),
            lambda target: fields.show_next(target.session, 1)),
    Command("field-row-back", "row before", "the row before", ("shift+tab",), (FIELDS,),
            lambda target: fields.show_next(target.session, -1)),
    Command("field-words", "words", "type the words of --map", ("w",), (FIELDS,),
            lambda target: target.ask_words(), opens_a_line=True),
    Command("field-undo", "undo", "take the last key back", ("u",), (FIELDS,),
            lambda target: fields.undo(target.session)),
    Command("field-done", "done", "read the rows so", ("enter",), (FIELDS,), lambda target: target.settle(),
            preconditions.read_only),
    Command("field-down", "down", "next field", ("j", "down"), (FIELDS,), lambda target: target.step(1)),
    Command("field-up", "up", "previous field", ("k", "up"), (FIELDS,), lambda target: target.step(-1)),
    Command("field-page", "page", "a page down", ("ctrl+f", "pagedown"), (FIELDS,),
            lambda target: target.page(1)),
    Command("field-page-up", "page up", "a page up", ("ctrl+b", "pageup"), (FIELDS,),
            lambda target: target.page(-1)),
    Command("field-read", "read on", "reader: half a page down", ("J",), (FIELDS,),
            lambda target: target.scroll_reader(0.5)),
    Command("field-read-up", "read back", "reader: half a page up", ("K",), (FIELDS,),
            lambda target: target.scroll_reader(-0.5)),
    Command("field-leave", "leave", "leave them as they were", ("escape", "q"), (FIELDS,),
            lambda target: target.leave(), steps_back=True),
)  # fmt: skip
