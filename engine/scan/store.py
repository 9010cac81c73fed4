"""Findings to a file of columns and back. Standard library only: the workbench reads findings without what made them.

Layout, in native byte order: magic, length of the head (u64), the head as JSON, the columns one behind the other. The
head names the columns with their type and length, the signals, what the findings belong to, and the CRC-32 of all
columns; the CRC-32 of the head stands at the end (files of earlier versions lack it). So a file that was damaged is
told before anything of it is believed.
"""

from __future__ import annotations

import json
import sys
import zlib
from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from engine.model import BUCKETS, CLUSTER_KINDS, SEVERITIES, Findings
from engine.scan.columns import ALTERNATIVES, FIRST, TOP, FindingColumns

MAGIC = b"TAMISSC1" if sys.byteorder == "little" else b"TAMISSCB"
Columns = dict[str, "array[int] | array[float] | bytes"]
NO_SPAN = (-1, -1, -1)


def pack_findings(findings: Findings, about: Mapping[str, str]) -> bytes:
    """The file of these findings; `about` says what they belong to."""
    signals = sorted({flag.signal for flag in findings.flags})
    columns: Columns = {
        "buckets": bytes(map(BUCKETS.index, findings.buckets)),
        **_flag_columns(findings, signals),
        **_cluster_columns(findings),
        "leak_rows": array("I", (leak.row for leak in findings.leaks)),
        "leak_heldout": array("I", (leak.heldout for leak in findings.leaks)),
        "leak_kinds": bytes(CLUSTER_KINDS.index(leak.kind) for leak in findings.leaks),
    }
    body = b"".join(bytes(column) for column in columns.values())
    head = {
        "about": dict(about),
        "columns": [[name, _type_of(column), len(column)] for name, column in columns.items()],
        "signals": signals,
        "seconds": dict(findings.seconds),
        "complete": findings.complete,
        "crc": zlib.crc32(body),
    }
    packed = json.dumps(head).encode("ascii")
    return MAGIC + len(packed).to_bytes(8, sys.byteorder) + packed + body + _check_of(packed)


def read_findings(content: bytes, about: Mapping[str, str]) -> FindingColumns | None:
    """The findings of a file, or None where they belong to something else than `about` says.

    Raises ValueError, KeyError or TypeError where `content` is no such file, or a damaged one.
    """
    if content[:8] != MAGIC:
        raise ValueError("not the findings of this version")
    start = 16 + int.from_bytes(content[8:16], sys.byteorder)
    packed = content[16:start]
    head: dict[str, Any] = json.loads(packed)
    if any(head["about"].get(name) != value for name, value in about.items()):
        return None
    body = memoryview(content)[start:]
    expected = sum(count * array(code).itemsize for _, code, count in head["columns"])
    body, check = body[:expected], bytes(body[expected:])
    if len(body) != expected or check not in (b"", _check_of(packed)):
        raise ValueError("the findings are damaged")
    if zlib.crc32(body) != head["crc"]:
        raise ValueError("the findings are damaged")
    columns: dict[str, memoryview] = {}
    at = 0
    for name, code, count in head["columns"]:
        size = count * array(code).itemsize
        columns[name] = body[at : at + size].cast(code)
        at += size
    return FindingColumns(columns, head["signals"], head["seconds"], head["complete"], head["about"])


def _check_of(packed: bytes) -> bytes:
    return zlib.crc32(packed).to_bytes(4, sys.byteorder)


def _type_of(column: array[int] | array[float] | bytes) -> str:
    return column.typecode if isinstance(column, array) else "B"


def _flag_columns(findings: Findings, signals: Sequence[str]) -> Columns:
    """The flags by row; those of one row in the order of the scan."""
    code_of = {signal: code for code, signal in enumerate(signals)}
    flags = sorted(findings.flags, key=lambda flag: flag.row)
    marks = bytearray()
    row, seen = -1, set[str]()
    for flag in flags:
        top = flag.row != row
        if top:
            row, seen = flag.row, set()
        marks.append((TOP if top else 0) | (FIRST if flag.signal not in seen else 0))
        seen.add(flag.signal)
    spans = ((flag.span.turn, flag.span.start, flag.span.end) if flag.span is not None else NO_SPAN for flag in flags)
    reason_ends, reasons = _texts(flag.reason for flag in flags)
    return {
        "flag_rows": array("I", (flag.row for flag in flags)),
        "flag_signals": array("H", (code_of[flag.signal] for flag in flags)),
        "flag_marks": bytes(marks),
        "severities": bytes(SEVERITIES.index(flag.severity) for flag in flags),
        "spans": array("q", (number for span in spans for number in span)),
        "reason_ends": reason_ends,
        "reasons": reasons,
    }


def _cluster_columns(findings: Findings) -> Columns:
    clusters = findings.clusters
    member_ends, members = _runs("I", (cluster.rows for cluster in clusters))
    score_ends, scores = _runs("d", (cluster.scores for cluster in clusters))
    voice_ends, voices = _runs("q", (cluster.voices for cluster in clusters))
    evidence_ends, _ = _runs("B", (bytes(len(cluster.evidence)) for cluster in clusters))
    sentence_ends, sentences = _texts(sentence for cluster in clusters for sentence in cluster.evidence)
    id_ends, ids = _texts(cluster.id for cluster in clusters)
    memberships = sorted((row, number) for number, cluster in enumerate(clusters) for row in cluster.rows)
    return {
        "kinds": bytes(CLUSTER_KINDS.index(cluster.kind) for cluster in clusters),
        "cluster_marks": bytes(ALTERNATIVES if cluster.alternatives else 0 for cluster in clusters),
        "keepers": array("I", (cluster.keeper for cluster in clusters)),
        "member_ends": member_ends,
        "members": members,
        "member_rows": array("I", (row for row, _ in memberships)),
        "member_clusters": array("I", (number for _, number in memberships)),
        "score_ends": score_ends,
        "scores": scores,
        "voice_ends": voice_ends,
        "voices": voices,
        "evidence_ends": evidence_ends,
        "sentence_ends": sentence_ends,
        "sentences": sentences,
        "id_ends": id_ends,
        "ids": ids,
    }


def _runs(code: str, runs: Iterable[Sequence[Any]]) -> tuple[array[int], array[Any]]:
    """(where each run ends, all of them one behind the other)."""
    ends, together = array("Q"), array(code)
    for run in runs:
        together.extend(array(code, run))
        ends.append(len(together))
    return ends, together


def _texts(texts: Iterable[str]) -> tuple[array[int], bytes]:
    """(where each text ends, all of them as UTF-8). Rows may hold lone surrogates; they come back as they were."""
    return _joined([text.encode("utf-8", "surrogatepass") for text in texts])


def _joined(pieces: Sequence[bytes]) -> tuple[array[int], bytes]:
    ends, end = array("Q"), 0
    for piece in pieces:
        end += len(piece)
        ends.append(end)
    return ends, b"".join(pieces)
