"""What stands in a row beside its messages: content that nobody understood, links, or the record's own metadata.

A name or a form has to say that a value is metadata (an id, a time, a score, a label of the set). All else is content:
it is shown, searched and compared, whatever it may be.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from engine.model import Leaf
from engine.sources.mapping import Path
from engine.sources.messages.parts import json_text, parsed

Left = tuple[Path, Any, bool]
"""A value that was not read: its place, itself, and whether it stands in a message."""

# Names of links: they tie messages together and say nothing else.
_LINKS = frozenset(
    {"id", "uuid", "guid", "parent", "children", "child", "current_node", "message_id", "parent_id",
     "parent_uuid", "call_id", "tool_call_id", "tool_use_id", "turn_id", "node", "replies_to"}
)  # fmt: skip
# Words of a name (split at `_`, `-`, `.` and capitals) that say by themselves that a value is the record's own.
_METADATA_WORDS = frozenset(
    {"id", "ids", "uuid", "guid", "hash", "sha", "sha256", "md5", "digest", "checksum", "timestamp", "time",
     "date", "datetime", "created", "updated", "modified", "score", "scores", "rating", "ratings", "rank",
     "index", "idx", "count", "num", "length", "len", "tokens", "dataset", "split", "subset", "category",
     "categories", "cat", "topic", "topics", "tag", "tags", "lang", "language", "locale", "license", "licence",
     "model", "models", "generator", "engine", "version", "url", "uri", "link", "author", "annotator",
     "annotators", "project", "title", "status", "state", "usage", "quality", "difficulty", "level", "toxic",
     "toxicity", "redacted", "moderation", "flagged", "embedding", "embeddings", "emb", "perplexity", "ppl",
     "logprob", "logprobs", "temperature", "seed", "method", "object", "metadata", "meta", "winner", "provider",
     "source", "sources", "origin", "filename", "file", "path", "schema", "stage",
     "finish", "fingerprint", "tier", "detail", "format", "mime", "mimetype", "signature", "cache",
     "sender", "recipient", "channel", "username", "assignee", "completed", "cancelled", "country",
     "region", "platform", "ip", "header", "duration", "latency", "cost", "price", "weight", "priority",
     "cluster", "epoch", "type"}
)  # fmt: skip
# Names that say so only as a whole.
_METADATA_NAMES = frozenset(
    {"name", "type", "domain", "task", "kind", "data_name", "character_name", "user_name", "from_name",
     "to_name", "used_in_training", "generated_by", "completed_by", "created_by",
     "turn", "turns", "subject", "grade", "bucket", "group", "extra", "prompt_name", "task_name", "task_type",
     "subtask", "dataset_name", "config", "parallel_tool_calls", "tool_choice", "response_format", "max_tokens",
     "top_p", "stop", "n", "stream", "send_date", "schemaversion", "role_type", "content_type", "attachments",
     "voice", "preferred", "preference",
     "stop_reason", "stopreason", "stop_sequence"}
)  # fmt: skip
# Settings, where they are a word or two; else a text.
_SETTINGS = frozenset({"reasoning", "thinking"})
_FEWEST_WORDS = 3
# Objects whose whole inside is the record's own.
_METADATA_OBJECTS = frozenset(
    {"meta", "metadata", "_meta", "usage", "openai_moderation", "detoxify_moderation", "header", "info",
     "extra_info", "additional_kwargs", "response_metadata", "usage_metadata", "chat_metadata", "metrics",
     "scores", "provenance"}
)  # fmt: skip
# Words of a name that say that a value is content, though it be a number; and where an answer is to be learnt from.
_CONTENT_WORDS = frozenset(
    {"answer", "answers", "completion", "solution", "solutions", "output", "outputs", "response", "target", "targets",
     "truth", "gold", "expected", "bbox", "bboxes", "boxes", "box"}
)  # fmt: skip
# Beside one of these the number is about the content.
_ABOUT_CONTENT = frozenset(
    {"num", "len", "length", "count", "tokens", "token", "id", "ids", "idx", "index", "is", "has", "time", "start",
     "end", "score", "scores", "type", "model", "per", "max", "min", "n", "logprob", "logprobs", "rank", "prob",
     "cost", "usage", "size", "avg", "mean", "latency", "quality", "rating", "total",
     "votes", "upvotes", "downvotes", "likes", "views", "phase"}
)  # fmt: skip
# axolotl's marks of what inside a message is learnt.
_PARTLY_TRAINED = "train_detail"
LONGEST_LABEL = 200
"""Characters of a value that a name alone makes metadata; what is longer is a text, whatever it is called."""
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_a-zA-Z]+")
# Dates, times, durations (of ChatGPT's thoughts, too), digests and numbers written as text.
_BY_FORM = re.compile(
    r"[+-]?[\d.,:%/eE+-]*\d[\d.,:%/eE+-]*|\d{4}-\d\d-\d\d[ T][\d:.,+\-Z ]*|[0-9a-fA-F]{8,}(?:-[0-9a-fA-F]{2,}){0,4}"
    r"|Thought for [\w ]{1,40}"
)


def sorted_leaves(
    left: Iterable[Left], texts: Collection[str], told: Callable[[Path], bool | None] | None = None
) -> tuple[tuple[Leaf, ...], tuple[Leaf, ...], tuple[Leaf, ...]]:
    """(content, links, metadata) of what was left. What only repeats one of the `texts` that were read is in none.
    `told` says of a place whether it is metadata by the mapping, or None."""
    content: list[Leaf] = []
    links: list[Leaf] = []
    metadata: list[Leaf] = []
    for start, held, in_message in left:
        for path, value in _leaves_of(held, start):
            if isinstance(value, str) and value in texts:
                continue
            leaf = Leaf(".".join(map(str, path)), json_text(value))
            own = told(path) if told is not None else None
            if own is not None:
                (metadata if own else content).append(leaf)
            elif in_message and is_link(path):
                links.append(leaf)
            elif is_metadata(path, value, in_message):
                metadata.append(leaf)
            else:
                content.append(leaf)
    return tuple(content), tuple(links), tuple(metadata)


def _leaves_of(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """Every value that is neither empty nor a container; JSON text of a list or an object is opened."""
    value = parsed(value)
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves_of(inner, (*path, key))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _leaves_of(inner, (*path, place))
    elif value is not None and value != "":
        yield path, value


def is_rendering(leaf: Leaf, spoken: Sequence[str]) -> bool:
    """Whether a text holds all that is said, in its order."""
    at = 0
    for text in spoken:
        at = leaf.value.find(json_text(text)[1:-1], at)
        if at < 0:
            return False
    return True


def is_link(path: Path) -> bool:
    """Whether a name in a message ties it to another one."""
    name = _name(path)
    return name.lower() in _LINKS or name.endswith(("_id", "_uuid", "messageId", "MessageId"))


def is_metadata(path: Path, value: Any, in_message: bool) -> bool:
    """Whether a value is the record's own, by its form or its name, or beside the messages by that of what holds it."""
    names = [step for step in path if isinstance(step, str)]
    if any(name.lower() in _METADATA_OBJECTS for name in names[:-1]):
        return True
    if not isinstance(value, str) or _BY_FORM.fullmatch(value):
        return not _says_content(names, is_flag=isinstance(value, bool))
    if len(value) > LONGEST_LABEL or "\n" in value:
        return False
    if names and names[-1].lower() in _SETTINGS:
        return len(value.split()) < _FEWEST_WORDS
    return any(map(_names_metadata, names[-1:] if in_message else names))


def _says_content(names: list[str], *, is_flag: bool) -> bool:
    """Whether a number or a date is what is to be learnt: under the name of an answer, or inside of one."""
    if _PARTLY_TRAINED in names:
        return True
    place = next((place for place, name in enumerate(names) if _names_content(name)), len(names))
    inside = names[place + 1 :]
    if is_flag and inside:
        return False
    return place < len(names) and not any(_names_metadata(name) or _is_about_content(name) for name in inside)


def _name(path: Path) -> str:
    return next((step for step in reversed(path) if isinstance(step, str)), "")


@lru_cache(maxsize=4096)
def _names_content(name: str) -> bool:
    words = {word.lower() for word in _WORDS.findall(name)}
    return not _CONTENT_WORDS.isdisjoint(words) and _ABOUT_CONTENT.isdisjoint(words)


def _is_about_content(name: str) -> bool:
    return not _ABOUT_CONTENT.isdisjoint(word.lower() for word in _WORDS.findall(name))


@lru_cache(maxsize=4096)
def _names_metadata(name: str) -> bool:
    words = {word.lower() for word in _WORDS.findall(name)}
    return name.lower() in _METADATA_NAMES or not _METADATA_WORDS.isdisjoint(words)
