"""The types that flow through tamis. All frozen: a changed value is a new value."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from engine.nesting import loads

Row = Mapping[str, Any]
"""One row in the source's own shape: a JSON object."""

Severity = Literal["fix", "drop", "check", "info"]
ClusterKind = Literal["exact", "near", "prefix", "variant", "conflict"]
BucketName = Literal["fix", "drop", "check", "clean"]
VerdictName = Literal["undecided", "accepted", "rejected", "skipped"]
PartType = Literal["text", "image", "audio", "video", "file", "json"]
ShapeName = Literal["alpaca", "messages", "sharegpt", "preference", "text"]

SEVERITIES: tuple[Severity, ...] = ("fix", "drop", "check", "info")
BUCKETS: tuple[BucketName, ...] = ("fix", "drop", "check", "clean")
SHAPES: tuple[ShapeName, ...] = ("alpaca", "messages", "sharegpt", "preference", "text")
CLUSTER_KINDS: tuple[ClusterKind, ...] = ("exact", "near", "prefix", "variant", "conflict")
GROUP_KINDS: tuple[ClusterKind, ...] = ("exact", "near", "prefix", "conflict")
"""What is settled as a group, in the order of the list; a family of variants is only shown as one."""
SETTLED_KINDS: tuple[ClusterKind, ...] = ("exact", "near", "prefix")
"""Groups of which one row is kept."""
BUCKET_ORDER: tuple[BucketName, ...] = ("drop", "fix", "check", "clean")
"""The order in which single rows are gone through."""
VERDICTS: tuple[VerdictName, ...] = ("undecided", "accepted", "rejected", "skipped")

BUCKET_LABELS: dict[BucketName, str] = {
    "fix": "mechanical repair offered",
    "drop": "proposed to drop",
    "check": "worth a look",
    "clean": "no issue found",
}


def readable(text: str) -> str:
    """JSON text as it is read: a lone string without its quotation marks, no escapes where letters do; what is no JSON
    as it is."""
    if text[:1] != '"' and "\\" not in text:
        return text
    try:
        value = loads(text)
    except ValueError:
        return text
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of what a message says. `value` is its text; of media the URL, the path or `sha256:HEX` of its bytes; of
    "json", which holds whatever has no better name, the JSON text."""

    type: PartType
    value: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of a tool. `arguments` is JSON text; what a file holds there that is no JSON stays as it is written.
    `id` ties the call to its result and says nothing beyond that."""

    name: str
    arguments: str = ""
    id: str = ""

    @property
    def text(self) -> str:
        """The call without its id as one JSON text; what is no JSON inside stands there as a text."""
        return f'{{"name": {json.dumps(self.name, ensure_ascii=False)}, "arguments": {self._arguments}}}'

    @property
    def _arguments(self) -> str:
        try:
            loads(self.arguments)
        except ValueError:
            return json.dumps(self.arguments, ensure_ascii=False)
        return self.arguments


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation, in the words of chat templates.

    `role` is "system", "user", "assistant" or "tool"; one that is none of them stands as the file has it. `content` is
    a text, or parts where a text cannot hold it. `train` is False where the file says that this is not to be learnt.
    `written` is the text as the file has it where `reasoning` was taken from its head (`<think>…</think>`), else ''.
    """

    role: str
    content: str | tuple[Part, ...] = ""
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""
    name: str = ""
    train: bool = True
    written: str = ""

    @property
    def text(self) -> str:
        """What it says, to be read: the texts of its parts one under another, media by address, JSON as it is."""
        content = self.content
        if isinstance(content, str):
            return content
        return "\n".join(
            part.value if part.type in ("text", "json") else f"[{part.type}: {part.value}]" for part in content
        )

    @property
    def calls(self) -> tuple[str, ...]:
        """Its tool calls as JSON texts, without their ids."""
        return tuple([call.text for call in self.tool_calls])

    @property
    def content_texts(self) -> list[str]:
        """Every text of it that is content: its name, its reasoning, its parts, names and arguments of its calls."""
        if isinstance(self.content, str):
            texts = [self.content]
        else:
            texts = [readable(part.value) if part.type == "json" else part.value for part in self.content]
        if self.name or self.reasoning or self.tool_calls:
            texts += [self.name, self.reasoning]
            for call in self.tool_calls:
                texts += [call.name, readable(call.arguments)]
        return texts

    @property
    def media(self) -> tuple[Part, ...]:
        """The images, sounds, films and files it shows."""
        if isinstance(self.content, str):
            return ()
        return tuple(part for part in self.content if part.type not in ("text", "json"))


@dataclass(frozen=True, slots=True)
class Leaf:
    """A value of the raw row that is no part of a message: its dotted path (places in lists are numbers), and its JSON
    text."""

    path: str
    value: str

    @property
    def text(self) -> str:
        """The value to be read: a text without its quotation marks and escapes, anything else as JSON."""
        return readable(self.value)


@dataclass(frozen=True, slots=True)
class Conversation:
    """What a row holds, every leaf of it in one place.

    *Content* is shown, searched, counted, compared and trained: the messages, the `tools` (each definition as JSON
    text), the answers that are not wanted (`rejected`), further answers to the same request (`candidates`), and
    `other`: what nobody understood, as it stands. `label` says of a row of KTO whether its answer is wanted. *Links*
    tie messages together and are compared up to renaming. *Metadata* is the record's own (ids, times, scores): shown
    and searched, never compared, never counted as tokens.
    """

    messages: tuple[Message, ...] = ()
    tools: tuple[str, ...] = ()
    rejected: tuple[tuple[Message, ...], ...] = ()
    candidates: tuple[tuple[Message, ...], ...] = ()
    label: bool | None = None
    other: tuple[Leaf, ...] = ()
    links: tuple[Leaf, ...] = ()
    metadata: tuple[Leaf, ...] = ()

    @property
    def is_wanted(self) -> bool:
        """Whether its answer may be a target: not where the row says that it is a bad one."""
        return self.label is not False

    @property
    def content_texts(self) -> list[str]:
        """Every text that is content, in reading order."""
        texts: list[str] = []
        for message in self.messages:
            if type(message.content) is str and not (message.reasoning or message.tool_calls or message.name):
                texts.append(message.content)
            else:
                texts += message.content_texts
        for answer in (*self.rejected, *self.candidates) if self.rejected or self.candidates else ():
            texts += [text for message in answer for text in message.content_texts]
        if self.tools:
            texts += map(readable, self.tools)
        if self.other:
            texts += [leaf.text for leaf in self.other]
        return texts

    @property
    def characters(self) -> int:
        """How long its content is; metadata and links do not count."""
        return sum(map(len, self.content_texts))


@dataclass(frozen=True, slots=True)
class Example:
    """One row as tamis sees it.

    `number` is the 0-based number shown and typed everywhere, `line` the 1-based line (or element)
    of the source it came from. `raw` is the row in its own shape; the conversation is derived from it.
    """

    id: str
    number: int
    conversation: Conversation
    source: str
    line: int
    raw: Row

    @property
    def messages(self) -> tuple[Message, ...]:
        return self.conversation.messages

    @property
    def searched(self) -> list[str]:
        """Every text of the row, for a search: content (with the names of what nobody understood), links and metadata;
        all of a row in which nothing could be read."""
        held = self.conversation
        if not held.messages:
            return [json.dumps(dict(self.raw), ensure_ascii=False, default=str)]
        texts = held.content_texts
        if held.metadata or held.links:
            texts += [leaf.text for leaf in (*held.links, *held.metadata)]
        texts += [leaf.path for leaf in held.other]
        for message in held.messages:
            if message.tool_calls or message.tool_call_id or message.written:
                texts += [message.tool_call_id, message.written, *[call.id for call in message.tool_calls]]
        return texts

    @property
    def beside_turns(self) -> list[str]:
        """Every text of the row but those of its turns: reasoning, calls, tools, further answers, metadata …"""
        held = self.conversation
        told = (held.tools, held.rejected, held.candidates, held.other, held.links, held.metadata)
        if held.messages and not any(told) and not any(map(_says_more, held.messages)):
            return []
        turns = {message.text for message in held.messages}
        return [text for text in self.searched if text not in turns]

    @property
    def prompt(self) -> str:
        """Everything before the last assistant turn, turns separated by a blank line, system turns left out."""
        return prompt_of(self.conversation.messages)

    @property
    def answer(self) -> str:
        """The text of the last turn when the assistant speaks it, else the empty string."""
        return answer_of(self.conversation.messages)


def _says_more(message: Message) -> bool:
    return bool(message.reasoning or message.tool_calls or message.name or message.tool_call_id or message.written)


def prompt_of(turns: Iterable[Message]) -> str:
    """The request: all non-system turns before the closing assistant turn, joined by blank lines."""
    spoken = [turn for turn in turns if turn.role != "system"]
    if spoken and spoken[-1].role == "assistant":
        spoken = spoken[:-1]
    return "\n\n".join(turn.text for turn in spoken)


def answer_of(turns: Iterable[Message]) -> str:
    """The text of the closing assistant turn, or '' when the row does not end on one."""
    spoken = tuple(turns)
    last = spoken[-1] if spoken else None
    return last.text if last is not None and last.role == "assistant" else ""


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `start:end` of the text of turn number `turn` (0-based)."""

    turn: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Flag:
    """One finding on one row. `reason` is a sentence with its evidence quoted; `row` is the row number."""

    row: int
    signal: str
    severity: Severity
    reason: str
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Cluster:
    """Rows that belong together. `rows` are row numbers, ascending; `keeper` is one of them.

    `evidence` are sentences: why these belong together and why the keeper is the keeper.
    `scores` (0-100, one per row, in the order of `rows`) say how alike each request is to the keeper's.
    `alternatives` marks a near cluster whose answers differ without disagreeing: a person looks before one key
    settles it. `voices` (one number per row, for conflicts and alternatives) say which rows give the same answer.
    """

    id: str
    kind: ClusterKind
    rows: tuple[int, ...]
    keeper: int
    evidence: tuple[str, ...] = ()
    scores: tuple[float, ...] = ()
    alternatives: bool = False
    voices: tuple[int, ...] = ()

    @property
    def others(self) -> tuple[int, ...]:
        """The members that are not the keeper."""
        return tuple(row for row in self.rows if row != self.keeper)


@dataclass(frozen=True, slots=True)
class Leak:
    """A training row whose request also stands in the held-out set (row number `heldout`), or begins or extends it."""

    row: int
    heldout: int
    kind: ClusterKind


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything one scan found. `buckets` holds one name per row, in row order. Read from disk, flags and clusters are
    made as they are asked for and not kept: a pass over them is better made once. Clusters never mix the held-out set
    with the rest; what links the two is in `leaks`. `complete` is False while a scan has only found the exact
    clusters."""

    clusters: Sequence[Cluster]
    flags: Sequence[Flag]
    buckets: Sequence[BucketName]
    seconds: Mapping[str, float]
    leaks: tuple[Leak, ...] = ()
    complete: bool = True

    @staticmethod
    def empty(rows: int) -> Findings:
        clean: BucketName = "clean"
        return Findings((), (), (clean,) * rows, {})


@dataclass(frozen=True, slots=True)
class Decision:
    """The folded state of one row, as one reviewer left it. `why` is the reason given for the last verdict."""

    verdict: VerdictName = "undecided"
    edited: Row | None = None
    why: str = ""
    by: str = ""
    at: str = ""


@dataclass(frozen=True, slots=True)
class Act:
    """One thing done to some rows; one journal line holds one or more acts and is one undo."""

    do: str
    ids: tuple[str, ...]
    edited: Mapping[str, Row] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Bytes that could not be read as a row: 1-based `line`, byte `offset` in the source, and why.

    Of a record too long to be kept whole, `content` is its beginning and `last` its end; `length` and `sha256` are
    those of all of it. Else they are 0 and ''.
    """

    line: int
    offset: int
    reason: str
    content: bytes
    length: int = 0
    last: bytes = b""
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class TrainingRow:
    """One row as a trainer sees it: messages in the terms of chat templates, the last of them the assistant's, and the
    tools (JSON texts) that stand beside them."""

    id: str
    messages: tuple[Mapping[str, Any], ...]
    tools: tuple[str, ...] = ()
