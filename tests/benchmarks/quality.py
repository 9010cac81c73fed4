"""What the quality signals are worth: `python -m tests.benchmarks.quality [--json] [--only PART …]`.

Parts: `labels` (precision and recall against what curators changed), `good` (flags on presumed-good sets), `injected`
(faults put in by us), `speed`, `queue` (review curves), `pick`. The data lie beside the repository in ../shared/data; a
part whose data are missing says so and is left out. TAMIS_MEASURING_DATA names another folder.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from engine.scan.buckets import buckets_of
from engine.scan.flagging import find_flags
from engine.scan.signals.table import SIGNALS
from tests.benchmarks.faults import injected_part
from tests.benchmarks.quality_data import (
    DATA,
    DECIDING,
    auc,
    flags_by_row,
    read_alpaca,
    read_gsm8k,
    read_labels,
    read_roleplay,
    read_seeds,
)
from tests.benchmarks.review import pick_part, queue_part
from tests.benchmarks.signal_speed import speed_part


def labels_part() -> dict[str, Any]:
    """Precision is a lower bound: curators never looked at most of the rows they kept, and changed prompts only."""
    labels = read_labels()
    everything = read_alpaca()
    flags = flags_by_row(everything)[: len(labels)]
    examples = everything[: len(labels)]
    bad = [bool(kinds) for kinds in labels]
    signals = {}
    for signal in SIGNALS:
        hits = [row for row, found in enumerate(flags) if signal.name in found]
        right = sum(bad[row] for row in hits)
        signals[signal.name] = {
            "hits": len(hits),
            "precision": right / len(hits) if hits else None,
            "recall": right / sum(bad),
        }
    all_flags = find_flags(examples, lambda done, of: None)
    buckets = buckets_of(examples, (), all_flags)
    table = {}
    for name in ("fix", "drop", "check", "clean"):
        rows = [row for row, bucket in enumerate(buckets) if bucket == name]
        table[name] = {"rows": len(rows), "precision": sum(bad[row] for row in rows) / len(rows) if rows else None}
    sure = [row for row, bucket in enumerate(buckets) if bucket in ("fix", "drop")]
    flagged = [row for row, found in enumerate(flags) if any(severity in DECIDING for severity in found.values())]
    return {
        "rows": len(labels),
        "bad": sum(bad),
        "signals": signals,
        "buckets": table,
        "fix_and_drop_precision": sum(bad[row] for row in sure) / len(sure),
        "check_precision": table["check"]["precision"],
        "any_flag_recall": sum(bad[row] for row in flagged) / sum(bad),
        "any_flag_precision": sum(bad[row] for row in flagged) / len(flagged),
        "auc_of_flag_count": auc([sum(severity in DECIDING for severity in found.values()) for found in flags], bad),
    }


def good_part() -> dict[str, Any]:
    sets = {"seed_tasks": read_seeds(), "gsm8k": read_gsm8k(), "roleplay": read_roleplay()}
    found = {}
    for name, examples in sets.items():
        flags = flags_by_row(examples)
        rates = {s.name: sum(s.name in one for one in flags) / len(examples) for s in SIGNALS}
        any_rate = sum(any(severity in DECIDING for severity in one.values()) for one in flags) / len(examples)
        found[name] = {
            "rows": len(examples),
            "any": any_rate,
            "rates": {key: rate for key, rate in rates.items() if rate},
        }
    worst = max(rate for one in found.values() for rate in one["rates"].values())
    return {"sets": found, "worst": worst}


PARTS: dict[str, Callable[[], dict[str, Any]]] = {
    "labels": labels_part,
    "good": good_part,
    "injected": injected_part,
    "speed": speed_part,
    "queue": queue_part,
    "pick": pick_part,
}


def lines_of(name: str, measured: Mapping[str, Any], depth: int = 0) -> Iterable[str]:
    """A nested mapping as an indented table."""
    pad = "  " * depth
    if measured and all(
        isinstance(value, Mapping) and not any(isinstance(v, Mapping) for v in value.values())
        for value in measured.values()
    ):
        yield f"{pad}{name}"
        for key, row in measured.items():
            yield f"{pad}  {key:<24}" + "  ".join(f"{label} {_shown(value)}" for label, value in row.items())
        return
    yield f"{pad}{name}"
    for key, value in measured.items():
        if isinstance(value, Mapping):
            yield from lines_of(key, value, depth + 1)
        else:
            yield f"{pad}  {key:<28}{_shown(value)}"


def _shown(value: Any) -> str:
    return "-" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--only", nargs="*", choices=[*PARTS], help="these parts alone")
    wanted = parser.parse_args()
    if not DATA.exists():
        print("the measuring data (../shared/data beside the repository) is not on this machine", file=sys.stderr)
        return 2
    measured = {name: part() for name, part in PARTS.items() if not wanted.only or name in wanted.only}
    if wanted.json:
        print(json.dumps(measured))
    else:
        for name, found in measured.items():
            print(*lines_of(name, found), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
