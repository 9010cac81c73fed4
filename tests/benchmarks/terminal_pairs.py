"""This version beside another one, in pairs: CPU of a first paint, of keys and of a search; VisiData's first paint.

`--against PYTHON` is an interpreter that has the other version installed. Both open a project of the same rows and
decisions; they take turns, and who begins changes from pair to pair, so that a machine whose speed drifts does not
favour one. Ratios are this version's through the other's, pair by pair: their geometric mean with its 95 % interval.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from math import exp, log, sqrt
from pathlib import Path

from engine.paths import shipped_dir
from engine.training.compare.student_t import t_quantile
from tests.benchmarks.terminal_open import (
    REVIEWERS,
    START_QUIET_SECONDS,
    WORD,
    Clocked,
    make_project,
    search,
    usable,
)

PLACE = json.dumps({"v": 1, "asked": ["mapping", "heldout"]})
KEYS = 60
# No byte for so long: the key is done.
QUIET_SECONDS = 0.08


def paint_ms(words: list[str], place: Path, ready: str) -> tuple[float, float]:
    """Milliseconds from spawn to the paint that shows `ready`, and CPU milliseconds by then."""
    with Clocked(words, place) as terminal:
        painted = terminal.first(terminal.collect(START_QUIET_SECONDS), lambda text: ready in text)
        return (painted.at - terminal.start) * 1000, painted.cpu * 1000


def sitting(python: str, folder: Path) -> dict[str, float]:
    """One sitting on a project: the first paint, a search, so many moves and verdicts. Milliseconds, of CPU but one."""
    (folder / "session.json").write_text(PLACE)
    with Clocked([python, "-P", "-m", "workbench.cli", str(folder), "--as", REVIEWERS[0]], folder.parent) as terminal:
        painted = terminal.first(terminal.collect(START_QUIET_SECONDS), usable)
        terminal.wait_until_idle()
        found = {"paint, wall": (painted.at - terminal.start) * 1000, "paint": painted.cpu * 1000}
        found["at rest"] = terminal.cpu() * 1000
        _, found["search"], _ = search(terminal, WORD)
        terminal.wait_until_idle()
        for name, keys in (("moves", "j" * KEYS), ("verdicts", "xa" * (KEYS // 2))):
            busy = terminal.cpu()
            for key in keys:
                terminal.type(key)
                terminal.collect(QUIET_SECONDS)
            found[name] = (terminal.cpu() - busy) * 1000
        return found


def interval(ratios: Sequence[float]) -> tuple[float, float, float]:
    """Geometric mean of ratios and its 95 % interval (Student's t on the logarithms)."""
    logs = [log(ratio) for ratio in ratios]
    middle, width = statistics.fmean(logs), 0.0
    if len(logs) > 1:
        width = t_quantile(0.975, len(logs) - 1) * statistics.stdev(logs) / sqrt(len(logs))
    return exp(middle), exp(middle - width), exp(middle + width)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    sample = shipped_dir("sample_data") / "support.jsonl"
    parser.add_argument("--against", metavar="PYTHON", required=True, help="an interpreter that has the other version")
    parser.add_argument("--data", type=Path, default=sample, help="JSONL of Alpaca rows, also with gzip")
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--pairs", type=int, default=15)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place_name:
        place = Path(place_name)
        made = make_project(place, asked.data, asked.rows)
        pythons = {"this": sys.executable, "other": asked.against}
        folders = {name: Path(shutil.copytree(made, place / name / made.name)) for name in pythons}
        vd = [sys.executable, "-m", "visidata", "--config=/dev/null", "-f", "jsonl", str(place / f"{asked.rows}.jsonl")]
        found: dict[str, list[dict[str, float]]] = {name: [] for name in pythons}
        peer: list[tuple[float, float]] = []
        for turn in range(asked.pairs + 1):
            for name in list(pythons)[:: 1 if turn % 2 else -1]:
                found[name].append(sitting(pythons[name], folders[name]))
            if find_spec("visidata") is not None:
                peer.append(paint_ms(vd, place, "instruction"))
            print(f"pair {turn} of {asked.pairs}", file=sys.stderr)
    # The first turn compiled the byte code and filled the caches of the file system.
    this, other = found["this"][1:], found["other"][1:]
    out: dict[str, object] = {}
    for measure in this[0]:
        ratios = [one[measure] / two[measure] for one, two in zip(this, other, strict=True)]
        middles = [round(statistics.median(one[measure] for one in side), 1) for side in (this, other)]
        out[measure] = {"this, other": middles, "ratio, 95 %": [round(value, 3) for value in interval(ratios)]}
    if peer:
        walls, cpus = zip(*peer[1:], strict=True)
        ratios = [one["paint, wall"] / wall for one, wall in zip(this, walls, strict=True)]
        out["paint, wall, beside VisiData"] = {
            "VisiData": [round(statistics.median(walls), 1), round(statistics.median(cpus), 1)],
            "ratio, 95 %": [round(value, 3) for value in interval(ratios)],
        }
    print(json.dumps(out, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
