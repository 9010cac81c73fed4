"""What stays at home when a set or a model leaves: words of rows, e-mail addresses, places on this machine.

A reason may quote a row: a selector is words that somebody looked for, a sentence what somebody read. So a manifest
says which kind of reason it was, and the words only where a person asks for them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import UsageError
from engine.model import BUCKETS, CLUSTER_KINDS
from engine.project.suspects import KINDS as SUSPECT_KINDS
from engine.reviewer import file_stem
from engine.scan.signals.names import SIGNAL_NAMES
from engine.secret_patterns import mask_secrets
from engine.select.parse import parse_selector
from engine.select.tree import Joined, Negation, Node
from engine.select.vocabulary import STATES

if TYPE_CHECKING:
    from engine.project.project import Project

WORDS = "words"
# Reasons that tamis gives by itself.
_OWN = frozenset({"by eye", "marked", "written by hand", "reviewers differ", "reviewers differed", *SIGNAL_NAMES})
_CLOSED = {
    "kind": frozenset(CLUSTER_KINDS),
    "bucket": frozenset(BUCKETS),
    "flag": frozenset((*SIGNAL_NAMES, *SUSPECT_KINDS)),
    "is": frozenset(STATES),
    "role": frozenset(("system", "user", "assistant", "tool")),
}
_NUMBERS = re.compile(
    r"row:\d{1,12}(-\d{1,12})?|cluster:[A-Za-z]?[0-9a-f]{1,16}|shard:\d{1,6}/\d{1,6}(\+\d{1,3}%)?"
    r"|(turns|tokens|chars|date)(<=|>=|!=|<|>|=)[\d:TZ.+-]{1,32}",
    re.ASCII,
)
_NAME = re.compile(r"[a-z]+", re.ASCII)
_EMAIL = re.compile(r"[^\s<>()\[\],;:\"'@\uff20]+[@\uff20][^\s<>()\[\],;:\"'@\uff20]+")
_FIRST_LINE_BYTES = 1 << 16


def reason_told(why: str) -> str:
    """What kind of reason it is, with no word of a row in it: `flag:typos`, `words`, `/\u2026/ and is:undecided`."""
    why = why.strip()
    if not why or why in _OWN:
        return why or "by eye"
    try:
        root = parse_selector(why).root
    except UsageError:
        # A sentence, or a selector of another version.
        root = None
    return WORDS if root is None else _told(root)


def _told(node: Node) -> str:
    if isinstance(node, Negation):
        return f"not {_told(node.inner)}"
    if isinstance(node, Joined):
        # A sentence is many words joined by `and`.
        parts = list(dict.fromkeys(map(_told, node.parts)))
        return parts[0] if len(parts) == 1 else f"({f' {node.by} '.join(parts)})"
    return _term_told(node.text)


def _term_told(text: str) -> str:
    key, _, value = text.partition(":")
    if _NUMBERS.fullmatch(text) or value in _CLOSED.get(key, ()):
        return text
    if text.startswith("/"):
        return "/\u2026/"
    if text.startswith("field."):
        return "field.\u2026"
    return f"{key}:\u2026" if value and _NAME.fullmatch(key) else WORDS


def without_addresses(text: str) -> str:
    """A person's own sentence without e-mail addresses and secrets in it."""
    return _EMAIL.sub("[e-mail]", mask_secrets(text))


@dataclass(frozen=True, slots=True)
class Redaction:
    """How people and reasons are told. `pseudonyms` are those of reviewers whose name is an e-mail address."""

    pseudonyms: Mapping[str, str] = field(default_factory=dict)
    with_reasons: bool = False

    def name(self, reviewer: str) -> str:
        """Who it was; reviewers that a row is disputed between are joined by commas."""
        return self.pseudonyms.get(reviewer) or ", ".join(
            self.pseudonyms.get(each, each) for each in reviewer.split(", ")
        )

    def journal(self, path: Path) -> str:
        """The name of a journal's file, as far as it may be told."""
        stem, at, rest = path.name.rpartition("@")
        named = {file_stem(name): pseudonym for name, pseudonym in self.pseudonyms.items()}
        return f"{named.get(stem, stem)}{at}{rest}"

    def reason(self, why: str) -> str:
        """Why a row was decided."""
        return (why or "by eye") if self.with_reasons else reason_told(why)

    def sentence(self, why: str) -> str:
        """What somebody wrote for the manifest."""
        return why if self.with_reasons else without_addresses(why)

    def word(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """Somebody's word for the manifest: why, and by whom where it says so."""
        by = {"by": self.name(str(said["by"]))} if "by" in said else {}
        return {**said, **by, "why": self.sentence(str(said["why"]))}

    def counts(self, counts: Mapping[str, Any]) -> dict[str, Any]:
        """What `Project.counts` says, with people as they may be told."""
        agreement = counts["agreement"]
        if agreement is not None:
            pairs = [pair | {"reviewers": list(map(self.name, pair["reviewers"]))} for pair in agreement["pairs"]]
            agreement = agreement | {"pairs": pairs}
        return {**counts, "agreement": agreement, "reviewers": list(map(self.name, counts["reviewers"]))}


def redaction(project: Project, *, with_names: bool = False, with_reasons: bool = False) -> Redaction:
    """How a project's people and reasons are told outside of it: `reviewer-1` was the first of them to decide."""
    if with_names:
        return Redaction(with_reasons=with_reasons)
    began: dict[str, str] = {name: "~" for name in project.reviewers if _is_address(name)}
    for path in project.journal_ends():
        by, at = _first_line(path)
        stem = path.name.rpartition("@")[0]
        for name in (by, *began):
            if _is_address(name) and file_stem(name) == stem:
                began[name] = min(began.get(name, "~"), at or "~")
        if _is_address(stem) and stem not in map(file_stem, began):
            began[stem] = at or "~"
    names = sorted(began, key=lambda name: (began[name], name))
    return Redaction({name: f"reviewer-{place}" for place, name in enumerate(names, 1)}, with_reasons)


def _is_address(name: str) -> bool:
    return "@" in name or "\uff20" in name


def _first_line(journal: Path) -> tuple[str, str]:
    """Who wrote the first line of a journal, and when; '' where it does not say so."""
    with journal.open("rb") as stream:
        first = stream.readline(_FIRST_LINE_BYTES)
    try:
        line = json.loads(first)
    except (ValueError, RecursionError):
        return "", ""
    said = (line.get("by"), line.get("at")) if isinstance(line, dict) else ()
    by, at = (value if isinstance(value, str) else "" for value in said) if said else ("", "")
    return by, at
