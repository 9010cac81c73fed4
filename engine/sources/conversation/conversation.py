"""What a row holds: read by the mapping of its source, or where it is of another shape by its own."""

from __future__ import annotations

from collections.abc import Sequence

from engine.model import Conversation, Message, Row
from engine.sources.conversation.reading import Reading
from engine.sources.mapping import Mapping
from engine.sources.messages.places import places_of

_PARTS_BESIDE = frozenset({"system", "tools", "reasoning", "label", "rejected", "candidates"})


def conversation_of(row: Row, mapping: Mapping) -> Conversation:
    """What `row` holds by this mapping; a row of another shape than the mapping's is read by its own."""
    return _read(row, mapping)[1]


def as_mapped(row: Row, mapping: Mapping) -> Conversation:
    """What `row` holds by this mapping alone: a field that it names and that is not there is empty."""
    return Reading(row, mapping).conversation()


def mapping_of(row: Row, mapping: Mapping) -> Mapping:
    """The mapping that a row is read by: that of its source, or its own."""
    return _read(row, mapping)[0]


def _read(row: Row, mapping: Mapping) -> tuple[Mapping, Conversation]:
    """What a row is read by, and what it holds by that."""
    found = Reading(row, mapping).conversation()
    if found.messages and not _lacks_a_half(row, mapping, found):
        return _with_parts_elsewhere(row, mapping, found) if found.other else (mapping, found)
    own = own_mapping(row)
    by_own = Reading(row, own).conversation() if own is not None and own != mapping else Conversation()
    return (own, by_own) if own is not None and _is_better(by_own, found) else (mapping, found)


def _lacks_a_half(row: Row, mapping: Mapping, found: Conversation) -> bool:
    """Whether the field that should hold the answer, or what is asked, is not in the row at all, so that it may be
    elsewhere; or holds it in an object of its own."""
    halves = {"alpaca": ("output", "instruction"), "preference": ("chosen",)}.get(mapping.shape, ())
    for part in halves:
        field = mapping.fields.get(part)
        if field is not None and row.get(field) is None and not places_of(row, field):
            return True
    return mapping.shape == "alpaca" and _is_json(found.messages[-1])


def _is_json(message: Message) -> bool:
    content = message.content
    return not isinstance(content, str) and len(content) == 1 and content[0].type == "json"


def _with_parts_elsewhere(row: Row, mapping: Mapping, found: Conversation) -> tuple[Mapping, Conversation]:
    """A part that the mapping names and that stands under another name in this row (`system` for `system_prompt`)."""
    absent = [part for part in _PARTS_BESIDE & mapping.fields.keys() if not places_of(row, mapping.fields[part])]
    own = own_mapping(row) if absent else None
    more = {part: own.fields[part] for part in absent if part in own.fields} if own is not None else {}
    if not more or set(more.values()) & set(mapping.fields.values()):
        return mapping, found
    mapping = Mapping(mapping.shape, mapping.fields | more)
    return mapping, Reading(row, mapping).conversation()


def own_mapping(row: Row) -> Mapping | None:
    """The mapping of one row by its own shape."""
    # Not at the top: most rows are read without the table of shapes, and the first screen is painted without it.
    from engine.sources.shapes.guess import guess_row

    return guess_row(row)


def _is_better(by_own: Conversation, found: Conversation) -> bool:
    """Whether a row says more by its own shape: messages at all, an answer, what is asked."""
    if not found.messages or not by_own.messages:
        return bool(by_own.messages)
    said, before = by_own.messages[-1], found.messages[-1]
    if said.role != "assistant" or not (said.content or said.tool_calls):
        return False
    has_answer = before.role == "assistant" and bool(before.content or before.tool_calls) and not _is_json(before)
    return not has_answer or (_asks(by_own) and not _asks(found))


def _asks(held: Conversation) -> bool:
    return any(message.role == "user" and message.content for message in held.messages)


def trainable(turns: Sequence[Message]) -> bool:
    """Whether a trainer can learn from these turns: an answer at the end. A row need not have a request."""
    return bool(turns) and turns[-1].role == "assistant"
