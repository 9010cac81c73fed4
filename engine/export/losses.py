"""What a target cannot hold, by the names it has in the row.

A *loss* is content: something that is read, or that a trainer would have learnt from. It is refused unless asked for.
What else stays behind (ids, links, names, metadata) is told and counted, and refuses nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from engine.errors import UsageError
from engine.export.chat_messages import TEMPLATE_SETTINGS, holds_template_settings, loads_or_text
from engine.export.raw_names import (
    address_of,
    name_of_leaf,
    name_of_list,
    name_of_media,
    name_of_text,
    name_of_truth,
    named,
)
from engine.model import Example, Message

Kind = Literal["calls", "tools", "reasoning", "media", "name", "ids", "marks", "rejected", "label", "roles"]
Holds = frozenset[Kind]

TEXTS_ALONE: Holds = frozenset()
SHAREGPT: Holds = frozenset(("calls", "tools"))
CHAT: Holds = frozenset(("calls", "tools", "reasoning", "media", "name", "ids", "marks", "roles"))

MARK = "a do-not-train mark"
# Where this is lost nothing is left to write.
WHOLE_ROW = "the row: "
NO_ANSWER = f"{WHOLE_ROW}it does not end on an answer"
EMPTY = f"{WHOLE_ROW}it holds no message"
EARLIER_ANSWERS = "training on earlier answers"
MEDIA_NAMES = {"image": "images", "audio": "audios", "video": "videos", "file": "files"}
MOST_NAMED = 4
"""Fields of one object that are told by their names; of more the object is told."""
KNOWN_ROLES = ("system", "user", "assistant", "tool")


@dataclass(frozen=True, slots=True)
class Converted:
    """One row in its new shape, the content of it that was lost, and the names of what else stays behind."""

    row: Mapping[str, Any]
    losses: tuple[str, ...] = ()
    left_behind: tuple[str, ...] = ()


class Unwritable(UsageError):
    """A row that lacks what a format is made of."""

    def __init__(self, example: Example, reason: str, hint: str) -> None:
        super().__init__(f"row {example.number}: {reason}", "", hint)
        self.loss = f"{WHOLE_ROW}{reason}"


@dataclass(frozen=True, slots=True)
class Unheld:
    """Of one row: the content that is lost, and the names of what else stays behind."""

    losses: tuple[str, ...] = ()
    left_behind: tuple[str, ...] = ()


def unheld(example: Example, holds: Holds) -> Unheld:
    """What of `example` a target that holds texts, and besides what `holds` says, cannot take."""
    held = example.conversation
    spoken = held.messages + (tuple(m for answer in held.rejected for m in answer) if "rejected" in holds else ())
    losses = [*_of_messages(example, spoken, holds), *_beside(example, holds)]
    told = list(_told(example, spoken, holds))
    losses += [name_of_leaf(leaf) for leaf in held.other if not _is_kept(example, leaf.path, holds)]
    told += [name_of_leaf(leaf) for leaf in (*held.links, *held.metadata) if not _is_kept(example, leaf.path, holds)]
    return Unheld(tuple(dict.fromkeys(losses)), tuple(dict.fromkeys(told)))


def by_field(names: Iterable[str]) -> dict[str, list[str]]:
    """Names of what is lost as a person is told them: of a field in which more than a few things are, only that and how
    many (`info (12 fields)`). With each the names it stands for."""
    inside: dict[str, list[str]] = {}
    for name in names:
        inside.setdefault(name.partition(".")[0], []).append(name)
    found: dict[str, list[str]] = {}
    for field, those in inside.items():
        if len(those) > MOST_NAMED:
            found[f"{field} ({len(those):,} fields)"] = those
        else:
            found |= {name: [name] for name in those}
    return found


def _of_messages(example: Example, spoken: Sequence[Message], holds: Holds) -> Iterator[str]:
    if not example.messages:
        yield EMPTY
    if "calls" not in holds and any(message.tool_calls for message in spoken):
        yield "tool calls"
    thought = next((message.reasoning for message in spoken if message.reasoning and not message.written), "")
    if thought and "reasoning" not in holds:
        yield named("reasoning_content", name_of_text(example.raw, thought))
    for message in spoken:
        for part in message.media:
            if "media" not in holds or not address_of(example.raw, part):
                yield named(MEDIA_NAMES[part.type], name_of_media(example.raw, part))
        if "roles" not in holds and message.role not in KNOWN_ROLES:
            yield f"the role {message.role!r}"
    if "marks" not in holds and any(not message.train for message in spoken if message.role == "assistant"):
        yield MARK


def _beside(example: Example, holds: Holds) -> Iterator[str]:
    held = example.conversation
    if held.tools and "tools" not in holds:
        yield named("tools", name_of_list(example.raw, loads_or_text(held.tools[0]), len(held.tools)))
    if held.rejected and "rejected" not in holds:
        yield named("rejected", _name_of_answer(example, held.rejected[0]))
    if len(held.rejected) > 1 and "rejected" in holds:
        yield "further rejected answers"
    if held.candidates:
        yield named("candidates", _name_of_answer(example, held.candidates[0]))
    if held.label is not None and "label" not in holds:
        yield named("label", name_of_truth(example.raw, held.label))


def _name_of_answer(example: Example, answer: Sequence[Message]) -> str:
    texts = (message.text for message in reversed(answer) if message.text)
    return next(filter(None, (name_of_text(example.raw, text) for text in texts)), "")


def _told(example: Example, spoken: Sequence[Message], holds: Holds) -> Iterator[str]:
    if "ids" not in holds and any(m.tool_call_id or any(call.id for call in m.tool_calls) for m in spoken):
        yield "tool_call_id"
    if "name" not in holds and any(message.name for message in spoken):
        yield "name"
    if any(not message.train for message in spoken if message.role != "assistant"):
        yield f"{MARK} on a request"


def _is_kept(example: Example, path: str, holds: Holds) -> bool:
    """Settings of the chat template go where messages go."""
    return path.split(".")[0] == TEMPLATE_SETTINGS and "roles" in holds and holds_template_settings(example)
