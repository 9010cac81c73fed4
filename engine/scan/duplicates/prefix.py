"""Conversations that are the beginning of another: the longest is kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from hashlib import blake2b

from engine.model import Example
from engine.scan.requests.content import (
    Content,
    beside_messages,
    beside_words,
    canonical_call,
    comparable,
    has_only_words,
)
from engine.scan.requests.key import key_of
from engine.scan.text import EDGE_PUNCTUATION, exact_form, fold


def prefix_groups(examples: Sequence[Example], rows: Sequence[int]) -> list[list[int]]:
    """Groups of `rows` whose turns are each the beginning of the longest one's, longest first (equal copies of it
    included).

    Linear in the number of turns: each beginning of each conversation has a hash. A beginning that asks nothing by
    itself ("hi" - "hello!") belongs to nobody.
    """
    if not any(len(examples[row].messages) > 2 for row in rows):
        return []
    whole: dict[bytes, list[int]] = defaultdict(list)
    beginnings: dict[bytes, list[int]] = defaultdict(list)
    lengths: dict[int, int] = {}
    openings: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row in rows:
        first = next((turn for turn in examples[row].messages if turn.role != "system"), None)
        if first is not None:
            openings[first.role, " ".join(fold(first.text).split()).strip(EDGE_PUNCTUATION)].append(row)
    # Whose first turn nobody shares begins nobody's conversation: most are done with after it.
    for row in sorted(row for sharing in openings.values() if len(sharing) > 1 for row in sharing):
        hashes = _beginnings(examples[row])
        lengths[row] = len(hashes)
        if hashes:
            whole[hashes[-1]].append(row)
            for part in hashes[:-1]:
                beginnings[part].append(row)
    longest_of: dict[int, int] = {}
    for ending, short_rows in whole.items():
        longer = beginnings.get(ending)
        if longer and _asks_something(examples[short_rows[0]]):
            longest = max(longer, key=lambda row: (lengths[row], -row))
            longest_of |= dict.fromkeys(short_rows, longest)
    groups: dict[int, list[int]] = defaultdict(list)
    for row, longest in longest_of.items():
        # What is the beginning of a beginning is the beginning of the longest.
        while longest in longest_of:
            longest = longest_of[longest]
        groups[longest].append(row)
    copies = {rows_alike[0]: rows_alike for rows_alike in whole.values()}
    return [
        [longest, *sorted({*members, *(row for row in copies.get(longest, ()) if row != longest)})]
        for longest, members in sorted(groups.items())
    ]


def _beginnings(example: Example) -> list[bytes]:
    """A running hash after each turn of all that a row holds so far. System prompt, tools and what stands beside the
    messages come first: a row that lacks them, or has others, begins another conversation.
    """
    conversation = example.conversation
    running = blake2b(digest_size=12)
    _take_in(running, beside_messages(conversation))
    found: list[bytes] = []
    for turn in conversation.messages:
        if turn.role == "system":
            continue
        part = "\x1f".join((turn.role, exact_form(turn.text), *map(canonical_call, turn.tool_calls)))
        running.update(len(part).to_bytes(8, "little") + part.encode("utf-8", "surrogatepass"))
        if not has_only_words(turn):
            _take_in(running, beside_words(turn))
        found.append(running.digest())
    return found


def _take_in(running: blake2b, content: Content) -> None:
    for piece in comparable(content):
        part = "\x1f".join(piece)
        running.update(len(part).to_bytes(8, "little") + part.encode("utf-8", "surrogatepass"))


def _asks_something(example: Example) -> bool:
    return any(turn.role == "user" and not key_of(turn.text).is_generic for turn in example.messages)
