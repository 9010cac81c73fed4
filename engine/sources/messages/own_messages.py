"""Lists of messages whose fields a mapping names: who speaks, what is said, which words mean whom; a list whose
elements hold both sides; texts that begin with who speaks (`Kunde: …`)."""

from __future__ import annotations

import re
from collections.abc import Mapping as Fields
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from engine.model import Message
from engine.sources.mapping import Path, located, parse_path, parted, unquoted
from engine.sources.messages.leaves import Left
from engine.sources.messages.messages import ROLES, has_speaker, one_side, placed_messages
from engine.sources.messages.parts import parsed, plain

_ROLE_OF = {"user_role": "user", "assistant_role": "assistant", "system_role": "system", "tool_role": "tool"}
_PARTS = ("role", "content", "prompt", "response", *_ROLE_OF)
LONGEST_SPEAKER = 40
_SPEAKER = re.compile(rf"\s*\[?([^\n:：\]]{{1,{LONGEST_SPEAKER}}})\]?\s*[:：]\s*")
Placed = list[tuple[int, Message]]


@dataclass(frozen=True, slots=True)
class MessageForm:
    """Where in one element of a list its parts stand, and the words that name a speaker (in small letters) with the
    role each means. A list whose elements hold both sides has `sides`."""

    role: Path | None
    content: Path | None
    sides: tuple[Path, Path] | None
    words: tuple[tuple[str, str], ...]

    def role_of(self, spoken: Any) -> str:
        """The role that a word means; one that nobody knows stands as it is."""
        text = plain(spoken)
        word = text.strip().lower()
        return next((role for known, role in self.words if known == word), None) or ROLES.get(word, text)


NO_FORM = MessageForm(None, None, None, ())
"""A mapping that says of the messages only where they are."""


def form_of(fields: Fields[str, str]) -> MessageForm | None:
    """The form that a mapping gives the messages; None where it says nothing of them."""
    told = tuple(fields.get(part) for part in _PARTS)
    if not any(told):
        return None
    form = _form(told)
    return form if form != NO_FORM else None


@lru_cache(maxsize=256)
def _form(told: tuple[str | None, ...]) -> MessageForm:
    role, content, asked, said, *spoken = told
    words = [
        (unquoted(word.strip()).strip().lower(), meant)
        for words, meant in zip(spoken, _ROLE_OF.values(), strict=True)
        for word in parted(words or "", "|")
    ]
    return MessageForm(
        parse_path(role) if role else None,
        parse_path(content) if content else None,
        (parse_path(asked), parse_path(said)) if asked and said else None,
        tuple(word for word in words if word[0]),
    )


def own_messages(value: Any, form: MessageForm, at: Path, left: list[Left]) -> tuple[Message, ...]:
    """The messages in a list, or in a text with a speaker before each line of it; `left` gets what else is there."""
    return tuple(message for _, message in placed_own(value, form, at, left))


def placed_own(value: Any, form: MessageForm, at: Path, left: list[Left]) -> Placed:
    """Each message with the place in the list that it came from."""
    held = parsed(value)
    if isinstance(held, str):
        return _lines(held, form)
    if isinstance(held, dict):
        held = list(held.values()) if all(isinstance(one, dict | list) for one in held.values()) else [held]
    found: Placed = []
    for place, raw in enumerate(held if isinstance(held, list) else ()):
        if raw is not None:
            found += [(place, message) for message in _element(raw, form, (*at, place), left, len(found))]
    return found


def _element(raw: Any, form: MessageForm, at: Path, left: list[Left], before: int) -> list[Message]:
    raw = parsed(raw)
    if isinstance(raw, str):
        return [_prefixed(raw, form, before)]
    if form.sides is not None:
        return _both_sides(raw, form.sides, at, left)
    if not isinstance(raw, dict | list):
        left.append((at, raw, False))
        return []
    role_at, spoken = located(raw, form.role) if form.role is not None else ((), None)
    content_at, content = located(raw, form.content) if form.content is not None else ((), None)
    rest = without(without(raw, role_at if spoken is not None else ()), content_at if content is not None else ())
    message = {str(place): inner for place, inner in enumerate(rest)} if isinstance(rest, list) else dict(rest)
    if spoken is not None:
        left += [((*at, name), message.pop(name), True) for name in ("role", "from") if name in message]
        message = {"role": form.role_of(spoken)} | message
    elif form.role is not None or not has_speaker(message):
        message = {"role": ("user", "assistant")[before % 2]} | message
    else:
        message |= {name: form.role_of(message[name]) for name in ("role", "from") if name in message}
    if content is not None:
        if "content" in message:
            left.append(((*at, "content"), message["content"], True))
        message["content"] = content
    beside: list[Left] = []
    found = [said for _, said in placed_messages([message], (), beside)]
    for path, inner, inside in beside:
        is_content = content is not None and path[1:2] == ("content",)
        left.append(((*at, *content_at, *path[2:]) if is_content else (*at, *path[1:]), inner, inside))
    return found


def _both_sides(raw: Any, sides: tuple[Path, Path], at: Path, left: list[Left]) -> list[Message]:
    found: list[Message] = []
    rest = raw
    for path, role in zip(sides, ("user", "assistant"), strict=True):
        steps, value = located(raw, path)
        if value is not None:
            rest = without(rest, steps)
            found += one_side(value, role, (*at, *steps), left) or ([Message(role, "")] if value == "" else [])
    inside = rest.items() if isinstance(rest, dict) else enumerate(rest) if isinstance(rest, list) else ()
    left += [((*at, step), inner, True) for step, inner in inside if inner is not None]
    return found


def without(held: Any, path: Path) -> Any:
    """A copy of a value in which nothing stands at `path`; of a list the place stays, and holds None."""
    if not path or not isinstance(held, dict | list):
        return held
    step, rest = path[0], path[1:]
    inner = without(held[step], rest) if rest else None  # type: ignore[index]
    if isinstance(held, list):
        return [inner if place == step else one for place, one in enumerate(held)]
    if not rest or inner in ({}, []):
        return {key: value for key, value in held.items() if key != step}
    return {key: inner if key == step else value for key, value in held.items()}


def speaker_of(text: str, form: MessageForm | None = None) -> str:
    """The word that a text begins with and that names who speaks, '' where none does."""
    found = _SPEAKER.match(text)
    word = found.group(1).strip() if found else ""
    known = form is None or form.role_of(word) in ROLES.values()
    return word if known else ""


def _prefixed(text: str, form: MessageForm, before: int) -> Message:
    """A text of a list as a message; without a speaker the two sides take turns."""
    word = speaker_of(text, form)
    if not word:
        return Message(("user", "assistant")[before % 2], text)
    found = _SPEAKER.match(text)
    return Message(form.role_of(word), text[found.end() :] if found else text)


def spoken_lines(text: str) -> tuple[Message, ...]:
    """One text whose lines begin with known words for who speaks (`user: …`), in turn; () where it is not that."""
    if not speaker_of(text, NO_FORM):
        return ()
    found = tuple(message for _, message in _lines(text, NO_FORM))
    return found if {"user", "assistant"} <= {message.role for message in found} else ()


def _lines(text: str, form: MessageForm) -> Placed:
    """One text whose lines begin with who speaks; lines without a speaker belong to the turn before."""
    turns: list[str] = []
    for line in text.split("\n"):
        if turns and not speaker_of(line, form):
            turns[-1] += f"\n{line}"
        else:
            turns.append(line)
    return [(0, _prefixed(turn.strip("\n"), form, place)) for place, turn in enumerate(turns) if turn.strip()]
