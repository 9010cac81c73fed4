"""Records that belong together: a file with one message a record becomes rows of one conversation each.

Which file is one is told by the fields of its first record. What does not fit in (a message whose parent is missing, a
circle, a line that is no message) is a row of its own, as it stands; nothing is left out. Told by the row's note.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from engine.model import Quarantined
from engine.sources.files.pieces import MAX_LINE_BYTES, SourceRow
from engine.sources.messages.speakers import ASSISTANTS, SPEAKERS, SPOKEN_KEYS, USERS, list_name, speaker
from engine.sources.records.threads import (
    CONVERSATION_KEYS,
    PARENT_KEYS,
    Piece,
    conversations,
    joined_row,
    link_keys,
    listed,
    threads,
)


def joined(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """The pieces of a source; those of a file of single messages joined to conversations, which takes reading all of
    it first."""
    before: list[Piece] = []
    for piece in pieces:
        before.append(piece)
        if isinstance(piece, SourceRow):
            break
    every = itertools.chain(before, pieces)
    first = before[-1] if before else None
    if not isinstance(first, SourceRow):
        return every
    if _is_chat_head(first.raw):
        return _chats(every)
    keys = link_keys(first.raw)
    if keys is None:
        return every
    return threads(every, keys) if keys.parent else conversations(every, keys)


def _is_chat_head(raw: dict[str, Any]) -> bool:
    """The first line of a chat of SillyTavern; its messages follow, a line each."""
    return "user_name" in raw and "character_name" in raw and "mes" not in raw


def _is_chat_line(raw: dict[str, Any]) -> bool:
    return "mes" in raw and "name" in raw and "is_user" in raw


def _chats(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """One row a chat: the fields of its head, and the lines behind it under `messages`."""
    head: SourceRow | None = None
    said: list[SourceRow] = []
    size = 0
    for piece in pieces:
        if isinstance(piece, Quarantined):
            yield piece
        elif _is_chat_head(piece.raw):
            yield from _chat(head, said)
            head, said, size = piece, [], len(piece.content)
        elif head is not None and _is_chat_line(piece.raw):
            said.append(piece)
            size += len(piece.content)
            if size > MAX_LINE_BYTES // 2:
                yield from (head, *said)
                head, said = None, []
        else:
            yield piece
    yield from _chat(head, said)


def _chat(head: SourceRow | None, said: Sequence[SourceRow]) -> Iterator[SourceRow]:
    if head is None or not said or "messages" in head.raw:
        yield from (() if head is None else (head, *said))
        return
    fields = head.content.strip().removesuffix(b"}").rstrip()
    content = b'%b, "messages": [%b]}' % (fields, listed(said))
    row = joined_row([head, *said], content, head.raw | _list("messages", said), len(said) + 1)
    yield from (row,) if row is not None else (head, *said)


def array_as_chat(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """The pieces of one JSON array; where its elements are the messages of one conversation, that as one row."""
    said: list[SourceRow] = []
    size = 0
    rest = iter(pieces)
    for piece in rest:
        if isinstance(piece, Quarantined):
            yield piece
            continue
        said.append(piece)
        size += len(piece.content)
        if not _is_bare_message(piece.raw) or size > MAX_LINE_BYTES // 2:
            yield from said
            yield from rest
            return
    speakers = {speaker(row.raw) for row in said}
    row = None
    if speakers & USERS and speakers & ASSISTANTS:
        name = list_name(said[0].raw)
        row = joined_row(said, b'{"%b": [%b]}' % (name.encode(), listed(said)), _list(name, said), len(said))
    yield from (row,) if row is not None else said


def _is_bare_message(raw: dict[str, Any]) -> bool:
    """A message of a conversation that has no name: of whose messages there is no telling but by where they stand."""
    return (
        speaker(raw) in SPEAKERS
        and any(key in raw for key in SPOKEN_KEYS)
        and not any(key in raw for key in (*PARENT_KEYS, *CONVERSATION_KEYS))
    )


def _list(name: str, said: Sequence[SourceRow]) -> dict[str, Any]:
    return {name: [row.raw for row in said]}
