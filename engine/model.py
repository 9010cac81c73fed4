"""The types that flow through tamis. All frozen: a changed value is a new value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Row = Mapping[str, Any]
"""One row in the source's own shape: a JSON object."""

Severity = Literal["fix", "drop", "check", "info"]
ClusterKind = Literal["exact", "near", "prefix", "variant", "conflict"]
BucketName = Literal["fix", "drop", "check", "clean"]
VerdictName = Literal["undecided", "accepted", "rejected", "skipped"]
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

CHARS_PER_TOKEN = 4
"""What a token is taken for where no tokenizer is at hand."""

BUCKET_LABELS: dict[BucketName, str] = {
    "fix": "mechanical repair offered",
    "drop": "proposed to drop",
    "check": "worth a look",
    "clean": "no issue found",
}


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a conversation. `calls` holds tool calls as JSON text, in order."""

    role: Literal["system", "user", "assistant", "tool"]
    text: str
    calls: tuple[str, ...] = ()
    train: bool = True


@dataclass(frozen=True, slots=True)
class Example:
    """One row as tamis sees it.

    `number` is the 0-based number shown and typed everywhere, `line` the 1-based line (or element)
    of the source it came from. `raw` is the row in its own shape; turns are derived from it.
    """

    id: str
    number: int
    turns: tuple[Turn, ...]
    source: str
    line: int
    raw: Row

    @property
    def prompt(self) -> str:
        """Everything before the last assistant turn, turns separated by a blank line, system turns left out."""
        return prompt_of(self.turns)

    @property
    def answer(self) -> str:
        """The text of the last turn when the assistant speaks it, else the empty string."""
        return answer_of(self.turns)


def prompt_of(turns: Iterable[Turn]) -> str:
    """The request: all non-system turns before the closing assistant turn, joined by blank lines."""
    spoken = [turn for turn in turns if turn.role != "system"]
    if spoken and spoken[-1].role == "assistant":
        spoken = spoken[:-1]
    return "\n\n".join(turn.text for turn in spoken)


def answer_of(turns: Iterable[Turn]) -> str:
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
    """One row as a trainer sees it: role/content messages, the last of them the assistant's."""

    id: str
    messages: tuple[Mapping[str, str], ...]
