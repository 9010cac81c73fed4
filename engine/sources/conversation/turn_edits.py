"""Edits of a whole turn, in the shape the row came in: cut off what follows it, drop it, leave it out of the loss."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from engine.errors import UsageError
from engine.model import Message, Row
from engine.sources.conversation.conversation import conversation_of, own_mapping, trainable
from engine.sources.conversation.text_edits import with_texts
from engine.sources.mapping import Mapping, value_at
from engine.sources.messages.messages import looks_like_messages, marks_in, placed_messages
from engine.sources.messages.own_messages import form_of, placed_own
from engine.sources.messages.parts import parsed
from engine.sources.messages.places import places_of
from engine.sources.messages.python_text import is_python_text

LISTS = {"messages": "messages", "sharegpt": "conversations"}
TurnList = list[Any]
_WRITTEN_BETWEEN = re.compile(r"[\[,\s]*")


def cut_after(row: Row, mapping: Mapping, turn: int) -> dict[str, Any]:
    """The row without the turns behind number `turn` (as `turns_of` counts). Raises UsageError: see `_edited`."""
    return _edited(row, mapping, turn, lambda turns, at: turns[: at + 1])


def drop_turn(row: Row, mapping: Mapping, turn: int) -> dict[str, Any]:
    """The row without turn number `turn`."""
    edited = _edited(row, mapping, turn, lambda turns, at: turns[:at] + turns[at + 1 :])
    if len(conversation_of(edited, mapping).messages) >= len(conversation_of(row, mapping).messages):
        raise UsageError("the pictures of this row are shown in that turn", "", "e edits its texts, x rejects the row")
    return edited


def toggle_trained(row: Row, mapping: Mapping, turn: int) -> dict[str, Any]:
    """The row with an assistant's turn left out of the loss (`"weight": 0`), or taken in again."""
    spoken = conversation_of(row, mapping).messages[turn]
    if spoken.role != "assistant":
        raise UsageError(f"only what the assistant says is trained on, this is a {spoken.role} turn")

    def weighed(turns: TurnList, at: int) -> TurnList:
        if not isinstance(turns[at], dict):
            raise UsageError("messages of this shape have no place for that mark", "", "X drops the turn")
        marks = marks_in(turns[at])
        own = {key: value for key, value in turns[at].items() if key not in marks}
        return [*turns[:at], own | ({"weight": 0} if spoken.train else {}), *turns[at + 1 :]]

    edited = _edited(row, mapping, turn, weighed)
    if conversation_of(edited, mapping).messages[turn].train == spoken.train:
        raise UsageError("messages of this shape have no place for that mark", "", "X drops the turn")
    return edited


def _edited(row: Row, mapping: Mapping, turn: int, change: Callable[[TurnList, int], TurnList]) -> dict[str, Any]:
    """Raises UsageError where the row has no list of turns, or where what is left cannot be trained on."""
    own = mapping if mapping.shape in LISTS and conversation_of(row, mapping).messages else own_mapping(row)
    part = LISTS.get(own.shape) if own is not None else None
    found = places_of(row, own.fields[part]) if own is not None and part is not None else []
    path, held = found[0] if len(found) == 1 else ((), None)
    form = form_of(own.fields) if own is not None else None
    turns = parsed(held)
    if own is None or not (isinstance(turns, list) if form is not None else looks_like_messages(held)):
        raise UsageError("this row has no list of turns to change", "", "e edits its texts")
    if any(isinstance(value_at(row, path[:size]), str) for size in range(1, len(path))):
        raise UsageError("the turns of this row stand inside of a text", "", "e edits that text")
    said = placed_own(turns, form, (), []) if form is not None else placed_messages(turns, (), [])
    places = [place for place, _ in said]
    head = len(conversation_of(row, own).messages) - len(places)
    if turn < head:
        raise UsageError("the system prompt stands in a field of its own", "", "e edits it")
    if places.count(places[turn - head]) > 1:
        raise UsageError("this turn shares its place in the file with the one beside it", "", "e edits its texts")
    changed = change(list(turns), places[turn - head])
    edited = _with_list(row, path, _as_text(held, turns, changed) if isinstance(held, str) else changed)
    _check(conversation_of(row, own).messages, conversation_of(edited, own).messages)
    return edited


def _as_text(held: str, turns: TurnList, changed: TurnList) -> str:
    """A changed list of turns as JSON; a turn that stayed is written as it was in `held`, character by character. What
    Python wrote becomes JSON."""
    if is_python_text(held):
        return json.dumps(changed, ensure_ascii=False)
    decoder, spans, at = json.JSONDecoder(), [], held.index("[")
    for _ in turns:
        start = _WRITTEN_BETWEEN.match(held, at).end()  # type: ignore[union-attr]
        at = decoder.raw_decode(held, start)[1]
        spans.append((start, at))
    written = {id(turn): held[start:end] for turn, (start, end) in zip(turns, spans, strict=True)}
    between = held[spans[0][1] : spans[1][0]] if len(spans) > 1 else ", "
    texts = (written.get(id(turn)) or json.dumps(turn, ensure_ascii=False) for turn in changed)
    return held[: spans[0][0]] + between.join(texts) + held[spans[-1][1] :]


def _with_list(row: Row, path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        return with_texts(row, {path: value})
    edited: dict[str, Any] = copy.deepcopy(dict(row))
    dotted = ".".join(map(str, path))
    holder: Any = edited if dotted in edited else value_at(edited, path[:-1]) if path[:-1] else edited
    holder[dotted if dotted in edited else path[-1]] = value
    return edited


def _check(before: tuple[Message, ...], after: tuple[Message, ...]) -> None:
    if not trainable(after):
        ends = f"it would end on a {after[-1].role} turn" if after else "nothing would be left"
        raise UsageError(f"not done: {ends}, there would be no answer to learn", "", "x rejects the row")
    if _asks(before) and not _asks(after):
        raise UsageError("not done: nothing would be asked", "", "x rejects the row")
    if not any(turn.train for turn in after if turn.role == "assistant"):
        raise UsageError("not done: no turn would be trained on", "", "x rejects the row")
    if _repeats(after) > _repeats(before):
        raise UsageError("not done: one role would speak twice in a row", "", "C cuts off everything after a turn")


def _asks(turns: tuple[Message, ...]) -> bool:
    return any(turn.role in ("user", "tool") for turn in turns[:-1])


def _repeats(turns: tuple[Message, ...]) -> int:
    """How often user or assistant speak twice in a row."""
    return sum(one.role == other.role and one.role in ("user", "assistant") for one, other in pairwise(turns))
