"""Where the assistant's turns lie in what a chat template writes: found from what it writes of the beginnings.

A turn is what the template adds between the conversation before it, with generation prompt, and the conversation with
it; so nothing has to be known of a template. The beginnings are compared with the whole text: where they are not in it
as they stand, the turn is looked for by what they have in common, and a row where that does not settle it is refused.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from .chat import Chat, Unrenderable, as_text, rendered, text_before_words


@dataclass(frozen=True, slots=True)
class Written:
    """What the template writes of a conversation: its text, its token ids, and how many of them end at or before a
    character of it.

    A token belongs to where it ends. One that holds the end of the generation prompt and the first letters of the
    answer (two line ends, a space and a word) is the assistant's: else these letters were never learnt. One that
    holds the end of an answer and the beginning of the next header is not: the header would be learnt with it.
    """

    tokenizer: Any
    text: str
    ids: tuple[int, ...]
    ends: tuple[int, ...] | None

    def tokens_until(self, character: int) -> int:
        """How many tokens end at or before `character`."""
        if self.ends is not None:
            return bisect_right(self.ends, character)
        return common_length(self.tokenizer(self.text[:character], add_special_tokens=False)["input_ids"], self.ids)


@dataclass(frozen=True, slots=True)
class Turn:
    """What the assistant writes of the message at `place`: the characters `start` to before `end` of the whole text.

    `through` is what the template writes of the conversation up to and with this message, where nothing follows it.
    """

    place: int
    start: int
    end: int
    through: str


NO_TURN = Turn(-1, 0, 0, "")


def written(tokenizer: Any, chat: Chat, template: str | None) -> Written:
    """The whole conversation as the trainer gets it. Raises Unrenderable."""
    text = as_text(tokenizer, chat, template)
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=bool(tokenizer.is_fast))
    ids = tuple(encoded["input_ids"])
    if not tokenizer.is_fast:  # a tokenizer in Python does not say where its tokens lie
        return Written(tokenizer, text, ids, None)
    ends = accumulate((end for _, end in encoded["offset_mapping"]), max)
    return Written(tokenizer, text, ids, tuple(ends))


def turns_in(whole: Written, chat: Chat, template: str | None, places: Sequence[int]) -> dict[int, Turn]:
    """The turns of the assistant's messages at `places` (ascending), by place.

    Raises Unrenderable where the whole text does not hold one of them as the template writes it by itself.
    """
    turns: dict[int, Turn] = {}
    before = NO_TURN
    for place in places:
        start = start_of(whole, chat, template, place, before)
        through, end = _end(whole, chat, template, place, start)
        if not before.end <= start <= end:
            raise Unrenderable(f"turn {place + 1}: the chat template runs it together with others")
        before = turns[place] = Turn(place, start, end, through)
    return turns


def text_before(tokenizer: Any, chat: Chat, template: str | None, place: int) -> str:
    """What leads up to the assistant's message at `place`: the messages before it, with generation prompt.

    Without a request before it, it is what the template writes before the message's own words: many templates refuse
    a prompt in which no user speaks. Raises Unrenderable.
    """
    if is_asked(chat, place):
        before = Chat(chat.messages[:place], chat.tools)
        return str(rendered(tokenizer, before, template, tokenize=False, add_generation_prompt=True))
    return text_before_words(tokenizer, chat, template, place)


def is_asked(chat: Chat, place: int) -> bool:
    """Whether anybody asks for the message at `place`: neither what the system says nor a greeting does."""
    return any(message["role"] not in ("system", "developer", "assistant") for message in chat.messages[:place])


def start_of(whole: Written, chat: Chat, template: str | None, place: int, before: Turn = NO_TURN) -> int:
    """The character at which the assistant begins to write the message at `place`; `before` is a turn before it.

    Raises Unrenderable where what leads to the message is not in the whole text.
    """
    prompt = text_before(whole.tokenizer, chat, template, place)
    start = _behind(whole, prompt, before)
    if start is not None:
        return start
    # What precedes the generation prompt has to be there; of that prompt as much as this row has: its "<think>\n" is
    # not written before an answer without a thought.
    asked = as_text(whole.tokenizer, Chat(chat.messages[:place], chat.tools), template)
    start = _behind(whole, asked, before)
    if start is None or not prompt.startswith(asked):
        raise Unrenderable(
            f"turn {place + 1}: the chat template writes what leads to it otherwise once turns follow it"
        )
    opening = prompt[len(asked) :][: common_length(prompt[len(asked) :], whole.text[start:])]
    if opening.rfind("<") > opening.rfind(">"):  # "<think>" and "<tool_call>" begin alike
        opening = opening[: opening.rfind("<")]
    return start + len(opening)


def _behind(whole: Written, text: str, before: Turn) -> int | None:
    """Where `text` ends in the whole, from its beginning or from the turn before on; None where it is not there."""
    if whole.text.startswith(text):
        return len(text)
    added = text.removeprefix(before.through)
    if before.through and added != text and whole.text.startswith(added, before.end):
        return before.end + len(added)
    return None


def _end(whole: Written, chat: Chat, template: str | None, place: int, start: int) -> tuple[str, int]:
    """What the template writes up to the message at `place`, and the character of the whole behind the last one that
    the assistant writes of it, its end-of-turn included."""
    if place + 1 == len(chat.messages):
        return whole.text, len(whole.text)
    through = as_text(whole.tokenizer, Chat(chat.messages[: place + 1], chat.tools), template)
    for text in (through, through.removesuffix(whole.tokenizer.eos_token or "")):  # some write it behind all turns once
        if whole.text.startswith(text):
            return through, len(text)
    # Many templates leave the thoughts out of turns that are over. The turn is then the longest end of what it was by
    # itself that the whole text goes on with; all its words have to be in that.
    words = _words(chat.messages[place])
    earliest = common_length(text_before(whole.tokenizer, chat, template, place), through)
    for begin in range(earliest, through.rfind(words) + 1 if words else 0):
        if whole.text.startswith(through[begin:], start):
            return through, start + len(through) - begin
    raise Unrenderable(f"turn {place + 1}: the chat template writes it otherwise once turns follow it")


def _words(message: Mapping[str, Any]) -> str:
    """Something that a turn must hold to be this message's."""
    calls = message.get("tool_calls", ())
    return str(calls[-1]["function"]["name"]) if calls else str(message["content"]).strip()


def common_length(some: Sequence[object], others: Sequence[object]) -> int:
    """How many ids, or characters, two sequences begin with in common."""
    for place, (mine, other) in enumerate(zip(some, others, strict=False)):
        if mine != other:
            return place
    return min(len(some), len(others))
