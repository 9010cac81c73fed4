"""Rows for the tests of the scan, made by hand."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any

from engine.model import Cluster, Conversation, Example, Findings, Message
from engine.scan.pipeline import scan
from engine.sources.conversation.conversation import conversation_of
from engine.sources.shapes.guess import guess_row

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "sample_data"
SHARED = ROOT.parent / "shared" / "data"


def example(number: int, *turns: Message, raw: Mapping[str, Any] | None = None) -> Example:
    """One row; its id depends on its content and, for equal rows, on its place."""
    content = repr([(turn.role, turn.text, turn.calls) for turn in turns])
    identity = blake2b(
        f"{content}{sorted((raw or {}).items())!r}".encode("utf-8", "replace"), digest_size=8
    ).hexdigest()
    return Example(identity, number, Conversation(turns), "made.jsonl", number + 1, raw or {})


def row(number: int, prompt: str, answer: str = "An answer.", **raw: Any) -> Example:
    """A request and its answer."""
    return example(number, Message("user", prompt), Message("assistant", answer), raw=raw)


def rows(*pairs: tuple[str, str]) -> list[Example]:
    return unique([row(number, prompt, answer) for number, (prompt, answer) in enumerate(pairs)])


def chat(number: int, *texts: str, system: str = "") -> Example:
    """A conversation, user first."""
    turns = [Message("system", system)] if system else []
    turns += [Message("assistant" if place % 2 else "user", text) for place, text in enumerate(texts)]
    return example(number, *turns)


def unique(examples: Iterable[Example]) -> list[Example]:
    """The same rows with `.k` on the id of the k-th equal copy, as a project does it."""
    seen: dict[str, int] = {}
    found = []
    for one in examples:
        copy = seen[one.id] = seen.get(one.id, 0) + 1
        identity = one.id if copy == 1 else f"{one.id}.{copy}"
        found.append(Example(identity, one.number, one.conversation, one.source, one.line, one.raw))
    return found


def alpaca(content: Mapping[str, Any], number: int) -> Example:
    """An instruction row as the sources read it."""
    prompt = content["instruction"] + (f"\n\n{content['input']}" if content.get("input", "").strip() else "")
    return row(number, prompt, content["output"], **{key: content[key] for key in content if key in ("year", "date")})


def sample(name: str) -> list[Example]:
    """An instruction sample of the project, and `messages` samples too."""
    found = []
    for number, line in enumerate((SAMPLES / name).read_text("utf-8").splitlines()):
        content = json.loads(line)
        if "messages" in content:
            mapping = guess_row(content)
            assert mapping is not None
            found.append(example(number, *conversation_of(content, mapping).messages))
        else:
            found.append(alpaca(content, number))
    return unique(found)


def answers(name: str) -> list[dict[str, Any]]:
    """What is planted in a sample, row by row."""
    return [json.loads(line) for line in (SAMPLES / name).read_text("utf-8").splitlines()]


def clusters(findings: Findings, *kinds: str) -> list[Cluster]:
    return [cluster for cluster in findings.clusters if cluster.kind in kinds]


def only_cluster(examples: list[Example]) -> Cluster:
    """The one cluster that a scan of these rows finds."""
    (cluster,) = scan(examples).clusters
    return cluster


def signals(findings: Findings, number: int) -> set[str]:
    return {flag.signal for flag in findings.flags if flag.row == number}
