"""Findings to JSON and back. Standard library only: the workbench reads findings without what made them."""

from __future__ import annotations

import json
from typing import Any

from engine.model import Cluster, Findings, Flag, Leak, Span


def findings_to_json(findings: Findings) -> bytes:
    """One JSON object on one line, UTF-8, with the keys of `tamis scan --json`, the spans of flags and the leaks beside
    them.
    """
    content: dict[str, Any] = {
        "clusters": [_cluster_out(cluster) for cluster in findings.clusters],
        "flags": [_flag_out(flag) for flag in findings.flags],
        "bucket": list(findings.buckets),
        "seconds": dict(findings.seconds),
        "leaks": [{"row": leak.row, "heldout": leak.heldout, "kind": leak.kind} for leak in findings.leaks],
    }
    if not findings.complete:
        content["complete"] = False
    # Rows may hold lone surrogates ("\ud800" is legal JSON); they come back as they were.
    return json.dumps(content, ensure_ascii=False).encode("utf-8", "surrogatepass")


def findings_from_json(content: bytes) -> Findings:
    """The inverse of `findings_to_json`. Raises ValueError, KeyError or TypeError where `content` is something else."""
    stored = json.loads(content.decode("utf-8", "surrogatepass"))
    return Findings(
        clusters=tuple(_cluster_in(cluster) for cluster in stored["clusters"]),
        flags=tuple(_flag_in(flag) for flag in stored["flags"]),
        buckets=tuple(stored["bucket"]),
        seconds=dict(stored["seconds"]),
        leaks=tuple(Leak(leak["row"], leak["heldout"], leak["kind"]) for leak in stored.get("leaks", ())),
        complete=bool(stored.get("complete", True)),
    )


def _cluster_out(cluster: Cluster) -> dict[str, Any]:
    stored: dict[str, Any] = {
        "id": cluster.id,
        "kind": cluster.kind,
        "rows": list(cluster.rows),
        "keeper": cluster.keeper,
        "evidence": list(cluster.evidence),
    }
    if cluster.scores:
        stored["scores"] = list(cluster.scores)
    if cluster.alternatives:
        stored["alternatives"] = True
    if cluster.voices:
        stored["voices"] = list(cluster.voices)
    return stored


def _cluster_in(stored: dict[str, Any]) -> Cluster:
    return Cluster(
        stored["id"],
        stored["kind"],
        tuple(stored["rows"]),
        stored["keeper"],
        tuple(stored["evidence"]),
        tuple(stored.get("scores", ())),
        bool(stored.get("alternatives", False)),
        tuple(stored.get("voices", ())),
    )


def _flag_out(flag: Flag) -> dict[str, Any]:
    stored: dict[str, Any] = {"row": flag.row, "signal": flag.signal, "severity": flag.severity, "reason": flag.reason}
    if flag.span is not None:
        stored["span"] = [flag.span.turn, flag.span.start, flag.span.end]
    return stored


def _flag_in(stored: dict[str, Any]) -> Flag:
    span = stored.get("span")
    return Flag(stored["row"], stored["signal"], stored["severity"], stored["reason"], Span(*span) if span else None)
